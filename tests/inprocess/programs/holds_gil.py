"""A function written in C that holds the GIL for a second is seen through that second."""

import ctypes
import threading

from stacklapse import Profiler
from work import assert_adds_up, seconds_in

holding = ctypes.PyDLL(None).usleep


def hold():
    holding(1_000_000)


def main():
    hold()


with Profiler() as profiler:
    main()
session = profiler.last_session
assert_adds_up(session)
assert 0.9 < seconds_in(session, "hold") <= session.duration
# Only slots that the machine skipped are missing.
assert session.sample_count + session._native.late >= 900

with Profiler(threads="all") as profiler:
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
assert seconds_in(profiler.last_session, "hold") > 0.9
