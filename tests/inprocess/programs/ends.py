"""A recording that is stopped in a slot that nobody has looked at yet: the line that stops it is no more likely to be
seen than any other of its length."""

import sys
import time

from stacklapse import Profiler, _native
from work import assert_adds_up, names, recordings

INTERVAL, ROUNDS = 0.01, 60
# Of recordings in which the line that stops is seen. It takes some 20 us: that a look falls into that has a chance of
# one in 500, and half of the recordings are stopped before the look of their last slot.
SEEN_MOST = ROUNDS // 4


def into_another_slot(recording):
    """Until two slots were looked at and the instant of the second is an interval ago, or a third was."""
    while recording.progress()[1] < 2:
        pass
    end = time.perf_counter() + INTERVAL
    while time.perf_counter() < end and recording.progress()[1] < 3:
        pass


def leave(stop):
    return stop()


def of_a_profiler(threads):
    profiler = Profiler(interval=INTERVAL, threads=threads)
    profiler.start()
    into_another_slot(recordings()[0])
    return leave(profiler.stop)


def of_a_request():
    interval_ns = round(INTERVAL * 1e9)
    recording = _native.Recording(interval_ns, "thread", description="request", first_ns=interval_ns)
    recording.start(sys._getframe())
    into_another_slot(recording)
    leave(recording.stop)
    return _native.Session(recording.trace())


def seen(record, *arguments):
    sessions = [record(*arguments) for _ in range(ROUNDS)]
    return sessions, sum("leave" in session.render("folded") for session in sessions)


for threads in ("scope", "all"):
    sessions, count = seen(of_a_profiler, threads)
    assert count <= SEEN_MOST, (threads, count)
    assert all("into_another_slot" in names(session) for session in sessions)
    for session in sessions if threads == "scope" else ():
        assert_adds_up(session)
_, count = seen(of_a_request)
assert count <= SEEN_MOST, count
