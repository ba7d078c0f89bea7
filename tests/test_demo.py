"""The example programs work without us, too: same output, same exit code."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support.command import Argument, Command
from support.interpreters import TOP, Interpreter

PROGRAM = TOP / "examples" / "access_log" / "main.py"


def test_the_log_analysis_says_the_same_with_and_without_the_profiler(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    arguments: list[Argument] = [PROGRAM, "--lines", "5000"]
    plain = subprocess.run([any_python.path, *arguments], check=True, capture_output=True, text=True).stdout
    recording = stacklapse.record(any_python, [*arguments, "--json", tmp_path / "findings.json"])
    assert recording.run.stdout == plain
    assert (tmp_path / "findings.json").exists()
    names = {name for stack in recording.stacks() for name in stack.names}
    assert {"main", "analyse", "parse_line"} <= names
