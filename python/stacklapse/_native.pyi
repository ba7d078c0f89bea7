"""The engine's door. Its names may change: what is meant to be used is in `stacklapse` itself."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from os import PathLike
from types import FrameType
from typing import Any, Final, final

from typing_extensions import Buffer, disjoint_base

version: Final[str]

def renderers() -> dict[str, tuple[str, bool]]:
    """Every output by its name: the extension of its files, and whether it is binary."""

def renderer_for_path(path: str | bytes | PathLike[str] | PathLike[bytes], /) -> str | None:
    """The output that a file of that name holds."""

def write_file(path: str | bytes | PathLike[str] | PathLike[bytes], content: str | Buffer, /) -> None:
    """Puts a file there whole or not at all; one that is new can be read by its owner only. Raises what open() does."""

def current_task() -> tuple[bool, Any, Any]:
    """Whether a task of asyncio or trio or a greenlet runs here, its outermost coroutine, and the task. What is not
    imported does not run; a greenlet has neither coroutine nor task."""

def leave_out(file: str, /) -> None:
    """Frames of code whose `co_filename` this is are left out by every recording: what they took is their caller's."""

def combine(sessions: Iterable[Session], /) -> Session:
    """Several recordings one after the other, as one."""

@final
class Session:
    """A finished recording."""

    def __new__(cls, trace: bytes) -> Session: ...
    @property
    def trace(self) -> bytes: ...
    @property
    def program(self) -> str: ...
    @property
    def complete(self) -> bool: ...
    @property
    def start_time_ns(self) -> int: ...
    @property
    def interval_ns(self) -> int: ...
    @property
    def duration_ns(self) -> int: ...
    @property
    def samples(self) -> int: ...
    @property
    def looks(self) -> int: ...
    @property
    def missed(self) -> int: ...
    @property
    def broken(self) -> int: ...
    @property
    def late(self) -> int: ...
    @property
    def cpu_ns(self) -> int: ...
    @property
    def sampler_cpu_ns(self) -> int: ...
    @property
    def starter_cpu_ns(self) -> int:
        """Of the thread that a Profiler was started in, with all that ran in it meanwhile."""

    def kinds(self) -> dict[str, int]: ...
    def render(
        self,
        name: str,
        *,
        show_all: bool = False,
        timeline: bool = False,
        flat: bool = False,
        flat_by_total: bool = False,
        color: bool = False,
        unicode: bool = True,
        percent: bool = False,
        short: bool = False,
        mode: int = 0,
        width: int = 0,
        threshold: float = ...,
        show: Iterable[str] = ...,
        hide: Iterable[str] = ...,
        title: str | None = None,
        link: str | None = None,
        about: Iterable[str] = ...,
        sources: Iterable[str] = ...,
    ) -> str | bytes:
        """One of `renderers()`; binary ones give bytes. `mode` is 0 for wall time, 1 for CPU time, 2 for GIL time. For
        the text report and the page: a `title` in place of the recording's. For the page: a `link`, which begins with
        "./", to what it stands in for, and what else there is to say `about` that: name, text, name, text. `sources`:
        the texts of code that lies in no file: path, text, path, text."""

@final
class Recording:
    """A recording of this process."""

    def __new__(
        cls,
        interval_ns: int,
        scope: str,
        *,
        description: str | None = None,
        coroutine: object = None,
        task: str | None = None,
        trim: bool = True,
        contexts: bool = True,
        first_ns: int = 0,
        sparing: bool = False,
    ) -> Recording:
        """`first_ns`: for one of many of which most are discarded soon. It is looked at once in that time, and then in
        each interval. It is started with the frame that its stacks begin at. `sparing`: less and less often."""

    def start(self, skip: int | FrameType = 0, /) -> None: ...
    def stop(self, skip: int = 0, /) -> None: ...
    def discard(self) -> None: ...
    def trace(self) -> bytes: ...
    def progress(self) -> tuple[int, int]: ...
    @property
    def running(self) -> bool: ...
    @property
    def ended(self) -> bool:
        """It was started and runs no more, or is what a process had before this one was forked from it."""

@disjoint_base
class Watch:
    """
    A request that nobody asked to profile, recorded to see whether it is worth keeping: Watches.begin gives one. It is
    forgotten when it is dropped before its request has ended.
    """

    session: Any
    """What was recorded until a limit was reached: to be put there by who has stopped the recording."""

    @property
    def method(self) -> str: ...
    @property
    def seconds(self) -> float:
        """Since its begin."""

    @property
    def samples(self) -> int:
        """Taken so far."""

    @property
    def in_task(self) -> bool:
        """Whether it runs in a task or greenlet: else it has the thread for itself."""

    def end(self, status: int, error: BaseException | None, subject: object = None, /) -> None:
        """The request has ended, with this status (0: none was given). It is forgotten, or `keep` is called with
        `subject`. A second time does nothing."""

    def take(self) -> Recording | None:
        """The recording, to whom it belongs from then on; None when it was taken or has ended."""

@final
class WSGIWatch(Watch):
    """A Watch that is `start_response` for a WSGI application, and its body for the server. What is handed to `keep` as
    the subject is the WSGIWatch itself."""

    def __call__(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], object]: ...
    def __iter__(self) -> WSGIWatch: ...
    def __next__(self) -> bytes: ...
    def pass_on(self, body: Iterable[bytes], /) -> Iterable[bytes] | None:
        """What to give the server for it: the body itself where nothing of the application runs any more, or the server
        sends it by itself, else this object; None for one with a length, which is to be given one, too."""

    def close(self) -> None:
        """The server's to call. The request ends with it."""

    def fail(self, error: BaseException, /) -> None:
        """The application raised it. The request ends with it."""

    @property
    def environ(self) -> dict[str, Any]: ...
    @property
    def request(self) -> Any:
        """Werkzeug's, as the response began, or None."""

@final
class ASGIWatch(Watch):
    """A Watch that is the `send` of an ASGI application. What is handed to `keep` as the subject is the scope."""

    def __call__(self, message: MutableMapping[str, Any], /) -> Awaitable[None]: ...
    def finish(self, error: BaseException | None, /) -> None:
        """The application has returned, or raised what is an error of its own."""

@final
class Watches:
    """The requests that are recorded to see whether they are worth keeping, which is every one: as little as can be."""

    def __new__(
        cls,
        *,
        interval_ns: int,
        first_ns: int,
        slow_ns: int | None,
        sample: float,
        most: int,
        tend: Callable[[], None],
        keep: Callable[[Watch, int, BaseException | None, str, float, Any], None],
    ) -> Watches:
        """
        Those that took longer than `slow_ns` are kept, and those that failed, if it is not None; of all others the
        share `sample`. At most `most` are recorded at a time. `first_ns` is that of Recording.

        `tend()` is called before the first, and again after `rest()`. `keep(watch, status, error, reason, seconds,
        subject)` is called with each that is kept; the reason is "failed", "slow" or "sampled".
        """

    def begin(self, method: str, caller: FrameType, /) -> Watch | None:
        """None when it is not recorded. Its stacks begin at `caller`."""

    def wsgi(self, environ: dict[str, Any], start_response: Any, caller: FrameType, /) -> WSGIWatch | None: ...
    def asgi(self, scope: MutableMapping[str, Any], send: Any, caller: FrameType, /) -> ASGIWatch | None: ...
    def running(self) -> list[Watch]:
        """Those whose requests have not ended."""

    def rest(self) -> bool:
        """Whether there are none. If so, `tend` is called with the next."""

    def forget(self) -> None:
        """In a forked child: those of the parent are not here."""
