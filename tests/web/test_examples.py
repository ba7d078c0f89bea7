"""The applications of examples/web, started as they say themselves; and the frameworks on other interpreters."""

from __future__ import annotations

import pytest
from support.command import Command
from support.interpreters import Interpreter

from web.servers import serving


@pytest.mark.parametrize("kind", ["example-flask", "example-fastapi", "example-django", "example-wsgi"])
def test_an_example_shows_where_a_page_s_time_goes(stacklapse: Command, kind: str) -> None:
    with serving(stacklapse, kind) as server:
        page = server.browse("/with/leeks")
        assert b"recipes with leeks" in page.body
        assert page.says_nothing
        shown = server.browse("/with/leeks?profile")
        assert shown.is_report
        assert "with_ingredient" in server.functions(shown.report)


@pytest.mark.parametrize("kind", ["flask", "django", "starlette"])
def test_every_interpreter(stacklapse: Command, python: Interpreter, kind: str) -> None:
    """Those frameworks that need nothing compiled, from the environment of the tests."""
    with serving(stacklapse, kind, python=python.path) as server:
        shown = server.browse("/page/ann?profile")
        assert shown.is_report, server.log
        assert "cook_page" in server.functions(shown.report)
        streamed = server.ask("/stream?profile")
        assert streamed.body == b"part 0\npart 1\npart 2\npart 3\n"
        assert "cook_stream" in server.functions(streamed.report)
        assert "stacklapse: " not in server.log, server.log
