"""What it costs to write a million samples in each format: a recording of a program that compiles its own standard
library, sampled as fast as it goes, written by `stacklapse view`, reading the recording included."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measure import COMMAND, PROGRAMS, info, middle, one_interpreter, table

SAMPLES = 1_000_000
ROUNDS = 3
RENDERERS = ("text", "html", "json", "folded", "speedscope", "pstats", "pprof", "firefox", "chrome", "callgrind",
             "otlp", "markdown")  # fmt: skip


def record(folder: Path) -> tuple[Path, int]:
    """A recording of a million samples or somewhat more; fewer where the machine cannot sample that fast."""
    seconds = 15.0
    while True:
        path = folder / "million.lapse"
        subprocess.run(
            [COMMAND, "-q", "--python", one_interpreter(), "-i", "10us", "-o", path, PROGRAMS / "compile_all.py",
             str(seconds)],
            check=True,
        )  # fmt: skip
        samples = int(info(path)["samples"].replace(",", ""))
        if samples >= SAMPLES or seconds > 100:
            return path, samples
        seconds *= 1.2 * SAMPLES / samples


def write(recording: Path, renderer: str, folder: Path) -> tuple[float, int, int]:
    """Seconds, peak memory in bytes, bytes written."""
    target = folder / "written"
    arguments = [str(COMMAND), "view", str(recording), "-r", renderer, "-o", str(target)]
    begin = time.perf_counter()
    pid = os.posix_spawn(COMMAND, arguments, os.environ)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - begin
    assert status == 0, renderer
    return seconds, usage.ru_maxrss * 1024, target.stat().st_size


def megabytes(size: float) -> str:
    return f"{size / 1e6:.1f} MB"


def formats() -> str:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recording, samples = record(folder)
        stacks = info(recording)["stacks"]
        rows = []
        for renderer in RENDERERS:
            rounds = [write(recording, renderer, folder) for _ in range(ROUNDS)]
            rows.append(
                (
                    renderer,
                    f"{middle([seconds for seconds, _, _ in rounds]):.2f} s",
                    megabytes(max(memory for _, memory, _ in rounds)),
                    megabytes(rounds[0][2]),
                )
            )
        size = megabytes(recording.stat().st_size)
    head = f"{samples:,} samples, {stacks} distinct stacks, a recording of {size}.\n\n"
    return head + table(("format", "time", "peak memory", "size"), rows)


FIGURES: dict[str, Callable[[], str]] = {"formats": formats}
