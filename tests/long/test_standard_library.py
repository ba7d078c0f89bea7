"""The standard library's own tests pass while a Profiler records them at 10 kHz."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.command import Command
from support.inside import PROGRAMS, package_path
from support.interpreters import Interpreter

MODULES = ("test_asyncio", "test_threading", "test_generators", "test_context", "test_gc", "test_fork1")
NOT_THERE = 77


@pytest.mark.timeout(2400)
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
            check=False,
        )

    profiled = run("profiled")
    if profiled.returncode == NOT_THERE:
        pytest.skip(f"Python {python} comes without {module}")
    if profiled.returncode != 0 and run("plain").returncode != 0:
        pytest.skip(f"{module} of Python {python} fails without a Profiler, too")
    assert profiled.returncode == 0, profiled.stdout[-8000:] + profiled.stderr[-8000:]
    assert " samples, " in profiled.stdout
