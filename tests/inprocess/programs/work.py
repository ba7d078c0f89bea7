"""What the programs here let a Profiler look at."""

import time

from stacklapse.profiler import _started

LOOKS_WANTED = 10
PATIENCE = 20.0


def recordings():
    running = [profiler() for profiler in _started.valuerefs()]
    return [recording for profiler in running if profiler is not None for recording in profiler._running.values()]


def spin(seconds):
    """For that long, and until everything that records has taken some more looks: on a busy machine the sampler may get
    no core for a while."""
    begin = time.perf_counter()
    enough = {recording: recording.progress()[1] + LOOKS_WANTED for recording in recordings() if seconds >= 0.01}
    while time.perf_counter() < begin + seconds:
        pass
    while time.perf_counter() < begin + PATIENCE and any(
        recording.running and recording.progress()[1] < count for recording, count in enough.items()
    ):
        pass


def names(session):
    """Every function of the tree."""
    root = session.root_frame()
    return {frame.function for frame in root.walk()} if root is not None else set()


def seconds_in(session, name):
    """Time in which the function was on the stack."""
    root = session.root_frame()
    pending, total = [root] if root is not None else [], 0.0
    while pending:
        frame = pending.pop()
        if frame.function == name:
            total += frame.time
        else:
            pending.extend(frame.children)
    return total


def assert_adds_up(session):
    """What a scope's samples stand for is its wall time."""
    root = session.root_frame()
    assert abs(root.time - session.duration) <= 1e-6 * session.duration + 1e-8, (root.time, session.duration)
    for frame in root.walk():
        parts = frame.self_time + sum(child.time for child in frame.children)
        assert abs(frame.time - parts) < 1e-6, frame
