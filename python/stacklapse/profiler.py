"""The Profiler: records a part of the program that it is used in."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import weakref
from collections.abc import Mapping
from types import FrameType, TracebackType
from typing import IO, Any, Literal, overload

from stacklapse import _native
from stacklapse.arguments import one_of
from stacklapse.renderers import (
    ConsoleRenderer,
    FlatTime,
    HTMLRenderer,
    PstatsRenderer,
    Renderer,
    TextualRenderer,
    Time,
    print_session,
)
from stacklapse.session import Parts, Session

AsyncMode = Literal["enabled", "disabled", "strict"]
Threads = Literal["scope", "all"]

INTERVAL_MIN, INTERVAL_MAX = 1e-6, 10.0

# Whoever profiles a function wants to see that function, and not what starts and stops the Profiler around it.
_native.leave_out(sys._getframe().f_code.co_filename)

_started: weakref.WeakValueDictionary[int, Profiler] = weakref.WeakValueDictionary()


@atexit.register
def _stop_all() -> None:
    """What still runs when the interpreter ends is stopped in order. Functions registered with atexit before this
    package was imported run after this and find `last_session` there."""
    for reference in _started.valuerefs():
        profiler = reference()
        if profiler is not None:
            profiler._stop(1)


class Profiler:
    """
    Samples what runs between `start()` and `stop()`. Any number may run at once, in one thread or many.

    Started outside any task, it follows the thread that started it, whatever that does; started in an asyncio or trio
    task or in a greenlet, it follows that one. In both cases it also follows whatever runs in a context that was copied
    from there: tasks that are created meanwhile, `asyncio.to_thread`, anyio's threads. It does not follow what starts
    with a context of its own: `threading.Thread`, `Executor.submit`, `loop.run_in_executor`, `gevent.spawn`, a raw
    greenlet. `threads="all"` records every thread of the process; `contextvars.copy_context().run` takes a scope along.

    At any moment the time goes to one place: to what runs in the scope, or, when nothing of it does, to where it waits:
    the chain of `await`s of the task that was started in, ending in `[await]`.
    """

    def __init__(
        self,
        interval: float = 0.001,
        async_mode: AsyncMode = "enabled",
        use_timing_thread: bool | None = None,
        *,
        threads: Threads = "scope",
        trim_stem: bool = True,
    ) -> None:
        """
        `interval` is the time between two samples in seconds, on average. `async_mode="disabled"` follows the starting
        thread only, and no context. `use_timing_thread` has no effect: one native thread serves all Profilers. With
        `trim_stem=False` the frames below the one that starts the Profiler are in the result, too.
        """
        if isinstance(interval, bool) or not isinstance(interval, int | float):
            raise TypeError(f"interval must be a number of seconds, not {interval!r}")
        if not INTERVAL_MIN <= interval <= INTERVAL_MAX:
            raise ValueError(f"interval must be from {INTERVAL_MIN} to {INTERVAL_MAX} seconds, not {interval!r}")
        one_of("async_mode", async_mode, ("enabled", "disabled", "strict"))
        one_of("threads", threads, ("scope", "all"))
        self._interval = float(interval)
        self._async_mode = async_mode
        self._threads = threads
        self._trim_stem = bool(trim_stem)
        self.use_timing_thread = use_timing_thread
        # The recording that runs or is about to, if one does. A dictionary because its operations are atomic: two
        # threads that start the same Profiler, or stop it, must not both succeed.
        self._running: dict[str, _native.Recording] = {}
        self._parts = Parts()

    @property
    def interval(self) -> float:
        return self._interval

    @property
    def async_mode(self) -> AsyncMode:
        return self._async_mode

    @property
    def threads(self) -> Threads:
        return self._threads

    @property
    def is_running(self) -> bool:
        """False in a forked child: recordings do not go on there, and the child may start its own."""
        recording = self._running.get("")
        return recording is not None and recording.running

    @property
    def last_session(self) -> Session | None:
        """What was recorded from the first start since the last `reset()` to the last stop; None before that."""
        return self._parts.session

    def start(self, caller_frame: FrameType | None = None, target_description: str | None = None) -> None:
        """
        Starts, or goes on: what a Profiler records is added to what it recorded before, until `reset()`. The result
        begins at `caller_frame`, which is the caller's own unless another of the running stack is given.

        Raises ValueError when this Profiler runs already, and OSError or RuntimeError, in one sentence, when this
        process may not read its own memory or this interpreter cannot be read.
        """
        skip, caller = _frames_above(caller_frame)
        check_description(target_description)
        if target_description is None:
            target_description = f"Profile at {place_of(caller)}"
        before = self._running.get("")
        if before is not None and before.ended:
            self._running.pop("", None)
        scope, coroutine, task = self._scope()
        recording = _native.Recording(
            round(self._interval * 1e9),
            scope,
            description=target_description,
            coroutine=coroutine,
            task=task,
            trim=self._trim_stem,
            contexts=self._async_mode != "disabled",
        )
        try:
            if self._running.setdefault("", recording) is not recording:
                raise ValueError("this Profiler is already running; another object can be started at any time")
            # Before it starts: what was called after that would be recorded.
            _started[id(self)] = self
            recording.start(skip)
        except BaseException:
            # A signal's handler may have raised it anywhere in between.
            if self._running.get("") is recording:
                _started.pop(id(self), None)
                self._running.pop("", None)
            raise

    def _scope(self) -> tuple[str, object, str | None]:
        """What a recording that starts here is of, the coroutine that the current task runs, and the task's name."""
        if self._threads == "all":
            return "threads", None, None
        if self._async_mode == "disabled":
            return "thread", None, None
        in_task, coroutine, task = _native.current_task()
        return ("task", coroutine, _name(task)) if in_task else ("thread", None, None)

    def stop(self) -> Session:
        """
        Stops, in whatever thread, and returns what was recorded. Raises RuntimeError when it does not run.
        """
        session = self._stop(2)
        if session is None:
            raise RuntimeError("this Profiler is not running")
        return session

    def _stop(self, skip: int) -> Session | None:
        """None if it does not run. The innermost `skip` frames, this one included, are not the program's."""
        recording = self._running.pop("", None)
        if recording is not None and not recording.running:
            if not recording.ended:
                # Another thread is about to start it.
                self._running.setdefault("", recording)
            recording = None
        if recording is None:
            return None
        recording.stop(skip)
        _started.pop(id(self), None)
        # Another thread may forget them meanwhile: what was recorded is in these.
        parts = self._parts
        parts.add(recording.trace())
        return parts.session

    def _discard(self) -> None:
        """Ends what runs without keeping it: for who has seen that it is not worth the price of a result."""
        recording = self._running.pop("", None)
        if recording is not None:
            recording.discard()
        _started.pop(id(self), None)

    def reset(self) -> None:
        """Stops if it runs, and forgets what was recorded."""
        self._discard()
        self._parts = Parts()

    def __enter__(self) -> Profiler:
        self.start(sys._getframe(1))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # In a forked child it does not run any more, and it may have been stopped by then.
        self._stop(2)

    def _finished(self) -> Session:
        if self.is_running:
            raise RuntimeError("this Profiler is still running: stop it before its result is shown")
        session = self.last_session
        if session is None:
            raise RuntimeError("this Profiler has recorded nothing yet: start and stop it before its result is shown")
        return session

    def print(
        self,
        file: IO[str] | None = None,
        *,
        unicode: bool | None = None,
        color: bool | None = None,
        show_all: bool = False,
        timeline: bool = False,
        time: Time = "seconds",
        flat: bool = False,
        flat_time: FlatTime = "self",
        short_mode: bool = False,
        processor_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Prints the report for people, to `sys.stdout` as it is now if no file is given."""
        print_session(
            self._finished(),
            file,
            unicode=unicode,
            color=color,
            show_all=show_all,
            timeline=timeline,
            time=time,
            flat=flat,
            flat_time=flat_time,
            short_mode=short_mode,
            processor_options=processor_options,
        )

    def output_text(
        self,
        unicode: bool = False,
        color: bool = False,
        show_all: bool = False,
        timeline: bool = False,
        time: Time = "seconds",
        flat: bool = False,
        flat_time: FlatTime = "self",
        short_mode: bool = False,
        processor_options: Mapping[str, Any] | None = None,
    ) -> str:
        """The same as a str."""
        renderer = ConsoleRenderer(
            unicode=unicode,
            color=color,
            show_all=show_all,
            timeline=timeline,
            time=time,
            flat=flat,
            flat_time=flat_time,
            short_mode=short_mode,
            processor_options=processor_options,
        )
        return renderer.render(self._finished())

    def output_html(self, resample_interval: float | None = None) -> str:
        """The report page."""
        return HTMLRenderer(resample_interval=resample_interval).render(self._finished())

    def write_html(
        self,
        path: str | os.PathLike[str],
        timeline: bool = False,
        show_all: bool = False,
        resample_interval: float | None = None,
    ) -> None:
        """Writes the report page. The file appears whole or not at all, and a new one only its owner may read."""
        page = HTMLRenderer(timeline=timeline, show_all=show_all, resample_interval=resample_interval)
        _native.write_file(path, page.render(self._finished()))

    def open_in_browser(self, timeline: bool = False, resample_interval: float | None = None) -> str:
        """Writes the report page to a temporary file, opens it, and returns its path."""
        page = HTMLRenderer(timeline=timeline, resample_interval=resample_interval)
        return page.open_in_browser(self._finished())

    @overload
    def output(self, renderer: TextualRenderer) -> str: ...

    @overload
    def output(self, renderer: PstatsRenderer) -> bytes: ...

    @overload
    def output(self, renderer: Renderer) -> str | bytes: ...

    def output(self, renderer: Renderer) -> str | bytes:
        """What `renderer` makes of it; bytes where its `output_is_binary`."""
        if not isinstance(renderer, Renderer):
            raise TypeError(f"renderer must be one of stacklapse's, such as ConsoleRenderer(), not {renderer!r}")
        return renderer.render(self._finished())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a `.lapse` file, for `Session.load` and `stacklapse view`."""
        self._finished().save(path)


def check_description(target_description: object) -> None:
    """Raises when it is given and is no str."""
    if target_description is not None and not isinstance(target_description, str):
        raise TypeError(f"target_description must be a str, not {target_description!r}")


def place_of(frame: FrameType) -> str:
    """`FILE:LINE` of the program, if need be of what told an ExitStack to enter a block."""
    outer: FrameType | None = frame
    while outer is not None and outer.f_globals is contextlib.__dict__:
        outer = outer.f_back
    frame = outer or frame
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _frames_above(caller: FrameType | None) -> tuple[int, FrameType]:
    """How many frames are our own before the caller's, counted from the one that calls this."""
    frame: FrameType | None = sys._getframe(1)
    if caller is None:
        assert frame is not None
        assert frame.f_back is not None
        return 1, frame.f_back
    skip = 0
    while frame is not None:
        if frame is caller:
            return skip, frame
        frame = frame.f_back
        skip += 1
    raise ValueError("caller_frame must be a frame of the running stack")


def _name(task: object) -> str | None:
    """What a task says it is called. A program may have tasks of its own making, which say anything or nothing."""
    try:
        get_name = getattr(task, "get_name", None)
        name = get_name() if get_name is not None else getattr(task, "name", None)
    except Exception:
        return None
    return name if isinstance(name, str) else None
