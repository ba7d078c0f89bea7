"""`stacklapse diff`: what differs between two recordings of programs that time themselves."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.command import Command, Recording, command_path
from support.interpreters import TOP, Interpreter

# What each part takes is its arguments, in milliseconds; a part of 0 ms is not called.
PROGRAM = """\
import sys, time

def spin(milliseconds):
    end = time.perf_counter() + milliseconds / 1000
    while time.perf_counter() < end:
        pass

def parse(milliseconds):
    spin(milliseconds)

def fetch(milliseconds):
    time.sleep(milliseconds / 1000)

def check(milliseconds):
    spin(milliseconds)

def main(times):
    for part, milliseconds in zip((parse, fetch, check), map(int, times)):
        if milliseconds:
            part(milliseconds)

main(sys.argv[1:])
"""


def record(
    stacklapse: Command, python: Interpreter, *times: int, folder: Path | None = None, text: str = ""
) -> Recording:
    program = (folder or stacklapse.folder) / "program.py"
    program.write_text(text + PROGRAM)
    return stacklapse.record(python, [program, *map(str, times)])


def diff(stacklapse: Command, *arguments: Any, columns: int = 400) -> str:
    run = stacklapse("diff", *arguments, environment={"COLUMNS": str(columns)})
    assert run.exit_code == 0, run.stderr
    assert run.stderr == ""
    return run.stdout


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, any_python: Interpreter) -> tuple[Recording, Recording]:
    """Made once: they are only read."""
    stacklapse = Command(command_path(), tmp_path_factory.mktemp("two"))
    return record(stacklapse, any_python, 400, 150, 0), record(stacklapse, any_python, 150, 450, 200)


def functions(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {function["name"]: function for function in document["functions"] if function["path"].endswith("program.py")}


def rows(report: str) -> dict[str, str]:
    """The row of each function of the program, without the guides of a tree."""
    return {
        match[2]: match[1].split(" in ")[0]
        for match in re.finditer(r"^(.*?)([\w<>]+)  program\.py:\d+", report, re.MULTILINE)
    }


def test_what_changed_is_found_with_its_time(stacklapse: Command, two: tuple[Recording, Recording]) -> None:
    document = json.loads(diff(stacklapse, two[0].path, two[1].path, "-r", "json"))
    schema = json.loads((TOP / "docs" / "diff.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    found = functions(document)
    for name, before, after in (("parse", 400, 150), ("fetch", 150, 450), ("check", 0, 200)):
        total = found[name]["total"]
        assert total["certain"], total
        change = total["change_ns"] - (after - before) * 1e6
        # What a busy machine adds to a sleep or to a loop that a look finds done is not the sampler's.
        assert abs(change) < 5 * total["error_ns"] + 60e6, total
        assert total["change_ns"] == total["after_ns"] - total["before_ns"]
    assert found["check"]["before_line"] is None
    assert found["parse"]["before_line"] == found["parse"]["after_line"] == 8
    # Each side is what `view` says of it.
    for side, recording in zip(("before", "after"), two, strict=True):
        assert document[side]["duration_ns"] == recording.json["recording"]["duration_ns"]
        assert document[side]["samples"] == recording.json["recording"]["samples"]
        own = {function["name"]: function for function in recording.json["functions"] if function["kind"] == "python"}
        for name in ("parse", "fetch", "spin"):
            assert found[name]["total"][f"{side}_ns"] == own[name]["total_ns"]
            assert found[name]["self"][f"{side}_ns"] == own[name]["self_ns"]


def test_the_report_shows_what_changed_and_what_leads_to_it(two: tuple[Recording, Recording]) -> None:
    stacklapse = two[0].command
    report = diff(stacklapse, two[0].path.name, two[1].path.name)
    assert re.search(r"^ stacklapse  before: .*program\.py 400 150 0", report, re.MULTILINE), report
    assert re.search(r"^ stacklapse  after: .*program\.py 150 450 200", report, re.MULTILINE), report
    found = rows(report)
    assert re.search(r"-[\d.]+ +-\d\d %", found["parse"]), report
    assert re.search(r"\+[\d.]+ +\+\d+ %", found["fetch"]), report
    assert re.search(r"\+[\d.]+ +new", found["check"]), report
    assert "main" in found
    again = re.search(r"again: {2}stacklapse (.*?) {2,}shares: {2}stacklapse (.*)", report)
    assert again
    for command in again.groups():
        assert "fetch" in stacklapse(*command.split()).stdout, command
    flat = diff(stacklapse, two[0].path.name, two[1].path.name, "--flat")
    # What `spin` took in all is hardly another.
    assert {"fetch"} <= set(rows(flat)) <= {"fetch", "spin"}, flat
    # Of a table the other one is offered, of shares shares.
    assert re.search(r"again: .* --flat-total +shares: .* --flat --shares$", flat, re.MULTILINE), flat
    shares = diff(stacklapse, two[0].path.name, two[1].path.name, "--flat-total", "--shares")
    assert re.search(r"again: .* recording-2\.lapse --shares$", shares, re.MULTILINE), shares
    by_total = diff(stacklapse, two[0].path, two[1].path, "--flat-total", "--threads", "main")
    assert {"parse", "fetch", "check"} <= set(rows(by_total)), by_total


def test_a_change_back_is_the_opposite(stacklapse: Command, two: tuple[Recording, Recording]) -> None:
    there = json.loads(diff(stacklapse, two[0].path, two[1].path, "-r", "json"))
    back = json.loads(diff(stacklapse, two[1].path, two[0].path, "-r", "json"))
    for name, function in functions(there).items():
        assert functions(back)[name]["total"]["change_ns"] == -function["total"]["change_ns"]
    assert re.search(r"gone", rows(diff(stacklapse, two[1].path, two[0].path))["check"])


def test_a_recording_does_not_differ_from_itself(stacklapse: Command, two: tuple[Recording, Recording]) -> None:
    for options in ([], ["--flat"], ["--shares"]):
        assert "nothing changed by more than" in diff(stacklapse, two[0].path, two[0].path, *options)


def test_waiting_is_not_cpu_time(stacklapse: Command, two: tuple[Recording, Recording]) -> None:
    found = functions(json.loads(diff(stacklapse, two[0].path, two[1].path, "--mode", "cpu", "-r", "json")))
    assert not found.get("fetch", {"total": {"certain": False}})["total"]["certain"]
    assert found["parse"]["total"]["certain"]


def test_by_shares_a_longer_recording_of_the_same_is_the_same(stacklapse: Command, any_python: Interpreter) -> None:
    # Long enough that the interpreter's start, which is not longer in the longer one, is a small part of both.
    short = record(stacklapse, any_python, 600, 600, 0)
    long = record(stacklapse, any_python, 1800, 1800, 0)
    times = json.loads(diff(stacklapse, short.path, long.path, "-r", "json"))
    assert functions(times)["parse"]["total"]["certain"]
    shares = json.loads(diff(stacklapse, short.path, long.path, "-r", "json", "--shares"))
    assert shares["compared"] == "shares"
    for name in ("parse", "fetch"):
        total = functions(shares)[name]["total"]
        assert abs(total["change_ppm"]) < 5 * total["error_ppm"] + 50_000, total


def test_a_program_that_was_moved_and_edited_is_the_same(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    before = record(stacklapse, any_python, 200, 50, 50, folder=tmp_path / "old")
    after = record(stacklapse, any_python, 500, 50, 50, folder=tmp_path / "new", text="import json\n\n")
    found = functions(json.loads(diff(stacklapse, before.path, after.path, "-r", "json")))
    assert {"parse", "fetch", "check", "main"} <= set(found)
    assert found["parse"]["before_line"] + 2 == found["parse"]["after_line"]
    assert found["parse"]["total"]["before_ns"] > 0
    assert found["parse"]["total"]["certain"]


def test_folded_stacks_have_both_weights(stacklapse: Command, two: tuple[Recording, Recording]) -> None:
    sums = [0, 0]
    weights: dict[str, tuple[int, int]] = {}
    for line in diff(stacklapse, two[0].path, two[1].path, "-r", "folded").splitlines():
        stack, before, after = line.rsplit(" ", 2)
        assert stack not in weights
        weights[stack] = int(before), int(after)
        sums[0] += int(before)
        sums[1] += int(after)
    for side in (0, 1):
        whole = sum(stack.microseconds for stack in two[side].stacks())
        assert abs(sums[side] - whole) <= len(weights), (sums, whole)
    own = [stack for stack in weights if re.search(r"main \(\S*program\.py\);check \(\S*program\.py\)", stack)]
    assert own
    assert all(weights[stack][0] == 0 for stack in own)


def test_markdown_has_the_tree_and_a_table(
    stacklapse: Command, two: tuple[Recording, Recording], tmp_path: Path
) -> None:
    output = tmp_path / "change.md"
    assert diff(stacklapse, two[0].path, two[1].path, "-o", output) == ""
    text = output.read_text()
    assert text.startswith("```text\n")
    assert "| before | after | change |" in text
    assert re.search(r"\| \d+ ms \| \d+ ms \| \\\+\d+ ms \| \\\+\d+ % \| fetch \|", text), text


def test_the_last_two_are_compared(stacklapse: Command, any_python: Interpreter) -> None:
    (stacklapse.folder / "program.py").write_text(PROGRAM)
    for times in (("100", "50", "0"), ("100", "350", "0")):
        run = stacklapse("-q", "--python", any_python.path, "program.py", *times)
        assert run.exit_code == 0
    assert rows(diff(stacklapse)) == rows(diff(stacklapse, "2")) == rows(diff(stacklapse, "2", "last"))
    assert "+" in rows(diff(stacklapse))["fetch"]
    assert "-" in rows(diff(stacklapse, "1", "2"))["fetch"]


def test_folded_stacks_that_name_no_files_get_none(stacklapse: Command, tmp_path: Path) -> None:
    (tmp_path / "before.folded").write_text("main;work 500\n")
    (tmp_path / "after.folded").write_text("main;work 400\n")
    assert diff(stacklapse, "before.folded", "after.folded", "-r", "folded") == "main;work 500 400\n"
    assert stacklapse("view", "before.folded", "-r", "folded").stdout == "main;work 500\n"


def test_folded_shares_are_scaled_to_the_later_whole(stacklapse: Command, tmp_path: Path) -> None:
    (tmp_path / "before.folded").write_text("main;work 500\nmain;rest 500\n")
    (tmp_path / "after.folded").write_text("main;work 1000\nmain;rest 3000\n")
    files = "before.folded", "after.folded"
    assert set(diff(stacklapse, *files, "-r", "folded", "--shares").splitlines()) == {
        "main;work 2000 1000",
        "main;rest 2000 3000",
    }
    assert "main;work 500 1000\n" in diff(stacklapse, *files, "-r", "folded")


def test_folded_stacks_have_no_other_mode(stacklapse: Command, tmp_path: Path) -> None:
    (tmp_path / "x.folded").write_text("main;work 500\n")
    for command in (("view", "x.folded"), ("diff", "x.folded", "x.folded")):
        for mode in ("cpu", "gil"):
            run = stacklapse(*command, "--mode", mode)
            assert (run.exit_code, run.stdout) == (1, "")
            assert re.fullmatch(rf"stacklapse: \S*x\.folded has folded stacks, which .* --mode {mode}\n", run.stderr)
        assert stacklapse(*command, "--mode", "wall").exit_code == 0


def test_folded_stacks_of_other_tools_are_exact(stacklapse: Command, tmp_path: Path) -> None:
    (tmp_path / "before.folded").write_text("main (a.py:1);f (a.py:3) 500\nmain (a.py:1);g (a.py:5) 100\n")
    (tmp_path / "after.folded").write_text("main (a.py:1);f (a.py:3) 400\nmain (a.py:1);h (a.py:7) 300\n")
    report = diff(stacklapse, "before.folded", "after.folded")
    assert re.search(r"^ +500 +400 +-100 +-20 % .* f  a\.py", report, re.MULTILINE), report
    assert re.search(r"^ +100 +- +-100 +gone .* g  a\.py", report, re.MULTILINE), report
    assert re.search(r"^ +- +300 +\+300 +new .* h  a\.py", report, re.MULTILINE), report


def test_a_deep_recursion_is_a_few_rows(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    program = tmp_path / "deep.py"
    program.write_text(
        "import sys, time\nsys.setrecursionlimit(10 ** 6)\n"
        "def dig(depth):\n"
        "    if depth:\n        return dig(depth - 1)\n"
        "    end = time.perf_counter() + float(sys.argv[1])\n"
        "    while time.perf_counter() < end:\n        pass\n"
        "dig(9000)\n"
    )
    # A look at so deep a stack takes a while.
    before = stacklapse.record(any_python, [program, "0.4"], ["-i", "5ms"])
    after = stacklapse.record(any_python, [program, "1.4"], ["-i", "5ms"])
    report = diff(stacklapse, before.path, after.path, columns=80)
    assert max(map(len, report.splitlines()[:-1])) <= 80, report
    assert len(report.splitlines()) < 60, report
    between = [int(number.replace(",", "")) for number in re.findall(r"⋯ ([\d,]+)", report)]
    assert 8900 < sum(between) < 9000, report


def test_a_worker_that_only_waited_before_is_not_new(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    program = tmp_path / "pool.py"
    program.write_text(
        "import sys, threading, time\n"
        "def spin(end):\n    while time.perf_counter() < end:\n        pass\n"
        "def worker(begin):\n"
        "    while time.perf_counter() < begin + 1:\n"
        "        spin(time.perf_counter() + float(sys.argv[1]))\n"
        "        time.sleep(0.04)\n"
        "for _ in range(3):\n    threading.Thread(target=worker, args=(time.perf_counter(),)).start()\n"
    )
    idle = stacklapse.record(any_python, [program, "0"])
    busy = stacklapse.record(any_python, [program, "0.01"])
    report = diff(stacklapse, idle.path, busy.path)
    assert "spin" in report
    assert not re.search(r"(new|gone) .*\bworker\b", report), report
    whole = json.loads(diff(stacklapse, idle.path, busy.path, "-r", "json"))
    worker = next(function for function in whole["functions"] if function["name"] == "worker")
    assert worker["total"]["before_ns"] > 2.5e9
    assert not worker["total"]["certain"]


def test_processes_are_compared_together(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    program = tmp_path / "family.py"
    program.write_text(
        "import subprocess, sys, time\n"
        "def child(seconds):\n"
        "    end = time.perf_counter() + seconds\n    while time.perf_counter() < end:\n        pass\n"
        "if len(sys.argv) > 2:\n    child(float(sys.argv[1]))\n"
        "else:\n    subprocess.run([sys.executable, __file__, sys.argv[1], 'child'])\n"
    )
    short = stacklapse.record(any_python, [program, "0.2"], ["--children"])
    long = stacklapse.record(any_python, [program, "0.7"], ["--children"])
    assert re.search(r"\+[\d.]+ +\+\d+ % .*child  family\.py", diff(stacklapse, short.path, long.path, "--flat"))


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("columns", [40, 60, 100])
def test_rows_fit_the_terminal(
    stacklapse: Command, two: tuple[Recording, Recording], columns: int, locale: str
) -> None:
    for options in ([], ["--flat", "--shares"], ["--threshold", "0"]):
        run = stacklapse(
            "diff", two[0].path, two[1].path, *options, environment={"COLUMNS": str(columns), "LC_ALL": locale}
        )
        assert run.exit_code == 0
        for row in run.stdout.splitlines():
            assert len(row) <= columns or " again: " in row, row
        assert run.stdout.isascii() is (locale == "C")


@pytest.mark.parametrize("side", [0, 1])
def test_a_damaged_recording_is_compared_as_far_as_it_can_be_read(
    stacklapse: Command, two: tuple[Recording, Recording], side: int, tmp_path: Path
) -> None:
    content = two[side].path.read_bytes()
    paths = [recording.path for recording in two]
    paths[side] = tmp_path / "damaged.lapse"
    paths[side].write_bytes(content[: len(content) * 2 // 3])
    run = stacklapse("diff", *paths)
    assert run.exit_code == 0, run.stderr
    assert re.search(r"damaged|cut off", run.stderr)
    assert "incomplete" in run.stdout


def test_what_cannot_be_compared_is_one_sentence(
    stacklapse: Command, two: tuple[Recording, Recording], tmp_path: Path
) -> None:
    (tmp_path / "text.lapse").write_text("no recording\n" * 100)
    path = two[0].path
    for arguments, exit_code, sentence in (
        ((path, "nowhere.lapse"), 1, "nowhere.lapse"),
        (("nowhere.lapse", path), 1, "nowhere.lapse"),
        ((path, "text.lapse"), 1, "text.lapse"),
        ((path, path, "third"), 2, "two recordings at a time, not also 'third'"),
        ((path, path, "-r", "html"), 2, "cannot be written as html; as these it can: text, json, folded, markdown"),
        ((path, path, "-o", "x.lapse"), 2, "cannot be written as a recording"),
        ((path, path, "-o", "x.pprof"), 2, "cannot be written as pprof"),
        ((path, path, "--timeline"), 2, "--timeline is not an option"),
        ((path, "99"), 1, "no recording 99"),
    ):
        # There are recordings, though not so many.
        run = stacklapse("diff", *arguments, environment={"XDG_STATE_HOME": str(two[0].command.state)})
        assert run.exit_code == exit_code, (arguments, run)
        assert sentence in run.stderr, (arguments, run)
        assert len(run.stderr.splitlines()) == 1, run.stderr
        assert run.stdout == ""
    assert not (tmp_path / "x.lapse").exists()


def test_large_recordings_are_compared(stacklapse: Command, tmp_path: Path) -> None:
    """A hundred thousand calls in each. What is not linear in them does not end in time."""
    for name in ("before", "after"):
        lines = (
            ";".join(f"f{(number >> level) % 7}_{level} (a.py:1)" for level in range(14))
            + f" {number % 97 + len(name)}"
            for number in range(60_000)
        )
        (tmp_path / f"{name}.folded").write_text("\n".join(lines) + "\n")
    stacks = diff(stacklapse, "before.folded", "after.folded", "-r", "folded").splitlines()
    assert len(stacks) > 10_000
    everything = diff(stacklapse, "before.folded", "after.folded", "--threshold", "0", columns=1000)
    assert len(everything.splitlines()) > 10_000
