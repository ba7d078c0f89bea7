"""No stack is reported that never was: programs in which only some functions ever call some others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from support.command import Argument, Command, Recording, Stack
from support.interpreters import Interpreter

PROGRAMS = Path(__file__).parent / "programs"
SAMPLES = 100_000

ALLOWED_PAIRS = {
    ("main", "red"),
    ("main", "green"),
    ("main", "blue"),
    ("red", "red_leaf"),
    ("green", "green_leaf"),
    ("green_leaf", "green_twig"),
    ("blue", "blue_leaf"),
    # the program measures its leaf before and after
    ("main", "measure"),
    ("measure", "red_leaf"),
    ("<module>", "main"),
}
ENDS = {"main", "measure", "red", "red_leaf", "green", "green_leaf", "green_twig", "blue", "blue_leaf"}


def recordings(
    stacklapse: Command, python: Interpreter, program: Sequence[Argument], interval: str
) -> Iterator[Recording]:
    """As many as it takes to have SAMPLES of them: how many one gives depends on what else the machine does."""
    samples = 0
    for _ in range(10):
        recording = stacklapse.record(python, program, ["-i", interval])
        samples += recording.count("samples")
        yield recording
        if samples >= SAMPLES:
            return
    raise AssertionError(f"only {samples} samples in ten recordings")


def own_frames(stack: Stack, program: str) -> tuple[str, ...]:
    """Names from the program's module on; empty while the interpreter starts and ends."""
    for number, frame in enumerate(stack.frames):
        if frame.startswith("<module> (") and program in frame:
            return stack.names[number:]
    return ()


def samples_where(recording: Recording, wrong: Callable[[Stack], bool]) -> tuple[float, list[tuple[str, ...]]]:
    """How many samples had such a stack, and those stacks."""
    stacks = recording.stacks()
    weight_of_one = sum(stack.microseconds for stack in stacks) / recording.count("samples")
    found = [stack for stack in stacks if wrong(stack)]
    return sum(stack.microseconds for stack in found) / weight_of_one, [stack.frames for stack in found]


def mixed(stack: Stack) -> bool:
    """A pair of the program's own functions that never was, or a function of the program below a foreign one."""
    names = own_frames(stack, "pairs.py")
    return any(
        (caller, callee) not in ALLOWED_PAIRS
        for caller, callee in pairwise(names)
        if callee in ENDS and not caller.startswith("[")
    )


def test_functions_of_ten_microseconds_never_mix(stacklapse: Command, python: Interpreter) -> None:
    for recording in recordings(stacklapse, python, [PROGRAMS / "pairs.py", "4", "10000"], "25us"):
        count, stacks = samples_where(recording, mixed)
        assert count == 0, stacks


def test_functions_of_a_hundred_nanoseconds_mix_in_at_most_four_of_a_thousand_samples(
    stacklapse: Command, python: Interpreter
) -> None:
    samples, wrong = 0, 0.0
    for recording in recordings(stacklapse, python, [PROGRAMS / "pairs.py", "4", "100"], "25us"):
        samples += recording.count("samples")
        wrong += samples_where(recording, mixed)[0]
    assert wrong <= 0.004 * samples


UNKNOWN = "[unknown function]"


def renamed(stack: Stack) -> bool:
    """A function of generated code whose file, caller or callee is another's. One that was gone before its name could
    be read has none."""
    for caller, callee in pairwise(stack.frames):
        name, _, place = callee.partition(" (")
        caller_name, _, caller_place = caller.partition(" (")
        if name.startswith("generated_"):
            same_file = place.split(":")[0].endswith(f"{name}.py")
            from_module = caller_name == "<module>" and caller_place.split(":")[0] == place.split(":")[0]
            if not same_file or not (from_module or caller_name == UNKNOWN):
                return True
        elif name.startswith("leaf_"):
            if not place.startswith(f"{name}.py"):
                return True
            kind = caller_name.removeprefix("generated_")
            if caller_name != UNKNOWN and not (kind.isdigit() and name == f"leaf_{int(kind) % 16}"):
                return True
    return False


def test_code_that_lies_where_other_code_lay_never_has_its_name(stacklapse: Command, python: Interpreter) -> None:
    seen = set()
    for recording in recordings(stacklapse, python, [PROGRAMS / "reused_code.py", "4"], "25us"):
        count, stacks = samples_where(recording, renamed)
        assert count == 0, stacks[:5]
        seen |= {name for stack in recording.stacks() for name in stack.names if name.startswith("generated_")}
    assert len(seen) > 400


def test_the_weights_add_up_to_the_time_on_the_clock(stacklapse: Command, python: Interpreter) -> None:
    """Of a program with one thread, from the start of the recording to its end, within one interval."""
    recording = stacklapse.record(python, [PROGRAMS / "busy.py", "0.5"], ["-i", "1ms"])
    weight = sum(stack.microseconds for stack in recording.stacks())
    duration = recording.json["recording"]["duration_ns"] / 1000
    assert abs(weight - duration) <= 1000 + len(recording.stacks())  # each line is rounded to a microsecond
    assert duration >= 0.5e6
