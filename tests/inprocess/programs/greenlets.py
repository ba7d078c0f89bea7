"""Greenlets: a Profiler that is started in one is of that one, and not of what runs beside it."""

import sys

import greenlet
from stacklapse import Profiler
from work import assert_adds_up, names, seconds_in, spin

with_gevent = sys.argv[1] == "gevent"
if with_gevent:
    import gevent


def let_others_run():
    if with_gevent:
        gevent.sleep(0.1)
    else:
        greenlet.getcurrent().parent.switch()


def of_a_greenlet():
    spin(0.05)
    let_others_run()
    after_the_switch()


def after_the_switch():
    spin(0.05)


def profiled():
    with Profiler(0.0005) as profiler:
        of_a_greenlet()
    return profiler.last_session


def meanwhile():
    spin(0.1)


def of_the_neighbour():
    spin(0.03)
    let_others_run()
    spin(0.03)


def neighbour():
    with Profiler(0.0005) as profiler:
        of_the_neighbour()
    return profiler.last_session


def under(frame, function):
    while frame is not None and frame.function != function:
        frame = frame.parent
    return frame is not None


def assert_scope(session):
    """Its own functions, and for the time in which it was switched out the mark on top of where it was seen last."""
    seen = names(session)
    assert {"of_a_greenlet", "after_the_switch", "[switched out]"} <= seen, seen
    assert not {"meanwhile", "of_the_neighbour", "<module>", "main"} & seen, seen
    root = session.root_frame()
    assert root.function == "profiled", root
    assert root.await_time > 0.05
    marks = [frame for frame in root.walk() if frame.function == "[switched out]"]
    assert any(under(frame, "of_a_greenlet") for frame in marks), marks
    assert abs(sum(frame.time for frame in marks) - root.await_time) < 1e-6
    assert_adds_up(session)


def raw():
    running = greenlet.greenlet(profiled)
    running.switch()
    meanwhile()
    assert_scope(running.switch())


def many():
    others = [gevent.spawn(meanwhile) for _ in range(2)]
    running = [gevent.spawn(profiled), gevent.spawn(neighbour)]
    gevent.joinall([*others, *running], raise_error=True)
    session, other = (one.value for one in running)
    assert_scope(session)
    assert "of_the_neighbour" in names(other)
    assert not {"of_a_greenlet", "meanwhile", "after_the_switch"} & names(other), names(other)
    assert_adds_up(other)


def of_a_thread():
    """Outside of any greenlet it is the thread's, and so is what greenlets do there."""
    with Profiler(0.0005) as profiler:
        spin(0.03)
        greenlet.greenlet(meanwhile).switch()
    assert {"of_a_thread", "spin", "meanwhile"} <= names(profiler.last_session), names(profiler.last_session)
    assert seconds_in(profiler.last_session, "meanwhile") > 0.05
    assert_adds_up(profiler.last_session)


def main():
    if with_gevent:
        many()
    else:
        raw()
        of_a_thread()


main()
