"""What the benchmarks share: running a program with and without a profiler, and reading what either cost.

The program pins itself to the first of two cores. The profiler may use only the second, unless a benchmark says
otherwise, so that its cost to the program is what remains when the machine has a core to spare."""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
PROGRAMS = TOP / "bench" / "programs"
COMMAND = Path(os.environ.get("STACKLAPSE_COMMAND", TOP / "build" / "stacklapse"))

PROGRAM_CORE, PROFILER_CORE = 0, 1


def rounds(usual: int) -> int:
    """How often runs with and without a profiler take turns; STACKLAPSE_BENCH_ROUNDS says otherwise."""
    return int(os.environ.get("STACKLAPSE_BENCH_ROUNDS", usual))


def interpreters() -> dict[str, str]:
    """Path of each interpreter of the matrix by its id; STACKLAPSE_BENCH_PYTHONS (ids, with commas) chooses some."""
    listed = subprocess.run(
        [TOP / "scripts" / "interpreters", "--no-download"], check=True, text=True, stdout=subprocess.PIPE
    ).stdout
    found = dict(line.split("\t") for line in listed.splitlines() if "\tskipped\t" not in line)
    chosen = os.environ.get("STACKLAPSE_BENCH_PYTHONS")
    return {name: found[name] for name in chosen.split(",")} if chosen else found


def one_interpreter() -> str:
    """The one on which figures are taken that are not about versions: the oldest version, as the hardest to read."""
    return next(iter(interpreters().values()))


@dataclass
class Result:
    seconds: float
    """What the program's work took, by its own clock."""
    cpu_seconds: float
    profiler_cpu_seconds: float
    """CPU time of all threads of the profiler up to the end of the work; 0 when there is none."""
    info: dict[str, str]
    """`stacklapse info` of the recording; empty for other profilers."""


def threads_cpu_seconds(pid: int) -> float:
    """Of all threads of a process, without its children, to the nanosecond."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def run(launcher: Sequence[str | Path], python: str, work: Sequence[str], *, pinned: bool = True) -> Result:
    """`launcher` comes before the interpreter and its program; empty for a plain run."""
    program_core = str(PROGRAM_CORE) if pinned else "-"
    arguments: list[str | Path] = [*launcher, PROGRAMS / "workload.py", program_core, *work]
    if not launcher:
        arguments = [python, *arguments]
    if pinned and launcher:
        arguments = ["taskset", "-c", str(PROFILER_CORE), *arguments]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(process.communicate()[1])
        said = json.loads(line)
        profiler = threads_cpu_seconds(process.pid) if process.pid != said["pid"] else 0.0
        process.communicate("\n")
    return Result(said["seconds"], said["cpu_seconds"], profiler, {})


def record(python: str, work: Sequence[str], options: Sequence[str], *, pinned: bool = True) -> Result:
    """The same under stacklapse."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "recording.lapse"
        result = run([COMMAND, "--python", python, "-o", file, *options], python, work, pinned=pinned)
        result.info = info(file)
    return result


def info(file: Path) -> dict[str, str]:
    said = subprocess.run([COMMAND, "info", file], check=True, capture_output=True, text=True).stdout
    return dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)


def number(result: Result, key: str) -> int:
    return int(result.info[key].replace(",", "").split()[0])


def amount_for(python: str, name: str, seconds: float) -> str:
    """How much work of that name takes about that long."""
    amount, took = 10, 0.0
    while took < 0.2:
        amount *= 3
        took = run([], python, [name, str(amount)]).seconds
    return str(max(1, round(amount * seconds / took)))


def ratios(profiled: Iterable[Result], plain: Iterable[Result]) -> list[float]:
    """Slowdown of each pair of neighbouring runs."""
    return [with_it.seconds / without.seconds - 1 for with_it, without in zip(profiled, plain, strict=True)]


def percent(value: float, digits: int = 1) -> str:
    return f"{100 * value:.{digits}f} %"


def build_waker(folder: Path) -> Path:
    """bench/programs/wakes.c as a program in that folder."""
    program = folder / "wakes"
    subprocess.run(["cc", "-O2", "-o", program, PROGRAMS / "wakes.c"], check=True)
    return program


def middle(values: Sequence[float]) -> float:
    return statistics.median(values)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def machine() -> str:
    """The machine in one line, without names."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    release = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    return f"{os.cpu_count()} cores ({model}), {release}, kernel {platform.release().split('-')[0]}"


def warn_if_busy() -> None:
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"bench: the machine is busy (load {load:.1f}): these figures are not to be kept", file=sys.stderr)


def installed(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=str(TOP / ".venv" / "bin"))


def install(name: str, python: str, wanted: Sequence[str], optional: Sequence[str] = ()) -> Path:
    """The folder build-bench/NAME with these packages, made the first time. pip is a recent one, run by the interpreter
    itself: not every one has its own. What is optional may fail to be installed."""
    top = TOP / "build-bench"
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]
    if not (top / "pip").exists():
        subprocess.run([sys.executable, *pip, str(top / "pip"), "pip>=26"], check=True)
    folder = top / name
    if not folder.exists():
        print(f"bench: installing {', '.join([*wanted, *optional])} into {name}", file=sys.stderr)
        unfinished = top / f"{name}.unfinished"
        # An interpreter that was unpacked elsewhere finds only half of its headers.
        environment = os.environ | {"PYTHONPATH": str(top / "pip"), "CPATH": str(Path(python).parents[1] / "include")}
        subprocess.run([python, *pip, str(unfinished), *wanted], env=environment, check=True)
        for one in optional:
            subprocess.run([python, *pip, str(unfinished), one], env=environment, check=False)
        unfinished.rename(folder)
    return folder
