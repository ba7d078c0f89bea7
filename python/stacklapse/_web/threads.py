"""What takes long is done in another thread than an event loop's, which serves others meanwhile."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TypeVar

from stacklapse._web import failure

_Result = TypeVar("_Result")


async def in_thread(function: Callable[[], _Result]) -> _Result:
    """Calls it in a thread of the loop's that runs here, asyncio's or trio's. Where there is none to be had, here."""
    try:
        trio = sys.modules.get("trio")
        if trio is not None and _runs(trio.lowlevel.current_task):
            result: _Result = await trio.to_thread.run_sync(function)
            return result
        if _runs(asyncio.get_running_loop):
            return await asyncio.to_thread(function)
    except Exception as error:
        failure.tell("no thread could be had", error)
    return function()


def _runs(current: Callable[[], object]) -> bool:
    try:
        current()
    except RuntimeError:
        return False
    return True
