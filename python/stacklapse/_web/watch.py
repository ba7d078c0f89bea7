"""One request that is recorded, from before the application sees it to its last byte and background task."""

from __future__ import annotations

import _thread
import atexit
import os
import sys
import threading
import time
import weakref
from pathlib import Path
from types import FrameType

from stacklapse import _native
from stacklapse._web import failure, forks
from stacklapse._web.incoming import Incoming
from stacklapse.profiler import Profiler, _current_task
from stacklapse.session import Session

_OWN_FOLDER = f"{Path(__file__).parents[1]}{os.sep}"


class Watch:
    """
    `number` is that of the report, for a request that somebody asked for and who may; None for one that is watched to
    see whether it is worth keeping. `skipped` says why one that was asked for is not recorded after all. `incoming` is
    there where the request asked for something; what every request is watched with is as little as can be.
    """

    limited: str | None = None
    """The limit that ended the recording before the request."""
    _cpu_started: float | None = None
    _thread = 0
    _ended: Session | None = None

    def __init__(
        self,
        method: str,
        incoming: Incoming | None = None,
        *,
        number: str | None = None,
        sampled: bool = False,
        skipped: str | None = None,
    ) -> None:
        self.method = method
        self.incoming = incoming
        self.number = number
        self.sampled = sampled
        self.skipped = skipped
        self.asked = number is not None or skipped is not None
        self.started = time.perf_counter()
        self._running: list[_native.Recording] = []

    def start(self, interval_ns: int, first_ns: int, caller: FrameType) -> None:
        """Its stacks begin at `caller`. There is one sample for the first `first_ns`, then one for each interval."""
        task, coroutine, _ = _current_task()
        if self.asked and not task:
            # Nothing else runs in this thread meanwhile: its CPU time is the request's.
            self._thread = threading.get_ident()
            self._cpu_started = time.thread_time()
        recording = _native.Recording(
            interval_ns,
            "task" if task else "thread",
            description=f"{self.method} request",
            coroutine=coroutine,
            first_ns=first_ns,
        )
        recording.start(caller)
        self._running.append(recording)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.started

    @property
    def samples(self) -> int:
        """Taken so far."""
        for recording in self._running[:1]:
            return recording.progress()[1]
        return 0

    def limit(self, which: str) -> None:
        """Ends the recording and leaves the request alone."""
        self.limited = which
        self._stop()

    def stop(self) -> Session | None:
        """What was recorded; None when nothing was."""
        self._stop()
        return self._ended

    def discard(self) -> None:
        """Ends the recording of a request that is not worth keeping, which most are."""
        try:
            recording = self._running.pop()
        except IndexError:
            return
        recording.discard()

    def _stop(self) -> None:
        try:
            # The limits' thread may do so at the same time: whoever gets it out of the list stops it.
            recording = self._running.pop()
        except IndexError:
            return
        # In a forked child it does not run any more.
        if recording.running:
            recording.stop(_own_frames())
            self._ended = Session(recording.trace())

    def timing(self) -> str:
        """For Server-Timing: the time until now, and what of it this thread was on a CPU."""
        text = f"app;dur={self.seconds * 1e3:.1f}"
        if self._cpu_started is not None and self._thread == threading.get_ident():
            text += f", cpu;dur={(time.thread_time() - self._cpu_started) * 1e3:.1f}"
        return text


def _own_frames() -> int:
    """How many of the innermost frames are this package's, counted from the caller's."""
    count = 0
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_OWN_FOLDER):
        count += 1
        frame = frame.f_back
    return count


class Limits:
    """The requests that are recorded in this process now, and a thread that ends what takes too long."""

    _LOOK_SECONDS = 0.25
    _IDLE_SECONDS = 60.0

    def __init__(self, max_seconds: float, max_samples: int) -> None:
        self._max_seconds = max_seconds
        self._max_samples = max_samples
        self._reset()
        forks.in_child(self._reset)
        _all.add(self)

    def _reset(self) -> None:
        # The system's lock, not one that gevent has put in its place: nothing that is done under it waits.
        self._lock = _thread.allocate_lock()
        self._watches: dict[Watch, None] = {}
        self._asked = 0
        self._looked_after = False

    def add(self, watch: Watch, most: int) -> bool:
        """False when as many as that are recorded already."""
        with self._lock:
            count = self._asked if watch.asked else len(self._watches) - self._asked
            if count >= most:
                return False
            self._watches[watch] = None
            self._asked += watch.asked
            begin = not self._looked_after
            self._looked_after = True
        if begin:
            threading.Thread(target=self._look, name="stacklapse-limits", daemon=True).start()
        return True

    def add_watched(self, watch: Watch, most: int) -> bool:
        """The same for one that nobody asked for, which is every request: without the lock, so that threads may exceed
        the number by as many as they are."""
        if not self._looked_after:
            return self.add(watch, most)
        if len(self._watches) - self._asked >= most:
            return False
        self._watches[watch] = None
        return True

    def discard(self, watch: Watch) -> None:
        """Takes out one that nobody asked for, and ends its recording without a result."""
        self._watches.pop(watch, None)
        try:
            recording = watch._running.pop()
        except IndexError:
            return
        recording.discard()

    def remove(self, watch: Watch) -> None:
        with self._lock:
            if watch in self._watches:
                del self._watches[watch]
                self._asked -= watch.asked

    def end(self) -> None:
        """Ends all recordings."""
        for watch in list(self._watches):
            watch.discard()

    def _look(self) -> None:
        # A recording of this thread, which sleeps, keeps the native thread and what it has learnt of the interpreter
        # from one request to the next: beginning one then costs a twentieth.
        anchor = Profiler(interval=10.0, async_mode="disabled")
        try:
            anchor.start()
        except Exception as error:
            failure.tell("recordings cannot be started", error)
        idle_since = time.monotonic()
        while True:
            time.sleep(self._LOOK_SECONDS)
            with self._lock:
                watches = list(self._watches)
                if watches:
                    idle_since = time.monotonic()
                elif time.monotonic() - idle_since > self._IDLE_SECONDS:
                    self._looked_after = False
                    break
            for watch in watches:
                try:
                    self._hold(watch)
                except Exception as error:
                    failure.tell("a limit could not be held", error)
        if anchor.is_running:
            anchor.stop()

    def _hold(self, watch: Watch) -> None:
        if watch.limited is not None:
            return
        if watch.seconds > self._max_seconds:
            watch.limit(f"recorded for {self._max_seconds:g} s only")
        elif watch.samples >= self._max_samples:
            watch.limit(f"recorded for {self._max_samples:,} samples only")


_all: weakref.WeakSet[Limits] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    for limits in list(_all):
        limits.end()
