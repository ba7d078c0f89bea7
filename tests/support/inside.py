"""Programs that profile themselves with the Python package of the build under test."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from support.command import Argument, Command, Recording, Run
from support.interpreters import Interpreter

PROGRAMS = Path(__file__).resolve().parents[1] / "inprocess" / "programs"


def package_path(command: Command) -> Path:
    """The folder with the package `stacklapse` that was built together with the command."""
    return command.path.resolve().parent / "python"


@cache
def sanitizer_environment(package: Path) -> dict[str, str]:
    """What a Python needs that loads a module with the address sanitizer in it. What Python itself never frees is no
    leak of ours; tests count what grows."""
    if b"libasan.so" not in (package / "stacklapse" / "_native.abi3.so").read_bytes():
        return {}
    library = subprocess.run(["cc", "-print-file-name=libasan.so"], check=True, capture_output=True, text=True).stdout
    return {"LD_PRELOAD": library.strip(), "ASAN_OPTIONS": "detect_leaks=0:exitcode=99"}


def run_inside(
    command: Command,
    python: Interpreter,
    program: str,
    *arguments: Argument,
    options: Sequence[str] = ("-X", "dev", "-W", "error"),
    launcher: Sequence[Argument] = (),
    environment: dict[str, str] | None = None,
    on_path: Sequence[Path] = (),
    exit_code: int = 0,
    timeout: float = 240,
) -> Run:
    """Runs one of tests/inprocess/programs to its end, in Python's development mode and with warnings as errors."""
    # A width that the tests themselves run in must not be that of what they print.
    inherited = {name: value for name, value in command.environment().items() if name != "COLUMNS"}
    done = subprocess.run(
        [*launcher, python.path, *options, PROGRAMS / program, *arguments],
        env=inherited
        | {"PYTHONPATH": ":".join(map(str, (package_path(command), *on_path))), "PYTHONDONTWRITEBYTECODE": "1"}
        | sanitizer_environment(package_path(command))
        | (environment or {}),
        cwd=command.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    # A report must be able to hold what is said: nothing that is no text.
    said = f"{program} {python}: {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-8000:]}"
    assert done.returncode == exit_code, said.encode(errors="backslashreplace").decode()
    return Run(done.returncode, done.stdout, done.stderr)


def record_inside(command: Command, python: Interpreter, program: str, *arguments: Argument) -> Recording:
    """Runs a program whose first argument is the file to which it saves what it recorded."""
    command.recordings += 1
    path = command.folder / f"recording-{command.recordings}.lapse"
    run = run_inside(command, python, program, path, *arguments)
    return Recording(command, path, run)
