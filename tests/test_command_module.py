"""`python -m stacklapse` is the command, and runs programs with that Python."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from support.command import Argument, Command, Run
from support.inside import package_path, sanitizer_environment
from support.interpreters import Interpreter

PRINTS_PYTHON = "import sys; print(sys.executable, *sys.argv[1:]); sys.exit(3)"


def module(
    stacklapse: Command, python: Interpreter, *arguments: Argument, package: Path | None = None, virtual: Argument = ""
) -> Run:
    package = package or package_path(stacklapse)
    variables = {"PYTHONPATH": str(package), "VIRTUAL_ENV": str(virtual)} | sanitizer_environment(package)
    done = subprocess.run(
        [python.path, "-m", "stacklapse", *arguments],
        cwd=stacklapse.folder,
        env=stacklapse.environment() | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr)


def test_a_program_is_run_by_the_python_that_is_asked(stacklapse: Command, python: Interpreter, tmp_path: Path) -> None:
    direct = subprocess.run([python.path, "-c", PRINTS_PYTHON, "x"], capture_output=True, text=True, check=False)
    # Neither the environment that is active nor the Python on PATH counts.
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("/bin/false")
    for sub_command in ([], ["run"]):
        run = module(stacklapse, python, *sub_command, "-c", PRINTS_PYTHON, "x", virtual=tmp_path)
        assert (run.exit_code, run.stdout) == (3, direct.stdout), run.stderr
        assert "samples every 1 ms" in run.stderr
    run = module(stacklapse, python, "view", "last", "-r", "json")
    assert run.exit_code == 0, run.stderr
    assert '"samples"' in run.stdout


def test_a_python_that_is_named_goes_before(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text(f'#!/bin/sh\necho other\nexec "{any_python.path}" "$@"\n')
    other.chmod(0o755)
    run = module(stacklapse, any_python, "--python", other, "-c", "pass")
    assert (run.exit_code, run.stdout) == (0, "other\n"), run.stderr


def test_a_command_starts_with_the_signals_that_it_would_have(stacklapse: Command, any_python: Interpreter) -> None:
    command = ("--", "grep", "SigIgn", "/proc/self/status")
    assert module(stacklapse, any_python, *command).stdout == stacklapse(*command).stdout != ""


def test_a_command_behind_dashes_runs_its_own_python(stacklapse: Command, any_python: Interpreter) -> None:
    command = ("--", "sh", "-c", "env | grep -c STACKLAPSE; exit 3")
    for options in ((), ("-q",), ("run",), ("run", "-i", "1ms"), ("--children",)):
        run = module(stacklapse, any_python, *options, *command)
        assert (run.exit_code, run.stdout) == (3, stacklapse(*options, *command).stdout), run.stderr


def test_every_sub_command_is_known_to_the_module(stacklapse: Command, any_python: Interpreter) -> None:
    text = stacklapse("--help").stdout.partition("Sub-commands")[2].partition("\n\n")[0]
    names = re.findall(r"^  (\w+)", text, re.MULTILINE)
    assert "view" in names
    for name in names:
        assert module(stacklapse, any_python, name, "--help").stdout == stacklapse(name, "--help").stdout != ""
    assert module(stacklapse, any_python, "--help").stdout == stacklapse("--help").stdout


def test_without_the_command_one_sentence_says_so(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    shutil.copytree(package_path(stacklapse) / "stacklapse", tmp_path / "alone" / "stacklapse", symlinks=False)
    run = module(stacklapse, any_python, "-c", "pass", package=tmp_path / "alone")
    assert (run.exit_code, run.stdout) == (125, "")
    assert re.fullmatch(r"stacklapse: the command is not there: .*\n", run.stderr)
