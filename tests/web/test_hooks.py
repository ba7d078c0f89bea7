"""The plain Profiler in a framework's hooks, as recipes for other profilers have it: only the import is changed."""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.command import Command

from web.servers import Response, serving

AT_ONCE = 6


@pytest.mark.parametrize(
    ("kind", "path"),
    [("hooks-flask", "/turns"), ("hooks-django", "/turns"), ("hooks-fastapi", "/turns"), ("hooks-fastapi", "/loop")],
)
def test_several_requests_at_once_show_their_own_functions(stacklapse: Command, kind: str, path: str) -> None:
    with serving(stacklapse, kind) as server:
        assert server.ask(f"{path}/0").body.strip(b'"') == b"turned"
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda number: server.browse(f"{path}/{number}?profile=1"), range(AT_ONCE)))
        for number, answer in enumerate(answers):
            assert answer.status == 200, server.log
            assert own_functions(answer) == {f"turn_{number}"}


def own_functions(answer: Response) -> set[str]:
    """Of the summary that a report shows without scripts."""
    assert answer.is_report
    return set(re.findall(r"turn_\d+", answer.body.decode()))


def test_a_report_opens_in_a_browser(stacklapse: Command, tmp_path: Path) -> None:
    with serving(stacklapse, "hooks-flask") as server:
        shown = opened(f"http://127.0.0.1:{server.port}/turns/3?profile", tmp_path)
        assert 'role="tablist"' in shown
        assert "turn_3" in shown.partition('id="app"')[2].partition('id="plain"')[0]


def test_the_report_of_a_page_leads_to_the_page(stacklapse: Command, tmp_path: Path) -> None:
    with serving(stacklapse, "flask") as server:
        page = f"http://127.0.0.1:{server.port}/page/ann"
        drawn = opened(f"{page}?profile&a=b#view=summary", tmp_path).partition('id="app"')[2]
        link = re.search(r'<a class="itself" href="([^"]*)"', drawn)
        assert link
        assert link[1] == "./ann?a=b"
        assert server.browse(f"/page/{link[1].removeprefix('./')}").body == b"<h1>3</h1>"
        for fact in ("GET /page/&lt;name&gt;", "10 bytes", "X-Dish"):
            assert fact in drawn.partition('id="plain"')[0], fact


def opened(address: str, folder: Path) -> str:
    """The page's elements after its scripts have run. Fails when the browser complains."""
    run = subprocess.run(
        [
            "/usr/bin/chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            f"--user-data-dir={folder / 'browser'}",
            "--enable-logging=stderr",
            "--virtual-time-budget=20000",
            "--dump-dom",
            address,
        ],
        capture_output=True,
        text=True,
        timeout=200,
        check=True,
    )
    complaints = [line for line in run.stderr.splitlines() if "CONSOLE" in line]
    assert not complaints
    return run.stdout
