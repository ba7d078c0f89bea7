"""A recording that is one of many of which most are thrown away: starting it takes note of little, and it is looked at
only once in its first slot. What is kept is as true as any other."""

import asyncio
import contextvars
import gc
import math
import os
import sys
import threading
import time
from pathlib import Path

from stacklapse import Profiler, Session, _native
from work import LOOKS_WANTED, PATIENCE, assert_adds_up, names, seconds_in

MS = 1_000_000
watched = []


def spin(seconds):
    """For that long, and until what is watched has been looked at more often: on a busy machine the sampler may get no
    core for a while."""
    begin = time.perf_counter()
    enough = [(recording, recording.progress()[1] + LOOKS_WANTED) for recording in watched]
    while time.perf_counter() < begin + seconds or (
        time.perf_counter() < begin + PATIENCE
        and any(recording.running and recording.progress()[1] < count for recording, count in enough)
    ):
        pass


def begin(first_ms, scope="thread", coroutine=None, **options):
    recording = _native.Recording(
        MS, scope, description="request", coroutine=coroutine, first_ns=first_ms * MS, **options
    )
    recording.start(sys._getframe(1))
    watched[:] = [recording] if first_ms < 1000 else []
    return recording


def finished(recording):
    watched.clear()
    recording.stop(0)
    return Session(recording.trace())


def view():
    spin(0.05)


def parts(count):
    for _ in range(count):
        spin(0.01)
        yield b"part"


def middleware(first_ms):
    recording = begin(first_ms)
    view()
    return finished(recording)


def streaming(first_ms):
    """Returns before it ends, as a middleware does whose response is a stream."""
    return begin(first_ms), parts(8)


def server(application):
    return application()


def test_stacks_begin_at_the_frame_that_was_given():
    for first_ms in (1, 20):
        session = server(lambda first_ms=first_ms: middleware(first_ms))
        assert {"middleware", "view", "spin"} <= names(session), names(session)
        assert not {"server", "<module>"} & names(session), names(session)
        assert_adds_up(session)


def test_they_still_do_when_that_frame_has_returned():
    for first_ms in (1, 30):
        recording, body = server(lambda first_ms=first_ms: streaming(first_ms))
        for _ in body:
            pass
        session = finished(recording)
        assert "parts" in names(session)
        assert_adds_up(session)


def serve(first_ms):
    recording, body = streaming(first_ms)
    for _ in body:
        pass
    return finished(recording)


def test_or_at_the_one_that_called_it():
    for first_ms in (1, 30):
        session = serve(first_ms)
        assert "parts" in names(session)
        assert not {"<module>", "test_or_at_the_one_that_called_it"} & names(session), names(session)


def early(recording):
    while recording.progress()[1] == 0:
        pass


def stopped_after_its_first_look(first_ms):
    recording = begin(first_ms)
    early(recording)
    return finished(recording)


def test_what_is_seen_first_stands_for_the_first_slot():
    """Whether or not there is a second look: it is told to nobody before."""
    session = stopped_after_its_first_look(30)
    assert seconds_in(session, "early") > 0.9 * session.duration, session
    assert_adds_up(session)

    recording = begin(30)
    early(recording)
    view()
    session = finished(recording)
    assert seconds_in(session, "early") >= 0.03, session
    assert "view" in names(session), names(session)
    assert_adds_up(session)


def test_one_after_the_other_is_looked_at_first_at_different_times():
    """As requests are, each of which may lie where the one before it lay in memory."""
    seen = []
    for _ in range(60):
        recording = begin(4)
        started = time.perf_counter()
        early(recording)
        seen.append(time.perf_counter() - started)
        recording.discard()
    assert min(seen) < 0.0016, seen
    assert max(seen) > 0.0024, seen


def test_what_ends_within_the_first_slot_unseen_is_said_to_be_missed():
    recording = begin(5000)
    session = finished(recording)
    assert session.sample_count == 1
    assert session._native.missed == 1
    assert_adds_up(session)


async def deep():
    await asyncio.sleep(0.05)
    spin(0.02)


async def handler(first_ms):
    recording = begin(first_ms, "task", asyncio.current_task().get_coro())
    await deep()
    await asyncio.to_thread(view)
    return finished(recording)


async def around(first_ms):
    return await handler(first_ms)


def test_a_task_that_waits():
    for first_ms in (1, 10):
        session = asyncio.run(around(first_ms))
        assert_adds_up(session)
        assert not {"around", "run_until_complete", "_run_once"} & names(session), names(session)
        assert {"handler", "deep", "view"} <= names(session), names(session)


