"""`stacklapse requests`: the requests that a web application has kept, listed and opened."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.command import Command, command_path
from support.inside import run_inside
from support.interpreters import interpreters
from support.terminal import Terminal

ALL = (6, 5, 4, 3, 2, 1)
FAILED, USAGE = 1, 2


BEGIN_NS = 1_773_480_413_589_000_000  # 2026-03-14 09:26:53.589


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with six requests, one a minute."""
    top = tmp_path_factory.mktemp("requests")
    run_inside(Command(command_path(), top), interpreters()[0][0], "requests_folder.py", top / "kept")
    change(top / "kept", f"UPDATE requests SET time_ns = {BEGIN_NS} + 60000000000 * id")
    return top / "kept"


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "kept")
    return tmp_path / "kept"


def listed(stacklapse: Command, folder: Path, *options: str) -> list[dict[str, Any]]:
    run = stacklapse("requests", folder, "--json", *options)
    assert (run.exit_code, run.stderr) == (0, "")
    document = json.loads(run.stdout)
    assert document["version"] == 1
    assert document["kept"] == 6
    requests: list[dict[str, Any]] = document["requests"]
    assert document["matching"] >= len(requests)
    return requests


def numbers(stacklapse: Command, folder: Path, *options: str) -> tuple[int, ...]:
    return tuple(request["number"] for request in listed(stacklapse, folder, *options))


def refused(stacklapse: Command, folder: Path, words: str, *arguments: str, exit_code: int = FAILED) -> None:
    run = stacklapse("requests", folder, *arguments)
    assert (run.exit_code, run.stdout) == (exit_code, ""), run
    assert re.fullmatch(r"stacklapse: [^\n]*[^\n.]\n", run.stderr), run.stderr
    assert words in run.stderr
    assert "\x1b" not in run.stderr


def change(folder: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_the_list_as_json_says_all_that_is_known(stacklapse: Command, folder: Path) -> None:
    requests = listed(stacklapse, folder)
    assert [request["number"] for request in requests] == list(ALL), "the newest comes first"
    request = requests[4]
    assert (request["method"], request["route"], request["status"]) == ("GET", "/users/{id}", 200)
    assert (request["duration_ns"], request["reason"]) == (731_900_000, "slow")
    assert request["start_time_ns"] == BEGIN_NS + 120_000_000_000
    assert request["name"].endswith(".lapse") is False
    assert (folder / f"{request['name']}.lapse").exists()
    # It does nothing but compute; what a busy machine did to it counts as neither.
    assert request["cpu_ns"] > 0
    assert request["cpu_share"] == pytest.approx(min(1, request["cpu_ns"] / request["duration_ns"]), abs=0.001)
    assert request["wait_share"] == pytest.approx(min(1, request["wait_ns"] / request["duration_ns"]), abs=0.001)
    assert request["samples"] > 0
    assert request["bytes"] == sum(path.stat().st_size for path in folder.glob(f"{request['name']}.*"))
    assert requests[0]["route"] == "/reports/…", "what a client has sent is left out of a route that is none"


def test_the_list_is_sorted_and_filtered(stacklapse: Command, folder: Path) -> None:
    for options, wanted in {
        ("--sort", "duration"): (6, 5, 3, 2, 1, 4),
        ("--slower", "1s"): (6, 5, 3),
        ("--status", "404"): (4,),
        ("--status", "5xx"): (6, 3),
        ("--status=2XX", "--limit=2"): (5, 2),
        ("--route", "/users/*"): (4, 2),
        ("--route", "/orders*", "--sort=duration"): (5, 3),
        ("--route", "P* /orders*"): (5, 3),
        ("--route", "/"): (1,),
        ("--route", "*", "--status", "4xx", "--slower", "1s"): (),
        ("--limit", "1", "--sort", "duration"): (6,),
        ("--limit", "0"): ALL,
    }.items():
        assert numbers(stacklapse, folder, *options) == wanted, options
    for key in ("cpu", "wait"):
        times = [request[f"{key}_ns"] for request in listed(stacklapse, folder, "--sort", key)]
        assert times == sorted(times, reverse=True)


def test_the_list_for_people(stacklapse: Command, folder: Path) -> None:
    run = stacklapse("requests", folder, environment={"TZ": "UTC", "LC_ALL": "C.UTF-8"})
    assert (run.exit_code, run.stderr) == (0, "")
    title, *rows, blank, end = run.stdout.splitlines()
    assert title.split() == ["N", "time", "status", "duration", "CPU", "wait", "kept", "route"]
    assert len(rows) == 6
    row = re.compile(r" *2  2026-03-14 09:28:53 +200 +732 ms +\d+ % +\d+ %  slow +GET /users/\{id\}")
    assert row.fullmatch(rows[4]), rows[4]
    assert len({row.index(" /") if " /" in row else 0 for row in rows}) <= 3
    assert blank == ""
    assert end.startswith(" 6 of 6 kept ")
    assert end.endswith(f"stacklapse requests {folder} N")
    assert len(stacklapse("requests", folder, "--quiet").stdout.splitlines()) == 7
    for options, below in (
        (("--status=2XX", "--limit=2"), " 2 of 3 that match, 6 kept "),
        (("--status=2XX",), " 3 of 6 kept "),
        (("--limit=2",), " 2 of 6 kept "),
    ):
        assert stacklapse("requests", folder, *options).stdout.splitlines()[-1].startswith(below)
    assert "\x1b[" in stacklapse("requests", folder, "--color", "always").stdout
    ascii_only = stacklapse("requests", folder, environment={"LC_ALL": "C"}).stdout
    assert ascii_only.isascii(), ascii_only
    none = stacklapse("requests", folder, "--slower", "1h")
    assert (none.exit_code, none.stdout) == (0, "")
    assert "none of the 6 requests" in none.stderr


def test_on_a_terminal_each_request_keeps_to_its_line(stacklapse: Command, folder: Path) -> None:
    change(folder, f"UPDATE requests SET route = '/{'long/' * 100}' WHERE id = 2")
    with Terminal([stacklapse.path, "requests", folder], stacklapse.environment() | {"TERM": "xterm"}) as terminal:
        assert terminal.wait() == 0
        lines = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in terminal.output.splitlines()]
    assert all(len(line) <= 100 for line in lines[:-1]), lines


