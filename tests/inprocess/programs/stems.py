"""Whatever the frame that starts a Profiler does afterwards, one path of calls is in one place of the tree."""

import asyncio
import contextlib

from stacklapse import Profiler
from work import assert_adds_up, spin

TURNS = 8


def work():
    spin(0.004)


def rest():
    end = 20000
    while end:
        end -= 1


def begin(profiler):
    profiler.start()


def by_helper(profiler):
    begin(profiler)
    for _ in range(TURNS):
        work()
        rest()
    profiler.stop()


def start_and_work(profiler):
    """The same call as others later."""
    if not profiler.is_running:
        profiler.start()
    work()


def by_the_first_of_many_calls(profiler):
    for _ in range(TURNS):
        start_and_work(profiler)
        spin(0.004)
    profiler.stop()


def by_exit_stack(profiler):
    with contextlib.ExitStack() as stack:
        stack.enter_context(profiler)
        for _ in range(TURNS):
            work()
            rest()


def again_and_again(profiler):
    for _ in range(TURNS):
        begin(profiler)
        work()
        profiler.stop()


def by_generator(profiler):
    def numbers():
        with profiler:
            for number in range(TURNS):
                work()
                yield number

    for _ in numbers():
        spin(0.004)


async def begin_later(profiler):
    await asyncio.sleep(0)
    profiler.start()


async def by_coroutine(profiler):
    await begin_later(profiler)
    for _ in range(TURNS):
        work()
        await asyncio.sleep(0.004)
        spin(0.002)
    profiler.stop()


async def by_async_generator(profiler):
    async def numbers():
        with profiler:
            for number in range(TURNS):
                work()
                await asyncio.sleep(0.001)
                yield number

    async for _ in numbers():
        spin(0.004)


def check(session, function):
    assert_adds_up(session)
    root = session.root_frame()
    tops = root.children if root.function == "<root>" else (root,)  # callbacks of a timer run in the context, too
    [top] = [frame for frame in tops if frame.function == function]
    assert top.time > 0.8 * session.duration, (function, top.time, session.duration)
    places = [frame for frame in root.walk() if frame.function == "work"]
    assert len(places) == 1, (function, [place.parent.function for place in places])


def main():
    for function in (by_helper, by_the_first_of_many_calls, by_exit_stack, again_and_again, by_generator):
        profiler = Profiler(interval=0.0002)
        function(profiler)
        check(profiler.last_session, function.__name__)
    for coroutine in (by_coroutine, by_async_generator):
        profiler = Profiler(interval=0.0002)
        asyncio.run(coroutine(profiler))
        check(profiler.last_session, coroutine.__name__)


main()
