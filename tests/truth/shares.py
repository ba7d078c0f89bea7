"""What a recording says and what the program itself measured, held against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import sqrt

from support.command import Recording, Stack

# A share that is right is within this many standard errors in all but one of two million comparisons.
ERRORS_ALLOWED = 5
# A recording is long enough for a test when that is less than two points.
WIDEST_BOUND = 0.02


def time_in(stacks: Iterable[Stack], name: str) -> float:
    """Microseconds in which the function was on the stack."""
    return sum(stack.microseconds for stack in stacks if name in stack.names)


def assert_shares(
    recording: Recording,
    truth: Mapping[str, float],
    *,
    stacks: Iterable[Stack] | None = None,
    inside: Callable[[Stack, str], bool] = lambda stack, name: name in stack.names,
) -> None:
    """Each part's share of the time of all parts, as the program measured it (in any unit) and as it was recorded.

    `inside` tells whether a stack belongs to a part.
    """
    everything = recording.stacks()
    seen = {
        name: sum(stack.microseconds for stack in (everything if stacks is None else stacks) if inside(stack, name))
        for name in truth
    }
    whole_seen, whole_true = sum(seen.values()), sum(truth.values())
    assert whole_seen > 0, f"none of {', '.join(truth)} was seen"
    samples = recording.count("samples") * whole_seen / sum(stack.microseconds for stack in everything)
    for name, true_time in truth.items():
        share = true_time / whole_true
        bound = ERRORS_ALLOWED * sqrt(share * (1 - share) / samples)
        assert bound < WIDEST_BOUND, f"{samples:.0f} samples are too few to judge {name} by"
        reported = seen[name] / whole_seen
        assert abs(reported - share) <= bound, (
            f"{name}: reported {reported:.4f}, true {share:.4f}, allowed {bound:.4f} ({samples:.0f} samples, "
            f"{recording.info['late']} late)"
        )
