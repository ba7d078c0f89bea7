"""The time of a stack that is deeper than stacks are followed is told as that: another thread's, and one's own."""

import sys
import threading

from stacklapse import Profiler
from work import assert_adds_up, seconds_in, spin

sys.setrecursionlimit(10**6)


def dig(depth, at_the_end):
    if depth:
        dig(depth - 1, at_the_end)
    else:
        at_the_end()


def main():
    spin(0.1)


def waits():
    deep.set()
    done.wait()


def assert_too_deep(session):
    assert seconds_in(session, "[too deep]") > 0
    assert seconds_in(session, "dig") == seconds_in(session, "[broken]") == seconds_in(session, "[missed]") == 0
    assert session._native.broken > 0


deep = threading.Event()
done = threading.Event()
threading.Thread(target=dig, args=(70_000, waits), daemon=True).start()
deep.wait()
with Profiler(0.01, threads="all") as profiler:
    main()
assert_too_deep(profiler.last_session)
assert seconds_in(profiler.last_session, "main") > 0
done.set()

profiler = Profiler(0.01)


def profiled():
    with profiler:
        main()


dig(70_000, profiled)
assert_too_deep(profiler.last_session)
assert_adds_up(profiler.last_session)
