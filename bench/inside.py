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
PROFILERS = ("plain", "0.001", "plain again", "0.0001", "pyinstrument", "cProfile")
# For one core there is nothing new to say about the others.
PROFILERS_ON_ONE_CORE = PROFILERS[:4]
SECONDS, ROUNDS = 0.5, rounds(7)


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


def amount_for(name: str, python: str, work: str) -> int:
    amount, took = 1, 0.0
    while took < 0.1:
        amount *= 3
        took = seconds_of(name, python, "plain", 2, work, amount)
    return max(1, round(amount * SECONDS / took))


def slowdowns(name: str, python: str, cores: int, work: str, profilers: tuple[str, ...]) -> list[float]:
    """Of each profiler but the first, against the plain run of the same round."""
    amount = amount_for(name, python, work)
    turns = [[seconds_of(name, python, profiler, cores, work, amount) for profiler in profilers] for _ in range(ROUNDS)]
    return [middle([took[place] / took[0] for took in turns]) for place in range(1, len(profilers))]


def slowdown_table(cores: int, profilers: tuple[str, ...]) -> str:
    rows = []
    for name, python in of_each_version().items():
        there = tuple(one for one in profilers if one != RIVAL or (packages(name, python) / RIVAL).exists())
        for work in WORKLOADS:
            ratios = dict(zip(there[1:], slowdowns(name, python, cores, work, there), strict=True))
            row = [percent(ratios[profiler] - 1, 2) for profiler in ("plain again", "0.001", "0.0001")]
            row += [f"{ratios[one]:.2f} times" if one in ratios else "" for one in profilers[4:]]
            rows.append([name, work, *row])
    heads = ["Python", "program", "plain again", "Profiler, 1 kHz", "Profiler, 10 kHz"]
    return table([*heads, *profilers[4:]], rows)


def inside_slowdown() -> str:
    """The sampler's thread on a second core."""
    return slowdown_table(2, PROFILERS)


def inside_one_core() -> str:
    """Program and sampler on the same core."""
    return slowdown_table(1, PROFILERS_ON_ONE_CORE)


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
    """3.6 million samples, an hour at 1 kHz, taken faster."""
    python = one_interpreter()
    name = next(name for name, path in interpreters().items() if path == python)
    rows = []
    for work in ("sympy", "django"):
        said = inside(name, python, "memory", "180", "0.00005", work)
        samples = said["samples"]
        rows.append(
            [work, f"{samples:,}", f"{said['trace'] / samples:.2f}", f"{said['grown'] / 1e6:.1f} MB"],
        )
    return table(["program", "samples", "bytes a sample", "growth of the process"], rows)


FIGURES: dict[str, Callable[[], str]] = {
    "inside_slowdown": inside_slowdown,
    "inside_one_core": inside_one_core,
    "inside_starts": inside_starts,
    "inside_memory": inside_memory,
}
