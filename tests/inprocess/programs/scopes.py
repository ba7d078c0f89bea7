"""Many scopes at once, in one event loop: each runs functions of its own only, in turns of 20 us and more, and saves
what it recorded to FOLDER/NUMBER.lapse."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from stacklapse import Profiler

FOLDER, SCOPES, SECONDS, INTERVAL = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
TURN = 20e-6

OWN = """
def spin_{n}():
    end = clock() + TURN
    while clock() < end:
        pass

async def step_{n}():
    spin_{n}()
    await asyncio.sleep(0)

async def scope_{n}(end):
    with Profiler(interval=INTERVAL) as profiler:
        while clock() < end:
            await step_{n}()
    profiler.save(FOLDER / "{n}.lapse")
"""

names: dict[str, Any] = {
    "asyncio": asyncio,
    "Profiler": Profiler,
    "clock": time.perf_counter,
    "TURN": TURN,
    "INTERVAL": INTERVAL,
    "FOLDER": FOLDER,
}


def scope(number: int) -> Callable[[float], Coroutine[Any, Any, None]]:
    exec(compile(OWN.format(n=number), f"scope_{number}.py", "exec"), names)
    function: Callable[[float], Coroutine[Any, Any, None]] = names[f"scope_{number}"]
    return function


async def main() -> None:
    scopes = [scope(number) for number in range(SCOPES)]
    end = time.perf_counter() + SECONDS
    await asyncio.gather(*(one(end) for one in scopes))


asyncio.run(main())
