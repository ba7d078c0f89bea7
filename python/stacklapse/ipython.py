"""IPython and Jupyter.

    %load_ext stacklapse
    %stacklapse some_function()

and `%%stacklapse` before the lines of a cell, run them and show where their time went. `%stacklapse --help` lists the
options.
"""

from __future__ import annotations

import asyncio
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import no_var_expand

from stacklapse._ipython import tracebacks
from stacklapse._ipython.awaiting import NAME, Awaiting
from stacklapse._ipython.cell import Run
from stacklapse._ipython.options import HELP, RefusedError, parsed
from stacklapse._ipython.shell import Shell

__all__ = ["load", "unload"]


class Magic:
    __doc__ = HELP

    needs_local_scope = True
    """IPython then tells what names there are where it is used."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.awaiting = Awaiting(shell)

    def __call__(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> Any:
        try:
            run = self._run(line, cell, local_ns)
            if run is None or not run.awaits:
                return run.now() if run is not None else None
            if _loop_runs():
                raise RefusedError(
                    "await cannot be used within a function or another magic here: an event loop runs already, and "
                    "only IPython itself can wait for code in it"
                )
            return self._shell.loop_runner(run.awaited())
        except RefusedError as error:
            raise UsageError(str(error)) from None

    async def awaited(self, line: str, cell: str | None = None) -> Any:
        """What is called instead where code awaits (stacklapse._ipython.awaiting)."""
        try:
            run = self._run(line, cell, None)
            if run is None or not run.awaits:
                return run.now() if run is not None else None
            return await run.awaited()
        except RefusedError as error:
            raise UsageError(str(error)) from None

    def _run(self, line: str, cell: str | None, local_ns: dict[str, Any] | None) -> Run | None:
        """None when there is only help to be shown."""
        options = parsed(line)
        if options.help:
            print(HELP)
            return None
        if cell is None and not options.statement:
            raise RefusedError(
                f"%{NAME} takes what is to be run: %{NAME} STATEMENT, or %%{NAME} before the lines of a cell"
            )
        if cell is not None and options.statement:
            raise RefusedError(
                f"%%{NAME} takes options only, and the cell in the lines below, not {options.statement!r}"
            )
        return Run(self._shell, options, line, cell, local_ns if cell is None else None)


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def load(shell: Shell) -> None:
    unload(shell)
    magic = Magic(shell)
    # Braces and dollar signs are the code's own.
    shell.register_magic_function(no_var_expand(magic), "line_cell", NAME)
    shell.input_transformers_post.append(magic.awaiting)
    tracebacks.install(shell)


def unload(shell: Shell) -> None:
    for magics in shell.magics_manager.magics.values():
        magic = magics.pop(NAME, None)
        if isinstance(magic, Magic) and magic.awaiting in shell.input_transformers_post:
            shell.input_transformers_post.remove(magic.awaiting)
    tracebacks.uninstall(shell)
