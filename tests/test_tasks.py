"""Which of its tasks an event loop ran when: held against what each task measured itself."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from support.command import Command
from support.inside import record_inside
from support.interpreters import Interpreter
from support.trace_reader import Trace

PROGRAM = Path(__file__).parent / "inprocess" / "programs" / "tasks.py"
TASK_BITS = (6, 10)


def task_of(state: int) -> int:
    shift, width = TASK_BITS
    return state >> shift & (1 << width) - 1


def times_by_task(trace: Trace) -> dict[int, Counter[tuple[int, str]]]:
    """Of each thread or scope: ns by number and name of the coroutine."""
    times: dict[int, Counter[tuple[int, str]]] = {}
    for number, thread in enumerate(trace.threads):
        found = times.setdefault(number, Counter())
        for run in thread.runs:
            task = task_of(run.state)
            if task:
                found[task, trace.functions[trace.tasks[number, task]].name] += run.end - run.begin
    return times


def assert_times(trace: Trace, thread: int, measured: dict[str, list[float]]) -> None:
    """As many tasks of each coroutine as there were, each with its time."""
    found = {task: ns for task, ns in times_by_task(trace)[thread].items() if task[1] in measured}
    assert Counter(name for _, name in found) == {name: len(times) for name, times in measured.items()}
    for name, times in measured.items():
        seen = sorted(ns / 1e9 for (_, coroutine), ns in found.items() if coroutine == name)
        assert seen == pytest.approx(sorted(times), rel=0.15)


def test_each_task_of_an_event_loop_has_its_time(stacklapse: Command, python: Interpreter) -> None:
    recording = stacklapse.record(python, [PROGRAM, "1.2"], ["-i", "250us"])
    assert_times(Trace(recording.path.read_bytes()), 0, json.loads(recording.run.stdout))


def test_each_task_within_a_profiler_has_its_time(stacklapse: Command, python: Interpreter) -> None:
    recording = record_inside(stacklapse, python, "tasks.py", "1.2")
    assert_times(Trace(recording.path.read_bytes()), 0, json.loads(recording.run.stdout))
