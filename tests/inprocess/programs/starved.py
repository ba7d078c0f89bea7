"""The native thread gets no CPU while the program computes: what nobody saw is not said to be the line that stops."""

import os
import sys
import time

from stacklapse import Profiler

SECONDS, INTERVAL = 0.05, 0.001


def compute():
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        pass


def take_the_cpu():
    """Whatever else is to run on this one waits until this thread sleeps."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))


def give_it_back():
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def unseen(threads):
    profiler = Profiler(interval=INTERVAL, threads=threads)
    take_the_cpu()
    profiler.start()
    compute()
    session = profiler.stop()
    give_it_back()
    return session


def seen_for_half(threads):
    profiler = Profiler(interval=INTERVAL, threads=threads)
    profiler.start()
    compute()
    take_the_cpu()
    compute()
    session = profiler.stop()
    give_it_back()
    return session


def line_of_stop(function):
    code = function.__code__
    return next(line for _, _, line in code.co_lines() if line and "stop()" in SOURCE[line - 1])


def check(function, threads):
    session = function(threads)
    frames = list(session.root_frame().walk())
    assert session.duration >= SECONDS, session.duration
    total = sum(frame.self_time for frame in frames)
    assert abs(total - session.duration) < 2 * INTERVAL, (total, session.duration)
    own = [frame for frame in frames if frame.function == function.__name__]
    stopping = sum(frame.lines.get(line_of_stop(function), 0.0) for frame in own)
    assert stopping < 3 * INTERVAL, (stopping, session.render("text", show_all=True))
    return frames, session


try:
    take_the_cpu()
except PermissionError:
    print("skipped: may not take the CPU for itself (SCHED_FIFO)")
    sys.exit()
give_it_back()
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
with open(__file__) as file:
    SOURCE = file.read().splitlines()

for threads in ("all", "scope"):
    frames, session = check(unseen, threads)
    missed = sum(frame.time for frame in frames if frame.function == "[missed]")
    assert missed > SECONDS - 3 * INTERVAL, session.render("text", show_all=True)
recording = session.to_json()["recording"]
assert recording["missed"] == 1, recording
assert recording["late"] >= SECONDS / INTERVAL - 3, recording
assert "late" in session.render("text", short=True), session.render("text", short=True)
report = session.render("text")
assert "of the looks were late" in report, report
assert "shares" not in report.splitlines()[2], report
for threads in ("scope", "all"):
    check(seen_for_half, threads)
