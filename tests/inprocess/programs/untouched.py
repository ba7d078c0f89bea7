"""The program is as it would be without a Profiler, and the native thread is gone after the last one."""

import gc
import os
import signal
import sys
import threading
from pathlib import Path

from stacklapse import Profiler
from work import names, spin


def thread_ids():
    return {int(name) for name in os.listdir("/proc/self/task")}


def descriptors():
    return {os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if name != "3"}


def blocked_signals(thread):
    lines = Path(f"/proc/self/task/{thread}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("SigBlk")), 16)


def view():
    return {
        "profile": sys.getprofile(),
        "trace": sys.gettrace(),
        "threads": threading.enumerate(),
        "native threads that threading knows": threading.active_count(),
        "interval": sys.getswitchinterval(),
        "signals": [signal.getsignal(number) for number in signal.valid_signals()],
        "mask": signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        "timers": [signal.getitimer(which) for which in (signal.ITIMER_REAL, signal.ITIMER_PROF)],
        "hooks": [sys.excepthook, threading.excepthook],
        "monitoring": [sys.monitoring.get_tool(tool) for tool in range(6)] if sys.version_info >= (3, 12) else [],
        "gc": (gc.isenabled(), gc.get_threshold(), len(gc.callbacks)),
        "warnings and path": (list(sys.path), list(sys.meta_path)),
        "recursion": sys.getrecursionlimit(),
    }


sys.setswitchinterval(0.0042)
signal.signal(signal.SIGUSR1, lambda *_: None)
with Profiler():
    spin(0.005)
before, threads, files = view(), thread_ids(), descriptors()
assert threads == {threading.get_native_id()}

for profiler in (Profiler(0.0001), Profiler(0.0001, threads="all")):
    profiler.start()
    assert view() == before
    new = thread_ids() - threads
    assert len(new) == 1, new
    assert blocked_signals(*new) & (1 << signal.SIGUSR1 - 1)
    assert blocked_signals(*new) & (1 << signal.SIGINT - 1)
    with Profiler() as second:
        assert len(thread_ids() - threads) == 1, "one native thread for all"
        spin(0.02)
    assert view() == before
    profiler.stop()
    assert view() == before
    assert thread_ids() == threads
    assert descriptors() == files, descriptors() ^ files
    assert "spin" in names(second.last_session)
