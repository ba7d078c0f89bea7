"""What the web integrations are made of, each part by itself, on every Python of the matrix."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command import Command
from support.inside import run_inside
from support.interpreters import Interpreter

# From 3.12 on Python warns of each fork in a program with threads.
FORKS = ("-X", "dev", "-W", "error", "-W", "ignore:This process")


def test_tokens_are_good_for_their_time_and_secret_only(stacklapse: Command, python: Interpreter) -> None:
    run_inside(stacklapse, python, "tokens.py")


def test_requests_are_kept_whole_within_limits_whatever_goes_wrong(
    stacklapse: Command, python: Interpreter, tmp_path: Path
) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    run_inside(stacklapse, python, "store.py", folder)


def test_requests_that_somebody_asked_for_give_reports_to_who_may_and_are_kept_if_worth_it(
    stacklapse: Command, python: Interpreter, tmp_path: Path
) -> None:
    folder = tmp_path / "asked"
    folder.mkdir()
    run_inside(stacklapse, python, "asked.py", folder, options=FORKS)


def test_nobody_waits_until_a_request_is_kept(stacklapse: Command, python: Interpreter, tmp_path: Path) -> None:
    folder = tmp_path / "written"
    folder.mkdir()
    run_inside(stacklapse, python, "writing.py", folder, options=FORKS)


def test_a_recording_that_is_thrown_away_leaves_nothing_behind(stacklapse: Command, python: Interpreter) -> None:
    # Without the development mode, whose allocator is meant to waste memory.
    run_inside(stacklapse, python, "discard.py", options=("-W", "error"))


@pytest.mark.smoke
def test_requests_that_nobody_asked_for_are_kept_for_a_reason_and_not_disturbed(
    stacklapse: Command, python: Interpreter
) -> None:
    run_inside(stacklapse, python, "watches.py")


def test_a_recording_that_takes_too_long_ends_and_no_request_is_kept_alive(
    stacklapse: Command, python: Interpreter
) -> None:
    run_inside(stacklapse, python, "limits.py")
