"""Waits in each of the ways that a task can wait, 100 ms each, and prints where: `KIND FUNCTION LINE` of the line that
waits, or of the line that awaits the task that does."""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import AsyncIterator, Generator
from typing import Any

from stacklapse import Profiler

WAIT = 0.1

waits: list[tuple[str, str, int]] = []


def here(kind: str) -> float:
    """Notes the line that calls this, which is the one that waits."""
    frame = sys._getframe(1)
    waits.append((kind, frame.f_code.co_qualname, frame.f_lineno))
    return WAIT


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
    async def __aenter__(self) -> None:
        await asyncio.sleep(here("async with, enter"))

    async def __aexit__(self, *error: object) -> None:
        await asyncio.sleep(here("async with, exit"))


async def manages() -> None:
    async with Manager():
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
    generator = numbers()
    assert await anext(generator, None) == 1
    assert await anext(generator, None) == 2
    await generator.aclose()


@types.coroutine
def old_style() -> Generator[Any, Any, None]:
    yield from asyncio.sleep(here("yield from")).__await__()


class Awaitable:
    def __await__(self) -> Generator[Any, Any, None]:
        yield from asyncio.sleep(here("__await__")).__await__()


async def in_a_task() -> None:
    await asyncio.sleep(here("task"))


async def awaits_a_task() -> None:
    # A task of a context that has no part in the scope, so that only the chain of awaits leads to it.
    await outside


def done_after(seconds: float) -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(seconds, future.set_result, None)
    return future


async def a_future() -> None:
    await done_after(here("future"))


async def gathers() -> None:
    await asyncio.gather(asyncio.sleep(here("gather")), asyncio.sleep(WAIT))


async def main(path: str) -> None:
    global outside
    profiler = Profiler(interval=0.001)
    loop = asyncio.get_running_loop()
    begin = loop.time()
    profiler.start()
    await plain()
    await deep(20)
    await loops()
    await manages()
    await throws()
    await sends()
    await old_style()
    await Awaitable()
    await a_future()
    await gathers()
    profiler.stop()
    wall = loop.time() - begin
    profiler.save(path)
    print("wall", wall)


async def task_main(path: str) -> None:
    """The task that is awaited was made before the Profiler was started."""
    global outside
    outside = asyncio.create_task(in_a_task())
    with Profiler(interval=0.001) as profiler:
        await awaits_a_task()
    profiler.save(path)


asyncio.run((task_main if sys.argv[2:] == ["task"] else main)(sys.argv[1]))
for kind, function, line in waits:
    print("\t".join((kind, function, str(line))))
