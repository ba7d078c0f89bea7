"""A line or cell: compiled as IPython compiles a cell, and run while a Profiler records it."""

from __future__ import annotations

import ast
import builtins
import inspect
import io
import sys
import textwrap
import tokenize
from types import CodeType
from typing import Any

from stacklapse import _native
from stacklapse._ipython import show, tracebacks
from stacklapse._ipython.options import Options, RefusedError
from stacklapse._ipython.shell import Shell
from stacklapse.profiler import Profiler
from stacklapse.session import Session

# The result begins at the code that is run here.
_native.leave_out(sys._getframe().f_code.co_filename)

_NO_CODE = (
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
)


class Run:
    """One that is about to be run, once: by `now()` or `awaited()`, which give the value of its last expression."""

    def __init__(self, shell: Shell, options: Options, line: str, cell: str | None, local: dict[str, Any] | None):
        self._shell = shell
        self._options = options
        if cell is None:
            self._title = textwrap.shorten(options.statement, 100, placeholder=" …")
            source, typed = shell.transform_cell(options.statement), options.statement
        else:
            self._title = f"Cell In[{shell.displayhook.prompt_count}]"
            # Lines have the numbers that they have in the notebook: the magic is one, and blank ones are taken away.
            blank = len(cell) - len(cell.lstrip())
            source = "\n" * (1 + cell.count("\n", 0, blank)) + shell.transform_cell(cell)
            # By the whole text, debuggers know which cell it is.
            typed = f"%%stacklapse {line}".rstrip() + f"\n{cell}"
        self._mark = f"_stacklapse_{id(self):x}"
        self._code = _compiled(shell, source, typed, self._mark)
        self._silent = _ends_in_semicolon(source)
        self._names = (shell.user_global_ns, shell.user_ns if local is None else local)
        self._profiler = Profiler(options.interval, threads=options.threads)
        self._value: Any = None
        self._session: Session | None = None

    @property
    def awaits(self) -> bool:
        """Whether it is for `awaited()` only."""
        return bool(self._code.co_flags & inspect.CO_COROUTINE)

    def now(self) -> Any:
        try:
            vars(builtins)[self._mark] = self._begin_or_end
            eval(self._code, *self._names)
        except BaseException as error:
            self._failed(error)
            raise
        return self._ended()

    async def awaited(self) -> Any:
        try:
            vars(builtins)[self._mark] = self._begin_or_end
            await eval(self._code, *self._names)
        except BaseException as error:
            self._failed(error)
            raise
        return self._ended()

    def _begin_or_end(self, *value: Any) -> None:
        """Called by the code itself, so that the result begins with its frame. It finds this among the builtins, as it
        does `get_ipython`: a name in the user's namespace would be seen there."""
        if value:
            [self._value] = value
            self._session = self._profiler._stop(2)
            return
        try:
            self._profiler.start(sys._getframe(1), self._title)
        except (OSError, RuntimeError) as error:
            raise RefusedError(str(error)) from None

    def _finish(self) -> None:
        vars(builtins).pop(self._mark, None)
        # Unless the code has come to its end.
        if self._session is None:
            self._session = self._profiler._stop(1)
        # An error's traceback holds on to this run for as long as the error lives.
        del self._profiler

    def _failed(self, error: BaseException) -> None:
        """What ran until then is shown; the error goes on its way, whatever becomes of that."""
        self._finish()
        if isinstance(error, RefusedError):
            return
        tracebacks.trim(self._shell, error)
        try:
            self._show()
        except RefusedError as failure:
            print(f"stacklapse: {failure}", file=sys.stderr)

    def _ended(self) -> Any:
        self._finish()
        self._show()
        return None if self._silent else self._value

    def _show(self) -> None:
        """Raises RefusedError when a file that was asked for cannot be written. Nothing else that goes wrong here may
        take away what the code gave."""
        session, self._session = self._session, None
        # None: in a child process that the code has forked, where nothing was recorded.
        if session is None:
            return
        try:
            show.show(self._shell, session, self._options)
        except RefusedError:
            raise
        except Exception as failure:
            why = " ".join(str(failure).split()) or type(failure).__name__
            print(f"stacklapse: cannot show the report: {why}", file=sys.stderr)


def _compiled(shell: Shell, source: str, typed: str, mark: str) -> CodeType:
    """It calls `mark()` before its first statement, and at its end `mark(value)` with that of its last expression."""
    name = shell.compile.cache(source, shell.displayhook.prompt_count, raw_code=typed)
    with shell.compile.extra_flags(ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if shell.autoawait else 0):
        tree: ast.Module = shell.transform_ast(shell.compile.ast_parse(source, filename=name))
        last = tree.body[-1] if tree.body else None
        end = _call(mark, last.value if isinstance(last, ast.Expr) else ast.Constant(None), last)
        if isinstance(last, ast.Expr):
            tree.body[-1] = end
        else:
            tree.body.append(end)
        tree.body.insert(_beginning(tree.body), _call(mark, None, None))
        code: CodeType = shell.compile(ast.fix_missing_locations(tree), name, "exec")
        return code


def _call(mark: str, value: ast.expr | None, place: ast.AST | None) -> ast.Expr:
    function = ast.Name(mark, ast.Load())
    call = ast.Call(function, [value] if value is not None else [], [])
    statement = ast.Expr(call)
    if place is not None:
        for node in (function, call, statement):
            ast.copy_location(node, place)
    return statement


def _beginning(body: list[ast.stmt]) -> int:
    """Behind what must come first in a module."""
    for position, statement in enumerate(body):
        text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not text and not (isinstance(statement, ast.ImportFrom) and statement.module == "__future__"):
            return position
    return len(body)


def _ends_in_semicolon(source: str) -> bool:
    """By which a value is kept from being shown. It was compiled, so it can be read."""
    tokens = [
        token.string for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type not in _NO_CODE
    ]
    return tokens[-1:] == [";"]
