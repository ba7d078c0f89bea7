"""Where only the looking is impossible, the program runs as ever, and one sentence says that it was not profiled."""

from __future__ import annotations

import os
import re
import subprocess
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


# What a CPython from 3.13 on says of itself at the beginning of _PyRuntime.
DOUBLE = """\
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
__attribute__((section(".PyRuntime"), visibility("default"))) struct {
    char cookie[8];
    uint64_t version, free_threaded, rest[1000];
} _PyRuntime = {"xdebugpy", VERSION, FREE_THREADED, {1}};
int main(void)
{
    usleep(300000);
    puts("hello");
    return 3;
}
"""


@pytest.mark.parametrize(
    ("version", "free_threaded", "reason"),
    [
        ("0x031000f0", 0, "3.16"),
        ("0x040000f0", 0, "unknown version"),
        ("0x030f00a3", 0, "pre-release"),
        ("0x030d00f0", 1, "free-threaded"),
        ("0x030e08f0", 1, "free-threaded"),
    ],
)
def test_a_python_that_is_too_new_or_of_another_kind(
    stacklapse: Command, tmp_path: Path, version: str, free_threaded: int, reason: str
) -> None:
    source = tmp_path / "double.c"
    source.write_text(DOUBLE)
    double = tmp_path / "python"
    defines = [f"-DVERSION={version}", f"-DFREE_THREADED={free_threaded}"]
    subprocess.run(["cc", "-rdynamic", *defines, "-o", double, source], check=True)
    run = stacklapse("--python", double, "-c", "pass")
    assert (run.exit_code, run.stdout) == (3, "hello\n")
    assert_not_profiled(stacklapse, run, reason)


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
