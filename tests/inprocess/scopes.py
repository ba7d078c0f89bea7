"""Twenty scopes at once, each with functions of its own."""

from __future__ import annotations

import re
from pathlib import Path

from support.command import Command, Recording, Run
from support.inside import run_inside
from support.interpreters import Interpreter

SCOPES = 20


def opened(stacklapse: Command, path: Path) -> Recording:
    return Recording(stacklapse, path, Run(0, "", ""))


def functions(recording: Recording) -> set[str]:
    """Whatever was seen anywhere in a stack."""
    return {name for stack in recording.stacks() for name in stack.names}


def assert_apart(stacklapse: Command, python: Interpreter, folder: Path, seconds: float, interval: float) -> int:
    """None shows a function of another. Gives the number of samples that say so."""
    folder.mkdir(exist_ok=True)
    run_inside(stacklapse, python, "scopes.py", folder, str(SCOPES), str(seconds), str(interval))
    samples = 0
    paths = sorted(folder.glob("*.lapse"))
    assert len(paths) == SCOPES
    for path in paths:
        recording = opened(stacklapse, path)
        own = {name for name in functions(recording) if re.fullmatch(r"(spin|step|scope)_\d+", name)}
        assert {name.rpartition("_")[2] for name in own} == {path.stem}
        samples += recording.count("samples")
    return samples
