"""No stack is reported that never was: programs in which only some functions ever call some others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from support.command import Argument, Command, Recording
from support.interpreters import Interpreter
from support.trace_reader import Trace

PROGRAMS = Path(__file__).parent / "programs"
SAMPLES = 100_000
SECONDS = "4.5"

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


Frames = tuple[tuple[str, str], ...]
"""Name and file of each, from the root to the leaf."""


def samples_by_stack(recording: Recording) -> Counter[Frames]:
    trace = Trace(recording.path.read_bytes())
    frames: list[Frames] = [()]
    for stack in trace.stacks[1:]:
        function = trace.functions[stack.function]
        frames.append((*frames[stack.caller], (function.name, Path(function.file).name)))
    count: Counter[Frames] = Counter()
    for thread in trace.threads:
        for run in thread.runs:
            count[frames[run.stack]] += run.samples
    return count


def mixed(stack: Frames) -> bool:
    """A pair of the program's own functions that never was, or a function of the program below a foreign one."""
    return ("<module>", "pairs.py") in stack and any(
        (caller, callee) not in ALLOWED_PAIRS
        for (caller, _), (callee, _) in pairwise(stack)
        if callee in ENDS and not caller.startswith("[")
    )


def samples_where(recording: Recording, wrong: Callable[[Frames], bool]) -> Counter[Frames]:
    """The samples of such stacks."""
    return Counter({stack: count for stack, count in samples_by_stack(recording).items() if wrong(stack)})


def test_functions_of_ten_microseconds_do_not_mix(stacklapse: Command, python: Interpreter) -> None:
    wrong: Counter[Frames] = Counter()
    for recording in recordings(stacklapse, python, [PROGRAMS / "pairs.py", SECONDS, "10000"], "25us"):
        wrong += samples_where(recording, mixed)
    assert wrong.total() == 0, wrong


def test_functions_of_a_hundred_nanoseconds_mix_in_few_samples(stacklapse: Command, python: Interpreter) -> None:
    samples = wrong = 0
    for recording in recordings(stacklapse, python, [PROGRAMS / "pairs.py", SECONDS, "100"], "25us"):
        samples += recording.count("samples")
        wrong += samples_where(recording, mixed).total()
    assert wrong <= 0.004 * samples


UNKNOWN = "[unknown function]"


def renamed(stack: Frames) -> bool:
    """A function of generated code whose file, caller or callee is another's. One that was gone before its name could
    be read has none."""
    for (caller, caller_file), (name, file) in pairwise(stack):
        kind = caller.removeprefix("generated_")
        if name.startswith("generated_"):
            from_module = caller == UNKNOWN or (caller, caller_file) == ("<module>", file)
            if file != f"{name}.py" or not from_module:
                return True
        elif name.startswith("leaf_"):
            from_its_own = caller == UNKNOWN or (kind.isdigit() and name == f"leaf_{int(kind) % 16}")
            if file != f"{name}.py" or not from_its_own:
                return True
    return False


def test_code_that_lies_where_other_code_lay_does_not_have_its_name(stacklapse: Command, python: Interpreter) -> None:
    seen = set()
    wrong: Counter[Frames] = Counter()
    for recording in recordings(stacklapse, python, [PROGRAMS / "reused_code.py", SECONDS], "25us"):
        wrong += samples_where(recording, renamed)
        seen |= {name for stack in samples_by_stack(recording) for name, _ in stack if name.startswith("generated_")}
    assert wrong.total() == 0, wrong
    # On 3.11, where no number tells code objects apart, the next one is there before it can be told whose the name is:
    # only what ran while addresses were not yet known to be used again has one.
    assert len(seen) > (400 if python.version >= (3, 12) else 40)


def test_the_weights_add_up_to_the_time_on_the_clock(stacklapse: Command, python: Interpreter) -> None:
    """Of a program with one thread, from the start of the recording to its end, within one interval."""
    recording = stacklapse.record(python, [PROGRAMS / "busy.py", "0.5"], ["-i", "1ms"])
    weight = sum(stack.microseconds for stack in recording.stacks())
    duration = recording.json["recording"]["duration_ns"] / 1000
    assert abs(weight - duration) <= 1000 + len(recording.stacks())  # each line is rounded to a microsecond
    assert duration >= 0.5e6
