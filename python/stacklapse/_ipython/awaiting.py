"""`await` in what %stacklapse runs."""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator

from stacklapse._ipython.options import RefusedError, parsed
from stacklapse._ipython.shell import Shell

NAME = "stacklapse"


class Awaiting:
    """
    Makes IPython wait for a line or cell that awaits, as it does for a cell without magic: in a kernel in the loop that
    runs already, elsewhere in one of its own. A magic cannot wait for its code itself, since a function calls it. So
    where IPython has written the call of such a magic, `await` is put before it.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def __call__(self, lines: list[str]) -> list[str]:
        """Among `input_transformers_post`. Must not raise: what is wrong with the code is told when it is run."""
        text = "".join(lines)
        if f"_magic('{NAME}', " not in text:
            return lines
        try:
            calls = list(_calls(ast.parse(text)))
        except (SyntaxError, ValueError):
            return lines
        # Where Python itself ends a line: splitlines() does so at form feeds and other characters too.
        lines = list(io.StringIO(text, newline=""))
        # From the end, so that places before stay what they are.
        for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset), reverse=True):
            given = [str(ast.literal_eval(argument)) for argument in call.args[1:]]
            if call.lineno == call.end_lineno and self._awaits(*given):
                line = lines[call.lineno - 1].encode()
                awaited = f"await get_ipython().find_line_magic({NAME!r}).awaited({', '.join(map(repr, given))})"
                line = line[: call.col_offset] + awaited.encode() + line[call.end_col_offset :]
                lines[call.lineno - 1] = line.decode()
        return lines

    def _awaits(self, line: str, cell: str | None = None) -> bool:
        try:
            code = parsed(line).statement if cell is None else cell
            return self._shell.should_run_async(code, transformed_cell=self._shell.transform_cell(code))
        except (RefusedError, SyntaxError):
            return False


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    """The magic's calls as IPython writes them, those in functions left out: those are run when the function is."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        pending.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "get_ipython().run_line_magic",
            "get_ipython().run_cell_magic",
        ):
            name, *given = node.args
            texts = all(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in given)
            if isinstance(name, ast.Constant) and name.value == NAME and texts and len(given) in (1, 2):
                yield node
