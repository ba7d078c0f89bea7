"""Figures of looking at a program that runs already: attach and dump."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import (
    COMMAND,
    PROFILER_CORE,
    PROGRAM_CORE,
    PROGRAMS,
    TOP,
    info,
    interpreters,
    middle,
    one_interpreter,
    percent,
    rounds,
    table,
)


@contextmanager
def threads(python: str, count: int, busy: int) -> Iterator[str]:
    """The pid of a program of so many threads, on its core."""
    arguments: list[str | Path] = [
        "taskset",
        "-c",
        str(PROGRAM_CORE),
        python,
        PROGRAMS / "threads.py",
        str(count),
        str(busy),
    ]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()


def command(*arguments: str | Path) -> float:
    """Runs ours on the other core; the milliseconds from its exec to its end."""
    start = time.perf_counter()
    subprocess.run(
        ["taskset", "-c", str(PROFILER_CORE), COMMAND, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    return (time.perf_counter() - start) * 1e3


def attach() -> str:
    """From exec to the end; what `taskset` itself takes is in it. An attach of one slot ends with its one look."""
    rows = []
    for name, python in interpreters().items():
        with threads(python, 10, 2) as pid:
            dumps = sorted(command("dump", pid) for _ in range(rounds(50)))
            looks = sorted(command("attach", "-q", "-d", "1ms", pid) for _ in range(rounds(50)))
        rows.append(
            [
                name,
                *(f"{middle(times):.1f} ms" for times in (dumps, looks)),
                f"{dumps[-1]:.1f} ms",
                f"{looks[-1]:.1f} ms",
            ]
        )
    return table(["Python", "`dump`", "`attach -d 1ms`", "longest `dump`", "longest `attach`"], rows)


def recorded(pid: str, *options: str) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "recording.lapse"
        command("attach", "-q", "-o", file, *options, pid)
        return info(file)


def seconds(facts: dict[str, str], key: str) -> float:
    return float(facts[key].split()[0])


def many() -> str:
    rows = []
    for count, busy, rate in ((100, 2, "1000"), (100, 2, "5000"), (100, 2, "20k"), (1000, 2, "100")):
        with threads(one_interpreter(), count, busy) as pid:
            facts = recorded(pid, "--rate", rate, "-d", "5s")
        looks, duration, cost = int(facts["looks"]), seconds(facts, "duration"), seconds(facts, "sampler_cpu")
        rows.append(
            [
                f"{count} threads, {busy} of them busy",
                f"{rate} Hz",
                f"{looks / duration:,.0f}",
                percent(cost / duration),
                f"{cost / looks * 1e6:.0f} us",
                f"{looks / cost:,.0f}",
            ]
        )
    heads = ["program", "asked for", "sweeps a second", "cost, of a core", "CPU a sweep", "sweeps a second of CPU"]
    return table(heads, rows)


def endurance() -> str:
    """The test of that name, as often as promised. STACKLAPSE_BENCH_ROUNDS says otherwise."""
    times = str(rounds(1000))
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--timeout=3600", TOP / "tests" / "test_attach_endurance.py"],
        env=os.environ | {"STACKLAPSE_ATTACH_ROUNDS": times, "STACKLAPSE_COMMAND": str(COMMAND)},
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    print(run.stdout[-3000:] if run.returncode else "", end="", file=sys.stderr)
    last = re.search(r"(\d+ \w+(?:, \d+ \w+)*) in", run.stdout)
    return table(
        ["attached, either side killed at a random moment", "tests of `tests/test_attach_endurance.py`"],
        [[f"{times} times", last.group(1) if last else "failed"]],
    )


FIGURES: dict[str, Callable[[], str]] = {
    "attach": attach,
    "many_threads": many,
    "endurance": endurance,
}
