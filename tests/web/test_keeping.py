"""Requests that nobody asked for and that are worth keeping; limits; failures of our own; Werkzeug's arguments."""

from __future__ import annotations

import contextlib
import http.client
import json
import pstats
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
from support.command import Command, Recording, Run
from support.program import until

from web.servers import run_program, serving


def rows(folder: Path) -> list[tuple[str, str, str, int, str]]:
    if not (folder / "index.sqlite").exists():
        return []
    connection = sqlite3.connect(folder / "index.sqlite")
    try:
        return connection.execute(
            "SELECT name, method, route, status, reason FROM requests ORDER BY time_ns"
        ).fetchall()
    except sqlite3.OperationalError:
        # The file is there, and its table not yet.
        return []
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("kind", "route"),
    [
        ("flask", "/slow/<user>"),
        ("gunicorn-preload", "/slow/<user>"),
        ("gunicorn-gevent", "/slow/<user>"),
        ("gunicorn-gthread-preload", "/slow/<user>"),
        ("gunicorn-gevent-preload", "/slow/<user>"),
        ("django", "/slow/<str:user>"),
        ("django-asgi", "/slow/<str:user>"),
        ("starlette", "/slow/{user}"),
        ("fastapi", "/slow/{user}"),
    ],
)
def test_slow_and_failed_requests_are_kept_and_others_are_not(
    stacklapse: Command, tmp_path: Path, kind: str, route: str
) -> None:
    folder = tmp_path / "kept"
    with serving(stacklapse, kind, {"folder": str(folder), "slow": "120ms"}, debug=False) as server:
        assert server.ask("/slow/ann?secret=1").says_nothing
        until(lambda: len(rows(folder)) >= 1, "the slow request", 60)
        assert server.ask("/boom").status == 500
        until(lambda: [row[4] for row in rows(folder)].count("failed") == 1, "the failed request", 60)
        found = {row[2]: row for row in rows(folder)}
        assert found[route][1:] == ("GET", route, 200, "slow")
        assert found["/boom"][1:] == ("GET", "/boom", 500, "failed")
        recording = Recording(stacklapse, folder / f"{found['/boom'][0]}.lapse", Run(0, "", ""))
        assert "cook_failure" in {name for stack in recording.stacks() for name in stack.names}
        assert "stacklapse: " not in server.log, server.log


def test_a_response_of_django_does_not_wait_until_its_request_is_kept(stacklapse: Command) -> None:
    run_program(stacklapse, "django_waits.py")


def test_a_share_of_all_requests_is_kept(stacklapse: Command, tmp_path: Path) -> None:
    with serving(
        stacklapse, "gunicorn-gthread", {"folder": str(tmp_path / "all"), "sample": 1.0}, debug=False
    ) as server:
        for _ in range(3):
            server.ask("/page/ann")
    kept = rows(tmp_path / "all")
    assert {(route, reason) for _, _, route, _, reason in kept} == {("/ready", "sampled"), ("/page/<name>", "sampled")}
    assert len([row for row in kept if row[2] == "/page/<name>"]) == 3


