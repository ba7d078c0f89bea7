"""What belongs to a scope and what does not: saves to FOLDER/NAME.lapse what Profilers of these names saw, of functions
that are called after where they run."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stacklapse import Profiler
from work import spin

FOLDER = Path(sys.argv[1])


def turn() -> None:
    spin(0.05)


def named(name: str) -> Callable[[], None]:
    """A function of that name that spins."""
    names: dict[str, Callable[[], None]] = {"turn": turn}
    exec(compile(f"def {name}():\n    turn()\n", "named.py", "exec"), names)
    return names[name]


async def task(name: str) -> None:
    named(name)()
    await asyncio.sleep(0)
    named(name)()


def save(profiler: Profiler, name: str) -> None:
    profiler.save(FOLDER / f"{name}.lapse")


async def a_task() -> None:
    before = asyncio.create_task(task("task_of_before"))
    with Profiler(interval=0.0005) as profiler:
        named("the_task_itself")()
        await asyncio.create_task(task("task_it_creates"))
        await asyncio.to_thread(named("in_to_thread"))
        contextvars.Context().run(named("in_an_empty_context"))
        with ThreadPoolExecutor() as pool:
            await asyncio.wrap_future(pool.submit(named("in_an_executor")))
            await asyncio.wrap_future(pool.submit(contextvars.copy_context().run, named("in_a_context_carried_along")))
        thread = threading.Thread(target=named("in_a_thread"))
        thread.start()
        while thread.is_alive():
            await asyncio.sleep(0.001)
        await before
    save(profiler, "task")


def a_thread() -> None:
    outside = threading.Thread(target=named("in_a_thread"))
    with Profiler(interval=0.0005) as profiler:
        outside.start()
        outside.join()
        named("the_thread_itself")()
        contextvars.Context().run(named("in_an_empty_context"))
        asyncio.run(task("task_it_creates"))
    save(profiler, "thread")


def nested() -> None:
    with Profiler(interval=0.0005) as outer:
        named("outer_before")()
        with Profiler(interval=0.0007) as inner:
            named("both")()
        named("outer_after")()
    save(outer, "outer")
    save(inner, "inner")


async def nested_tasks() -> None:
    """The inner one is of a task that the outer one's creates, and both see what runs there."""

    async def inside() -> None:
        with Profiler(interval=0.0007) as inner:
            await task("in_both_tasks")
        save(inner, "inner_task")

    with Profiler(interval=0.0005) as outer:
        named("in_the_outer_task")()
        await asyncio.create_task(inside())
    save(outer, "outer_task")


asyncio.run(a_task())
a_thread()
nested()
asyncio.run(nested_tasks())
