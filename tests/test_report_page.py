"""The report page as the command writes it: where it goes, what it carries, and what it does not."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

import pytest
from support.command import Argument, Command, Recording
from support.interpreters import Interpreter
from support.page import element, source_text
from support.program import until
from support.terminal import Terminal

PROGRAM = """\
import json
import secret_notes

def work():
    total = 0
    for number in range(3_000_000):
        total += number
    return json.dumps({"total": total})

work()
secret_notes.remember()
"""

NOTES = """\
def remember():
    return sum(number * number for number in range(2_000_000))
"""


@pytest.fixture
def recording(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> Recording:
    (tmp_path / "app.py").write_text(PROGRAM)
    (tmp_path / "secret_notes.py").write_text(NOTES)
    return stacklapse.record(any_python, [tmp_path / "app.py"])


def test_the_page_goes_to_standard_output_where_that_is_no_terminal(recording: Recording) -> None:
    run = recording.command("view", recording.path, "-r", "html")
    assert run.exit_code == 0
    assert run.stderr == ""
    assert run.stdout.startswith("<!doctype html>")
    assert run.stdout.rstrip().endswith("</html>")


def opener(folder: Path) -> tuple[dict[str, str], Path]:
    """An xdg-open that notes what it is asked to open, and a display for it."""
    programs = folder / "programs"
    programs.mkdir()
    opened = folder / "opened"
    (programs / "xdg-open").write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}.new && mv {opened}.new {opened}\n')
    (programs / "xdg-open").chmod(0o755)
    temporary = folder / "temporary"
    temporary.mkdir()
    return {"PATH": f"{programs}:/usr/bin:/bin", "DISPLAY": ":7", "TMPDIR": str(temporary), "CI": ""}, opened


def page_at_terminal(recording: Recording, variables: dict[str, str], *options: str) -> Path:
    environment = recording.command.environment() | {"SSH_CONNECTION": ""} | variables
    command: list[Argument] = [recording.command.path, "view", recording.path, "-r", "html", *options]
    with Terminal(command, environment) as terminal:
        terminal.expect(r"stdout is a terminal, so saved profile output to (\S+\.html)")
        assert terminal.wait() == 0
        found = re.search(r"saved profile output to (\S+\.html)", terminal.output)
    assert found
    return Path(found.group(1))


def test_at_a_terminal_the_page_is_saved_and_opened(recording: Recording, tmp_path: Path) -> None:
    variables, opened = opener(tmp_path)
    page = page_at_terminal(recording, variables)
    assert page.parent == tmp_path / "temporary"
    assert page.stat().st_mode & 0o777 == 0o600
    assert page.read_text().startswith("<!doctype html>")
    until(opened.exists, "the browser")
    assert opened.read_text() == str(page)


@pytest.mark.parametrize("kept_closed", [["--no-open"], {"CI": "true"}, {"DISPLAY": ""}, {"SSH_CONNECTION": "1 2"}])
def test_no_browser_is_opened_where_nobody_would_see_it(
    recording: Recording, tmp_path: Path, kept_closed: list[str] | dict[str, str]
) -> None:
    variables, opened = opener(tmp_path)
    options = kept_closed if isinstance(kept_closed, list) else []
    page = page_at_terminal(recording, variables | (kept_closed if isinstance(kept_closed, dict) else {}), *options)
    assert page.exists()
    time.sleep(0.3)
    assert not opened.exists()


def test_the_text_of_own_functions_is_in_the_page(recording: Recording) -> None:
    text = source_text(recording.view("-r", "html"))
    assert "total += number" in text
    assert "number * number" in text


def test_no_text_is_in_the_page_when_none_is_wanted(recording: Recording) -> None:
    page = recording.view("-r", "html", "--source", "none")
    assert element(page, "source") == ""
    assert json.loads(element(page, "options"))["source"] == "none", "so that its command makes such a page again"
    assert "total += number" not in page


def test_a_file_that_is_not_readable_by_everyone_and_not_ours_stays_out(recording: Recording, tmp_path: Path) -> None:
    notes = tmp_path / "secret_notes.py"
    notes.chmod(0o600)
    assert "number * number" in source_text(recording.view("-r", "html")), "it is ours"
    try:
        os.chown(notes, 12345, 12345)
    except PermissionError:
        pytest.skip("only root can give a file away")
    text = source_text(recording.view("-r", "html"))
    assert "number * number" not in text
    assert "total += number" in text


def test_a_file_that_changed_after_the_recording_stays_out(recording: Recording, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("# another program\n" + PROGRAM)
    text = source_text(recording.view("-r", "html"))
    assert "total += number" not in text
    assert "number * number" in text


def test_what_was_asked_for_is_what_the_page_opens_with(recording: Recording) -> None:
    page = recording.view("-r", "html", "--mode", "cpu", "--hide", 'a"</script>*', "--show-all", "--threshold", "2")
    options = json.loads(element(page, "options"))
    assert options["mode"] == 1
    assert options["hide"] == ['a"</script>*']
    assert options["showAll"] is True
    assert options["threshold"] == pytest.approx(0.02)
    assert str(recording.path) in options["recording"]


def test_the_page_opens_with_what_an_address_says(recording: Recording) -> None:
    for given in ("view=flame&search=</script>", "#view=flame&search=</script>"):
        options = json.loads(element(recording.view("-r", "html", "--at", given), "options"))
        assert options["at"] == "view=flame&search=</script>"
    assert json.loads(element(recording.view("-r", "html"), "options"))["at"] == ""


def shown(page: str, pattern: str) -> str:
    match = re.search(pattern, page, re.DOTALL)
    assert match
    return match[1]


def test_the_page_without_scripts_names_the_heaviest_functions(recording: Recording) -> None:
    plain = shown(recording.view("-r", "html"), r'<div id="plain">(.*?)</div>')
    assert "work" in plain
    assert "app.py" in plain


def test_what_cannot_be_seen_is_spelled_out_where_it_is_shown_without_scripts(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    path = tmp_path / "app.py"
    path.write_text(
        "def busy(): sum(range(3_000_000))\n"
        "name = '\\u202eysub'\n"
        "busy.__code__ = busy.__code__.replace(co_name=name, co_qualname=name)\n"
        "busy()\n"
    )
    page = stacklapse.record(any_python, [path, "\u202egnp.exe"]).view("-r", "html")
    title = shown(page, r"<title>(.*?)</title>")
    plain = shown(page, r'<div id="plain">(.*?)</div>')
    assert "\u202e" not in title + plain
    assert r"\u202egnp.exe" in title
    assert r"\u202egnp.exe" in plain
    assert r"\u202eysub" in plain


def test_names_are_escaped_where_they_stand_in_the_page(stacklapse: Command, any_python: Interpreter) -> None:
    code = "x = '</script><script>alert(1)</script>'\nfor _ in range(3_000_000): pass"
    page = stacklapse.record(any_python, ["-c", code, "</title><b>&\"'\u2028"]).view("-r", "html")
    assert "alert(1)</script>" not in page.replace("&lt;", "<not>")
    assert "</title><b>" not in page
    assert page.count("</title>") == 1


def test_a_page_in_a_file_names_the_recording_that_it_is_of(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    python: list[Argument] = ["--python", any_python.path, "-c", "sum(range(10**6))"]
    stacklapse("-o", tmp_path / "first.html", *python)
    stacklapse(*python)
    stacklapse("view", "2", "-o", tmp_path / "again.html")
    first, again = (
        json.loads(element((tmp_path / name).read_text(), "options"))["recording"]
        for name in ("first.html", "again.html")
    )
    assert first == again
    assert Path(first) == sorted(stacklapse.state.rglob("*.lapse"))[0]
