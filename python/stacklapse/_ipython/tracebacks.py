"""The traceback of a line or cell that failed, as if it had been run by itself."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from stacklapse._ipython.shell import Shell

_HERE = str(Path(__file__).parent)
_OURS = (_HERE, str(Path(_HERE).with_name("ipython.py")))


def trim(shell: Shell, error: BaseException, frame: FrameType, is_cell: bool) -> None:
    """
    What lies between IPython and the code shall not be shown: the frames here, from `frame` on, the call of the magic,
    and of a cell its own frame, which does nothing else. Nothing is taken away from the traceback itself, and an error
    that says on its own how it is shown goes on to do so.
    """
    hidden = _frames_between(error, frame, is_cell)
    rendering = getattr(error, "_render_traceback_", None)
    if isinstance(rendering, _Rendering):
        rendering.hidden += hidden
    elif rendering is None:
        # IPython asks an error for this before it makes a traceback. Some errors take no attributes.
        with contextlib.suppress(AttributeError, TypeError):
            error._render_traceback_ = _Rendering(shell, error, hidden)  # type: ignore[attr-defined]


def _frames_between(error: BaseException, frame: FrameType, is_cell: bool) -> list[FrameType]:
    between = []
    link = error.__traceback__
    while link is not None and link.tb_frame.f_code.co_filename.startswith(_OURS):
        between.append(link.tb_frame)
        link = link.tb_next
    outer = frame.f_back
    while outer is not None and outer.f_code.co_filename.startswith(_OURS):
        between.append(outer)
        outer = outer.f_back
    if outer is not None and outer.f_code.co_name in ("run_line_magic", "run_cell_magic"):
        between.append(outer)
        outer = outer.f_back
    if is_cell and outer is not None:
        between.append(outer)
    return between


class _Rendering:
    """Called by IPython when the error has reached it, once to show it and once to store what was shown."""

    def __init__(self, shell: Shell, error: BaseException, hidden: list[FrameType]) -> None:
        self._shell = shell
        self._error = error
        self.hidden = hidden

    def __call__(self) -> Any:
        error = self._error
        links = []
        link = error.__traceback__
        while link is not None:
            links.append(link)
            link = link.tb_next
        shown: TracebackType | None = None
        for link in reversed(links):
            if link.tb_frame not in self.hidden:
                shown = TracebackType(shown, link.tb_frame, link.tb_lasti, link.tb_lineno)
        return self._shell.InteractiveTB.structured_traceback(type(error), error, shown)
