"""What takes long is done in another thread than an event loop's, asyncio's, trio's or gevent's, which serves others
meanwhile."""

from __future__ import annotations

import _thread
import asyncio
import atexit
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

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


def start_thread(function: Callable[[], object], name: str) -> None:
    """Calls it in a thread of its own, for which the interpreter waits before it ends: one of the system's also where
    gevent has put greenlets in the place of threads."""
    if not _is_gevent():
        threading.Thread(target=function, name=name, daemon=False).start()
        return
    running = system_lock()
    running.acquire()

    def run() -> None:
        try:
            function()
        finally:
            _running.discard(running)
            running.release()

    _running.add(running)
    try:
        _original("start_new_thread")(run, ())
    except BaseException:
        _running.discard(running)
        raise


def system_lock() -> _thread.LockType:
    """A lock between threads of the system: who waits for it holds up all greenlets of his thread."""
    lock: _thread.LockType = _original("allocate_lock")()
    return lock


# Of the threads that nobody else waits for.
_running: set[_thread.LockType] = set()
os.register_at_fork(after_in_child=_running.clear)


@atexit.register
def _wait() -> None:
    for running in list(_running):
        running.acquire()


def _is_gevent() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def _original(name: str) -> Any:
    """What `_thread` has by that name, and had before gevent."""
    return sys.modules["gevent.monkey"].get_original("_thread", name) if _is_gevent() else getattr(_thread, name)
