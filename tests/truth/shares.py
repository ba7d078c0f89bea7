"""What a recording says and what the program itself measured, held against each other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import sqrt

from support.command import Recording, Stack
from support.trace_reader import Trace

# A share that is right is within this many standard errors in all but one of two million comparisons.
ERRORS_ALLOWED = 5
# There are samples enough to judge by when that is less than two points.
WIDEST_BOUND = 0.02

# What says more of a busy machine than of the program is not judged but repeated: a recording with more late slots than
# this, or whose late slots are as uneven as if there were fewer samples than this part of them, or a program that does
# not know for more than this part of its time what it did, because it was interrupted between two functions.
LATE_ALLOWED = 0.25
INDEPENDENT_LEAST = 0.5
UNCLEAR_ALLOWED = 0.005
RECORDINGS_MAX = 12


@dataclass(frozen=True)
class Told:
    """What the program measured, in ns."""

    took: Mapping[str, float]
    """How long each part took."""
    unclear: float
    """For how long it is not known which of them it was."""

    @property
    def unclear_share(self) -> float:
        return self.unclear / sum(self.took.values())


def told_by(recording: Recording) -> list[Told]:
    """One for each part of the program's run."""
    document = json.loads(recording.run.stdout)
    return [Told(**told) for told in (document if isinstance(document, list) else [document])]


def runs(stack: Stack, name: str) -> bool:
    """Whether the function is on the stack. A thread may have the same name, and a number in the place of a line."""
    return any(frame.startswith(f"{name} (") and ":" in frame for frame in stack.frames)


def independent_samples(recording: Recording) -> float:
    """How many samples of equal weight would tell as much: a slot that a late wake-up skipped weighs on the sample
    after it. Of looks, (sum of weights)^2 / sum of their squares."""
    lengths = Trace(recording.path.read_bytes()).lengths
    looks = sum(lengths) ** 2 / sum(length**2 for length in lengths)
    return looks * recording.count("samples") / len(lengths)


def disturbance(recording: Recording) -> str | None:
    """What makes a recording unfit to be judged; None: nothing."""
    samples, late = recording.count("samples"), recording.count("late")
    if late > LATE_ALLOWED * (samples + late):
        return f"{late} of {samples + late} slots were late"
    independent = independent_samples(recording)
    if independent < INDEPENDENT_LEAST * samples:
        return f"late slots make {samples} samples tell no more than {independent:.0f}"
    unclear = max(told.unclear_share for told in told_by(recording))
    if unclear > UNCLEAR_ALLOWED:
        return f"the program does not know what it did in {unclear:.1%} of the time"
    return None


def undisturbed(record: Callable[[], Recording]) -> Iterator[Recording]:
    """Recordings, made until the caller has enough of them, that a busy machine did not disturb."""
    disturbed = []
    for _ in range(RECORDINGS_MAX):
        recording = record()
        reason = disturbance(recording)
        if reason is None:
            yield recording
        else:
            disturbed.append(reason)
    raise AssertionError(
        f"{RECORDINGS_MAX} recordings did not give enough samples; these were disturbed: "
        f"{'; '.join(disturbed) or 'none'}"
    )


class Shares:
    """The shares of some parts of a program over one or more recordings."""

    def __init__(self) -> None:
        self.seen: dict[str, float] = {}
        self.true: dict[str, float] = {}
        self.unclear = 0.0
        self.samples = 0.0

    def add(
        self,
        recording: Recording,
        told: Told,
        inside: Callable[[Stack, str], bool] = runs,
        within: Callable[[Stack], bool] = lambda _: True,
    ) -> None:
        """`inside` tells whether a stack belongs to a part; only stacks for which `within` holds are looked at."""
        everything = recording.stacks()
        chosen = [stack for stack in everything if within(stack)]
        seen = {name: sum(stack.microseconds for stack in chosen if inside(stack, name)) for name in told.took}
        assert sum(seen.values()) > 0, f"none of {', '.join(told.took)} was seen"
        whole = sum(stack.microseconds for stack in everything)
        self.samples += independent_samples(recording) * sum(seen.values()) / whole
        self.unclear += told.unclear
        for name, time in told.took.items():
            self.seen[name] = self.seen.get(name, 0) + seen[name]
            self.true[name] = self.true.get(name, 0) + time

    def bounds(self) -> dict[str, float]:
        """Five standard errors of each part's share."""
        whole = sum(self.true.values())
        shares = {name: time / whole for name, time in self.true.items()}
        return {
            name: ERRORS_ALLOWED * sqrt(share * (1 - share) / self.samples) if self.samples else 1.0
            for name, share in shares.items()
        }

    @property
    def enough(self) -> bool:
        return bool(self.true) and max(self.bounds().values()) < WIDEST_BOUND

    def check(self, known_error: float = 0) -> None:
        """`known_error`: how far a share may be off beyond that, where it is known to be."""
        whole_seen, whole_true = sum(self.seen.values()), sum(self.true.values())
        unclear = self.unclear / whole_true
        for name, bound in self.bounds().items():
            reported, true = self.seen[name] / whole_seen, self.true[name] / whole_true
            assert abs(reported - true) <= bound + unclear + known_error, (
                f"{name}: reported {reported:.4f}, true {true:.4f}, allowed {bound:.4f} ({self.samples:.0f} samples) "
                f"and {unclear:.4f} that the program does not know"
            )


def assert_shares(
    record: Callable[[], Recording], inside: Callable[[Stack, str], bool] = runs, known_error: float = 0
) -> list[Recording]:
    """Records until there are samples enough, then compares each part's share with the true one. The recordings."""
    shares = Shares()
    recordings = []
    for recording in undisturbed(record):
        shares.add(recording, told_by(recording)[0], inside)
        recordings.append(recording)
        if shares.enough:
            break
    shares.check(known_error)
    return recordings
