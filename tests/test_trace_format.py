"""docs/trace-format.md is enough to write a reader from: one that was finds in real recordings what the reader in C
finds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.command import Command, command_path
from support.inside import record_inside
from support.interpreters import TOP, Interpreter
from support.trace_reader import Trace

CORPUS = TOP / "tests" / "fuzz" / "corpus" / "trace_reader"

THREADS = """\
import json, threading, time

def wait():
    time.sleep(0.3)

def compute(n):
    return 0 if n == 0 else compute(n - 1) + sum(range(200))

def work():
    end = time.perf_counter() + 0.5
    while time.perf_counter() < end:
        compute(30)
        json.dumps(list(range(300)))

for target in (wait, work):
    thread = threading.Thread(target=target, name="été")
    thread.start()
work()
"""


def dump_of_c(path: Path) -> list[str]:
    dump = command_path().parent / "tests" / "unit" / "profile" / "dump_trace"
    return subprocess.run([dump, path], check=True, capture_output=True, text=True).stdout.splitlines()


def quoted(text: str) -> str:
    return f'"{text.encode().hex()}"'


def dump_of_python(path: Path) -> list[str]:
    trace = Trace(path.read_bytes())
    facts = [value for name, value in trace.facts.items() if name != "dropped"]
    lines = [
        " ".join(
            [
                "facts",
                *map(str, facts),
                str(int(trace.complete)),
                quoted(trace.description),
                quoted(trace.version),
            ]
        )
    ]
    lines += [f"function {f.first_line} {f.kind} {quoted(f.name)} {quoted(f.file)}" for f in trace.functions]
    lines += [f"stack {s.caller} {s.function} {s.line}" for s in trace.stacks]
    lines += [
        f"process {p.pid} {p.parent} {p.begin} {p.end} {p.cpu} {p.status} {p.root} {' '.join(map(quoted, p.known))}"
        for p in trace.processes
    ]
    for t in trace.threads:
        lines.append(f"thread {t.process} {t.kind} {t.id} {int(t.main)} {t.begin} {t.end} {t.cpu} {quoted(t.name)}")
        lines += [f"run {r.begin} {r.end} {r.stack} {r.state} {r.samples}" for r in t.runs]
    return lines


def test_a_reader_written_from_the_document_reads_a_recording(stacklapse: Command, any_python: Interpreter) -> None:
    recording = stacklapse.record(any_python, ["-c", THREADS], ["-i", "200us"])
    lines = dump_of_python(recording.path)
    assert lines == dump_of_c(recording.path)
    assert sum(line.startswith("thread ") for line in lines) == 3
    assert sum(line.startswith("run ") for line in lines) > 100


PROFILED = """\
import sys, time
from stacklapse import Profiler

def record():
    with Profiler(interval=0.0002) as profiler:
        time.sleep(0.05)
    profiler.save(sys.argv[1])

record()
"""


def test_a_reader_written_from_the_document_reads_a_profilers_recording(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    program = tmp_path / "profiled.py"
    program.write_text(PROFILED)
    recording = record_inside(stacklapse, any_python, str(program))
    assert dump_of_python(recording.path) == dump_of_c(recording.path)
    [thread] = Trace(recording.path.read_bytes()).threads
    assert thread.stem > 0


def test_a_reader_written_from_the_document_reads_a_recording_that_was_cut_off(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    recording = stacklapse.record(any_python, ["-c", THREADS], ["-i", "200us"])
    cut = tmp_path / "cut.lapse"
    whole = recording.path.read_bytes()
    for part in (100, len(whole) // 2, len(whole) - 1):
        cut.write_bytes(whole[:part])
        assert dump_of_python(cut) == dump_of_c(cut)


@pytest.mark.parametrize("name", ["nothing", "one-look", "one-block", "blocks", "cut", "packed", "packed-plain"])
def test_a_reader_written_from_the_document_reads_the_corpus(name: str) -> None:
    assert dump_of_python(CORPUS / name) == dump_of_c(CORPUS / name)
