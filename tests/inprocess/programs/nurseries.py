"""anyio on asyncio and on trio: tasks and threads that inherit the context belong to the scope, and waits are found."""

import contextlib
import sys

import anyio
import anyio.to_thread
from stacklapse import Profiler
from work import assert_adds_up, names, seconds_in, spin


def in_a_thread():
    spin(0.05)


async def in_a_task():
    spin(0.05)
    await anyio.sleep(0)


async def stranger(done):
    while not done.is_set():
        of_a_stranger()
        await anyio.sleep(0.001)


def of_a_stranger():
    spin(0.0005)


async def waits():
    await anyio.sleep(0.1)


@contextlib.asynccontextmanager
async def managed():
    await anyio.sleep(0.1)
    yield
    await anyio.sleep(0.1)


async def uses_a_manager():
    async with managed():
        pass


async def profiled():
    with Profiler(0.0005) as profiler:
        await anyio.to_thread.run_sync(in_a_thread)
        async with anyio.create_task_group() as group:
            group.start_soon(in_a_task)
        await waits()
        await uses_a_manager()
    return profiler.last_session


async def main():
    done = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(stranger, done)
        session = await profiled()
        done.set()
    seen = names(session)
    assert {"in_a_thread", "in_a_task", "waits", "uses_a_manager", "managed", "[await]"} <= seen, seen
    assert "of_a_stranger" not in seen, seen
    for frame in session.root_frame().walk():
        if frame.function == "[await]":
            assert frame.parent.function != "profiled", "each wait is found below what waits"
    # What runs in other threads has no part in the stack of the one that started the Profiler.
    assert "profiled" in {frame.function for frame in session.root_frame().children}
    assert seconds_in(session, "waits") > 0.05
    assert seconds_in(session, "managed") > 0.1
    assert_adds_up(session)


anyio.run(main, backend=sys.argv[1])