def test_hostile_texts_do_not_reach_the_terminal(stacklapse: Command, folder: Path) -> None:
    evil = "'/' || char(27) || ']0;title' || char(7) || char(10) || '\u202e' || char(155) || 'x'"
    change(folder, f"UPDATE requests SET route = {evil}, method = {evil}, reason = {evil} WHERE id = 5")
    run = stacklapse("requests", folder)
    assert run.exit_code == 0
    assert len(run.stdout.splitlines()) == 9
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", run.stdout), run.stdout
    assert r"\x1b" in run.stdout
    opened = stacklapse("requests", folder, "5").stdout
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", opened), opened
    assert r"\x1b" in opened
    (request,) = [request for request in listed(stacklapse, folder) if request["number"] == 5]
    assert request["route"] == "/\x1b]0;title\x07\n\u202e\x9bx", "JSON has it as it is, escaped"


def test_one_is_opened_with_the_options_of_view(stacklapse: Command, folder: Path, tmp_path: Path) -> None:
    request = listed(stacklapse, folder)[2]
    for name in (str(request["number"]), request["name"]):
        run = stacklapse("requests", folder, name)
        assert (run.exit_code, run.stderr) == (0, "")
        assert "brew" in run.stdout
        assert run.stdout.splitlines()[1].startswith(" stacklapse  GET /users/{id}  ")
        assert f"stacklapse view {folder}/{request['name']}.lapse" in run.stdout
    flat = stacklapse("requests", folder, "4", "--flat", "-r", "json")
    assert json.loads(flat.stdout)["recording"]["samples"] == request["samples"]
    page = tmp_path / "page.html"
    assert stacklapse("requests", "-o", page, folder, "4").exit_code == 0
    assert b"<html" in page.read_bytes()[:200]
    assert b"<h1>GET /users/{id}</h1>" in page.read_bytes()
    again = tmp_path / "again.lapse"
    assert stacklapse("requests", folder, "4", "-o", again).exit_code == 0
    assert again.read_bytes() == (folder / f"{request['name']}.lapse").read_bytes()


