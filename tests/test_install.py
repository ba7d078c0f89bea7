"""What `pip install .` installs, in the way that README.md says, from what others get: the source distribution."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.documentation import SCRIPT, blocks
from support.interpreters import TOP

README = blocks(TOP / "README.md")

pytestmark = pytest.mark.timeout(600)


class Environment:
    """A virtual environment with stacklapse in it, built from the source distribution of this checkout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "profiled"

    @property
    def command(self) -> Path:
        return self.path / "bin" / "stacklapse"

    def sh(self, text: str, cwd: Path) -> str:
        """What the shell's commands write to stdout, in the environment and with nothing else of stacklapse's."""
        return self._run(f". {self.path}/bin/activate\n{text}", cwd)

    def install(self) -> None:
        source = self._source_distribution()
        # What only building the report page takes: whoever installs needs none of it.
        programs, called = self.folder / "programs", self.folder / "called"
        programs.mkdir()
        for name in ("node", "npm", "clang", "wasm-ld", "wasm-opt"):
            (programs / name).write_text(f'#!/bin/sh\necho {name} >>"{called}"\nexit 1\n')
            (programs / name).chmod(0o755)
        # The unit tests are not built either: with this cmocka they could not.
        (programs / "cmocka.pc").write_text(
            "Name: cmocka\nDescription: broken\nVersion: 1.1.5\nCflags: -include /nonexistent\n"
        )
        (block,) = (block.text.replace("~", str(self.folder)) for block in README if "pip install" in block.text)
        # It is optimised more than other builds, and compilers warn of more then.
        self._run(f"export CFLAGS=-Werror PATH={programs}:$PATH PKG_CONFIG_PATH={programs}\n{block}", source)
        assert not called.exists(), called.read_text()

    def _source_distribution(self) -> Path:
        """Made, and unpacked. It has what is under version control."""
        checkout = self.folder / "checkout"
        names = _copy_checkout(checkout)
        # It is made of what is committed.
        self._run(
            "git init -q && git add -Af && git -c user.name=tests -c user.email=tests@localhost commit -qm all\n"
            f'"{sys.executable}" -m build --sdist --outdir "{self.folder}" .',
            checkout,
        )
        (archive,) = self.folder.glob("stacklapse-*.tar.gz")
        self._run(f'tar -xzf "{archive}"', self.folder)
        source = self.folder / archive.name.removesuffix(".tar.gz")
        found = {str(path.relative_to(source)) for path in source.rglob("*") if not path.is_dir()}
        assert found == names | {"PKG-INFO"}
        return source

    def _run(self, text: str, cwd: Path) -> str:
        ours = ("PYTHONPATH", "VIRTUAL_ENV")
        environment = {name: value for name, value in os.environ.items() if name not in ours}
        environment["XDG_STATE_HOME"] = str(cwd / "state")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def _copy_checkout(folder: Path) -> set[str]:
    """The names of the files."""
    # A copy of what is under version control or may soon be: the build must not see this checkout's own build folders.
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TOP,
        check=True,
        capture_output=True,
    ).stdout.decode()
    names = {name for name in listed.split("\0") if name and (TOP / name).exists()}
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(TOP / name, folder / name)
    return names


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Made once, in however many processes the tests run."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with (folder / "environment.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = Environment(folder / "environment")
        if not made.command.exists():
            shutil.rmtree(made.folder, ignore_errors=True)
            made.install()
    return made


def test_the_installed_command_is_a_program(environment: Environment) -> None:
    with environment.command.open("rb") as file:
        assert file.read(4) == b"\x7fELF", "the command must be a program, not a script that starts one"
    version = subprocess.run([environment.command, "--version"], check=True, capture_output=True, text=True).stdout
    assert version.startswith("stacklapse ")


def test_the_first_commands_of_the_readme_work_once_it_is_installed(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    run, view, *_ = (block.text for block in README if block.kind == "sh")
    assert environment.sh(run, tmp_path) == "rounds --rounds 3\n"
    assert "command: " in environment.sh(view, tmp_path)
    (tmp_path / "part.py").write_text(next(block.text for block in README if block.kind == "python"))
    assert "part.py" in environment.sh("python part.py", tmp_path)
    assert environment.sh("python -m stacklapse script.py", tmp_path) == "rounds\n"


def test_what_help_names_is_installed(environment: Environment, tmp_path: Path) -> None:
    assert "More: man stacklapse\n" in environment.sh("stacklapse --help", tmp_path)
    # man looks in share/man beside each bin that is on PATH.
    page = environment.path / "share" / "man" / "man1" / "stacklapse.1"
    assert page.read_bytes() == (TOP / "docs" / "stacklapse.1").read_bytes()
    for command in ("", "attach", "dump", "info", "requests", "token", "top", "view"):
        assert "docs/" not in environment.sh(f"stacklapse {command} --help", tmp_path)


def test_the_licence_is_installed(environment: Environment) -> None:
    (metadata,) = environment.path.glob("lib/python*/site-packages/stacklapse-*.dist-info")
    assert (metadata / "licenses" / "LICENSE").read_bytes() == (TOP / "LICENSE").read_bytes()
    assert {"License-Expression: MIT", "License-File: LICENSE"} <= set((metadata / "METADATA").read_text().splitlines())


def test_the_installed_command_needs_nothing_of_the_environment_that_is_set(
    environment: Environment, tmp_path: Path
) -> None:
    hello = tmp_path / "hello.py"
    hello.write_text("import sys\nprint(sys.prefix)\n")

    def run(*arguments: str | Path) -> str:
        variables = {"XDG_STATE_HOME": str(tmp_path / "state"), "PATH": "/usr/bin:/bin"}
        return subprocess.run(
            [environment.command, *arguments], env=variables, capture_output=True, text=True, check=True
        ).stdout

    # The interpreter beside the command is the one of the environment that it was installed into.
    assert run(hello) == f"{environment.path}\n"
    assert 'id="stacklapse-module">' in run("view", "-r", "html")
