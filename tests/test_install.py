"""`pip install .` puts the command on PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.interpreters import TOP


@pytest.mark.timeout(600)
def test_pip_install_puts_the_command_on_path(tmp_path: Path) -> None:
    # A copy of what is under version control or may soon be: the build must not see this checkout's own build folders.
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TOP,
        check=True,
        capture_output=True,
    ).stdout.decode()
    source = tmp_path / "source"
    for name in filter(None, listed.split("\0")):
        if (TOP / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, source / name)

    # What only building the report page takes: whoever installs needs none of it.
    programs, called = tmp_path / "programs", tmp_path / "called"
    programs.mkdir()
    for name in ("node", "npm", "clang", "wasm-ld", "wasm-opt"):
        (programs / name).write_text(f'#!/bin/sh\necho {name} >>"{called}"\nexit 1\n')
        (programs / name).chmod(0o755)
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    install = subprocess.run(
        [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", source],
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"},
        check=False,
    )
    assert install.returncode == 0, install.stdout + install.stderr
    assert not called.exists(), called.read_text()

    command = environment / "bin" / "stacklapse"
    with command.open("rb") as file:
        assert file.read(4) == b"\x7fELF", "the command must be a program, not a script that starts one"
    version = subprocess.run([command, "--version"], check=True, capture_output=True, text=True).stdout
    assert version.startswith("stacklapse ")

    hello = tmp_path / "hello.py"
    hello.write_text("print('hello')\n")
    run = subprocess.run(
        [command, hello],
        env={"XDG_STATE_HOME": str(tmp_path / "state"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, "hello\n")
    # The interpreter beside the command is the one of the environment that it was installed into.
    assert str(environment) in run.stderr or "hello.py" in run.stderr
    page = subprocess.run(
        [command, "view", "-r", "html"],
        env={"XDG_STATE_HOME": str(tmp_path / "state"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert 'id="stacklapse-module">' in page
