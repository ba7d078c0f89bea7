"""A program that runs beside the test: started as itself, not by the command, until the test is over."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from support.command import Argument, Command

READY = "ready"

Found = TypeVar("Found")


@contextmanager
def running(
    arguments: Sequence[Argument],
    *,
    environment: Mapping[str, str] | None = None,
    cwd: Argument | None = None,
    wait: bool = True,
) -> Iterator[subprocess.Popen[str]]:
    """Starts it in a process group of its own, waits for its line "ready", and kills the group at the end."""
    process = subprocess.Popen(
        list(arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | dict(environment or {}),
        cwd=cwd,
        process_group=0,
    )
    try:
        if wait:
            assert process.stdout
            line = process.stdout.readline()
            if line != READY + "\n":
                process.kill()
                raise AssertionError(f"the program wrote {line!r} and {process.communicate()[1]!r}")
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream and not stream.closed:
                stream.close()


def until(condition: Callable[[], Found | None], what: str | Callable[[], str], seconds: float = 30) -> Found:
    """Waits for what must come, however busy the machine is. What it is that is there then, which is asked for no more:
    it may have changed what it is asked of."""
    end = time.monotonic() + seconds
    pause = 0.005
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain: {what if isinstance(what, str) else what()}"
        time.sleep(pause)
        # What takes long is asked less often: asking takes time, which what is waited for may need.
        pause = min(pause * 1.2, 0.05)
    return found


def until_recording(stacklapse: Command) -> Path:
    """Until a recording has been written to once: that is a second after the first look."""
    recordings = stacklapse.state / "stacklapse"

    def written() -> Path | None:
        return next((file for file in recordings.glob("*.lapse") if file.stat().st_size > 100), None)

    return until(written, "for the first second")


def children_of(pid: int) -> list[int]:
    """The children that the main thread of a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
