"""`python -m stacklapse`: the command that was installed together with this package, for programs of this Python."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from stacklapse import _native

_PYTHON = "_STACKLAPSE_PYTHON"
"""Tells the command which Python runs programs, where no option does (src/cli/run.c). It takes that away again."""
_NOT_STARTED = 125
"""What the command exits with when it could not start the program."""


def _command() -> Path | None:
    """In the folder `bin` of what the package is installed in: an environment, a prefix, the user's folder, `--target`;
    in a build, where the extension module lies, beside its folder `python`."""
    package = Path(_native.__file__).absolute().parent
    above = list(package.parents)
    folders = [above[1]] if above[0].name == "python" else []
    folders += [folder / "bin" for folder in above[:4]]
    commands = (folder / "stacklapse" for folder in folders)
    return next((command for command in commands if command.is_file() and os.access(command, os.X_OK)), None)


def main() -> None:
    command = _command()
    if command is None:
        print(
            f"stacklapse: the command is not there: no folder bin above {Path(_native.__file__).parent} has it; "
            "pip install . in a checkout installs it",
            file=sys.stderr,
        )
        sys.exit(_NOT_STARTED)
    # Python ignores them, and the command and all that it starts would from then on.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execve(command, [str(command), *sys.argv[1:]], os.environ | {_PYTHON: sys.executable})


if __name__ == "__main__":
    main()
