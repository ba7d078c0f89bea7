"""The figures of the Profiler within the program: each function measures one of them and returns a table in Markdown.

sympy, Django and pyinstrument are installed for each interpreter, once, into build-bench."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measure import COMMAND, PROGRAMS, install, interpreters, middle, one_interpreter, percent, rounds, table

PACKAGES = ("sympy", "django")
RIVAL = "pyinstrument"
WORKLOADS = ("short calls", "methods", "loop", "sympy", "django", "json")
OURS = ("plain", "0.001", "plain again", "0.0001")
RIVALS = ("pyinstrument", "cProfile")
# One turn of work: short, so that what is compared is close in time, and many of them.
SECONDS, TURNS = 0.1, 6 * rounds(7)
RIVAL_TURNS = 2


def of_each_version() -> dict[str, str]:
    """One interpreter for each minor version, the first that is listed."""
    found: dict[str, str] = {}
    for name, python in interpreters().items():
        if all(name.split(".")[:2] != other.split(".")[:2] for other in found):
            found[name] = python
    return found


def packages(name: str, python: str) -> Path:
    # pyinstrument is compiled, and does not know every version.
    return install(name, python, PACKAGES, optional=(RIVAL,))


def inside(name: str, python: str, *arguments: str) -> Any:
    path = f"{COMMAND.resolve().parent / 'python'}:{packages(name, python)}"
    done = subprocess.run(
        [python, PROGRAMS / "inside.py", *arguments],
        env=os.environ | {"PYTHONPATH": path},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout)


def seconds_of(name: str, python: str, profiler: str, cores: int, work: str, amount: int) -> float:
    seconds: float = inside(name, python, "work", profiler, str(cores), work, str(amount))["seconds"]
    return seconds


def slowdown_row(name: str, python: str, cores: int, work: str, rivals: tuple[str, ...]) -> list[str]:
    """Ours against the plain run of the same turn. The rivals, of which nobody asks for a tenth of a percent, against
    all of them, in processes of their own, because a profiler that hooks calls may leave slower code behind."""
    said = inside(name, python, "turns", str(cores), work, str(SECONDS), str(TURNS), *OURS)
    took = said["took"]
    row = [
        percent(middle([mine / plain for mine, plain in zip(took[profiler], took["plain"], strict=True)]) - 1, 2)
        for profiler in ("plain again", "0.001", "0.0001")
    ]
    for rival in rivals:
        if rival == RIVAL and not (packages(name, python) / RIVAL).exists():
            row.append("")
            continue
        turns = [seconds_of(name, python, rival, cores, work, said["amount"]) for _ in range(RIVAL_TURNS)]
        row.append(f"{middle(turns) / middle(took['plain']):.2f} times")
    return row


def slowdown_table(cores: int, rivals: tuple[str, ...]) -> str:
    rows = [
        [name, work, *slowdown_row(name, python, cores, work, rivals)]
        for name, python in of_each_version().items()
        for work in WORKLOADS
    ]
    heads = ["Python", "program", "plain again", "Profiler, 1 kHz", "Profiler, 10 kHz"]
    return table([*heads, *rivals], rows)


def inside_slowdown() -> str:
    """The sampler's thread on a second core."""
    return slowdown_table(2, RIVALS)


def inside_one_core() -> str:
    """Program and sampler on the same core. There is nothing new to say about the others."""
    return slowdown_table(1, ())


def inside_starts() -> str:
    rows = []
    for name, python in of_each_version().items():
        took = inside(name, python, "starts", "2000")
        row = [name]
        for kind in ("first", "further"):
            times = sorted(took[kind])
            row += [f"{1e6 * middle(times):.0f} us", f"{1e6 * times[int(0.99 * len(times))]:.0f} us"]
        rows.append(row)
    heads = ["Python", "start and stop of the first, median", "99 %", "of a further one, median", "99 %"]
    return table(heads, rows)


def inside_memory() -> str:
    """3.6 million samples, an hour at 1 kHz, taken faster; and what the program does meanwhile, by itself."""
    python = one_interpreter()
    name = next(name for name, path in interpreters().items() if path == python)
    rows = []
    for work in ("sympy", "django"):
        said = inside(name, python, "memory", "3600000", "0.00005", work)
        samples = said["samples"]
        alone = inside(name, python, "alone", str(said["turns"]), work)
        rows.append(
            [
                work,
                f"{samples:,}",
                f"{said['trace'] / samples:.2f}",
                f"{said['grown'] / 1e6:.1f} MB",
                f"{said['grown'] / samples:.2f}",
                f"{alone['grown'] / 1e6:.1f} MB",
            ]
        )
    header = ["program", "samples", "bytes of recording a sample", "the process grew by", "bytes a sample"]
    return table([*header, "without a Profiler"], rows)


FIGURES: dict[str, Callable[[], str]] = {
    "inside_slowdown": inside_slowdown,
    "inside_one_core": inside_one_core,
    "inside_starts": inside_starts,
    "inside_memory": inside_memory,
}
