"""A finished recording, and the tree of its calls."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from stacklapse import _native
from stacklapse.arguments import output_options

Path_ = str | PathLike[str]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A function at its place in the tree of calls. Read-only."""

    function: str
    """Qualified name, `Kitchen.cook`; a mark with its brackets, `[await]`; the name of a thread or process."""
    file_path: str | None
    """As the interpreter has it; None for what has no file."""
    file_path_short: str | None
    """Relative to the entry of `sys.path` that it lies under."""
    line_no: int
    """Where the function is defined; 0: unknown."""
    time: float
    """Seconds, with everything that it called."""
    self_time: float
    """Seconds in the function itself."""
    sample_count: int
    is_application_code: bool
    """The user's own, and not a library's."""
    lines: dict[int, float]
    """Seconds by line of the function, with what the line called; the heaviest in itself comes first."""
    parent: Frame | None = field(repr=False)
    _children: list[Frame] = field(default_factory=list, repr=False)

    @property
    def children(self) -> tuple[Frame, ...]:
        """Heaviest first."""
        return tuple(self._children)

    @property
    def await_time(self) -> float:
        """Seconds in which nothing of the scope ran below this frame, and it waited: `[await]` and `[switched out]`."""
        return sum(frame.time for frame in self.walk() if frame.function in ("[await]", "[switched out]"))

    def walk(self) -> Iterator[Frame]:
        """This frame and everything below it, callers first, without recursion."""
        pending = [self]
        while pending:
            frame = pending.pop()
            yield frame
            pending.extend(reversed(frame._children))


class Session:
    """What a Profiler recorded, or a `.lapse` file holds: the same as the command `stacklapse` records and views."""

    def __init__(self, trace: bytes) -> None:
        if not isinstance(trace, bytes):
            raise TypeError(
                f"a Session is made of the bytes of a recording, not {type(trace).__name__}; see Session.load"
            )
        # Several are one after the other, and are combined when they are read.
        self._traces: tuple[bytes, ...] = (trace,)
        self._read: _native.Session | None = None
        self._sources: dict[str, str] = {}
        """The text of code that lies in no file, by the name that stands for one."""

    @property
    def _native(self) -> _native.Session:
        # Read when it is first needed: whoever only saves it, or stops a Profiler in a hurry, need not wait for that.
        if self._read is None:
            traces = self._traces
            if len(traces) == 1:
                read = _native.Session(traces[0])
            else:
                read = _combined(traces)
                self._traces = (read.trace,)
            self._read = read
        return self._read

    @property
    def _trace(self) -> bytes:
        traces = self._traces
        return traces[0] if len(traces) == 1 else self._native.trace

    def __reduce__(self) -> tuple[type[Session], tuple[bytes], dict[str, Any]]:
        return type(self), (self._trace,), {"_sources": self._sources}

    @classmethod
    def load(cls, filename: Path_) -> Session:
        """A recording that was saved; folded stacks, of other tools too, can be read as well.

        Raises OSError when the file cannot be read, ValueError when it is no recording.
        """
        session = cls(Path(filename).read_bytes())
        try:
            _ = session._native
        except ValueError as error:
            raise ValueError(f"cannot read {filename}: {error}") from None
        return session

    def save(self, filename: Path_) -> None:
        """Writes a `.lapse` file, which `stacklapse view` opens too. It appears whole or not at all."""
        _native.write_file(filename, self._native.trace)

    @staticmethod
    def combine(*sessions: Session) -> Session:
        """Several recordings one after the other, as one: durations, samples and times add up. What they are of, their
        start and their interval are the first one's."""
        for session in sessions:
            if not isinstance(session, Session):
                raise TypeError(f"only Sessions can be combined, not {type(session).__name__}")
        whole = _native.combine([session._native for session in sessions])
        combined = Session(whole.trace)
        combined._read = whole
        for session in reversed(sessions):
            combined._sources = {**combined._sources, **session._sources}
        return combined

    def render(self, renderer: str, **options: Any) -> str | bytes:
        """Any of the command's outputs by its name, such as "pprof", "firefox" or "folded"; binary ones are bytes.

        Every output accepts `show_all`, `timeline`, `show`, `hide`, `threshold` (a share) and `mode` (0: the time on
        the clock, 1: CPU time, 2: time with the GIL), and heeds those that mean something to it; "text" also `flat`,
        `flat_by_total`, `color`, `unicode`, `percent`, `short` and `width`.
        """
        sources = [text for source in self._sources.items() for text in source]
        return self._native.render(renderer, sources=sources, **output_options(options))

    def to_json(self) -> dict[str, Any]:
        """The recording's numbers, as `stacklapse view -r json --show-all` writes them: no library frame is folded."""
        document: dict[str, Any] = json.loads(self._native.render("json", show_all=True))
        return document

    def root_frame(self, trim_stem: bool = True) -> Frame | None:
        """The tree of calls, every frame of it; None when there is no sample.

        Frames below the one that started the Profiler are left out while recording, unless it was made with
        `trim_stem=False`; the argument of that name is taken here for pyinstrument's sake.
        """
        del trim_stem
        document = json.loads(self._native.render("json", show_all=True))
        roles = [function["role"] for function in json.loads(self._native.render("json"))["functions"]]
        frames: list[Frame] = []
        for node in document["tree"]:
            parent = frames[node["parent"]] if node["parent"] is not None else None
            frames.append(_frame(document, node, roles, parent))
            if parent is not None:
                parent._children.append(frames[-1])
        root = frames[0]
        if not root._children:
            return None
        if len(root._children) == 1 and root.self_time == 0:
            root = root._children[0]
            object.__setattr__(root, "parent", None)
        return root

    @property
    def duration(self) -> float:
        """Seconds from start to stop; of a combined one the sum."""
        return self._native.duration_ns / 1e9

    @property
    def sample_count(self) -> int:
        return self._native.samples

    @property
    def cpu_time(self) -> float:
        """Seconds of CPU time that the process used meanwhile."""
        return self._native.cpu_ns / 1e9

    @property
    def kinds(self) -> dict[str, float]:
        """Seconds by what was being done. On a CPU: `python` (with the GIL), `native` (without it) and `gc` (collecting
        garbage). Waiting: `gil_wait`, `lock` and `call` (in a system call). `unknown`: what could not be found out."""
        return {kind: time_ns / 1e9 for kind, time_ns in self._native.kinds().items()}

    @property
    def start_time(self) -> float:
        """Seconds since 1970."""
        return self._native.start_time_ns / 1e9

    @property
    def interval(self) -> float:
        """Seconds between two samples, on average."""
        return self._native.interval_ns / 1e9

    @property
    def program(self) -> str:
        """What was recorded: a Profiler's description, or the command."""
        return self._native.program

    @property
    def target_description(self) -> str:
        """The same by the name that pyinstrument gives it."""
        return self.program

    def __repr__(self) -> str:
        return f"<stacklapse.Session {self.program!r}, {self.duration:.3f} s, {self.sample_count} samples>"


