"""Fixtures of all end-to-end tests.

`python` is each interpreter of the matrix in turn; `stacklapse` the command under test with a state folder of its own.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from support.command import Command, command_path
from support.interpreters import TOP, Interpreter, interpreters, provide_list


def pytest_configure() -> None:
    # What is ignored where the tests are started (nohup, a shell's background) would be ignored by what they start.
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    provide_list(TOP / ".pytest_cache")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "python" in metafunc.fixturenames:
        present, absent = interpreters()
        parameters = [pytest.param(interpreter, id=interpreter.id) for interpreter in present]
        for version in absent:
            skip = pytest.mark.skip(reason=f"Python {version.id}: {version.reason}")
            parameters.append(pytest.param(None, id=version.id, marks=skip))
        metafunc.parametrize("python", parameters)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Why a test was run again: what came of it then passed and says nothing."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.write_sep("_", f"run again: {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)


@pytest.fixture(scope="session")
def any_python() -> Interpreter:
    """One interpreter, the newest that is an ordinary one, for what does not depend on the version."""
    present, _ = interpreters()
    return [python for python in present if not python.id.endswith("-libpython")][-1]


@pytest.fixture
def stacklapse(tmp_path: Path) -> Command:
    path = command_path()
    assert path.exists(), f"{path} is not there: run `make build`"
    return Command(path, tmp_path)
