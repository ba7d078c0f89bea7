"""Keeps requests in a thread of its own, so that nobody's answer and no event loop waits for a disk, or for a lock that
another process holds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from stacklapse._web import failure, forks
from stacklapse._web.threads import start_thread, system_lock

# Of the recordings that wait. What comes when there are more is dropped: requests go before profiles.
_WAITING_MAX, _BYTES_MAX = 100, 64_000_000


class Writer:
    def __init__(self) -> None:
        self._reset()
        forks.in_child(self._reset)

    def _reset(self) -> None:
        self._waiting: deque[tuple[int, Callable[[], object]]] = deque()
        # Whoever writes holds it. Nobody waits for it: the garbage collector may end a request anywhere.
        self._writing = system_lock()

    def add(self, size: int, keep: Callable[[], object]) -> None:
        """Has `keep` called soon; `size` is how many bytes it holds."""
        held = [waits for waits, _ in self._waiting.copy()]
        if held and (len(held) >= _WAITING_MAX or size + sum(held) > _BYTES_MAX):
            failure.tell("a request was dropped", RuntimeError("requests are worth keeping faster than they are kept"))
            return
        self._waiting.append((size, keep))
        if self._writing.locked():
            return
        try:
            start_thread(self._write, "stacklapse-keep")
        except Exception as error:
            failure.tell("a request waits until the next one is kept", error)

    def _write(self) -> None:
        # Again, since what came between the last look and the release found it held.
        while self._waiting and self._writing.acquire(blocking=False):
            try:
                while self._waiting:
                    self._waiting.popleft()[1]()
            except Exception as error:
                failure.tell("a request was not kept", error)
            finally:
                self._writing.release()
