"""The figures of the engine: each function measures one of them and returns a table in Markdown."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measure import (
    COMMAND,
    PROFILER_CORE,
    PROGRAM_CORE,
    PROGRAMS,
    Result,
    amount_for,
    build_waker,
    info,
    installed,
    interpreters,
    middle,
    number,
    one_interpreter,
    percent,
    ratios,
    record,
    rounds,
    run,
    table,
    threads_cpu_seconds,
)

WORKLOADS = ("short_calls", "methods", "loop")
ROUNDS = rounds(7)


def broken() -> str:
    """Stacks that stayed inconsistent after every retry, and walks that were repeated, of all samples."""
    rows = []
    for name, python in interpreters().items():
        for work in ("short_calls", "methods", "recursion"):
            amount = amount_for(python, work, 5)
            for interval in ("1ms", "100us"):
                result = record(python, [work, amount], ["-i", interval])
                samples = number(result, "samples")
                rows.append(
                    [
                        name,
                        work.replace("_", " ") + (" (300 deep)" if work == "recursion" else ""),
                        interval,
                        f"{samples:,}",
                        percent(number(result, "broken") / samples, 3),
                        percent(number(result, "retried") / samples, 2) if "retried" in result.info else "",
                        result.info["missed"],
                        result.info["late"],
                    ]
                )
    return table(["Python", "program", "interval", "samples", "broken", "retried", "missed", "late"], rows)


Launcher = Callable[[str, Path], list[str | Path]]

RIVALS: dict[str, Launcher] = {
    "py-spy": lambda python, file: ["py-spy", "record", "-r", "1000", "-f", "raw", "-o", file, "--", python],
    "py-spy --nonblocking": lambda python, file: [
        *("py-spy", "record", "--nonblocking", "-r", "1000", "-f", "raw", "-o", file, "--", python)
    ],
    "austin": lambda python, file: ["austin", "-i", "1000", "-o", file, python],
}


def rival(launcher: Launcher, python: str, work: list[str]) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        arguments = launcher(python, Path(folder) / "out")
        arguments[0] = installed(str(arguments[0])) or arguments[0]
        return run(arguments, python, work)


def cost_of_waking() -> float:
    """Share of a core that a thread takes which only wakes up a thousand times a second, while the other core works."""
    with tempfile.TemporaryDirectory() as folder:
        program = build_waker(Path(folder))
        busy = [sys.executable, "-c", "while True: pass"]
        with subprocess.Popen(["taskset", "-c", str(PROGRAM_CORE), *busy]) as other:
            waker: list[str | Path] = ["taskset", "-c", str(PROFILER_CORE), program]
            costs = [float(subprocess.run(waker, check=True, capture_output=True).stdout) for _ in range(3)]
            other.kill()
    return middle(costs)


def slowdown() -> str:
    """How much longer the program's work takes when sampled every 1 ms, runs with and without in turn; and the CPU time
    of the profiler while the work lasted."""
    rivals = {name: launcher for name, launcher in RIVALS.items() if installed(name.split()[0])}
    rows = []
    for name, python in interpreters().items():
        for work in WORKLOADS:
            arguments = [work, amount_for(python, work, 2)]
            plain: list[Result] = []
            ours: list[Result] = []
            again: list[Result] = []
            theirs: dict[str, list[Result]] = {rival_name: [] for rival_name in rivals}
            for _ in range(ROUNDS):
                plain.append(run([], python, arguments))
                ours.append(record(python, arguments, ["-i", "1ms"]))
                again.append(run([], python, arguments))
                for rival_name, launcher in rivals.items():
                    theirs[rival_name].append(rival(launcher, python, arguments))
            row = [name, work.replace("_", " "), percent(middle(ratios(again, plain)), 2)]
            for results in (ours, *theirs.values()):
                cost = middle([result.profiler_cpu_seconds / result.seconds for result in results])
                row += [percent(middle(ratios(results, plain)), 2), percent(cost, 2)]
            rows.append(row)
    heads = ["Python", "program", "plain again"]
    for profiler in ("stacklapse", *rivals):
        heads += [f"{profiler}: slowdown", f"{profiler}: CPU of a core"]
    waking = (
        f"A thread that does nothing but wake up 1,000 times a second takes {percent(cost_of_waking(), 2)} of a core."
    )
    return f"{table(heads, rows)}\n\n{waking}"


def rate() -> str:
    """One thread, 30 frames deep: samples a second that were taken and stored, by the interval that was asked for."""
    python = one_interpreter()
    amount = amount_for(python, "steady", 4)
    rows = []
    for interval in ("1ms", "100us", "20us", "10us", "5us", "2us"):
        plain, results = [], []
        for _ in range(3):
            plain.append(run([], python, ["steady", amount]))
            results.append(record(python, ["steady", amount], ["-i", interval]))
        result = results[1]
        samples, duration = number(result, "samples"), float(result.info["duration"].split()[0])
        rows.append(
            [
                interval,
                f"{samples / duration:,.0f}",
                percent(number(result, "late") / (samples + number(result, "late")), 2),
                percent(result.profiler_cpu_seconds / result.seconds),
                percent(middle(ratios(results, plain)), 1),
                f"{number(result, 'bytes') / samples:.2f}",
            ]
        )
    heads = ["interval", "samples a second", "late slots", "CPU of a core", "slowdown", "bytes a sample"]
    return table(heads, rows)


def latency() -> str:
    """From executing the command to executing the program, and from the program's end to that of the command with the
    report written."""
    python = one_interpreter()
    before, after, samples = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        stand_in = Path(folder) / "python3"
        subprocess.run(["cc", "-O2", "-o", stand_in, PROGRAMS / "first_word.c"], check=True)
        for _ in range(21):
            start = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            said = subprocess.run(
                [COMMAND, "--python", stand_in, PROGRAMS / "last_word.py", "0"],
                check=True,
                capture_output=True,
                text=True,
            )
            before.append((int(said.stdout) - start) / 1e6)
        file = Path(folder) / "recording.lapse"
        for _ in range(7):
            for output in ([], ["-o", str(file)]):
                arguments: list[str | Path] = [COMMAND, "--python", python, "-i", "40us", *output]
                arguments += [PROGRAMS / "last_word.py", "4"]
                run_of_it = subprocess.run(arguments, check=True, capture_output=True, text=True)
                end = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
                if not output:
                    after.append((end - int(run_of_it.stdout)) / 1e6)
        samples = int(info(file)["samples"].replace(",", "").split()[0])
    return table(
        ["", "median", "worst"],
        [
            ["command executed to program executed", f"{middle(before):.1f} ms", f"{max(before):.1f} ms"],
            [
                f"program's end to report, at {samples:,} samples",
                f"{middle(after):.0f} ms",
                f"{max(after):.0f} ms",
            ],
        ],
    )


def resident(options: list[str | Path], minutes: float) -> str:
    """Resident memory of the profiler while it records a program, and its CPU time until then."""
    python = one_interpreter()
    amount = amount_for(python, "methods", minutes * 60)
    rows = []
    arguments: list[str | Path] = ["taskset", "-c", str(PROFILER_CORE), COMMAND, "--python", python, *options]
    arguments += [PROGRAMS / "workload.py", str(PROGRAM_CORE), "methods", amount]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        start = time.monotonic()
        for minute in range(round(minutes) + 1):
            time.sleep(max(0.0, start + max(minute * 60, 5) - time.monotonic()))
            if process.poll() is not None:
                break
            kilobytes = next(
                line.split()[1]
                for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
                if line.startswith("VmRSS")
            )
            cost = threads_cpu_seconds(process.pid) / (time.monotonic() - start)
            rows.append([f"{max(minute * 60, 5)} s", f"{int(kilobytes):,} kB", percent(cost, 2)])
        process.communicate("\n")
    return table(["after", "resident memory", "CPU of a core"], rows)


def memory() -> str:
    """Of a recording at 1 kHz."""
    with tempfile.TemporaryDirectory() as folder:
        return resident(["-o", Path(folder) / "recording.lapse"], 10)


def on_and_on() -> str:
    """Of recordings that follow each other, each of a second: as many in three minutes as in 45 minutes otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        return resident(["--folder", folder, "--every", "1s"], 3)


