"""Profilers of which each begins before the one before it ends: none is held by those after it."""

import contextvars
import threading

from stacklapse import Profiler
from work import names, spin


def hand_over_hand(times, overlap):
    """The last ones, which run."""
    running = []
    for _ in range(times):
        running.append(Profiler())
        running[-1].start()
        if len(running) > overlap:
            running.pop(0).stop()
    return running


def in_a_copied_context():
    spin(0.1)


# A context that was copied meanwhile still leads to the one outside, behind more than are looked for.
for overlap in (1, 2, 3):
    with Profiler(interval=0.001) as outer:
        running = hand_over_hand(200, overlap)
        context = contextvars.copy_context()
        for profiler in running:
            profiler.stop()
        thread = threading.Thread(target=context.run, args=(in_a_copied_context,))
        thread.start()
        thread.join()
    assert "in_a_copied_context" in names(outer.last_session), overlap


def at_the_end_of_a_small_stack(times):
    for profiler in hand_over_hand(times, 1):
        profiler.stop()
    # The same where they are nested: what is held then is freed at once.
    nested = []
    for _ in range(times):
        nested.append(Profiler(interval=1.0))
        nested[-1].start()
    context = contextvars.copy_context()
    for profiler in nested:
        profiler.stop()
    del nested, profiler, context


threading.stack_size(256 * 1024)
thread = threading.Thread(target=at_the_end_of_a_small_stack, args=(8000,))
thread.start()
thread.join()
