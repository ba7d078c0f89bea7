"""The requests that are recorded, each from before the application sees it to its last byte and background task."""

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
from stacklapse.profiler import Profiler
from stacklapse.session import Session

_OWN_FOLDER = f"{Path(__file__).parents[1]}{os.sep}"


class Asked:
    """A request that somebody asked to profile, and may. Those that nobody asked for are `_native.Watch`."""

    number: str | None = None
    """Of the report."""
    skipped: str | None = None
    """Why it is not recorded after all."""
    watched: _native.Watch | None = None
    """The same request where any may be worth keeping: it is recorded for that like all others."""
    limited: str | None = None
    """The limit that ended the recording before the request."""
    _cpu_started: float | None = None
    _thread = 0
    _ended: Session | None = None

    def __init__(self, incoming: Incoming) -> None:
        self.incoming = incoming
        self._process = os.getpid()
        self.started = time.perf_counter()
        self._running: list[_native.Recording] = []

    def start(self, interval_ns: int, caller: FrameType) -> None:
        """Its stacks begin at `caller`."""
        recording, in_task = begin_recording(self.incoming.method, interval_ns, caller)
        if not in_task:
            # Nothing else runs in this thread meanwhile: its CPU time is the request's.
            self._thread = threading.get_ident()
            self._cpu_started = time.thread_time()
        self._running.append(recording)

    @property
    def is_here(self) -> bool:
        """Whether it began in this process, and not in the one that this was forked off from."""
        return self._process == os.getpid()

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
        if self.limited is None:
            self.limited = which
            self.stop()

    def take(self) -> _native.Recording | None:
        """The recording, to whom it belongs from then on: the limits' thread may want it at the same time."""
        try:
            return self._running.pop()
        except IndexError:
            return None

    def stop(self) -> Session | None:
        """What was recorded; None when nothing was."""
        recording = self.take()
        if recording is not None:
            self._ended = stopped(recording)
        return self._ended

    def end_watched(self, status: int, error: BaseException | None, route: str) -> None:
        """The request has ended, and is kept if it is worth that."""
        if self.watched is not None:
            self.watched.end(status, error, route)

    def timing(self) -> str:
        """For Server-Timing: the time until now, and what of it this thread was on a CPU."""
        text = f"app;dur={self.seconds * 1e3:.1f}"
        if self._cpu_started is not None and self._thread == threading.get_ident():
            text += f", cpu;dur={(time.thread_time() - self._cpu_started) * 1e3:.1f}"
        return text


def begin_recording(method: str, interval_ns: int, caller: FrameType) -> tuple[_native.Recording, bool]:
    """Of a request; its stacks begin at `caller`. And whether it runs in a task or greenlet: else it has the thread for
    itself."""
    task, coroutine, _ = _native.current_task()
    recording = _native.Recording(
        interval_ns,
        "task" if task else "thread",
        description=f"{method} request",
        coroutine=coroutine,
        first_ns=interval_ns,
    )
    recording.start(caller)
    return recording, task


def _stop(watch: Asked | _native.Watch) -> Session | None:
    """What was recorded; None when nothing was."""
    if isinstance(watch, Asked):
        return watch.stop()
    recording = watch.take()
    if recording is not None:
        watch.session = stopped(recording)
    session: Session | None = watch.session
    return session


def stopped(recording: _native.Recording) -> Session | None:
    """What it has recorded; None in a forked child, where it does not run any more."""
    if not recording.running:
        return None
    recording.stop(_own_frames())
    return Session(recording.trace())


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
        self._watched: list[_native.Watches] = []
        self._reset()
        forks.in_child(self._reset)
        _all.add(self)

    def _reset(self) -> None:
        # The system's, since nothing that is done under it waits. Whoever holds it may come upon the end of a request
        # by way of the garbage collector.
        self._lock = _thread.RLock()
        # Held while a limit ends a recording. The collector may come upon the end of that request meanwhile.
        self._limiting = _thread.RLock()
        self._asked: dict[Asked, None] = {}
        self._looks = False
        for watches in self._watched:
            watches.forget()

    def include(self, watches: _native.Watches) -> None:
        """Those that nobody asked for; they call `tend` when there are any."""
        self._watched.append(watches)

    def add(self, watch: Asked, most: int) -> bool:
        """False when as many as that are recorded already."""
        self.tend()
        with self._lock:
            if len(self._asked) >= most:
                return False
            self._asked[watch] = None
        return True

    def remove(self, watch: Asked) -> None:
        with self._lock:
            self._asked.pop(watch, None)

    def stop(self, watch: Asked | _native.Watch) -> Session | None:
        """What was recorded until now, or until a limit was reached; None when nothing was."""
        session = _stop(watch)
        if session is None:
            # A limit may have taken it a moment ago.
            with self._limiting:
                session = _stop(watch)
        return session

    def tend(self) -> None:
        """What is recorded is looked after from now on."""
        with self._lock:
            if self._looks:
                return
            self._looks = True
        try:
            threading.Thread(target=self._look, name="stacklapse-limits", daemon=True).start()
        except BaseException:
            self._looks = False
            raise

    def end(self) -> None:
        """Ends all recordings without a result."""
        for watch in self._running():
            recording = watch.take()
            if recording is not None:
                recording.discard()

    def _running(self) -> list[Asked | _native.Watch]:
        return [*self._asked, *(watch for watches in self._watched for watch in watches.running())]

    def _look(self) -> None:
        # A recording of this thread, which sleeps, keeps the native thread and what it has learnt of the interpreter
        # from one request to the next: beginning one then costs a twentieth.
        anchor = Profiler(interval=10.0, async_mode="disabled")
        try:
            anchor.start()
        except Exception as error:
            failure.tell("recordings cannot be started", error)
        idle_since = time.monotonic()
        while not self._rests(idle_since):
            time.sleep(self._LOOK_SECONDS)
            if self._hold_all():
                idle_since = time.monotonic()
        if anchor.is_running:
            anchor.stop()

    def _hold_all(self) -> bool:
        """Whether anything is recorded. It keeps no reference while the thread sleeps: requests end where they end."""
        running = self._running()
        for watch in running:
            try:
                self._hold(watch)
            except Exception as error:
                failure.tell("a limit could not be held", error)
        return bool(running)

    def _rests(self, idle_since: float) -> bool:
        """Nothing has been recorded for a while, and who records next has to call `tend`."""
        if time.monotonic() - idle_since <= self._IDLE_SECONDS:
            return False
        with self._lock:
            if self._asked or not all(watches.rest() for watches in self._watched):
                return False
            self._looks = False
            return True

    def _hold(self, watch: Asked | _native.Watch) -> None:
        if watch.seconds > self._max_seconds:
            limit = f"recorded for {self._max_seconds:g} s only"
        elif watch.samples >= self._max_samples:
            limit = f"recorded for {self._max_samples:,} samples only"
        else:
            return
        with self._limiting:
            if isinstance(watch, Asked):
                watch.limit(limit)
            else:
                _stop(watch)
        if isinstance(watch, Asked):
            self.remove(watch)


_all: weakref.WeakSet[Limits] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    for limits in list(_all):
        limits.end()
