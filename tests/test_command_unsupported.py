"""Where only the looking is impossible, the program runs as ever, and one sentence says that it was not profiled."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from support.command import Command, Run
from support.interpreters import Interpreter
from support.other_user import run_as_nobody

TOO_OLD = sorted(
    path
    for version in ("2.7", "3.6", "3.7", "3.8", "3.9", "3.10")
    for path in Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{version}.*/bin/python")
)


def assert_not_profiled(stacklapse: Command, run: Run, reason: str) -> None:
    sentences = [line for line in run.stderr.splitlines() if line.startswith("stacklapse: ")]
    assert len(sentences) == 1, run.stderr
    assert re.fullmatch(r"stacklapse: not profiled: .*[^.]", sentences[0])
    assert re.search(reason, sentences[0]), sentences[0]
    assert list((stacklapse.state / "stacklapse").glob("*")) == [], "nothing is left behind"


@pytest.mark.parametrize("old", TOO_OLD, ids=lambda path: path.parts[-3])
def test_a_python_that_is_too_old(stacklapse: Command, old: Path) -> None:
    code = "import sys, time; time.sleep(0.3); sys.stdout.write(sys.stdin.read()); sys.exit(3)"
    run = stacklapse("--python", old, "-c", code, stdin="hello\n")
    assert (run.exit_code, run.stdout) == (3, "hello\n")
    assert_not_profiled(stacklapse, run, "older than 3|3.11 to 3.15")


def test_old_pythons_were_there_to_test() -> None:
    if not TOO_OLD:
        pytest.skip("no Python older than 3.11 under pyenv")


@pytest.mark.parametrize("seconds", ["0", "0.5"])
def test_a_command_that_never_becomes_a_python(stacklapse: Command, seconds: str) -> None:
    run = stacklapse("--", "sh", "-c", f"sleep {seconds}; echo hello; exit 5")
    assert (run.exit_code, run.stdout) == (5, "hello\n")
    assert_not_profiled(stacklapse, run, "Python")


def test_an_output_that_was_asked_for_stays_as_it_was(stacklapse: Command, tmp_path: Path) -> None:
    report = tmp_path / "report.txt"
    report.write_text("the old one")
    run = stacklapse("-o", report, "--", "sleep", "0.2")
    assert run.exit_code == 0
    assert report.read_text() == "the old one"


def test_a_program_that_may_not_be_read(stacklapse: Command, any_python: Interpreter) -> None:
    """A process that gave up its dumpability is closed to everybody without CAP_SYS_PTRACE."""
    prctl = "ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)"  # PR_SET_DUMPABLE
    code = f"import ctypes, sys, time; time.sleep(0.3); {prctl}; time.sleep(0.5); print('done'); sys.exit(2)"
    run = run_as_nobody(stacklapse, "--python", any_python.path, "-c", code)
    assert (run.returncode, run.stdout) == (2, "done\n"), run.stderr
    # What was seen until then is reported.
    assert "samples" in run.stderr
