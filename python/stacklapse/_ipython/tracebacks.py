"""The traceback of a line or cell that failed, as if it had been run by itself."""

from __future__ import annotations

import contextlib
import functools
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
        shown: TracebackType | None = None
        for link in reversed(_shown(error.__traceback__)):
            shown = TracebackType(shown, link.tb_frame, link.tb_lasti, link.tb_lineno)
        return self._shell.InteractiveTB.structured_traceback(type(error), error, shown)

    def __reduce__(self) -> tuple[Any, ...]:
        """An error that is copied or pickled is told as Python tells it, where there may be neither IPython nor this
        package."""
        return functools.partial, (traceback.format_exception, self._error())


def _shown(link: TracebackType | None) -> list[TracebackType]:
    shown: list[TracebackType] = []
    ours = False
    while link is not None:
        was_ours, ours = ours, link.tb_frame.f_code.co_filename.startswith(_OURS)
        if not ours:
            shown.append(link)
        elif not was_ours:
            _take_away_call(shown, link)
        link = link.tb_next
    return shown


def _take_away_call(shown: list[TracebackType], first: TracebackType) -> None:
    """Of what called the first frame here."""
    if shown and shown[-1].tb_frame.f_code.co_name in ("run_line_magic", "run_cell_magic"):
        shown.pop()
    # Magic.__call__ and Magic.awaited have it by this name.
    if shown and first.tb_frame.f_locals.get("cell") is not None:
        shown.pop()