@pytest.mark.parametrize("kind", ["starlette", "fastapi"])
def test_the_route_of_a_mounted_application_begins_where_it_is_mounted(
    stacklapse: Command, tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "kept"
    with serving(stacklapse, kind, {"folder": str(folder), "sample": 1.0}) as server:
        assert b"mounted" in server.ask("/mounted/soups/page/ann").body
        shown = server.browse("/mounted/soups/page/ann?profile")
        assert b"GET /mounted/{tenant}/page/{name}" in shown.body
        until(lambda: "/mounted/{tenant}/page/{name}" in {row[2] for row in rows(folder)}, "the route", 60)


def test_the_route_of_an_included_router_begins_where_it_is_included(stacklapse: Command) -> None:
    with serving(stacklapse, "fastapi") as server:
        for place, template in (("", ""), ("/mounted/soups", "/mounted/{tenant}")):
            for route in ("/one/router/page", "/two/router/page", "/one/plain", "/two/plain"):
                shown = server.browse(f"{place}{route}/ann?profile")
                assert f"GET {template}{route}/{{name}}<".encode() in shown.body, (place, route)


@pytest.mark.parametrize("kind", ["gunicorn-gthread-preload", "gunicorn-gevent-preload"])
def test_several_processes_keep_their_requests_in_one_folder(stacklapse: Command, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "kept"
    options = {"folder": str(folder), "sample": 1.0}
    with serving(stacklapse, kind, options, debug=False) as server, ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda number: server.ask(f"/turns/{number % 20}?seconds=0.02"), range(60)))
        assert {(answer.status, answer.body) for answer in answers} == {(200, b"turned")}
        until(lambda: len(rows(folder)) == 61, lambda: f"61 requests of {len(rows(folder))}", 60)
        assert "stacklapse: " not in server.log, server.log
    names = {row[0] for row in rows(folder)}
    assert len(names) == 61
    for ending in (".lapse", ".html"):
        assert {path.stem for path in folder.glob(f"*{ending}")} == names
    done = stacklapse("requests", folder, "--json", "--limit", "0")
    listed = json.loads(done.stdout)["requests"]
    assert {request["name"] for request in listed} == names
    turned = [request for request in listed if request["route"].startswith("/turns/")]
    assert len(turned) == 60
    assert all(request["samples"] > 0 for request in turned)
    documents = [Recording(stacklapse, folder / f"{name}.lapse", Run(0, "", "")).json for name in sorted(names)]
    assert len({document["processes"][0]["pid"] for document in documents}) == 2


def test_more_profiles_than_allowed_are_skipped_and_say_so(stacklapse: Command) -> None:
    with serving(stacklapse, "gunicorn-gthread", {"max_profiles": 1}) as server, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: server.browse(f"/turns/{number}?seconds=1&profile"), range(4)))
        reports = [answer for answer in answers if answer.is_report]
        skipped = [answer for answer in answers if answer.header("X-Stacklapse-Skipped")]
        assert len(reports) >= 1
        assert len(skipped) >= 1
        assert len(reports) + len(skipped) == 4
        assert {(answer.status, answer.body) for answer in skipped} == {(200, b"turned")}
        # None is counted for ever.
        assert server.browse("/page/ann?profile").is_report


@pytest.mark.parametrize("kind", ["gunicorn-gthread", "starlette"])
@pytest.mark.parametrize("limit", [{"max_seconds": 0.5}, {"max_samples": 300}])
def test_a_recording_ends_at_a_limit_and_the_request_goes_on(
    stacklapse: Command, kind: str, limit: dict[str, float]
) -> None:
    with serving(stacklapse, kind, limit) as server:
        answer = server.ask("/turns/1?seconds=2&profile")
        assert answer.body == b"turned"
        assert "recorded for" in (answer.header("X-Stacklapse-Limit") or "")
        assert server.recording(answer.report).json["recording"]["duration_ns"] < 1.9e9


@pytest.mark.parametrize("kind", ["gunicorn-gthread", "starlette"])
def test_a_request_whose_recording_has_ended_is_in_nobodys_way(stacklapse: Command, kind: str) -> None:
    with (
        serving(stacklapse, kind, {"max_profiles": 1, "max_seconds": 0.5}) as server,
        contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection,
    ):
        connection.request("GET", "/endless?profile")
        assert connection.getresponse().getheader("X-Stacklapse-Report")
        until(lambda: server.ask("/json?profile").header("X-Stacklapse-Report"), "a recording", 60)


def test_only_so_many_reports_are_held(stacklapse: Command) -> None:
    with serving(stacklapse, "gunicorn-gthread", {"max_reports": 3}) as server:
        reports = [server.ask("/json?profile").report for _ in range(5)]
        assert [server.ask(report).status for report in reports] == [404, 404, 200, 200, 200]


