"""What the programs that people read profiles with find in a file: the total time of each function, by its name."""

from __future__ import annotations

import fcntl
import json
import os
import pstats
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent

Totals = dict[str, float]
"""Seconds by function. Functions of the same name are added up."""


def run(*command: str | Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, **(environment or {})},
        # callgrind_annotate takes the working directory off some paths and not off others.
        cwd="/",
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def need(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not on this machine")
    return path


@cache
def install_node_packages() -> str:
    """Installs what package-lock.json names, once, whichever of the processes that test side by side comes first.
    Returns why that cannot be done, if it cannot."""
    lock = (HERE / "package-lock.json").read_bytes()
    with (HERE / "package-lock.json").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        marker = HERE / "node_modules" / ".installed"
        if not marker.exists() or marker.read_bytes() != lock:
            command = [need("npm"), "ci", "--no-audit", "--no-fund", "--silent"]
            done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                return done.stderr.strip() or "npm ci failed"
            marker.write_bytes(lock)
    return ""


def node_packages(wanted: str) -> Path:
    """The folder of the packages; skips the test, which wants that one, where they cannot be had."""
    need("node")
    problem = install_node_packages()
    if problem:
        pytest.skip(f"{wanted} cannot be had: {problem}")
    return HERE / "node_modules"


UNITS = {"ns": 1e-9, "µs": 1e-6, "us": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


def seconds(text: str) -> float:
    match = re.fullmatch(r"([\d.,]+) ?(ns|µs|μs|us|ms|s|m)?", text.strip())
    assert match, text
    return float(match[1].replace(",", "")) * UNITS[match[2] or "s"]


def read_pstats(path: Path) -> Totals:
    totals: Totals = defaultdict(float)
    stats: dict[tuple[str, int, str], Any] = pstats.Stats(str(path)).stats  # type: ignore[attr-defined]
    for (_, _, name), (_, _, _, cumulative, _) in stats.items():
        totals[name] += cumulative
    return totals


def read_pprof(path: Path) -> Totals:
    text = run(need("go"), "tool", "pprof", "-top", "-cum", "-nodecount=0", "-nodefraction=0", "-unit=ns",
               "-symbolize=none", path)  # fmt: skip
    totals: Totals = defaultdict(float)
    for line in text.splitlines():
        match = re.match(r"\s*\S+\s+\S+%\s+\S+%\s+(\d+)(?:ns)?\s+\S+%  (.*)$", line)
        if match:
            totals[match[2].removesuffix(" (inline)")] += int(match[1]) / 1e9
    return totals


def read_callgrind(path: Path) -> Totals:
    text = run(need("callgrind_annotate"), "--inclusive=yes", "--auto=no", "--threshold=100", path)
    totals: Totals = defaultdict(float)
    for line in text.splitlines():
        match = re.match(r"\s*([\d,]+) \(.*?\)\s+[\d,]+ \(.*?\)\s+(?!=>|<)\S.*?:([^:]*)$", line)
        if match:
            totals[match[2].strip()] += int(match[1].replace(",", "")) / 1e9
    return totals


def rows_of_speedscope(path: Path) -> list[list[str]]:
    if not Path("/usr/bin/chromium").exists():
        pytest.skip("chromium is not on this machine")
    node_packages("speedscope")
    rows: list[list[str]] = json.loads(run(need("node"), HERE / "speedscope.mjs", path))
    return rows


def read_speedscope(path: Path) -> Totals:
    """The totals of the profile that is shown first: the main thread's."""
    totals: Totals = defaultdict(float)
    for total, _, name in rows_of_speedscope(path):
        if total.endswith(")"):
            totals[name.partition(" {")[0]] += seconds(total.partition(" (")[0])
    return totals


def read_chrome(path: Path) -> Totals:
    """By the engine that Chromium's DevTools open traces with."""
    node_packages("@paulirish/trace_engine")
    totals: Totals = json.loads(run(need("node"), HERE / "trace_engine.mjs", path))
    return totals


def read_firefox(path: Path, folder: Path) -> Totals:
    """The totals of the first thread, which is the main one."""
    program = node_packages("@firefox-devtools/profiler-cli") / ".bin" / "profiler-cli"
    environment = {"PROFILER_CLI_SESSION_DIR": str(folder)}
    subprocess.run([program, "load", path], env={**os.environ, **environment}, capture_output=True, check=False)
    try:
        text = "{}"
        for _ in range(60):  # the program's own daemon takes its time to start on a busy machine
            done = subprocess.run(
                [program, "thread", "functions", "--limit", "0", "--include-idle", "--json"],
                env={**os.environ, **environment},
                capture_output=True,
                encoding="utf-8",
                check=False,
            )
            text = done.stdout
            if done.returncode == 0:
                break
        totals: Totals = defaultdict(float)
        for function in json.loads(text).get("functions", []):
            totals[function["name"]] += function["totalSamples"] / 1e3  # weights of type tracing-ms
        return totals
    finally:
        subprocess.run([program, "stop"], env={**os.environ, **environment}, capture_output=True, check=False)


def read_otlp(path: Path, kind: str = "wall", *, alone: bool = False) -> Totals:
    """Of the profiles of that kind; beside them there are those of CPU time, unless it is to stand alone."""
    code = (
        "import sys, json\n"
        "from collections import defaultdict\n"
        "from opentelemetry.proto.profiles.v1development.profiles_pb2 import ProfilesData\n"
        "data = ProfilesData.FromString(open(sys.argv[1], 'rb').read())\n"
        "d = data.dictionary; totals = defaultdict(int); kinds = []\n"
        "assert not d.mapping_table[0].ByteSize() and d.string_table[0] == ''\n"
        "assert not d.location_table[0].ByteSize() and not d.function_table[0].ByteSize()\n"
        "assert not d.stack_table[0].ByteSize() and not d.attribute_table[0].ByteSize()\n"
        "for r in data.resource_profiles:\n"
        "    for s in r.scope_profiles:\n"
        "        for p in s.profiles:\n"
        "            kind = d.string_table[p.sample_type.type_strindex]; kinds.append(kind)\n"
        "            assert d.string_table[p.sample_type.unit_strindex] == 'nanoseconds'\n"
        "            for sample in p.samples if kind == sys.argv[2] else []:\n"
        "                for a in sample.attribute_indices: assert d.attribute_table[a].key_strindex\n"
        "                stack = d.stack_table[sample.stack_index]\n"
        "                lines = [l for i in stack.location_indices for l in d.location_table[i].lines]\n"
        "                for f in {l.function_index for l in lines}:\n"
        "                    totals[d.string_table[d.function_table[f].name_strindex]] += sum(sample.values)\n"
        "assert sorted(set(kinds)) == sys.argv[3:], kinds\n"
        "print(json.dumps({name: ns / 1e9 for name, ns in totals.items()}))\n"
    )
    kinds = [kind] if alone else ["cpu", "wall"]
    totals: Totals = json.loads(run(sys.executable, "-c", code, path, kind, *kinds))
    return totals
