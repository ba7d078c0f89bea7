"""The traceback of a line or cell that failed, as if it had been run by itself."""

from __future__ import annotations

import contextlib
import functools
import sys
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from stacklapse._ipython.shell import Shell

_HERE = str(Path(__file__).parent)
_OURS = (_HERE, str(Path(_HERE).with_name("ipython.py")))


def trim(shell: Shell, error: BaseException) -> None:
    """
    What lies between IPython and the code shall not be shown: the frames here, the call of the magic, and of a cell its
    own frame, which does nothing else. Nothing is taken away from the traceback itself, and an error that says on its
    own how it is shown goes on to do so.
    """
    if getattr(error, "_render_traceback_", None) is None:
        # IPython asks an error for this before it makes a traceback. Some errors take no attributes.
        with contextlib.suppress(AttributeError, TypeError):
            error._render_traceback_ = _Rendering(shell, error)  # type: ignore[attr-defined]


class _Rendering:
    """
    Called by IPython when the error has reached it, once to show it and once to store what was shown. The error keeps
    this for good, so nothing is kept here: which frames are left out is seen by the traceback alone.
    """

    def __init__(self, shell: Shell, error: BaseException) -> None:
        self._shell = shell
        self._error: Callable[[], BaseException | None]
        try:
            self._error = weakref.ref(error)
        except TypeError:
            # Python's own errors are found by the garbage collector then.
            self._error = lambda: error

    def __call__(self) -> Any:
        error = self._error()
        assert error is not None
        shown = _linked(_shown(error.__traceback__))
        return self._shell.InteractiveTB.structured_traceback(type(error), error, shown)

    def __reduce__(self) -> tuple[Any, ...]:
        """An error that is copied or pickled is told as Python tells it, where there may be neither IPython nor this
        package."""
        return functools.partial, (traceback.format_exception, self._error())


class _Showing:
    """
    In place of the shell's `showtraceback`, because some errors are not asked how they are shown: syntax errors, and
    those that IPython leaves to Python, such as groups. While they are shown, their traceback is the part of it to be
    seen.
    """

    def __init__(self, show: Callable[..., None]) -> None:
        self.show = show

    def __call__(self, *arguments: Any, **options: Any) -> None:
        error = sys.exc_info()[1]
        if error is None or not _passed_here(error.__traceback__):
            self.show(*arguments, **options)
            return
        whole = error.__traceback__
        shown = _shown(whole)
        # What called the cell is not told of one that cannot be read.
        nothing_ran = isinstance(error, SyntaxError) and len(shown) == 1
        try:
            error.__traceback__ = None if nothing_ran else _linked(shown)
            self.show(*arguments, **options)
        finally:
            error.__traceback__ = whole


def install(shell: Shell) -> None:
    shell.showtraceback = _Showing(shell.showtraceback)


def uninstall(shell: Shell) -> None:
    showing = vars(shell).get("showtraceback")
    if isinstance(showing, _Showing):
        del shell.showtraceback
        # Unless it was the class's.
        if shell.showtraceback != showing.show:
            shell.showtraceback = showing.show


def _is_ours(link: TracebackType) -> bool:
    return link.tb_frame.f_code.co_filename.startswith(_OURS)


def _passed_here(link: TracebackType | None) -> bool:
    while link is not None and not _is_ours(link):
        link = link.tb_next
    return link is not None


def _shown(link: TracebackType | None) -> list[TracebackType]:
    shown: list[TracebackType] = []
    ours = False
    while link is not None:
        was_ours, ours = ours, _is_ours(link)
        if not ours:
            shown.append(link)
        elif not was_ours:
            _take_away_call(shown, link)
        # Run.__init__: what it calls reads the code, and runs nothing of it.
        if ours and link.tb_frame.f_code.co_name == "__init__":
            break
        link = link.tb_next
    return shown


def _linked(links: list[TracebackType]) -> TracebackType | None:
    first: TracebackType | None = None
    for link in reversed(links):
        first = TracebackType(first, link.tb_frame, link.tb_lasti, link.tb_lineno)
    return first


def _take_away_call(shown: list[TracebackType], first: TracebackType) -> None:
    """Of what called the first frame here."""
    if shown and shown[-1].tb_frame.f_code.co_name in ("run_line_magic", "run_cell_magic"):
        shown.pop()
    # Magic.__call__ and Magic.awaited have it by this name.
    if shown and first.tb_frame.f_locals.get("cell") is not None:
        shown.pop()
