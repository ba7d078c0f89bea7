"""A statistical profiler that does not slow the program down.

    from stacklapse import Profiler

    profiler = Profiler()
    profiler.start()
    # code you want to profile
    profiler.stop()
    profiler.print()

A native thread of this process reads the stacks of the interpreter at random moments. It runs no Python code, sets no
profile function and sends no signal, so the program pays for the samples only.

A Profiler is for the thread or task that starts it and for what inherits its context, `Profiler(threads="all")` for
every thread; any number may run at once. `with Profiler() as profiler:` and `@profile` are for blocks and functions.
Names, parameters and defaults are those of pyinstrument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacklapse._native import version as __version__
from stacklapse.context_manager import profile
from stacklapse.profiler import Profiler
from stacklapse.renderers import (
    ConsoleRenderer,
    HTMLRenderer,
    JSONRenderer,
    PstatsRenderer,
    Renderer,
    SpeedscopeRenderer,
)
from stacklapse.session import Frame, Session

if TYPE_CHECKING:
    from stacklapse._ipython.shell import Shell

__all__ = [
    "ConsoleRenderer",
    "Frame",
    "HTMLRenderer",
    "JSONRenderer",
    "Profiler",
    "PstatsRenderer",
    "Renderer",
    "Session",
    "SpeedscopeRenderer",
    "__version__",
    "profile",
]


def load_ipython_extension(ipython: Shell) -> None:
    """Called by IPython: `%load_ext stacklapse`. `%stacklapse --help` then lists the options."""
    from stacklapse.ipython import load

    load(ipython)


def unload_ipython_extension(ipython: Shell) -> None:
    from stacklapse.ipython import unload

    unload(ipython)