def states() -> str:
    """The sampler's CPU time for one sample with and without looking up what the thread does, by what it does."""
    build = COMMAND.parent
    subprocess.run(["ninja", "-C", build, "bench_states"], check=True, stdout=subprocess.DEVNULL)
    python = one_interpreter()
    programs = {
        "100 threads that wait": ("100", "0", "0"),
        "1 thread that computes": ("0", "1", "0"),
        "8 threads that compute, one at a time": ("0", "8", "0"),
        "8 threads that wake up all the time": ("0", "0", "8"),
    }
    rows = []
    for name, counts in programs.items():
        with subprocess.Popen(
            [python, PROGRAMS / "states.py", str(PROGRAM_CORE), *counts],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            measure: list[str | Path] = [
                "taskset",
                "-c",
                str(PROFILER_CORE),
                build / "bench_states",
                str(process.pid),
                "12",
            ]
            said = subprocess.run(measure, check=True, capture_output=True, text=True).stdout
            process.communicate("\n")
        cost = {line.split()[0]: float(line.split()[1]) / 1000 for line in said.splitlines()}
        added = cost["with"] - cost["without"]
        rows.append([name, f"{cost['without']:.2f} µs", f"{cost['with']:.2f} µs", f"{added:+.2f} µs"])
    return table(["program", "a sample without states", "with states", "states add"], rows)


FIGURES: dict[str, Callable[[], str]] = {
    "broken": broken,
    "slowdown": slowdown,
    "rate": rate,
    "states": states,
    "latency": latency,
    "memory": memory,
    "on_and_on": on_and_on,
}
