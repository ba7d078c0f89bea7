"""The reported share of a function is its true one: programs whose shares are known by construction and that time
their own phases in the same run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.command import Command, Recording, Stack
from support.interpreters import Interpreter

from truth.shares import Shares, assert_shares, time_in, undisturbed

PROGRAMS = Path(__file__).parent / "programs"
SECONDS = "3"


def recorder(
    stacklapse: Command, python: Interpreter, program: str, *arguments: str, interval: str = "100us"
) -> Callable[[], Recording]:
    return lambda: stacklapse.record(python, [PROGRAMS / program, *arguments], ["-i", interval])


def told(recording: Recording) -> Any:
    """What the program measured."""
    return json.loads(recording.run.stdout)


def test_busy_loops_have_their_true_shares(stacklapse: Command, python: Interpreter) -> None:
    assert_shares(recorder(stacklapse, python, "busy.py", SECONDS), told)


def test_a_sleeping_and_a_computing_thread_have_their_true_shares(stacklapse: Command, python: Interpreter) -> None:
    assert_shares(recorder(stacklapse, python, "threads.py", SECONDS), told)


def test_recursion_of_any_depth_has_its_true_share(stacklapse: Command, python: Interpreter) -> None:
    def at_depth(stack: Stack, depth: str) -> bool:
        return stack.names.count("descend") == int(depth) and stack.names[-1] == "bottom"

    assert_shares(recorder(stacklapse, python, "recursion.py", SECONDS, "1", "30", "300"), told, at_depth)


def test_recursion_ten_thousand_deep_is_seen_to_its_bottom(stacklapse: Command, python: Interpreter) -> None:
    recording = recorder(stacklapse, python, "recursion.py", "2", "10000", interval="1ms")()
    stacks = [stack for stack in recording.stacks() if stack.names[-1] == "bottom"]
    assert stacks
    assert all(stack.names.count("descend") == 10_000 and stack.names[0] == "<module>" for stack in stacks)
    assert time_in(stacks, "bottom") > 1e6


def test_generators_and_coroutines_have_their_true_shares(stacklapse: Command, python: Interpreter) -> None:
    assert_shares(recorder(stacklapse, python, "generators.py", SECONDS), told)


def test_the_stack_of_generators_and_coroutines_is_the_chain_of_those_that_wait_for_each_other(
    stacklapse: Command, python: Interpreter
) -> None:
    recording = recorder(stacklapse, python, "generators.py", "1")()
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
    assert_shares(recorder(stacklapse, python, "thread_churn.py", SECONDS), told)


def test_code_that_is_run_once_and_freed_has_its_true_share(stacklapse: Command, python: Interpreter) -> None:
    assert_shares(recorder(stacklapse, python, "reused_code.py", SECONDS), told)


def test_a_subinterpreter_has_its_true_share(stacklapse: Command, python: Interpreter) -> None:
    assert_shares(recorder(stacklapse, python, "subinterpreters.py", SECONDS), told)


@pytest.mark.parametrize("period", ["0.5", "1", "1.1", "2"])
def test_a_program_in_step_with_the_interval_has_its_true_shares_at_every_phase(
    stacklapse: Command, python: Interpreter, period: str
) -> None:
    phases = ["0", "0.3", "0.7"]
    shares = [Shares() for _ in phases]
    for recording in undisturbed(recorder(stacklapse, python, "rhythm.py", "1.6", "100000", period, *phases)):
        for number, truth in enumerate(told(recording)):
            stacks = [stack for stack in recording.stacks() if f"phase_{number}" in stack.names]
            shares[number].add(recording, truth, stacks=stacks)
        if all(share.enough for share in shares):
            break
    for share in shares:
        share.check()
