"""Waits in each of the ways that a task can wait, 100 ms each, and prints where: `KIND FUNCTION LINE` of the line that
waits, or of the line that awaits the task that does. A wait in which the machine had no core for the sampler is
repeated."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import sys
import time
import types
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any

from stacklapse import Profiler

WAIT = 0.1
LOOKS_WANTED = 60
PATIENCE = 20.0

# By what waits; the same each time.
waits: dict[str, tuple[str, int]] = {}


def here(kind: str) -> float:
    """Notes the line that calls this, which is the one that waits."""
    frame = sys._getframe(1)
    waits[kind] = (frame.f_code.co_qualname, frame.f_lineno)
    return WAIT


async def seen(profiler: Profiler, wait: Callable[[], Awaitable[None]]) -> None:
    """Waits, until a wait was looked at often enough."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        before = looks(profiler)
        await wait()
        if looks(profiler) - before >= LOOKS_WANTED:
            return


def looks(profiler: Profiler) -> int:
    [recording] = profiler._running.values()
    return recording.progress()[1]


async def plain() -> None:
    await asyncio.sleep(here("sleep"))


async def deep(depth: int) -> None:
    if depth == 0:
        await asyncio.sleep(here("deep"))
    else:
        await deep(depth - 1)


async def numbers() -> AsyncIterator[int]:
    yield 1
    await asyncio.sleep(here("async for"))
    yield 2


async def loops() -> None:
    async for _ in numbers():
        pass


class Manager:
    def __init__(self, enter: bool) -> None:
        self.enter = enter

    async def __aenter__(self) -> None:
        if self.enter:
            await asyncio.sleep(here("async with, enter"))

    async def __aexit__(self, *error: object) -> None:
        if not self.enter:
            await asyncio.sleep(here("async with, exit"))


async def manages_enter() -> None:
    async with Manager(enter=True):
        pass


async def manages_exit() -> None:
    async with Manager(enter=False):
        pass


@contextlib.asynccontextmanager
async def managed() -> AsyncIterator[None]:
    yield
    await asyncio.sleep(here("asynccontextmanager"))


async def uses_managed() -> None:
    async with managed():
        pass


async def answers() -> AsyncIterator[int]:
    try:
        yield 1
    except ValueError:
        await asyncio.sleep(here("athrow"))
        yield 2


async def throws() -> None:
    generator = answers()
    await anext(generator)
    await generator.athrow(ValueError())
    await generator.aclose()


async def sends() -> None:
    generator = sent()
    assert await anext(generator, None) == 1
    assert await anext(generator, None) == 2
    await generator.aclose()


async def sent() -> AsyncIterator[int]:
    yield 1
    await asyncio.sleep(here("anext"))
    yield 2


@types.coroutine
def old_style() -> Generator[Any, Any, None]:
    yield from asyncio.sleep(here("yield from")).__await__()


class Waits:
    def __await__(self) -> Generator[Any, Any, None]:
        yield from asyncio.sleep(here("__await__")).__await__()


async def in_a_task() -> None:
    await asyncio.sleep(here("task"))


async def awaits_a_task() -> None:
    # In a context that has no part in the scope, so that only the chain of awaits leads to it.
    await asyncio.create_task(in_a_task(), context=contextvars.Context())


def done_after(seconds: float) -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(seconds, future.set_result, None)
    return future


async def a_future() -> None:
    await done_after(here("future"))


async def gathers() -> None:
    await asyncio.gather(asyncio.sleep(here("gather")), asyncio.sleep(WAIT))


async def awaits_old_style() -> None:
    await old_style()


async def awaits_an_object() -> None:
    await Waits()


async def main(path: str) -> None:
    profiler = Profiler(interval=0.001)
    loop = asyncio.get_running_loop()
    begin = loop.time()
    profiler.start()
    for wait in (
        plain,
        lambda: deep(20),
        loops,
        manages_enter,
        manages_exit,
        uses_managed,
        throws,
        sends,
        awaits_old_style,
        awaits_an_object,
        awaits_a_task,
        a_future,
        gathers,
    ):
        await seen(profiler, wait)
    profiler.stop()
    wall = loop.time() - begin
    profiler.save(path)
    print("wall", wall)


asyncio.run(main(sys.argv[1]))
for kind, (function, line) in waits.items():
    print("\t".join((kind, function, str(line))))
