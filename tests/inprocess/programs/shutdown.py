"""A Profiler that runs when the interpreter ends, in every way that it may end."""

import atexit
import os
import sys
import threading

from stacklapse import Profiler
from work import names, spin

way, file = sys.argv[1:3]
profiler = Profiler(0.0001, threads="all" if "threads" in way else "scope")


def save_what_was_stopped():
    # Registered before stacklapse was first used would be earlier still: by now what ran was stopped.
    if profiler.is_running:
        profiler.stop()
    assert "spin" in names(profiler.last_session)
    profiler.save(file)


def forever():
    while True:
        spin(0.001)


if way != "forgotten":
    atexit.register(save_what_was_stopped)
profiler.start()
spin(0.03)
for _ in range(3):
    threading.Thread(target=forever, daemon=True).start()
if way == "exception":
    raise SystemExit(3)
if way == "forgotten":
    cycle = [profiler]
    cycle.append(cycle)
    sys.modules["keeps it alive"] = cycle
if way == "abrupt":
    save_what_was_stopped()
    profiler.start()
    os._exit(0)