def test_what_is_wrong_is_told_in_one_sentence(stacklapse: Command, folder: Path, tmp_path: Path) -> None:
    refused(stacklapse, folder, "no request 7 is kept", "7")
    for number in ("0", "-0", "1e0", "18446744073709551617", "99999999999999999999999", "x", "", "../kept/1"):
        refused(stacklapse, folder, "kept", "--", number)
    refused(stacklapse, folder, "one request at a time, not also '2'", "1", "2", exit_code=USAGE)
    refused(stacklapse, folder, "for the list", "1", "--json", exit_code=USAGE)
    for option in ("--flat", "-r=json", "--merge", "--threads=main", "--source=none", "--at=view=flame"):
        refused(stacklapse, folder, "for one request", *option.split("=", 1), exit_code=USAGE)
    refused(stacklapse, folder, "did you mean duration?", "--sort", "duratoin", exit_code=USAGE)
    for status in ("200a", "6xx", "99", "x", "5x", ""):
        refused(stacklapse, folder, "--status takes", "--status", status, exit_code=USAGE)
    for limit in ("-1", "many", "1.5", "9999999999", ""):
        refused(stacklapse, folder, "--limit takes", f"--limit={limit}", exit_code=USAGE)
    refused(stacklapse, folder, "--slower takes a time", "--slower", "slow", exit_code=USAGE)
    refused(stacklapse, folder, "--route takes", "--route", "", exit_code=USAGE)
    refused(stacklapse, tmp_path, "there is no index.sqlite")
    refused(stacklapse, tmp_path / "nowhere", "No such file or directory")
    refused(stacklapse, folder / "index.sqlite", "is no folder")
    without = stacklapse("requests")
    assert (without.exit_code, without.stdout) == (USAGE, "")
    assert "stacklapse requests FOLDER" in without.stderr
    with Path("/dev/full").open("w") as full:
        for option in ("--json", "--limit=0"):
            done = subprocess.run([stacklapse.path, "requests", folder, option], stdout=full, stderr=-1, check=False)
            assert done.returncode == FAILED
            assert b"No space left" in done.stderr


def test_a_recording_that_is_gone_or_elsewhere_is_not_opened(stacklapse: Command, folder: Path, tmp_path: Path) -> None:
    names = {request["number"]: request["name"] for request in listed(stacklapse, folder)}
    (folder / f"{names[1]}.lapse").unlink()
    refused(stacklapse, folder, "is not there any more", "1")
    (folder / f"{names[2]}.lapse").unlink()
    (folder / f"{names[2]}.lapse").symlink_to("/etc/passwd")
    refused(stacklapse, folder, "is not there any more", "2")
    (folder / f"{names[3]}.lapse").unlink()
    os.mkfifo(folder / f"{names[3]}.lapse")
    refused(stacklapse, folder, "is not there any more", "3")
    (folder / f"{names[4]}.lapse").write_bytes(b"no recording")
    refused(stacklapse, folder, "cannot read", "4")
    shutil.copy(folder / f"{names[5]}.lapse", tmp_path / "secret.lapse")
    for name in ("../secret", "/etc/passwd", ".hidden", "a b", "a\x1bb", "", "-o", "x" * 200, "a/../../secret"):
        change(folder, f"UPDATE requests SET name = '{name}' WHERE id = 5")
        refused(stacklapse, folder, "holds what is no request", "5")
        refused(stacklapse, folder, "holds what is no request")


