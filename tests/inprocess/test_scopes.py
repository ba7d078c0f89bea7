"""What a Profiler is of: the thread or task that starts it, and what inherits its context."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command import Command
from support.inside import record_inside, run_inside
from support.interpreters import Interpreter

from inprocess.scopes import assert_apart, functions, opened

# Each wait lasts 100 ms, and of one a look was taken in 60 slots of 1 ms.
WAITED_US = 55_000
WAITS = 13


@pytest.mark.smoke
def test_waits_are_found_at_the_line_that_awaits(stacklapse: Command, python: Interpreter) -> None:
    recording = record_inside(stacklapse, python, "awaits.py")
    stacks = recording.stacks()
    waits = [line.split("\t") for line in recording.run.stdout.splitlines() if "\t" in line]
    assert len(waits) == WAITS
    for kind, function, line in waits:
        waited = sum(
            stack.microseconds
            for stack in stacks
            if stack.names[-1] == "[await]" and any(frame == f"{function} (awaits.py:{line})" for frame in stack.frames)
        )
        assert waited >= WAITED_US, (kind, stacks)
    assert {stack.names[0] for stack in stacks if "main" in stack.names} == {"main"}


def test_the_total_is_the_time_on_the_clock(stacklapse: Command, python: Interpreter) -> None:
    recording = record_inside(stacklapse, python, "awaits.py")
    document = recording.json
    assert [thread["kind"] for thread in document["threads"]] == ["scope"]
    assert document["selection"]["total_ns"] == document["recording"]["duration_ns"]


def test_none_of_many_scopes_shows_a_function_of_another(
    stacklapse: Command, python: Interpreter, tmp_path: Path
) -> None:
    assert assert_apart(stacklapse, python, tmp_path, 1, 0.0005) > 2000


def test_scopes_that_overlap_hand_over_hand_do_not_pile_up(stacklapse: Command, python: Interpreter) -> None:
    run_inside(stacklapse, python, "hand_over_hand.py")


def test_what_inherits_the_context_belongs_to_the_scope(
    stacklapse: Command, python: Interpreter, tmp_path: Path
) -> None:
    run_inside(stacklapse, python, "inherits.py", tmp_path)
    seen = {path.stem: functions(opened(stacklapse, path)) for path in tmp_path.glob("*.lapse")}
    task, thread = seen["task"], seen["thread"]
    inherits = {
        "the_task_itself",
        "task_it_creates",
        "in_to_thread",
        "in_an_empty_context",
        "in_a_context_carried_along",
    }
    assert inherits <= task
    assert not {"in_an_executor", "in_a_thread"} & task
    # Awaited, but not by inheritance: its time is that of the wait for it, at the line where it is.
    assert {"the_thread_itself", "in_an_empty_context", "task_it_creates"} <= thread
    assert not {"in_a_thread"} & thread
    assert {"outer_before", "both", "outer_after"} <= seen["outer"]
    assert "both" in seen["inner"]
    assert not {"outer_before", "outer_after"} & seen["inner"]
    assert {"in_both_tasks", "in_the_outer_task"} <= seen["outer_task"]
    assert "in_both_tasks" in seen["inner_task"]
    assert "in_the_outer_task" not in seen["inner_task"]


def test_a_recording_of_which_most_are_thrown_away_is_as_true_as_any(stacklapse: Command, python: Interpreter) -> None:
    run_inside(stacklapse, python, "deferred.py")


def test_a_task_that_runs_and_waits_by_turns_is_told_to_run_as_much_as_it_does(
    stacklapse: Command, python: Interpreter
) -> None:
    run_inside(stacklapse, python, "turns.py", options=())
