"""What is used of IPython's InteractiveShell, versions 8 and 9."""

from __future__ import annotations

import ast
from collections.abc import Callable, Coroutine
from typing import Any, Protocol


class Shell(Protocol):
    user_ns: dict[str, Any]
    """What a cell's names are in,"""
    user_global_ns: dict[str, Any]
    """and what its functions find theirs in: the same, unless IPython was embedded into a function."""
    displayhook: Any
    """Knows the number of the cell that runs."""
    autoawait: bool
    compile: Any
    """Its CachingCompiler."""
    loop_runner: Callable[[Coroutine[Any, Any, Any]], Any]
    """Runs what awaits to its end, in a loop of the kind that `%autoawait` has chosen."""
    display_pub: Any
    magics_manager: Any
    input_transformers_post: list[Callable[[list[str]], list[str]]]
    """Called with the lines of a cell that is Python by then: its magics are calls of `get_ipython()`."""
    InteractiveTB: Any
    """Formats tracebacks."""
    showtraceback: Callable[..., None]
    """Shows the error that is being handled."""

    def transform_cell(self, raw_cell: str, /) -> str: ...
    def transform_ast(self, node: ast.Module, /) -> ast.Module: ...
    def should_run_async(self, raw_cell: str, *, transformed_cell: str) -> bool: ...
    def push(self, variables: dict[str, Any], interactive: bool) -> None: ...
    def register_magic_function(self, func: Any, magic_kind: str, magic_name: str) -> None: ...
