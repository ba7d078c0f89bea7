"""What the programs here let a Profiler look at."""

import time


def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
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