async def early_waiting(recording):
    while recording.progress()[1] == 0:
        await asyncio.sleep(0.01)


async def stopped_after_its_first_wait(first_ms):
    recording = begin(first_ms, "task", asyncio.current_task().get_coro())
    await early_waiting(recording)
    return finished(recording)


def test_a_task_that_was_seen_once():
    """Nearly always while it waits; what wakes it up runs in its context, too."""
    waiting = 0
    for _ in range(7):
        session = asyncio.run(stopped_after_its_first_wait(30))
        assert_adds_up(session)
        if seconds_in(session, "early_waiting") > 0.9 * session.duration:
            assert "stopped_after_its_first_wait" in names(session), names(session)
            waiting += 1
    assert waiting >= 4


def test_what_lasts_is_looked_at_less_and_less_often():
    """Every millisecond for 200 of them, then every second one, and from 400 on every fourth."""
    recording = begin(1, sparing=True)
    began = time.perf_counter()
    spin(0.3)
    spun = time.perf_counter() - began
    while recording.progress()[0] < 800 * MS:
        time.sleep(0.01)
    session = finished(recording)
    slots = 200 + 100 + 100 * math.log2(session.duration / 0.4)
    told = session.sample_count + session._native.late
    assert 0.8 * slots < told < 1.1 * slots, (told, slots, session.duration)
    assert_adds_up(session)
    # A slot is 4 ms at the end.
    assert abs(seconds_in(session, "spin") - spun) < 0.05, (session, spun)


def test_what_was_asked_for_is_looked_at_as_often_to_its_end():
    recording = begin(1)
    spin(0.5)
    session = finished(recording)
    assert abs(session.sample_count + session._native.late - session.duration / 0.001) < 3, session


def test_many_that_last_are_looked_at_less_often():
    """Forty of them every sixteenth millisecond, once they have got there."""
    frame = sys._getframe()
    recordings = [_native.Recording(MS, "thread", description="request", first_ns=MS, sparing=True) for _ in range(40)]
    for recording in recordings:
        recording.start(frame)
    watched[:] = recordings
    spin(0.4)
    for number, recording in enumerate(recordings):
        session = finished(recording)
        # How it ends stands for the last millisecond alone, and not for all of a slot.
        assert number > 0 or seconds_in(session, "finished") <= 0.001, session
        told = session.sample_count + session._native.late
        assert told < 60 + session.duration / 0.016, (told, session.duration)
        assert told > 0.5 * session.duration / 0.016, (told, session.duration)
        assert_adds_up(session)
        assert seconds_in(session, "spin") > 0.3, session


def test_many_are_thrown_away():
    def many(count):
        for number in range(count):
            recording = begin(50)
            if number % 100 == 0:
                time.sleep(0.001)
            recording.discard()

    before = len(contextvars.copy_context())
    with Profiler(interval=1.0):
        many(2000)
        gc.collect()
        size = int(Path("/proc/self/statm").read_text().split()[1]) * 4
        many(20000)
        gc.collect()
        assert int(Path("/proc/self/statm").read_text().split()[1]) * 4 < size + 1000
    assert len(contextvars.copy_context()) == before


def test_none_is_held_by_its_own_frame():
    seen = []

    class Local:
        def __del__(self):
            seen.append(True)

    def never_stopped():
        local = Local()
        recording = begin(50)
        watched.clear()
        return local is recording

    never_stopped()
    gc.collect()
    assert seen == [True]


def test_a_fork_in_the_first_slot():
    for first_ms in (1, 5000):
        recording = begin(first_ms)
        time.sleep(0.005)
        child = os.fork()
        if child == 0:
            ok = not recording.running
            recording.discard()
            view_in_child = middleware(1)
            os._exit(0 if ok and "view" in names(view_in_child) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert_adds_up(finished(recording))


def test_it_is_started_with_a_frame():
    for wrong in (0, None, "frame"):
        recording = _native.Recording(MS, "thread", first_ns=MS)
        try:
            recording.start(wrong)
        except TypeError as error:
            assert "frame" in str(error)
        else:
            raise AssertionError(wrong)
        recording.start(sys._getframe())
        recording.discard()


def in_a_thread():
    session = middleware(5)
    assert "view" in names(session)
    assert "run" not in names(session)


def test_threads_that_were_not_known():
    for _ in range(10):
        thread = threading.Thread(target=in_a_thread)
        thread.start()
        thread.join()


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
