"""The figures of web applications that are watched: requests a second and latency, driven by wrk on loopback.

The server has one core, with the sampler's thread and whatever else a profiler needs; wrk has the other. All variants
take turns in one process: two processes of the same server differ by up to a tenth, however long they run. What a
variant costs beside plain differs between processes, too, by a point or two, so there are several."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import (
    COMMAND,
    PROFILER_CORE,
    PROGRAM_CORE,
    PROGRAMS,
    TOP,
    build_waker,
    info,
    install,
    interpreters,
    middle,
    percent,
    rounds,
    table,
)

PROGRAM = PROGRAMS / "web"
PACKAGES = ("flask", "gunicorn", "fastapi", "uvicorn", "jinja2", "pyinstrument")
VARIANTS = {
    "plain": "plain",
    "plain again": "again",
    "a middleware that does nothing": "nothing",
    "stacklapse, keep what is slow": "stacklapse",
    "pyinstrument, every request": "pyinstrument",
    "cProfile (Werkzeug), every request": "cProfile",
}
CONNECTIONS, THREADS = 8, 4
PROCESSES = 5
# What neighbours take of the machine changes within seconds: turns are short, and many.
TURNS, TURN_SECONDS = 8, 1
SECONDS = float(os.environ.get("STACKLAPSE_BENCH_SECONDS", "2"))
REQUESTS = int(os.environ.get("STACKLAPSE_BENCH_REQUESTS", "100000"))
STREAMS, STREAM_AGES = (20, 200), (1, 10, 30)
WATCHED = "stacklapse"
ATTACHED, BESIDE = "attached at 1 kHz", "something else that takes as much of the core"
ON_WRKS_CORE = ("taskset", "-c", str(PROFILER_CORE))
# Those that take turns within a server, and for how long in each process: what is slow would leave them too few.
TURNING = {name: kind for name, kind in VARIANTS.items() if kind in ("plain", "again", "nothing", "stacklapse")}
TURNING_PROCESSES, TURNING_SECONDS = 3, int(os.environ.get("STACKLAPSE_BENCH_TURNING", "60"))


@dataclass(frozen=True)
class Load:
    """What wrk has measured."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    failed: int

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen[bytes]
    port: int

    def drive(self, seconds: float) -> Load:
        options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "-s", str(PROGRAM / "paths.lua")]
        said = subprocess.run(
            ["taskset", "-c", str(PROFILER_CORE), "wrk", *options, f"http://127.0.0.1:{self.port}"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        match = re.search(r"^JSON (.*)$", said, re.MULTILINE)
        if match is None:
            raise RuntimeError(said)
        found: dict[str, Any] = json.loads(match[1])
        return Load(
            found["requests"],
            found["microseconds"] / 1e6,
            found["p50"] / 1e3,
            found["p99"] / 1e3,
            found["errors"] + found["status"],
        )

    def choose(self, profiler: str) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/profiler/{profiler}", timeout=10) as answer:
            answer.read()

    def turns(self) -> list[tuple[str, int, float]]:
        """Those that were taken since the last call: the profiler, how many requests, seconds of CPU."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/turns", timeout=10) as answer:
            found: list[tuple[str, int, float]] = json.load(answer)
            return found

    def worker(self) -> int:
        """The process that answers: the server's only child, or itself."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else self.process.pid

    def memory_mb(self) -> float:
        """What the worker has of its own; pages that it shares with others are left out."""
        rollup = Path(f"/proc/{self.worker()}/smaps_rollup").read_text()
        return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_")) / 1e3


def flask_arguments(port: int) -> list[str]:
    options = ["-m", "gunicorn", "--workers", "1", "--worker-class", "gthread", "--threads", str(THREADS)]
    return [*options, "--log-level", "error", "--bind", f"127.0.0.1:{port}", "flask_shop:application"]


def fastapi_arguments(port: int) -> list[str]:
    return ["-m", "uvicorn", "--log-level", "error", "--no-access-log", "--port", str(port), "fastapi_shop:application"]


KINDS: dict[str, tuple[Callable[[int], list[str]], tuple[str, ...]]] = {
    "Flask, gunicorn gthread": (flask_arguments, tuple(VARIANTS)),
    # Werkzeug's middleware is for WSGI.
    "FastAPI, uvicorn": (fastapi_arguments, tuple(VARIANTS)[:-1]),
}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(
    arguments: Callable[[int], list[str]], profiler: str, folder: Path, turns: Iterable[str] = ()
) -> Iterator[Server]:
    """`turns`: profilers that take turns by themselves."""
    subprocess.run([TOP / "scripts" / "requirements", "bench"], check=True)
    name, python = next(iter(interpreters().items()))
    packages = install(f"{name}-web", python, PACKAGES)
    environment = os.environ | {
        "PYTHONPATH": f"{PROGRAM}:{COMMAND.resolve().parent / 'python'}:{packages}",
        "SHOP_DATABASE": str(folder / "shop.sqlite"),
        "SHOP_FOLDER": str(folder / "kept"),
        "SHOP_PROFILER": profiler,
        "SHOP_TURNS": ",".join(turns),
    }
    if not (folder / "shop.sqlite").exists():
        subprocess.run([python, PROGRAM / "shop.py"], env=environment, check=True)
    port = free_port()
    command = ["taskset", "-c", str(PROGRAM_CORE), python, *arguments(port)]
    with subprocess.Popen(command, env=environment, cwd=folder, stdin=subprocess.DEVNULL) as process:
        try:
            wait_for(process, port)
            yield Server(process, port)
        finally:
            process.terminate()


def wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                answer.read()
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.1)


def measured(kind: str) -> dict[str, list[Load]]:
    arguments, variants = KINDS[kind]
    loads: dict[str, list[Load]] = {variant: [] for variant in variants}
    for _ in range(PROCESSES):
        with tempfile.TemporaryDirectory() as folder, serving(arguments, "plain", Path(folder)) as server:
            for variant in variants:
                server.choose(VARIANTS[variant])
                server.drive(1)
            for number in range(rounds(TURNS)):
                # Now forward, now backward, so that none is always the one after another.
                for variant in variants if number % 2 == 0 else reversed(variants):
                    server.choose(VARIANTS[variant])
                    loads[variant].append(server.drive(TURN_SECONDS))
    return loads


def web_load() -> str:
    rows = []
    for kind in KINDS:
        loads = measured(kind)
        plain = loads["plain"]
        for variant, found in loads.items():
            slower = middle([1 - load.rate / without.rate for load, without in zip(found, plain, strict=True)])
            answered = sum(load.requests for load in found)
            rows.append(
                [
                    kind,
                    variant,
                    f"{middle([load.rate for load in found]):,.0f}",
                    "" if variant == "plain" else percent(slower, 1),
                    f"{middle([load.p50_ms for load in found]):.2f} ms",
                    f"{middle([load.p99_ms for load in found]):.2f} ms",
                    percent(sum(load.failed for load in found) / max(answered, 1), 1),
                ]
            )
    return table(["application", "profiler", "requests a second", "fewer than plain", "p50", "p99", "failed"], rows)


def rounds_of(turns: Iterable[tuple[str, int, float]]) -> Iterator[dict[str, float]]:
    """Microseconds of CPU for each request, by profiler, of every row of turns that has each of them once."""
    found: dict[str, float] = {}
    for kind, requests, seconds in turns:
        if kind in found:
            found = {}
        found[kind] = seconds / requests * 1e6
        if len(found) == len(TURNING):
            yield found
            found = {}


def web_cpu() -> str:
    rows = []
    for kind, (arguments, _) in KINDS.items():
        rounds_taken: list[dict[str, float]] = []
        for _ in range(TURNING_PROCESSES):
            with (
                tempfile.TemporaryDirectory() as folder,
                serving(arguments, "plain", Path(folder), TURNING.values()) as server,
            ):
                server.drive(2)
                server.turns()
                server.drive(TURNING_SECONDS)
                rounds_taken.extend(rounds_of(server.turns()))
        for variant, name in TURNING.items():
            more = sorted(taken[name] - taken["plain"] for taken in rounds_taken)
            # Without the tenth at either end, where a neighbour took the core.
            kept = more[len(more) // 10 : len(more) - len(more) // 10]
            error = 1.1 * statistics.stdev(kept) / len(kept) ** 0.5
            median = middle([taken[name] for taken in rounds_taken])
            difference = "" if name == "plain" else f"{statistics.fmean(kept):+.0f} us ± {error:.0f}"
            rows.append([kind, variant, f"{median:,.0f} us", difference])
    return table(["application", "profiler", "CPU for a request", "more than plain"], rows)


@contextlib.contextmanager
def attached(pid: int, recording: Path) -> Iterator[None]:
    """While it lasts, ours looks at that process a thousand times a second, from the core that wrk has."""
    command: list[str | Path] = [*ON_WRKS_CORE, COMMAND, "attach", "-q", "--rate", "1000", "-o", recording, str(pid)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        time.sleep(0.5)
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
            if process.returncode != 0:
                raise RuntimeError(said.decode())


@contextlib.contextmanager
def beside(waker: Path, busy_ns: int) -> Iterator[None]:
    """While it lasts, something computes for so long a thousand times a second, as a thread of ours would that looks at
    nothing: of the same priority, on the same core."""
    wakes = int((SECONDS + 10) * 1000)  # it ends by itself if nobody is left to end it
    command: list[str | Path] = ["chrt", "-f", "1", *ON_WRKS_CORE, waker, str(wakes), str(busy_ns)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            time.sleep(0.5)
            yield
            if process.poll() is not None:
                raise RuntimeError("nothing computed beside the server: does `chrt -f 1` need root here?")
        finally:
            process.kill()


def middle_and_error(ratios: list[float]) -> str:
    """The median and its standard error, which the ratios around it tell: one that is far out counts for no more."""
    ordered, reach = sorted(ratios), len(ratios) ** 0.5 / 2
    low, high = (ordered[round((len(ordered) - 1) / 2 + side * reach)] for side in (-1, 1))
    return f"{percent(statistics.median(ordered), 1)} ± {(high - low) / 2 * 100:.1f}"


def web_attach() -> str:
    """The same server each time, plain and looked at in turn."""
    loads: dict[str, list[Load]] = {variant: [] for variant in ("plain", "plain again", ATTACHED, BESIDE)}
    with tempfile.TemporaryDirectory() as folder, serving(flask_arguments, "plain", Path(folder)) as server:
        recording, waker = Path(folder) / "recording.lapse", build_waker(Path(folder))
        with attached(server.worker(), recording):
            server.drive(SECONDS)
        for number in range(rounds(60)):
            looks, seconds, cpu_seconds = (
                float(info(recording)[key].split()[0]) for key in ("looks", "duration", "sampler_cpu")
            )
            for variant in loads if number % 2 == 0 else reversed(loads):
                profiler: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
                if variant == ATTACHED:
                    profiler = attached(server.worker(), recording)
                elif variant == BESIDE:
                    profiler = beside(waker, int(cpu_seconds / looks * 1e9))
                with profiler:
                    loads[variant].append(server.drive(SECONDS))
    rows = []
    for variant, found in loads.items():
        pairs = list(zip(found, loads["plain"], strict=True))
        fewer = middle_and_error([1 - load.rate / other.rate for load, other in pairs])
        later = middle_and_error([load.p99_ms / other.p99_ms - 1 for load, other in pairs])
        rows.append(
            [
                variant,
                f"{middle([load.rate for load in found]):,.0f}",
                "" if variant == "plain" else fewer,
                f"{middle([load.p99_ms for load in found]):.2f} ms",
                "" if variant == "plain" else later,
                percent(sum(load.failed for load in found) / max(sum(load.requests for load in found), 1), 1),
            ]
        )
    heads = ["server", "requests a second", "fewer than plain", "p99", "later than plain", "failed"]
    looked = f"{looks / seconds:,.0f} looks a second for {percent(cpu_seconds / seconds)} of a core"
    return table(heads, rows) + f"\n\nA recording: {looked}."


def web_memory() -> str:
    """Of the worker while it is watched, in ten steps."""
    rows = []
    for kind, (arguments, _) in KINDS.items():
        with tempfile.TemporaryDirectory() as folder, serving(arguments, WATCHED, Path(folder)) as server:
            answered, seen = 0, []
            for step in range(1, 11):
                while answered < REQUESTS * step / 10:
                    answered += server.drive(2).requests
                seen.append((answered, server.memory_mb()))
        for place in (0, 4, 9):
            rows.append([kind, f"{seen[place][0]:,}", f"{seen[place][1]:.1f} MB"])
    return table(["application", "requests answered", "memory of the worker"], rows)


def threads_cpu(pid: int) -> dict[str, float]:
    """Seconds of CPU that the threads of a process have taken, by their names."""
    taken: dict[str, float] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        taken[name] = taken.get(name, 0.0) + int((task / "schedstat").read_text().split()[0]) / 1e9
    return taken


@contextlib.contextmanager
def streaming(port: int, count: int) -> Iterator[None]:
    """So many clients listen to what never ends. What they are sent stays in their sockets."""
    with contextlib.ExitStack() as sockets:
        for _ in range(count):
            client = sockets.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(b"GET /events HTTP/1.1\r\nHost: shop\r\n\r\n")
            client.recv(1000)
        yield


def web_streams() -> str:
    rows = []
    for count in STREAMS:
        with (
            tempfile.TemporaryDirectory() as folder,
            serving(fastapi_arguments, WATCHED, Path(folder)) as server,
            streaming(server.port, count),
        ):
            begin = time.monotonic()
            for age in STREAM_AGES:
                time.sleep(max(0.0, begin + age - time.monotonic()))
                before, since = threads_cpu(server.process.pid), time.monotonic()
                time.sleep(SECONDS)
                passed = time.monotonic() - since
                after = threads_cpu(server.process.pid)
                taken = {name: (cpu - before.get(name, 0.0)) / passed for name, cpu in after.items()}
                sampler = taken.pop("stacklapse", 0.0)
                rows.append([str(count), f"{age} s", percent(sum(taken.values())), percent(sampler)])
    return table(["open streams", "after", "the server, of a core", "the sampler's thread, of a core"], rows)


FIGURES: dict[str, Callable[[], str]] = {
    "web_load": web_load,
    "web_cpu": web_cpu,
    "web_attach": web_attach,
    "web_memory": web_memory,
    "web_streams": web_streams,
}
