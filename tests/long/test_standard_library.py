"""The standard library's own tests pass while a Profiler records them at 10 kHz."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from support.command import Command
from support.inside import PROGRAMS, package_path
from support.interpreters import Interpreter

MODULES = ("test_asyncio", "test_threading", "test_generators", "test_context", "test_gc", "test_fork1")
NOT_THERE = 77
# Of asyncio's tests, which come in thirty modules and take two minutes by themselves.
TIME_LIMIT = 1500

FAILED = re.compile(r"^(?:FAIL|ERROR): (.+)$", re.MULTILINE)


def failures(run: subprocess.CompletedProcess[str]) -> set[str]:
    """The tests that failed; without any, what there is in place of a test."""
    if run.returncode == 0:
        return set()
    return set(FAILED.findall(run.stdout + run.stderr)) or {f"it ended with {run.returncode}"}


@pytest.mark.timeout(2 * TIME_LIMIT + 60)
@pytest.mark.parametrize("module", MODULES)
def test_a_profiler_does_not_change_what_they_test(
    stacklapse: Command, python: Interpreter, tmp_path: Path, module: str
) -> None:
    def run(how: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python.path, PROGRAMS / "standard_library.py", how, tmp_path, module],
            env=stacklapse.environment() | {"PYTHONPATH": str(package_path(stacklapse))},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT,
            check=False,
        )

    profiled = run("profiled")
    if profiled.returncode == NOT_THERE:
        pytest.skip(f"Python {python} comes without {module}")
    failed = failures(profiled)
    # What fails without a Profiler as well says nothing.
    if failed:
        failed -= failures(run("plain"))
    assert not failed, f"{failed}\n{profiled.stdout[-8000:]}{profiled.stderr[-8000:]}"
    assert " samples, " in profiled.stdout