@pytest.mark.parametrize("kind", ["gunicorn-gthread", "starlette", "django"])
def test_a_failure_of_our_own_is_told_once_and_fails_no_request(stacklapse: Command, tmp_path: Path, kind: str) -> None:
    """Here the folder cannot be made, and the parts of the engine raise."""
    (tmp_path / "file").write_text("not a folder")
    options = {"folder": str(tmp_path / "file" / "kept"), "slow": "0ms"}
    with serving(stacklapse, kind, options) as server:
        for _ in range(3):
            assert server.browse("/page/ann?profile").body == b"<h1>3</h1>"
            assert server.ask("/page/ann").body == b"<h1>3</h1>"
        until(lambda: "requests cannot be kept" in server.log, lambda: f"the failure\n{server.log}", 60)
        assert server.log.count("requests cannot be kept") == 1
        assert server.log.count("told once") == 1


def test_what_is_kept_has_its_limits(stacklapse: Command, tmp_path: Path) -> None:
    options = {"folder": str(tmp_path / "kept"), "sample": 1.0, "max_files": 4}
    with serving(stacklapse, "gunicorn-sync", options, debug=False) as server:
        for _ in range(8):
            server.ask("/json")
    assert len(rows(tmp_path / "kept")) == 4
    assert len(list((tmp_path / "kept").glob("*.lapse"))) == 4


def test_werkzeugs_arguments_do_what_they_do_there(stacklapse: Command, tmp_path: Path) -> None:
    options = {"plain": True, "profile_dir": str(tmp_path / "profiles"), "sort_by": ["cumtime"], "restrictions": [5]}
    with serving(stacklapse, "wsgiref", options, debug=False) as server:
        assert server.browse("/page").body == b"<h1>page</h1>"
        assert server.browse("/page/two/parts?profile&q=hidden").body == b"<h1>page</h1>"
        assert server.ask("/boom").status == 500
        # Of one part the server makes a Content-Length, if it sees that it is one.
        one = server.ask("/one")
        assert (one.body, one.header("Content-Length")) == (b"one part", "8")
        # No body at all is an error, and the end of the recording.
        assert server.ask("/nothing").status == 500
        files = sorted(path.name for path in (tmp_path / "profiles").iterdir())
        patterns = {"page", "page.two.parts", "boom", "nothing"}
        for pattern in patterns:
            assert [name for name in files if re.fullmatch(rf"GET\.{pattern}\.\d+ms\.\d+\.prof", name)], files
        name = next(name for name in files if ".boom." in name)
        statistics = pstats.Stats(str(tmp_path / "profiles" / name))
        assert "cook_failure" in {function for _, _, function in statistics.stats}  # type: ignore[attr-defined]
        # The server's stdout is a file, and Python's buffer of it is not emptied yet.
    assert "PATH: '/page'" in server.log
    assert "Ordered by: cumulative time" in server.log
    assert "hidden" not in server.log.replace("GET /page/two/parts?profile&q=hidden", "")


def test_snakeviz_opens_the_files(stacklapse: Command, tmp_path: Path) -> None:
    options = {"plain": True, "stream": None, "profile_dir": str(tmp_path / "profiles")}
    with serving(stacklapse, "wsgiref", options, debug=False) as server:
        assert server.browse("/page").body == b"<h1>page</h1>"
        # It is written when the body is closed, which is after it was sent.
        profiles = tmp_path / "profiles"
        until(lambda: any(path.stat().st_size for path in profiles.glob("GET.page.*.prof")), "the file", 60)
    (path,) = profiles.glob("GET.page.*.prof")
    with serving(stacklapse, "snakeviz", more=[str(path)]) as snakeviz:
        page = snakeviz.ask("/snakeviz/" + quote(str(path), safe=""))
        assert page.status == 200, page.body
        shown = page.body.decode()
        assert "cook_page" in shown
        assert "kitchen.py" in shown
        folder = snakeviz.ask("/snakeviz/" + quote(str(path.parent), safe=""))
        assert path.name in folder.body.decode()
