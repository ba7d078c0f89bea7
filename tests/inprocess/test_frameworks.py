"""What a Profiler is of where others than asyncio switch: greenlets, gevent, anyio and trio."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command import Command
from support.inside import run_inside
from support.interpreters import Interpreter
from support.packages import packages

PACKAGES = ("greenlet>=3.2", "gevent>=25.5", "anyio>=4.9", "trio>=0.30")


@pytest.mark.parametrize(
    ("program", "kind"),
    [("greenlets.py", "raw"), ("greenlets.py", "gevent"), ("nurseries.py", "asyncio"), ("nurseries.py", "trio")],
)
def test_a_scope_is_what_its_task_or_greenlet_runs(
    stacklapse: Command, python: Interpreter, program: str, kind: str
) -> None:
    # Their own warnings are not ours.
    run_inside(stacklapse, python, program, kind, options=("-X", "dev"), on_path=[packages(python, PACKAGES)])


def test_no_greenlet_waits_until_a_request_is_kept(stacklapse: Command, python: Interpreter, tmp_path: Path) -> None:
    on_path = [packages(python, PACKAGES)]
    run_inside(stacklapse, python, "greenlets_keep.py", tmp_path / "kept", options=("-X", "dev"), on_path=on_path)


@pytest.mark.parametrize("kind", ["asyncio", "trio"])
def test_an_event_loop_does_not_wait_for_a_report(stacklapse: Command, python: Interpreter, kind: str) -> None:
    run_inside(stacklapse, python, "event_loops.py", kind, options=("-X", "dev"), on_path=[packages(python, PACKAGES)])
