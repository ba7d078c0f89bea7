"""What UTF-8 cannot hold is told with escapes, and stops nothing. This program lies in a folder with such a name."""

import contextlib
import io
import json

import stacklapse
from stacklapse import JSONRenderer, Profiler
from work import spin

ESCAPED = "na\\udcffme"
assert "\udcff" in __file__


@stacklapse.profile
def cook():
    spin(0.02)
    return "soup"


def check_default_description():
    with Profiler(0.0005) as profiler:
        spin(0.03)
    session = profiler.last_session
    assert session.program.startswith("Profile at "), session.program
    assert "\\udcff" in session.program, session.program
    assert "\\udcff" in session.render("text", width=400)
    with contextlib.redirect_stderr(io.StringIO()) as printed:
        assert cook() == "soup"
    assert "Function cook at " in printed.getvalue(), printed.getvalue()
    return session


def check_given_description():
    for given, told in (("na\udcffme", ESCAPED), ("a\0b", "a\\x00b"), ("b\u00fc", "b\u00fc")):
        profiler = Profiler()
        profiler.start(target_description=given)
        assert profiler.stop().program == told, (given, profiler.last_session.program)


def own(session, glob):
    """The functions that count as own code while `glob` is hidden."""
    document = json.loads(JSONRenderer(hide=glob).render(session))
    return {function["name"] for function in document["functions"] if function["role"] == "own"}


def check_globs(session):
    name = "check_default_description"
    assert name not in own(session, "*\udcff*")
    assert name in own(session, "*\udcfe*")
    assert name in own(session, "*\0"), "no glob ends at a NUL"


session = check_default_description()
check_given_description()
check_globs(session)
