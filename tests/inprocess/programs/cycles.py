"""Ten thousand starts and stops leave nothing behind."""

import gc
import os
import sys
from pathlib import Path

from stacklapse import Profiler
from work import spin


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def cycles(count, outer):
    for number in range(count):
        profiler = Profiler(0.001 if number % 2 else 0.0002, threads="all" if number % 5 == 0 else "scope")
        profiler.start()
        if number % 100 == 0:
            spin(0.002)
        if number % 3:
            profiler.stop()
        del profiler
    assert outer is None or outer.is_running


count = int(sys.argv[1])
for outer in (None, Profiler()):
    if outer is not None:
        outer.start()
    cycles(count // 10, outer)
    gc.collect()
    files, before = len(os.listdir("/proc/self/fd")), resident()
    cycles(count // 2, outer)
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == files
    assert len(os.listdir("/proc/self/task")) == (1 if outer is None else 2)
    grown = resident() - before
    assert grown < 4 * 1024 * 1024, f"{grown} bytes after {count // 2} cycles"
    if outer is not None:
        outer.stop()
assert len(os.listdir("/proc/self/task")) == 1
