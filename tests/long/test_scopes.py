"""Scopes stay apart over a hundred thousand samples."""

from __future__ import annotations

from pathlib import Path

import pytest
from inprocess.scopes import assert_apart
from support.command import Command
from support.interpreters import Interpreter

SAMPLES = 100_000
ATTEMPTS = 10


@pytest.mark.timeout(1200)
def test_none_of_many_scopes_shows_a_function_of_another(
    stacklapse: Command, python: Interpreter, tmp_path: Path
) -> None:
    samples = 0
    for attempt in range(ATTEMPTS):
        samples += assert_apart(stacklapse, python, tmp_path / str(attempt), 3, 0.0001)
        if samples >= SAMPLES:
            return
    raise AssertionError(f"the machine was too busy: {samples} samples in {ATTEMPTS} runs")
