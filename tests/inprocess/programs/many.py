"""Any number of Profilers at once, nested and side by side, each with its own interval and its own thread."""

import threading

from stacklapse import Profiler
from work import assert_adds_up, names, spin


def outer_only():
    spin(0.03)


def both():
    spin(0.03)


outer, inner = Profiler(0.001), Profiler(0.0002)
outer.start()
outer_only()
inner.start()
both()
# Not in the order of a stack, either.
outer.stop()
spin(0.03)
inner.stop()
assert {"outer_only", "both"} <= names(outer.last_session)
assert "both" in names(inner.last_session)
assert "outer_only" not in names(inner.last_session)
assert inner.last_session.sample_count > 1.5 * outer.last_session.sample_count
for profiler in (outer, inner):
    assert_adds_up(profiler.last_session)


def make(number):
    def work():
        spin(0.02)

    work.__code__ = work.__code__.replace(co_name=f"work_{number}", co_qualname=f"work_{number}")
    return work


def run(number, results, barrier):
    barrier.wait()
    with Profiler(0.0003) as profiler:
        for _ in range(5):
            make(number)()
    results[number] = profiler.last_session


THREADS = 8
results, barrier = {}, threading.Barrier(THREADS)
threads = [threading.Thread(target=run, args=(number, results, barrier)) for number in range(THREADS)]
everything = Profiler(threads="all")
everything.start()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
everything.stop()
for number, session in results.items():
    seen = {name for name in names(session) if name.startswith("work_")}
    assert seen == {f"work_{number}"}, (number, seen)
    assert_adds_up(session)
assert {f"work_{number}" for number in range(THREADS)} <= names(everything.last_session)
root = everything.last_session.root_frame()
assert len(root.children) >= THREADS + 1, "each thread for itself"
