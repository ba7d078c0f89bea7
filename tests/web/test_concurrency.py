"""Twenty requests at a time: none shows a function of another."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.command import Command

from web.servers import Server, serving

REQUESTS = 20
SAMPLES = 100_000
# So many rounds are enough on a machine that has time for a tenth of the looks.
ROUNDS_MAX = 30


@pytest.mark.parametrize("kind", ["flask", "starlette", "starlette-uvloop"])
def test_none_of_twenty_requests_shows_a_function_of_another(stacklapse: Command, kind: str) -> None:
    """Each runs for 20 µs and lets the others, in threads and in tasks of one thread."""
    samples = 0
    with serving(stacklapse, kind, {"max_profiles": REQUESTS}) as server, ThreadPoolExecutor(REQUESTS) as pool:
        for _ in range(ROUNDS_MAX):
            samples += sum(pool.map(lambda number: samples_of(server, number), range(REQUESTS)))
            if samples >= SAMPLES:
                break
    assert samples >= SAMPLES


def samples_of(server: Server, number: int) -> int:
    answer = server.ask(f"/turns/{number}?seconds=2&profile")
    assert answer.body == b"turned"
    recording = server.recording(answer.report)
    names = {name for stack in recording.stacks() for name in stack.names if re.fullmatch(r"turn_\d+", name)}
    assert names <= {f"turn_{number}"}
    return recording.count("samples")
