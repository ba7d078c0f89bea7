"""`stacklapse.profile`: a block, or a function, that prints where its time went."""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, TypeVar, overload

from stacklapse import _native
from stacklapse.profiler import AsyncMode, Profiler, check_description, place_of
from stacklapse.renderers import Renderer, print_to_stderr

# As in stacklapse.profiler.
_native.leave_out(sys._getframe().f_code.co_filename)

Function = TypeVar("Function", bound=Callable[..., Any])


class Profile:
    """What `stacklapse.profile(...)` gives: for a `with` block, or before a function."""

    def __init__(
        self,
        interval: float,
        async_mode: AsyncMode,
        use_timing_thread: bool | None,
        renderer: Renderer | None,
        target_description: str | None,
    ) -> None:
        if renderer is not None and not isinstance(renderer, Renderer):
            raise TypeError(f"renderer must be one of stacklapse's, such as ConsoleRenderer(), not {renderer!r}")
        if renderer is not None and renderer.output_is_binary:
            raise ValueError(f"renderer must make text to be printed, as ConsoleRenderer() does, not {renderer!r}")
        check_description(target_description)
        self._make = functools.partial(Profiler, interval, async_mode, use_timing_thread)
        self._renderer = renderer
        self._target_description = target_description
        self._profiler: Profiler | None = None
        # What is wrong with the arguments is told here, and not when a function is called for the first time.
        self._make()

    def __enter__(self) -> Profiler:
        frame = sys._getframe(1)
        return self._start(frame, f"Block at {place_of(frame)}")

    def _start(self, frame: FrameType, description: str) -> Profiler:
        if self._profiler is not None:
            raise RuntimeError("this block is already being profiled: write stacklapse.profile() with its brackets")
        profiler = self._make()
        profiler.start(frame, self._target_description or description)
        self._profiler = profiler
        return profiler

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._finish(3)

    def _finish(self, skip: int) -> None:
        profiler, self._profiler = self._profiler, None
        session = profiler._stop(skip) if profiler is not None else None
        if session is not None:
            print_to_stderr(session, self._renderer)

    def _fresh(self, function: Callable[..., Any]) -> _Call:
        """One call of a decorated function: each has a Profiler of its own, so that calls may nest and overlap."""
        again = object.__new__(Profile)
        again.__dict__ |= self.__dict__ | {"_profiler": None}
        code = inspect.unwrap(function).__code__ if hasattr(inspect.unwrap(function), "__code__") else None
        place = f" at {code.co_filename}:{code.co_firstlineno}" if code is not None else ""
        return _Call(again, f"Function {getattr(function, '__qualname__', function)}{place}")

    def __call__(self, function: Function) -> Function:
        """Decorates a function of any kind. A generator is profiled from its first step to its end, with what is done
        between its steps."""
        if isinstance(function, staticmethod | classmethod):
            return type(function)(self(function.__func__))
        if not callable(function):
            raise TypeError(f"stacklapse.profile decorates a function, not {function!r}")
        wrapper: Callable[..., Any]
        if _is(inspect.iscoroutinefunction, function):
            wrapper = self._coroutine(function)
        elif _is(inspect.isasyncgenfunction, function):
            wrapper = self._async_generator(function)
        elif _is(_is_awaitable_generator, function):
            wrapper = types.coroutine(self._generator(function))
        elif _is(inspect.isgeneratorfunction, function):
            wrapper = self._generator(function)
        else:
            wrapper = self._function(function)
        return functools.wraps(function)(wrapper)  # type: ignore[return-value]

    def _function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def profiled(*args: Any, **kwargs: Any) -> Any:
            with self._fresh(function):
                return function(*args, **kwargs)

        return profiled

    def _coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def profiled(*args: Any, **kwargs: Any) -> Any:
            with self._fresh(function):
                return await function(*args, **kwargs)

        return profiled

    def _generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def profiled(*args: Any, **kwargs: Any) -> Any:
            with self._fresh(function):
                return (yield from function(*args, **kwargs))

        return profiled

    def _async_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def profiled(*args: Any, **kwargs: Any) -> Any:
            with self._fresh(function):
                generator = function(*args, **kwargs)
                try:
                    item = await generator.asend(None)
                    while True:
                        try:
                            sent = yield item
                        except GeneratorExit:
                            raise
                        except BaseException as error:
                            item = await generator.athrow(error)
                        else:
                            item = await generator.asend(sent)
                except StopAsyncIteration:
                    return
                finally:
                    await generator.aclose()

        return profiled


def _is(of_kind: Callable[[Any], bool], function: Callable[..., Any]) -> bool:
    """Whether what runs in a call is of that kind, be it the `__call__` of an object."""
    while isinstance(function, functools.partial):
        function = function.func
    return of_kind(function) or of_kind(type(function).__call__)


def _is_awaitable_generator(function: Any) -> bool:
    """Made by types.coroutine."""
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    return bool(flags & inspect.CO_ITERABLE_COROUTINE)


class _Call:
    """A block whose description says which function it is the call of."""

    def __init__(self, profile: Profile, description: str) -> None:
        self._profile = profile
        self._description = description

    def __enter__(self) -> None:
        self._profile._start(sys._getframe(1), self._description)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._profile._finish(3)


@overload
def profile(function: Function, /) -> Function: ...


@overload
def profile(
    *,
    interval: float = 0.001,
    async_mode: AsyncMode = "enabled",
    use_timing_thread: bool | None = None,
    renderer: Renderer | None = None,
    target_description: str | None = None,
) -> Profile: ...


def profile(
    function: Callable[..., Any] | None = None,
    /,
    *,
    interval: float = 0.001,
    async_mode: AsyncMode = "enabled",
    use_timing_thread: bool | None = None,
    renderer: Renderer | None = None,
    target_description: str | None = None,
) -> Any:
    """
    Profiles a block or a function and prints a short report to stderr, or what `renderer` makes of it:

        with stacklapse.profile():
            ...

        @stacklapse.profile
        def cook(): ...

    Functions of any kind: `async def`, generators and async generators are profiled while they run, not while they are
    created.
    """
    made = Profile(interval, async_mode, use_timing_thread, renderer, target_description)
    return made if function is None else made(function)
