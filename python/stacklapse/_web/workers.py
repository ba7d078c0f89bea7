"""Which process has begun something, and whether it is gone: what it had begun then does not end any more."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Worker:
    pid: int
    started: int
    """Since the machine's start: a number of another process may be given out again."""
    namespace: int
    """In which the number means that process: a folder may be shared by containers."""

    @property
    def gone(self) -> bool:
        """Only where that is certain."""
        return self.namespace == _namespace() and _start_of(self.pid) != self.started


def this_worker() -> Worker:
    pid = os.getpid()
    return Worker(pid, _start_of(pid), _namespace())


def _namespace() -> int:
    return (_PROC / "self/ns/pid").stat().st_ino


def _start_of(pid: int) -> int:
    """-1 when there is none, or it has ended and nobody has waited for it yet."""
    try:
        text = (_PROC / str(pid) / "stat").read_text("ascii", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return -1
    # What is in front is the program's name, of any characters.
    state, *numbers = text.rpartition(")")[2].split()
    return -1 if state in "ZX" else int(numbers[18])
