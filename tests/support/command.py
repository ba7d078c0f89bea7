"""The command under test, and what it recorded."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from support.interpreters import TOP, Interpreter

Argument = str | os.PathLike[str]

COMMAND_VARIABLE = "STACKLAPSE_COMMAND"


def command_path() -> Path:
    """`STACKLAPSE_COMMAND`, else what `make build` leaves."""
    return Path(os.environ.get(COMMAND_VARIABLE, TOP / "build" / "stacklapse"))


@dataclass(frozen=True)
class Run:
    """How a run of the command ended and what it wrote."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Stack:
    """One line of the `folded` output: functions from the root to the leaf, and their time."""

    frames: tuple[str, ...]
    microseconds: float

    @property
    def names(self) -> tuple[str, ...]:
        """The frames' function names, without `(file:line)`."""
        return tuple(frame.partition(" (")[0] for frame in self.frames)


class Recording:
    """A .lapse file, seen through the command's own outputs."""

    def __init__(self, command: Command, path: Path, run: Run) -> None:
        self.command = command
        self.path = path
        self.run = run
        """The run of `stacklapse` that recorded it."""

    def view(self, *options: Argument) -> str:
        """What `stacklapse view` writes to stdout for these options."""
        run = self.command("view", self.path, "-o", "-", *options)
        assert run.exit_code == 0, run.stderr
        return run.stdout

    @cached_property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.view("-r", "json"))
        return document

    @cached_property
    def info(self) -> dict[str, str]:
        """`stacklapse info`, key by key, as text."""
        run = self.command("info", self.path)
        assert run.exit_code == 0, run.stderr
        return dict(line.split(": ", 1) for line in run.stdout.splitlines() if ": " in line)

    def count(self, key: str) -> int:
        """A number of `stacklapse info`."""
        return int(self.info[key].replace(",", "").split()[0])

    def stacks(self, *options: Argument) -> list[Stack]:
        """Every distinct stack of all threads, library frames shown."""
        stacks = []
        for line in self.view("-r", "folded", "--show-all", *options).splitlines():
            frames, _, weight = line.rpartition(" ")
            stacks.append(Stack(tuple(frames.split(";")), float(weight)))
        return stacks


class Command:
    """Runs the command with a state folder of its own."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.folder = folder
        self.state = folder / "state"
        self.recordings = 0

    def environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        environment["XDG_STATE_HOME"] = str(self.state)
        # An environment that the tests themselves run in must not choose the interpreter.
        environment.pop("VIRTUAL_ENV", None)
        environment.pop("PYTHONPATH", None)
        return environment

    def __call__(
        self,
        *arguments: Argument,
        stdin: str = "",
        cwd: Argument | None = None,
        environment: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> Run:
        """Runs it to its end. `environment` is added to that of the tests."""
        done = subprocess.run(
            [self.path, *arguments],
            input=stdin.encode(),
            capture_output=True,
            cwd=cwd or self.folder,
            env=self.environment() | dict(environment or {}),
            timeout=timeout,
            check=False,
        )
        return Run(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def start(self, *arguments: Argument, limit: Callable[[], None] | None = None) -> subprocess.Popen[str]:
        """Starts it beside the test; `limit` is called in the new process first."""
        return subprocess.Popen(
            [self.path, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(),
            process_group=0,
            preexec_fn=limit,
            restore_signals=False,  # a limit of a file's size is an error then, as a full disk is
        )

    def record(
        self,
        python: Interpreter,
        program: Sequence[Argument],
        options: Sequence[Argument] = (),
        *,
        exit_code: int = 0,
        timeout: float = 240,
        environment: Mapping[str, str] | None = None,
    ) -> Recording:
        """Records `program` (script and arguments, or `-c`, code, arguments) and checks how it ended."""
        self.recordings += 1
        path = self.folder / f"recording-{self.recordings}.lapse"
        run = self("--python", python.path, "-o", path, *options, *program, timeout=timeout, environment=environment)
        assert run.exit_code == exit_code, run.stderr
        assert path.exists(), run.stderr
        return Recording(self, path, run)
