"""Tasks that take turns in an event loop, with shares of 1, 2 and 4 of one coroutine, which awaits others, and 3 of a
second one.
Prints how long each ran, in seconds, by the name of its coroutine.

usage: tasks.py [FILE] SECONDS; with FILE a Profiler records it to there
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

TURN = 0.002
took: dict[str, list[float]] = {"serve": [], "tidy": []}


def spin(seconds: float) -> float:
    begin = time.perf_counter()
    while (now := time.perf_counter()) < begin + seconds:
        pass
    return now - begin


async def inner(parts: int) -> float:
    return spin(parts * TURN)


async def outer(parts: int) -> float:
    return await inner(parts)


async def serve(parts: int, end: float) -> None:
    total = 0.0
    while time.perf_counter() < end:
        total += await outer(parts)
        await asyncio.sleep(0)
    took["serve"].append(total)


async def tidy(end: float) -> None:
    total = 0.0
    while time.perf_counter() < end:
        total += spin(3 * TURN)
        await asyncio.sleep(0)
    took["tidy"].append(total)


async def main(seconds: float) -> None:
    end = time.perf_counter() + seconds
    tasks = [asyncio.create_task(serve(parts, end)) for parts in (1, 2, 4)]
    await asyncio.gather(*tasks, tidy(end))


if len(sys.argv) > 2:
    from stacklapse import Profiler

    with Profiler(interval=0.00025) as profiler:
        asyncio.run(main(float(sys.argv[-1])))
    profiler.save(sys.argv[1])
else:
    asyncio.run(main(float(sys.argv[-1])))
print(json.dumps(took))
