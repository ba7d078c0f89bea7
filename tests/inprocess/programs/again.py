"""One Profiler that is started again and again adds up what it records, in order, in little memory and without doing
the same work over and over."""

import gc
import os
import pickle
import sys
from pathlib import Path

import stacklapse.session
from stacklapse import Profiler, Session
from work import assert_adds_up, names, spin

native = stacklapse.session._native
combine = native.combine
combined_ns = []


def counting(sessions):
    sessions = list(sessions)
    combined_ns.extend(session.duration_ns for session in sessions)
    return combine(sessions)


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def numbered(number):
    space = {"spin": spin}
    exec(f"def part_{number:03}():\n    spin(0.005)", space)
    return space[f"part_{number:03}"]


FUNCTIONS = [numbered(number) for number in range(75)]


def parts(session):
    """In the order in which they were called."""
    document = session.render("speedscope")
    found = [word.split('"')[0] for word in document.split('"name":"')[1:]]
    return [name for name in found if name.startswith("part_")]


def check_order_and_what_was_given_before(look):
    profiler = Profiler(0.0005)
    given = []
    combined_ns.clear()
    for number, function in enumerate(FUNCTIONS):
        profiler.start()
        function()
        given.append(profiler.stop())
        assert given[-1] is profiler.last_session
        if look and number % look == 0:
            assert given[-1].duration > 0.005
    if look == 1:
        assert len(combined_ns) < 3 * len(given), "what was looked at before is combined already"
    # On a machine that is busy for some milliseconds, a part may not be seen.
    seen = parts(given[-1])
    assert seen == sorted(set(seen))
    assert len(seen) > 10, seen
    for number in (0, 1, 31, 32, 50, 63, 74):
        session = given[number]
        copied = pickle.loads(pickle.dumps(session))
        assert parts(session) == [name for name in seen if name <= f"part_{number:03}"], (number, parts(session))
        assert session.duration >= 0.005 * (number + 1)
        assert_adds_up(session)
        assert copied.to_json() == session.to_json()
        assert session.program == given[0].program
        assert session.start_time == given[0].start_time
    profiler.save("again.lapse")
    assert Session.load("again.lapse").to_json() == given[-1].to_json()
    profiler.reset()
    assert profiler.last_session is None
    profiler.start()
    FUNCTIONS[40]()
    assert {name for name in names(profiler.stop()) if name.startswith("part_")} <= {"part_040"}


def check_many(count):
    combined_ns.clear()
    profiler = Profiler(0.0002)

    def cycles(number):
        for i in range(number):
            profiler.start()
            if i % 10 == 0:
                spin(0.0005)
            session = profiler.stop()
        return session

    cycles(count // 10)
    gc.collect()
    before = resident()
    session = cycles(count - count // 10)
    gc.collect()
    grown = resident() - before
    assert grown < 4 * 1024 * 1024, f"{grown} bytes after {count} cycles"
    # Each recording is combined as often as there are levels, and for the one who looks.
    assert session.duration > 0
    assert sum(combined_ns) < 5 * session.duration * 1e9, (sum(combined_ns), session.duration)


native.combine = counting
for look in (0, 1, 20):
    check_order_and_what_was_given_before(look)
check_many(int(sys.argv[1]))
