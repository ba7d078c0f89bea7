"""The interpreters that the tests run on, as scripts/interpreters lists them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]

# The file to which scripts/test wrote the list. Without it the script is asked once and the answer handed on to
# pytest-xdist's workers by the same variable.
LIST_VARIABLE = "STACKLAPSE_INTERPRETER_LIST"


@dataclass(frozen=True)
class Interpreter:
    id: str
    """`3.11.7-pyenv`: version and origin."""
    path: Path

    @property
    def version(self) -> tuple[int, ...]:
        """`(3, 11, 7)`"""
        return tuple(int(part) for part in self.version_text.split("."))

    @property
    def version_text(self) -> str:
        return self.id.partition("-")[0]

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True)
class Absent:
    """A version that cannot be had on this machine."""

    id: str
    reason: str


def provide_list(folder: Path) -> None:
    """Asks scripts/interpreters, unless that was done, and leaves the answer where workers find it."""
    if LIST_VARIABLE not in os.environ:
        answer = subprocess.run(
            [TOP / "scripts" / "interpreters", "--no-download"], check=True, text=True, stdout=subprocess.PIPE
        ).stdout
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "interpreters.tsv"
        path.write_text(answer)
        os.environ[LIST_VARIABLE] = str(path)


@cache
def interpreters() -> tuple[list[Interpreter], list[Absent]]:
    """Those that are there, oldest first, and the versions that are not."""
    present, absent = [], []
    for line in Path(os.environ[LIST_VARIABLE]).read_text().splitlines():
        match line.split("\t"):
            case [name, "skipped", reason]:
                absent.append(Absent(name, reason))
            case [name, path]:
                present.append(Interpreter(name, Path(path)))
    return present, absent
