"""The outputs that have a class of their own. All others of the command are `Session.render(name)`."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import webbrowser
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, Literal

from stacklapse import _native
from stacklapse.arguments import COLUMNS_MAX, one_of, output_options, share
from stacklapse.session import Session

Time = Literal["seconds", "percent_of_total"]
FlatTime = Literal["self", "total"]


class Renderer:
    """Makes a str, or bytes where `output_is_binary`, of a Session. One of the classes below does."""

    output_name: ClassVar[str]
    """How the command calls it: `stacklapse view -r NAME`."""
    output_file_extension: ClassVar[str]
    output_is_binary: ClassVar[bool] = False

    def __init__(
        self,
        show_all: bool = False,
        timeline: bool = False,
        processor_options: Mapping[str, Any] | None = None,
        *,
        show: Iterable[str] = (),
        hide: Iterable[str] = (),
    ) -> None:
        """
        `show_all` shows library code like the user's own; `timeline` shows calls in the order in which they happened.
        `show` and `hide` are globs, held against paths and module names, of what counts as own code and as library's.
        Of `processor_options`, `filter_threshold` is known: the share below which a call is left out. What a renderer
        has no use for it accepts all the same: the page has a timeline anyway, and only the console leaves out calls.
        """
        if type(self) in (Renderer, TextualRenderer):
            name = type(self).__name__
            raise TypeError(f"{name} is what renderers have in common: use one of them, such as ConsoleRenderer()")
        self.options = output_options(
            {"show_all": bool(show_all), "timeline": bool(timeline), "show": show, "hide": hide}
        )
        if processor_options is not None and not isinstance(processor_options, Mapping):
            raise TypeError(
                f'processor_options must be a dict as {{"filter_threshold": 0.01}}, not {processor_options!r}'
            )
        for name, value in (processor_options or {}).items():
            one_of("a processor option", name, ("filter_threshold", "threshold"))
            self.options["threshold"] = share(name, value)

    def render(self, session: Session) -> str | bytes:
        return session.render(self.output_name, **self.options)


class TextualRenderer(Renderer):
    """One that makes a str."""

    def render(self, session: Session) -> str:
        text = super().render(session)
        assert isinstance(text, str)
        return text


class ConsoleRenderer(TextualRenderer):
    """The report for people, as the command prints it."""

    output_name = "text"
    output_file_extension = "txt"

    def __init__(
        self,
        show_all: bool = False,
        timeline: bool = False,
        processor_options: Mapping[str, Any] | None = None,
        unicode: bool = False,
        color: bool = False,
        flat: bool = False,
        time: Time = "seconds",
        flat_time: FlatTime = "self",
        short_mode: bool = False,
        *,
        show: Iterable[str] = (),
        hide: Iterable[str] = (),
        width: int = 0,
    ) -> None:
        """
        `flat` is a table of functions instead of a tree, by the time in themselves or, with `flat_time="total"`, with
        what they called; the other one is beside it. `short_mode` leaves out the head. `width` is that of the terminal
        in columns, 100 when it is 0.
        """
        super().__init__(show_all, timeline, processor_options, show=show, hide=hide)
        one_of("time", time, ("seconds", "percent_of_total"))
        one_of("flat_time", flat_time, ("self", "total"))
        self.options |= {
            "unicode": bool(unicode),
            "color": bool(color),
            "flat": bool(flat),
            "flat_by_total": flat_time == "total",
            "percent": time == "percent_of_total",
            "short": bool(short_mode),
            "width": width,
        }
        self.options = output_options(self.options)


class HTMLRenderer(TextualRenderer):
    """The report page: one file, without a network."""

    output_name = "html"
    output_file_extension = "html"

    def __init__(
        self,
        *,
        resample_interval: float | None = None,
        show_all: bool = False,
        timeline: bool = False,
        show: Iterable[str] = (),
        hide: Iterable[str] = (),
    ) -> None:
        """
        `resample_interval` has no effect: a page holds every sample, in about as many bytes as there are samples. Nor
        has `timeline`: it has one anyway.
        """
        super().__init__(show_all, timeline, show=show, hide=hide)
        del resample_interval

    def open_in_browser(self, session: Session, output_filename: str | os.PathLike[str] | None = None) -> str:
        """Writes the page, to a temporary file unless told where, and opens it. Returns the path."""
        page = self.render(session)
        if output_filename is None:
            descriptor, path = tempfile.mkstemp(prefix="stacklapse-", suffix=".html")
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(page)
        else:
            path = os.fspath(output_filename)
            _native.write_file(path, page)
        webbrowser.open(Path(path).absolute().as_uri())
        return path


class JSONRenderer(TextualRenderer):
    """Every number of the report, for programs to read."""

    output_name = "json"
    output_file_extension = "json"


class SpeedscopeRenderer(TextualRenderer):
    """A file for https://www.speedscope.app."""

    output_name = "speedscope"
    output_file_extension = "speedscope.json"


class PstatsRenderer(Renderer):
    """A file for the standard library's `pstats`, and what reads the same format."""

    output_name = "pstats"
    output_file_extension = "pstats"
    output_is_binary = True

    def render(self, session: Session) -> bytes:
        content = super().render(session)
        assert isinstance(content, bytes)
        return content


def wants_color(terminal: bool) -> bool:
    """As the command decides it (src/cli/terminal.c)."""
    if os.environ.get("NO_COLOR"):
        return False
    if any(os.environ.get(name, "") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return terminal and os.environ.get("TERM", "") not in ("", "dumb")


def _told_width() -> int:
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdecimal() and len(columns) <= 5 else 0


def terminal_options(file: IO[str], unicode: bool | None, color: bool | None) -> dict[str, Any]:
    """What suits the file that a report is printed to, where it was not said."""
    try:
        terminal = os.isatty(file.fileno())
        width = os.get_terminal_size(file.fileno()).columns if terminal else 0
    except (OSError, ValueError, TypeError, AttributeError):
        terminal, width = False, 0
    if unicode is None:
        unicode = "utf" in (getattr(file, "encoding", None) or "").lower().replace("-", "")
    if color is None:
        color = wants_color(terminal)
    return {"unicode": unicode, "color": color, "width": min(width or _told_width(), COLUMNS_MAX)}


def report_for(file: IO[str], session: Session, **options: Any) -> str:
    """The report for people, as it suits the file."""
    options |= terminal_options(file, options.pop("unicode", None), options.pop("color", None))
    return ConsoleRenderer(**options).render(session)


def print_session(session: Session, file: IO[str] | None, **options: Any) -> None:
    """To stdout as it is now, if no file is given."""
    if file is not None and not callable(getattr(file, "write", None)):
        raise TypeError(f"file must be open for writing text, such as sys.stderr, not {file!r}")
    file = sys.stdout if file is None else file
    # What can be written to is enough for print(), too, where nobody asks for more.
    flushes = callable(getattr(file, "flush", None))
    print(report_for(file, session, **options), file=file, end="", flush=flushes)


def print_to_stderr(session: Session, renderer: Renderer | None) -> None:
    """
    At the end of a block or call. What cannot be printed is lost, as a warning is, and never comes in the way of what
    the program gives or raises. Characters that the file lacks are escaped, as by the interpreter's own stderr.
    """
    file = sys.stderr
    if file is None:
        return
    with contextlib.suppress(Exception):
        text = report_for(file, session, short_mode=True) if renderer is None else str(renderer.render(session)) + "\n"
        encoding = getattr(file, "encoding", None) or "utf-8"
        print(text.encode(encoding, "backslashreplace").decode(encoding), file=file, end="", flush=True)