def _combined(traces: Iterable[bytes]) -> _native.Session:
    return _native.combine([_native.Session(trace) for trace in traces])


class Parts:
    """
    What a Profiler recorded, each time from start to stop. They are combined when somebody looks at them all, and
    before that whenever `MANY` have been combined equally often. So few are kept, and each is combined as many times as
    their number has digits, and not once for each that follows.
    """

    MANY = 32

    def __init__(self) -> None:
        self._parts: list[tuple[int, bytes]] = []
        """How often it was combined, and its trace."""
        self._combining: dict[str, object] = {}
        self._session: tuple[tuple[bytes, ...], Session] | None = None

    def add(self, trace: bytes) -> None:
        self._parts.append((0, trace))
        # Another thread may add at any time, which moves nothing, but only one may combine.
        claim = object()
        if self._combining.setdefault("", claim) is not claim:
            return
        try:
            self._take_what_was_read()
            while self._combine_last():
                pass
        finally:
            self._combining.pop("")

    def _take_what_was_read(self) -> None:
        """Somebody looked at them all, so they are combined by now."""
        if self._session is None:
            return
        traces, session = self._session
        count = len(traces)
        if session._read is not None and tuple(trace for _, trace in self._parts[:count]) == traces:
            self._parts[:count] = [(self._parts[0][0], session._trace)]

    def _combine_last(self) -> bool:
        end = len(self._parts)
        last = self._parts[max(end - self.MANY, 0) : end]
        times = last[-1][0]
        if len(last) < self.MANY or last[0][0] != times:
            return False
        whole = _combined(trace for _, trace in last)
        self._parts[end - self.MANY : end] = [(times + 1, whole.trace)]
        return True

    @property
    def session(self) -> Session | None:
        """All of them as one, the same object until there is another part; None when there is none."""
        # A copy, since another thread may combine some of them meanwhile.
        traces = tuple(trace for _, trace in self._parts.copy())
        if not traces:
            return None
        known = self._session
        if known is None or known[0] != traces:
            session = Session(traces[0])
            session._traces = traces
            self._session = known = (traces, session)
        return known[1]


def _frame(document: dict[str, Any], node: dict[str, Any], roles: list[str], parent: Frame | None) -> Frame:
    name: str = "<root>"
    file: str | None = None
    short: str | None = None
    line, role = 0, "own"
    match node["kind"]:
        case "function":
            function = document["functions"][node["function"]]
            name, file, short = function["name"], function["file"] or None, function["short_path"] or None
            line, role = function["first_line"], roles[node["function"]]
        case "thread":
            thread = document["threads"][node["thread"]]
            name = thread["name"] or ("main thread" if thread["main"] else f"thread {thread['id']}")
        case "process":
            name = document["processes"][node["process"]]["command"]
    return Frame(
        function=name,
        file_path=file,
        file_path_short=short,
        line_no=line,
        time=node["total_ns"] / 1e9,
        self_time=node["self_ns"] / 1e9,
        sample_count=node["total_samples"],
        is_application_code=role == "own",
        lines={at["line"]: at["total_ns"] / 1e9 for at in node.get("lines", ())},
        parent=parent,
    )
