"""Who is let in, and who is not: for everybody else it is as if stacklapse were not there."""

from __future__ import annotations

import socket
import stat
import subprocess
from pathlib import Path

import pytest
from support.command import Command
from support.program import until

from web.servers import Response, Server, serving

SECRET = "a secret of the tests, long enough"


def token(stacklapse: Command, secret: str = SECRET, ttl: str = "10m") -> str:
    run = subprocess.run(
        [stacklapse.path, "token", "--ttl", ttl],
        env=stacklapse.environment() | {"STACKLAPSE_SECRET": secret},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.strip()


def is_shut(server: Server, headers: dict[str, str], query: str = "?profile") -> None:
    """Everything that could give something away is what it is without stacklapse."""
    page = server.browse(f"/page/ann{query}", headers)
    assert page.body == b"<h1>3</h1>"
    assert page.says_nothing
    assert server.browse("/page/ann", headers | {"Cookie": "stacklapse=1"}).says_nothing
    assert server.browse("/page/ann", headers | {"X-Stacklapse": "1"}).says_nothing
    for path in ("/_stacklapse", "/_stacklapse/", "/_stacklapse/" + "0" * 32, "/_stacklapse/index.sqlite"):
        there, elsewhere = server.browse(path, headers), server.browse("/no-such-page", headers)
        assert there.status == 404
        assert there.says_nothing
        assert b"requests</" not in there.body
        assert without_path(there, path) == without_path(elsewhere, "/no-such-page")


def ask_as_nginx(server: Server, path: str) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(
            f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{server.port}\r\nAccept: text/html\r\n\r\n".encode()
        )
        received = b""
        while part := connection.recv(100_000):
            received += part
        return received


def without_path(answer: Response, path: str) -> tuple[int, int, list[str]]:
    length = len(answer.body.replace(path.encode(), b"").replace(path.encode().lstrip(b"/"), b""))
    return (
        answer.status,
        length if b"page not found" not in answer.body.lower() else 0,
        sorted(name.lower() for name, _ in answer.headers),
    )


@pytest.mark.parametrize("kind", ["gunicorn-gthread", "starlette", "django"])
def test_with_debug_mode_off_nobody_is_let_in(stacklapse: Command, kind: str) -> None:
    with serving(stacklapse, kind, debug=False) as server:
        is_shut(server, {})


@pytest.mark.parametrize("kind", ["gunicorn-gthread", "starlette", "django"])
def test_in_debug_mode_only_this_machine_is_let_in(stacklapse: Command, kind: str) -> None:
    with serving(stacklapse, kind) as server:
        assert server.browse("/page/ann?profile").is_report
        # A proxy or tunnel on this machine: whatever it says of where the request is from.
        for headers in (
            {"X-Forwarded-For": "127.0.0.1"},
            {"X-Forwarded-For": "203.0.113.7"},
            {"Forwarded": "for=127.0.0.1"},
            {"X-Real-IP": "127.0.0.1"},
            {"X-Forwarded-Proto": "https"},
            {"X-Client-IP": "203.0.113.7"},
            {"Via": "1.1 proxy"},
            # Another site's name that leads here.
            {"Host": "rebound.example:8000"},
            {"Host": "127.0.0.1.example"},
            # Another site's page.
            {"Origin": "http://other.example"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        ):
            is_shut(server, headers)
        # What nginx makes of everybody's requests, unless it is told otherwise.
        answer = ask_as_nginx(server, "/page/ann?profile")
        assert b"<h1>3</h1>" in answer
        assert b"stacklapse" not in answer.lower()
        followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        assert server.browse("/page/ann?profile", followed).is_report
        for host in ("localhost", "localhost:1234", "app.localhost", "127.0.0.1:5000", "[::1]:80"):
            assert server.browse("/page/ann?profile", {"Host": host}).is_report


@pytest.mark.parametrize("kind", ["gunicorn-gthread", "starlette", "django"])
def test_a_token_lets_in_until_it_ends(stacklapse: Command, kind: str) -> None:
    good = token(stacklapse)
    with serving(stacklapse, kind, {"secret": SECRET}, debug=False) as server:
        is_shut(server, {})
        shown = server.browse(f"/page/ann?profile={good}")
        assert shown.is_report
        # The token is not in what is shown, nor in the link to the page itself.
        assert good.encode() not in shown.body
        for headers in ({"X-Stacklapse": good}, {"Cookie": f"stacklapse={good}"}):
            answer = server.ask("/json", headers=headers)
            assert "cook_json" in server.functions(answer.report, headers)
            assert server.browse(answer.report).says_nothing
        expires, signature = good.split(".")[1:]
        for bad in (
            "",
            "1",
            token(stacklapse, "another secret, as long as that"),
            f"sl1.{int(expires) + 100}.{signature}",
            f"sl1.{expires}.{signature[:-1]}",
            f"sl1.{expires}.{signature}.",
            "sl1.1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "%00" * 50,
        ):
            is_shut(server, {}, f"?profile={bad}")


@pytest.mark.parametrize("kind", ["django", "django-asgi"])
def test_djangos_page_cache_keeps_nothing_of_ours(stacklapse: Command, kind: str) -> None:
    good = token(stacklapse)
    with serving(stacklapse, kind, {"secret": SECRET}, debug=False, environment={"DJANGO_CACHES": "yes"}) as server:
        for headers in ({"X-Stacklapse": good}, {"Cookie": f"stacklapse={good}"}):
            assert server.browse("/asynchronous?profile", headers).is_report
            for path in ("/asynchronous?profile", "/slow/ann"):
                assert server.ask(path, headers=headers).report
                assert server.browse(path).says_nothing
        # It is there, and does keep what others are answered.
        assert server.ask("/slow/ann").header("Cache-Control") == "max-age=600"


@pytest.mark.parametrize("kind", ["gunicorn-gthread", "starlette", "django", "django-asgi"])
def test_a_callback_decides_alone(stacklapse: Command, kind: str) -> None:
    with serving(stacklapse, kind, {"allow": "staff"}) as server:
        # In debug mode, too.
        is_shut(server, {})
        assert server.browse("/page/ann?profile", {"X-Staff": "yes"}).is_report
    for callback in ("failing",) if kind.startswith("django") else ("failing", "asynchronous"):
        with serving(stacklapse, kind, {"allow": callback}) as server:
            is_shut(server, {"X-Staff": "yes"})
            assert server.log.count("`allow` failed") == 1


@pytest.mark.parametrize("kind", ["django", "django-asgi"])
@pytest.mark.parametrize("callback", ["in_database", "asynchronous"])
def test_djangos_callback_may_use_the_database_and_be_asynchronous(
    stacklapse: Command, kind: str, callback: str
) -> None:
    with serving(stacklapse, kind, {"allow": callback}) as server:
        is_shut(server, {})
        shown = server.browse("/page/ann?profile", {"X-Staff": "yes"})
        assert shown.is_report
        assert "cook_page" in server.functions(shown.report, {"X-Staff": "yes"})
        assert "stacklapse: " not in server.log, server.log


@pytest.mark.parametrize("kind", ["gunicorn-gthread", "starlette"])
def test_what_a_client_chooses_is_in_no_name_and_breaks_no_page(stacklapse: Command, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "kept"
    options = {"folder": str(folder), "slow": "100ms"}
    with serving(stacklapse, kind, options) as server:
        script = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E"
        shown = server.browse(f"/page/{script.replace('/', '')}?profile&q={script}")
        assert shown.is_report
        assert b"<script>alert" not in shown.body
        assert b'">' + b"<script>a" not in shown.body
        assert b"<b>soup" not in shown.body
        for path in ("/..%2f..%2fetc%2fpasswd", "/..", "/.", "/%00", "/" + "a" * 5000, "/index.sqlite", "/asked"):
            answer = server.browse(f"/_stacklapse{path}")
            assert answer.status in (200, 404, 405, 400, 414), path
            assert b"root:" not in answer.body
            assert b"SQLite" not in answer.body
        for method in ("POST", "PUT", "DELETE"):
            assert server.ask("/_stacklapse/", method).status == 405
        server.ask("/slow/user-4711-ann?token=very-secret-token&profile")
        assert server.browse("/slow/user-4711-ann?token=very-secret-token&profile").is_report
        server.ask("/slow/user-4711-ann?token=very-secret-token")
        names = kept(folder)
        assert [name for name in names if name.endswith(".lapse") and "slow" in name]
        for file in folder.rglob("*"):
            mode = stat.S_IMODE(file.stat().st_mode)
            assert mode == (0o700 if file.is_dir() else 0o600), file
            for secret in ("ann", "4711", "very-secret"):
                assert secret not in str(file.relative_to(folder))
            if file.suffix in (".sqlite", ".json"):
                assert b"very-secret" not in file.read_bytes()
                assert b"4711" not in file.read_bytes()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def kept(folder: Path) -> list[str]:
    """The names in the folder, once the request that was slow is kept, which may be a moment after its answer."""

    def names() -> list[str]:
        return [path.name for path in folder.rglob("*")]

    def whole() -> list[str] | None:
        found = names()
        under_way = any(name.startswith(".unfinished-") or name.endswith("-journal") for name in found)
        slow = any(name.endswith(".lapse") and "slow" in name for name in found)
        return found if slow and not under_way else None

    return until(whole, lambda: f"the slow request among {names()}", 60)


def test_a_link_in_the_place_of_the_reports_is_not_followed(stacklapse: Command, tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "kept", tmp_path / "elsewhere"
    folder.mkdir(0o700)
    elsewhere.mkdir(0o700)
    (folder / "asked").symlink_to(elsewhere)
    with serving(stacklapse, "gunicorn-gthread", {"folder": str(folder)}) as server:
        page = server.browse("/page/ann?profile")
        assert page.body == b"<h1>3</h1>"
        assert page.says_nothing
        server.browse("/page/ann?profile")
        assert server.log.count("told once") == 1
    assert list(elsewhere.iterdir()) == []