HOSTILE: dict[str, tuple[str, str]] = {
    "no table": ("DROP TABLE requests", "damaged"),
    "no column": ("ALTER TABLE requests DROP COLUMN method", "damaged"),
    "other version": ("PRAGMA user_version = 2", "is of version 2, and this stacklapse reads 1"),
    "other program": ("PRAGMA application_id = 5", "belongs to another program"),
    "text for a number": ("UPDATE requests SET status = 'x'", "no request"),
    "negative": ("UPDATE requests SET duration_ns = -1", "no request"),
    "real": ("UPDATE requests SET time_ns = 1.5", "no request"),
    "blob": ("UPDATE requests SET route = x'00ff'", "no request"),
    "a NUL": ("UPDATE requests SET route = '/a' || char(0) || 'b'", "no request"),
    "long": ("UPDATE requests SET route = hex(zeroblob(4000))", "no request"),
    "huge": ("UPDATE requests SET route = hex(zeroblob(4000000))", "damaged"),
    "status": ("UPDATE requests SET status = 1000", "no request"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_index_of_another_shape_is_refused(stacklapse: Command, folder: Path, name: str) -> None:
    statement, words = HOSTILE[name]
    change(folder, statement)
    refused(stacklapse, folder, words)
    refused(stacklapse, folder, words, "2")


def as_view(folder: Path) -> None:
    """A table that computes for ever when it is looked at."""
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
    change(folder, "ALTER TABLE requests RENAME TO other", f"CREATE VIEW requests AS {endless}")


def as_virtual(folder: Path) -> None:
    change(folder, "DROP TABLE requests", "CREATE VIRTUAL TABLE requests USING fts3(id, name)")


def with_generated_column(folder: Path) -> None:
    change(
        folder,
        "ALTER TABLE requests RENAME COLUMN route TO old",
        "ALTER TABLE requests ADD COLUMN route TEXT AS (hex(zeroblob(400000)))",
    )


def as_link(folder: Path) -> None:
    (folder / "index.sqlite").rename(folder / "other")
    (folder / "index.sqlite").symlink_to(folder / "other")


def as_pipe(folder: Path) -> None:
    (folder / "index.sqlite").unlink()
    os.mkfifo(folder / "index.sqlite")


def as_text(folder: Path) -> None:
    (folder / "index.sqlite").write_text("no database at all\n" * 300)


def cut(folder: Path) -> None:
    content = (folder / "index.sqlite").read_bytes()
    (folder / "index.sqlite").write_bytes(content[: len(content) // 2 + 100])


@pytest.mark.parametrize("make", [as_view, as_virtual, with_generated_column, as_link, as_pipe, as_text, cut])
def test_a_made_up_index_is_refused(stacklapse: Command, folder: Path, make: Callable[[Path], None]) -> None:
    make(folder)
    refused(stacklapse, folder, "")
    refused(stacklapse, folder, "", "2")


def test_an_index_that_is_damaged_anywhere_is_read_or_refused(stacklapse: Command, folder: Path) -> None:
    whole = (folder / "index.sqlite").read_bytes()
    chance = random.Random(8)
    refusals = 0
    for attempt in range(150):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 4, 40))):
            # Mostly in what tells where the rest is: the file's header and those of the pages.
            page = chance.randrange(0, len(whole), 4096)
            place = page + chance.randrange(chance.choice((120, 4096)))
            damaged[place % len(whole)] = chance.randrange(256)
        (folder / "index.sqlite").write_bytes(damaged)
        for arguments in ((), ("--json", "--sort", "duration"), ("2", "-r", "json")):
            run = stacklapse("requests", folder, *arguments, timeout=60)
            assert run.exit_code in (0, FAILED), (attempt, arguments, run)
            assert "\x1b" not in run.stdout, (attempt, arguments, run)
            if run.exit_code == FAILED:
                assert re.fullmatch(r"stacklapse: [^\n]*\n", run.stderr), (attempt, arguments, run)
                assert "\x1b" not in run.stderr
                refusals += 1
    assert refusals > 100


def test_half_a_transaction_is_undone_unless_it_reaches_elsewhere(
    stacklapse: Command, folder: Path, tmp_path: Path
) -> None:
    whole = (folder / "index.sqlite").read_bytes()
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite", isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("PRAGMA cache_spill = 1")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE requests SET route = hex(zeroblob(50000))")
        # The state of the disk at this moment is what a crash would leave.
        half = (folder / "index.sqlite").read_bytes()
        journal = (folder / "index.sqlite-journal").read_bytes()
        connection.execute("ROLLBACK")
    assert half != whole
    assert journal[:8] == bytes.fromhex("d9d505f920a163d7")
    victim = tmp_path / "victim"
    victim.write_text("")
    name = os.fsencode(victim)
    sum_of_name = sum(byte if byte < 128 else byte - 256 for byte in name) & 0xFFFFFFFF
    super_journal = (0x4000_0000 // 4096 + 1).to_bytes(4, "big") + name + len(name).to_bytes(4, "big")
    super_journal += sum_of_name.to_bytes(4, "big") + bytes.fromhex("d9d505f920a163d7")
    (folder / "index.sqlite").write_bytes(half)
    (folder / "index.sqlite-journal").write_bytes(journal + super_journal)
    refused(stacklapse, folder, "damaged")
    assert victim.exists()
    (folder / "index.sqlite-journal").write_bytes(journal)
    assert numbers(stacklapse, folder) == ALL
    assert (folder / "index.sqlite").read_bytes() == whole


def test_a_folder_in_which_nothing_is_kept(stacklapse: Command, folder: Path) -> None:
    change(folder, "DELETE FROM requests")
    run = stacklapse("requests", folder)
    assert (run.exit_code, run.stdout) == (0, "")
    assert "no request is kept" in run.stderr
    assert json.loads(stacklapse("requests", folder, "--json").stdout)["requests"] == []


def test_an_index_that_was_just_begun_holds_nothing(stacklapse: Command, folder: Path) -> None:
    (folder / "index.sqlite").write_bytes(b"")
    run = stacklapse("requests", folder)
    assert (run.exit_code, run.stdout) == (0, "")
    assert "no request is kept" in run.stderr
    refused(stacklapse, folder, "no request 2 is kept", "2")


def test_what_a_crash_left_is_listed_without_what_nobody_knows(stacklapse: Command, folder: Path) -> None:
    change(folder, "UPDATE requests SET cpu_ns = NULL, wait_ns = NULL, samples = NULL, status = 0 WHERE id = 6")
    row = stacklapse("requests", folder).stdout.splitlines()[1]
    assert re.search(r" - +3\.00 s +- +- ", row), row
    request = listed(stacklapse, folder)[0]
    assert (request["cpu_ns"], request["cpu_share"], request["wait_share"], request["samples"]) == (None,) * 4
