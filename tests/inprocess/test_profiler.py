"""The Profiler inside of a program: each test is a program that checks itself, on every Python of the matrix, in
Python's development mode and with warnings as errors."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from support.command import Command
from support.inside import PROGRAMS, record_inside, run_inside
from support.interpreters import Interpreter
from truth.shares import assert_shares

DOCUMENTS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.smoke
def test_every_name_of_the_api_does_what_it_says(stacklapse: Command, python: Interpreter, tmp_path: Path) -> None:
    run_inside(stacklapse, python, "api.py", tmp_path)


def test_names_parameters_and_defaults_are_pyinstruments(stacklapse: Command, python: Interpreter) -> None:
    run_inside(stacklapse, python, "signatures.py", DOCUMENTS / "from-pyinstrument.md")


def test_options_have_the_effect_that_the_documentation_says(stacklapse: Command, python: Interpreter) -> None:
    run_inside(stacklapse, python, "options.py", DOCUMENTS / "profiler.md")


def test_the_environment_decides_on_colour_and_width_as_for_the_command(
    stacklapse: Command, python: Interpreter
) -> None:
    run_inside(stacklapse, python, "terminals.py")


def test_the_program_is_as_it_would_be_without(stacklapse: Command, python: Interpreter) -> None:
    run_inside(stacklapse, python, "untouched.py")


def test_any_number_run_at_once(stacklapse: Command, python: Interpreter) -> None:
    run_inside(stacklapse, python, "many.py")


def test_a_stack_that_is_too_deep_is_told_as_that(stacklapse: Command, python: Interpreter) -> None:
    run_inside(stacklapse, python, "deep.py")


def test_threads_that_ask_for_one_trace_share_it(stacklapse: Command, python: Interpreter) -> None:
    run_inside(stacklapse, python, "one_trace.py")


def test_numbers_have_a_point_whatever_the_programs_locale_says(
    stacklapse: Command, python: Interpreter, tmp_path: Path
) -> None:
    localedef = shutil.which("localedef")
    arguments = ("-i", "de_DE", "-f", "UTF-8", str(tmp_path / "de_DE.UTF-8"))
    if localedef is None or subprocess.run([localedef, *arguments], check=False).returncode != 0:
        pytest.skip("needs localedef and the source of the locale de_DE (Debian's package locales)")
    run_inside(stacklapse, python, "decimal_comma.py", environment={"LOCPATH": str(tmp_path)})


def test_one_path_of_calls_is_in_one_place_of_the_tree(stacklapse: Command, python: Interpreter) -> None:
    run_inside(stacklapse, python, "stems.py")


def test_a_task_is_named(stacklapse: Command, python: Interpreter, tmp_path: Path) -> None:
    run_inside(stacklapse, python, "named.py", tmp_path / "task.lapse")


def test_what_utf_8_cannot_hold_is_told_with_escapes(stacklapse: Command, python: Interpreter, tmp_path: Path) -> None:
    folder = tmp_path / "na\udcffme"
    folder.mkdir()
    program = str(shutil.copy(PROGRAMS / "undecodable.py", folder))
    run_inside(stacklapse, python, program, on_path=[PROGRAMS])


def test_a_profiler_that_is_started_again_and_again(stacklapse: Command, python: Interpreter) -> None:
    run_inside(stacklapse, python, "again.py", "10000", options=())


def test_functions_of_any_kind_and_blocks_are_profiled_while_they_run(stacklapse: Command, python: Interpreter) -> None:
    run_inside(stacklapse, python, "decorators.py")


def test_forks_threads_that_end_and_stops_elsewhere(stacklapse: Command, python: Interpreter) -> None:
    run_inside(stacklapse, python, "lifetimes.py")


def test_ten_thousand_cycles_leave_nothing_behind(stacklapse: Command, python: Interpreter) -> None:
    # Without the development mode, whose allocator is meant to waste memory.
    run_inside(stacklapse, python, "cycles.py", "10000", options=())


@pytest.mark.parametrize("way", ["end", "end with threads", "exception", "abrupt", "forgotten"])
def test_a_profiler_that_runs_when_the_interpreter_ends(
    stacklapse: Command, python: Interpreter, tmp_path: Path, way: str
) -> None:
    file = tmp_path / "last.lapse"
    run = run_inside(stacklapse, python, "shutdown.py", way, file, exit_code=3 if way == "exception" else 0)
    assert not run.stderr
    if way != "forgotten":
        information = stacklapse("info", file)
        assert information.exit_code == 0
        assert not information.stderr, "the recording is complete"


def test_what_holds_the_gil_is_seen(stacklapse: Command, python: Interpreter) -> None:
    run_inside(stacklapse, python, "holds_gil.py")


def test_time_that_nobody_saw_is_not_said_to_be_the_line_that_stops(stacklapse: Command, python: Interpreter) -> None:
    run = run_inside(stacklapse, python, "starved.py")
    if run.stdout.startswith("skipped: "):
        pytest.skip(run.stdout.removeprefix("skipped: ").strip())


def test_nor_is_the_rest_of_the_last_slot(stacklapse: Command, python: Interpreter) -> None:
    run_inside(stacklapse, python, "ends.py")


@pytest.mark.parametrize("left", ["file", "nothing"])
def test_where_reading_memory_is_forbidden(stacklapse: Command, python: Interpreter, left: str) -> None:
    run_inside(stacklapse, python, "forbidden.py", left)


def test_the_command_shows_what_a_profiler_saved(stacklapse: Command, python: Interpreter) -> None:
    recording = record_inside(stacklapse, python, "step.py", "0.3", "0.001")
    assert "compute" in recording.view()
    assert recording.info["complete"] == "yes"
    [thread] = recording.json["threads"]
    assert thread["kind"] == "scope"
    assert "step.py" in recording.json["recording"]["description"]
    for renderer in ("html", "pprof", "speedscope", "folded", "firefox", "chrome", "pstats", "callgrind", "otlp"):
        run = stacklapse("view", recording.path, "-r", renderer, "-o", stacklapse.folder / renderer)
        assert run.exit_code == 0, run.stderr
        assert (stacklapse.folder / renderer).stat().st_size > 0


def test_a_program_that_runs_in_step_with_the_interval_has_its_true_shares(
    stacklapse: Command, python: Interpreter
) -> None:
    assert_shares(lambda: record_inside(stacklapse, python, "step.py", "2", "0.0001"))


def test_and_so_with_the_interval_that_is_the_default(stacklapse: Command, any_python: Interpreter) -> None:
    # Enough samples take a quarter of a minute, and how long an interval is does not depend on the interpreter.
    assert_shares(lambda: record_inside(stacklapse, any_python, "step.py", "14", "0.001"))
