"""An IPython of one's own in this process, without files of anybody's, and what it says to each cell."""

import contextlib
import io
import os
import sys

os.environ["IPYTHONDIR"] = sys.argv[1]
os.environ["NO_COLOR"] = "1"

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

config = Config()
config.HistoryManager.enabled = False
shell = InteractiveShell.instance(config=config)
shell.run_line_magic("colors", "nocolor")


class Ran:
    def __init__(self, code):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            self.result = shell.run_cell(code, store_history=True)
        self.out, self.err = out.getvalue(), err.getvalue()
        self._session = shell.user_ns.get("_stacklapse")
        self.error = self.result.error_before_exec or self.result.error_in_exec

    @property
    def session(self):
        assert self.error is None, (self.error, self.out, self.err)
        assert self.err == "", self.err
        return self._session


def refused(code):
    """The sentence that it is refused with, and nothing else."""
    shell.user_ns["ran"] = False
    ran = Ran(code)
    assert type(ran.error).__name__ == "UsageError", (code, ran.error, ran.out)
    assert ran.out == "", (code, ran.out)
    assert not shell.user_ns["ran"], code
    said = ran.err
    assert said.startswith("UsageError: "), said
    assert said.count("\n") == 1, said
    return said.removeprefix("UsageError: ").strip()
