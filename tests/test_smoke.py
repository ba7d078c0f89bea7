"""The shortest way through everything, on each interpreter: record, save, read back, print. scripts/test also runs it
with the sanitizers' build."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command import Command
from support.interpreters import Interpreter

PROGRAM = """\
import time

def work(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(100))

def main():
    work(0.3)
    print("done")

main()
"""


@pytest.mark.smoke
def test_a_program_is_recorded_and_the_hot_function_named(
    stacklapse: Command, python: Interpreter, tmp_path: Path
) -> None:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    recording = stacklapse.record(python, [script])
    assert recording.run.stdout == "done\n"
    assert recording.info["python"] == python.version_text
    assert recording.count("samples") > 100
    stacks = recording.stacks()
    # It computes for 0.3 s by the clock on the wall, however busy the machine is.
    work = sum(stack.microseconds for stack in stacks if "work" in stack.names)
    assert work > 250_000
    assert "work" in recording.view("-r", "text")
    assert recording.json
