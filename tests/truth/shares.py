"""What a recording says and what the program itself measured, held against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import sqrt

from support.command import Recording, Stack
from support.trace_reader import Trace

# A share that is right is within this many standard errors in all but one of two million comparisons.
ERRORS_ALLOWED = 5
# Recordings are long enough to judge by when that is less than two points.
WIDEST_BOUND = 0.02
# A recording with more late slots than this says something about a busy machine; it is not judged but repeated.
LATE_ALLOWED = 0.25
RECORDINGS_MAX = 12


def time_in(stacks: Iterable[Stack], name: str) -> float:
    """Microseconds in which the function was on the stack."""
    return sum(stack.microseconds for stack in stacks if name in stack.names)


def undisturbed(record: Callable[[], Recording]) -> Iterator[Recording]:
    """Recordings, made until the caller has enough of them, that a busy machine did not disturb."""
    disturbed = []
    for _ in range(RECORDINGS_MAX):
        recording = record()
        samples, late = recording.count("samples"), recording.count("late")
        if late <= LATE_ALLOWED * (samples + late):
            yield recording
        else:
            disturbed.append(f"{late} of {samples + late}")
    raise AssertionError(
        f"{RECORDINGS_MAX} recordings did not give enough samples; of these the machine was too busy for "
        f"(late slots): {', '.join(disturbed) or 'none'}"
    )


def independent_samples(recording: Recording) -> float:
    """How many samples of equal weight would tell as much: a slot that a late wake-up skipped weighs on the sample
    after it. Of looks, (sum of weights)^2 / sum of their squares."""
    lengths = Trace(recording.path.read_bytes()).lengths
    looks = sum(lengths) ** 2 / sum(length**2 for length in lengths)
    return looks * recording.count("samples") / len(lengths)


class Shares:
    """The shares of some parts of a program over one or more recordings."""

    def __init__(self) -> None:
        self.seen: dict[str, float] = {}
        self.true: dict[str, float] = {}
        self.samples = 0.0

    def add(
        self,
        recording: Recording,
        truth: Mapping[str, float],
        *,
        stacks: Iterable[Stack] | None = None,
        inside: Callable[[Stack, str], bool] = lambda stack, name: name in stack.names,
    ) -> None:
        """`truth` has each part's time as the program measured it, in any unit; `inside` tells whether a stack belongs
        to a part; `stacks` are those to look at, all by default."""
        everything = recording.stacks()
        chosen = everything if stacks is None else list(stacks)
        seen = {name: sum(stack.microseconds for stack in chosen if inside(stack, name)) for name in truth}
        assert sum(seen.values()) > 0, f"none of {', '.join(truth)} was seen"
        whole = sum(stack.microseconds for stack in everything)
        self.samples += independent_samples(recording) * sum(seen.values()) / whole
        for name, time in truth.items():
            self.seen[name] = self.seen.get(name, 0) + seen[name]
            self.true[name] = self.true.get(name, 0) + time

    def bounds(self) -> dict[str, float]:
        whole = sum(self.true.values())
        shares = {name: time / whole for name, time in self.true.items()}
        return {
            name: ERRORS_ALLOWED * sqrt(share * (1 - share) / self.samples) if self.samples else 1.0
            for name, share in shares.items()
        }

    @property
    def enough(self) -> bool:
        return bool(self.true) and max(self.bounds().values()) < WIDEST_BOUND

    def check(self) -> None:
        whole_seen, whole_true = sum(self.seen.values()), sum(self.true.values())
        for name, bound in self.bounds().items():
            reported, true = self.seen[name] / whole_seen, self.true[name] / whole_true
            assert abs(reported - true) <= bound, (
                f"{name}: reported {reported:.4f}, true {true:.4f}, allowed {bound:.4f} ({self.samples:.0f} samples)"
            )


def assert_shares(
    record: Callable[[], Recording],
    truth: Callable[[Recording], Mapping[str, float]],
    inside: Callable[[Stack, str], bool] = lambda stack, name: name in stack.names,
) -> None:
    """Records until there are samples enough, then compares each part's share with the true one."""
    shares = Shares()
    for recording in undisturbed(record):
        shares.add(recording, truth(recording), inside=inside)
        if shares.enough:
            break
    shares.check()
