"""The reported share of a function is its true one: programs whose shares are known by construction and that time
their own phases in the same run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.command import Command, Recording, Stack
from support.interpreters import Interpreter

from truth.shares import assert_shares, time_in

PROGRAMS = Path(__file__).parent / "programs"
SECONDS = "3"


def record(
    stacklapse: Command, python: Interpreter, program: str, *arguments: str, interval: str = "100us"
) -> Recording:
    return stacklapse.record(python, [PROGRAMS / program, *arguments], ["-i", interval])


def told(recording: Recording) -> Any:
    """What the program measured."""
    return json.loads(recording.run.stdout)


def test_busy_loops_have_their_true_shares(stacklapse: Command, python: Interpreter) -> None:
    recording = record(stacklapse, python, "busy.py", SECONDS)
    assert_shares(recording, told(recording))


def test_a_sleeping_and_a_computing_thread_have_their_true_shares(stacklapse: Command, python: Interpreter) -> None:
    recording = record(stacklapse, python, "threads.py", SECONDS)
    assert_shares(recording, told(recording))


def test_recursion_of_any_depth_has_its_true_share(stacklapse: Command, python: Interpreter) -> None:
    recording = record(stacklapse, python, "recursion.py", "3.5", "1", "30", "300")

    def at_depth(stack: Stack, depth: str) -> bool:
        return stack.names.count("descend") == int(depth) and stack.names[-1] == "bottom"

    assert_shares(recording, told(recording), inside=at_depth)


def test_recursion_ten_thousand_deep_is_seen_to_its_bottom(stacklapse: Command, python: Interpreter) -> None:
    recording = record(stacklapse, python, "recursion.py", "2", "10000", interval="1ms")
    stacks = recording.stacks()
    whole_depth = [
        stack for stack in stacks if stack.names.count("descend") == 10_000 and stack.names.count("<module>") >= 1
    ]
    assert sum(stack.microseconds for stack in whole_depth) > 0.8 * time_in(stacks, "bottom") > 0
    assert all(stack.names.count("descend") == 10_000 for stack in stacks if stack.names[-1] == "bottom")


def test_generators_and_coroutines_have_their_true_shares(stacklapse: Command, python: Interpreter) -> None:
    recording = record(stacklapse, python, "generators.py", SECONDS)
    assert_shares(recording, told(recording))


def test_the_stack_of_generators_and_coroutines_is_the_chain_of_those_that_wait_for_each_other(
    stacklapse: Command, python: Interpreter
) -> None:
    recording = record(stacklapse, python, "generators.py", "1")
    chains: dict[str, set[tuple[str, ...]]] = {
        "first_leaf": {("consume", "outer", "inner")},
        "second_leaf": {("consume", "outer")},
        "third_leaf": {("task", "middle", "deepest")},
        "fourth_leaf": {("task", "middle")},
    }
    for stack in recording.stacks():
        names = stack.names
        for leaf, allowed in chains.items():
            if leaf in names:
                end = names.index(leaf)
                assert any(names[end - len(chain) : end] == chain for chain in allowed), names


def test_threads_that_come_and_go_have_their_true_shares(stacklapse: Command, python: Interpreter) -> None:
    recording = record(stacklapse, python, "thread_churn.py", SECONDS)
    assert_shares(recording, told(recording))


def test_a_subinterpreter_has_its_true_share(stacklapse: Command, python: Interpreter) -> None:
    recording = record(stacklapse, python, "subinterpreters.py", SECONDS)
    assert_shares(recording, told(recording))


@pytest.mark.parametrize("period", ["0.5", "1", "1.1", "2"])
def test_a_program_in_step_with_the_interval_has_its_true_shares_at_every_phase(
    stacklapse: Command, python: Interpreter, period: str
) -> None:
    phases = ["0", "0.3", "0.7"]
    recording = record(stacklapse, python, "rhythm.py", "1.6", "100000", period, *phases)
    for number, truth in enumerate(told(recording)):
        stacks = [stack for stack in recording.stacks() if f"phase_{number}" in stack.names]
        assert_shares(recording, truth, stacks=stacks)
