"""The engine's door. Its names may change: what is meant to be used is in `stacklapse` itself."""

from collections.abc import Iterable
from os import PathLike
from types import FrameType
from typing import Final, final

from typing_extensions import Buffer

version: Final[str]

def renderers() -> dict[str, tuple[str, bool]]:
    """Every output by its name: the extension of its files, and whether it is binary."""

def renderer_for_path(path: str | bytes | PathLike[str] | PathLike[bytes], /) -> str | None:
    """The output that a file of that name holds."""

def write_file(path: str | bytes | PathLike[str] | PathLike[bytes], content: str | Buffer, /) -> None:
    """Puts a file there whole or not at all; one that is new can be read by its owner only."""

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
    def kinds(self) -> dict[str, int]: ...
    def render(
        self,
        name: str,
        *,
        show_all: bool = False,
        timeline: bool = False,
        flat: bool = False,
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
    ) -> str | bytes:
        """One of `renderers()`; binary ones give bytes. `mode` is 0 for wall time, 1 for CPU time, 2 for GIL time. For
        the report page: a `title` in place of the recording's, a `link`, which begins with "./", to what the page
        stands in for, and what else there is to say `about` that: name, text, name, text."""

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
    ) -> Recording:
        """`first_ns`: for one of many of which most are discarded soon. It is looked at once in that time, and then in
        each interval. It is started with the frame that its stacks begin at."""

    def start(self, skip: int | FrameType = 0, /) -> None: ...
    def stop(self, skip: int = 0, /) -> None: ...
    def discard(self) -> None: ...
    def trace(self) -> bytes: ...
    def progress(self) -> tuple[int, int]: ...
    @property
    def running(self) -> bool: ...
