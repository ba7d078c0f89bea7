"""A request that is asked for, on each server: what is answered, and what is in its report."""

from __future__ import annotations

import contextlib
import http.client
import socket
from pathlib import Path

import pytest
from support.command import Command
from support.program import until

from web.servers import PROGRAMS, Server, run_program, serving

KINDS = [
    "flask",
    "gunicorn-sync",
    "gunicorn-gthread",
    "gunicorn-gevent",
    "gunicorn-preload",
    "django",
    "django-asgi",
    "starlette",
    "fastapi",
    "fastapi-uvloop",
]
APPS = {"gunicorn": "flask_app"}  # else it is named after the kind


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_response_is_attributed_and_none_is_broken(
    stacklapse: Command, tmp_path: Path, kind: str
) -> None:
    # Two workers know of each other's reports by the folder only.
    options = {"folder": str(tmp_path / "kept")} if kind == "gunicorn-preload" else {}
    with serving(stacklapse, kind, options) as server:
        check_page(server)
        check_json(server)
        check_redirect(server)
        check_stream(server)
        check_failures(server, kind)
        check_file(server, kind)
        check_cookie_and_header(server)
        check_disconnect(server)
        assert "stacklapse: " not in server.log, server.log


def check_page(server: Server) -> None:
    plain = server.browse("/page/ann")
    assert (plain.status, plain.body) == (200, b"<h1>3</h1>")
    assert plain.says_nothing
    shown = server.browse("/page/ann?profile")
    assert shown.status == 200
    assert shown.is_report
    assert shown.header("Cache-Control") == "no-store, private"
    assert "very-secret-basket" in (shown.header("Set-Cookie") or "")
    assert b"very-secret-basket" not in shown.body
    for fact in (">status</dt><dd>200<", ">size</dt><dd>10 bytes<", "&lt;b&gt;soup&lt;/b&gt;", ">GET /page/"):
        assert fact.encode() in shown.body, fact
    assert b'<a href="./ann">Open the page itself</a>' in shown.body
    assert b'<a href="./ann?a=b&amp;c">Open' in server.browse("/page/ann?a=b&profile&c").body
    assert "cook_page" in server.functions(shown.report)
    opened = server.browse(shown.report)
    assert opened.status == 200
    assert opened.is_report
    # What is no browser's is left alone.
    for headers in ({}, {"Accept": "application/json"}, {"Accept": "text/html", "Sec-Fetch-Dest": "empty"}):
        left = server.ask("/page/ann?profile=1", headers=headers)
        assert left.body == plain.body
        assert "app;dur=" in (left.header("Server-Timing") or "")
        assert "cook_page" in server.functions(left.report)


def check_json(server: Server) -> None:
    posted = server.ask("/json?profile", "POST", {"Accept": "text/html", "Content-Type": "text/plain"}, b"a letter")
    assert posted.status == 200
    assert b'"received"' in posted.body
    assert b"8" in posted.body
    assert "cook_json" in server.functions(posted.report)
    assert server.ask("/json", "POST", body=b"a letter").body == posted.body


def check_redirect(server: Server) -> None:
    moved = server.browse("/away?profile")
    assert moved.status in (302, 307)
    assert moved.header("Location") == "/page/x?secret=hidden-in-query"
    assert "cook_json" in server.functions(moved.report)
    assert b"hidden-in-query" not in server.browse(moved.report).body


def check_stream(server: Server) -> None:
    whole = b"part 0\npart 1\npart 2\npart 3\n"
    streamed = server.browse("/stream?profile")
    assert streamed.body == whole
    assert "cook_stream" in server.functions(streamed.report)
    # The first part is there while the others are still being made.
    assert b"x" * 100 in first_bytes(server, "/endless?profile", 20_000)


def first_bytes(server: Server, path: str, size: int) -> bytes:
    """Of a body that never ends; then the connection is closed."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("GET", path, headers={"Accept": "text/html"})
        answer = connection.getresponse()
        report = answer.getheader("X-Stacklapse-Report")
        assert report is not None
        return answer.read(size)
    finally:
        connection.close()


def check_failures(server: Server, kind: str) -> None:
    shown = server.browse("/error?profile")
    assert shown.is_report
    assert "cook_json" in server.functions(shown.report)
    failed = server.browse("/boom?profile")
    if failed.is_report:
        assert kind.startswith(("django", "gunicorn"))
        assert "cook_failure" in server.functions(failed.report)
    else:
        # The application raised, and whoever is outside of it answered. The list has the report.
        assert failed.status == 500
        listed = server.ask("/_stacklapse/")
        newest = listed.body.partition(b'href="')[2].partition(b'"')[0].decode()
        assert "cook_failure" in server.functions(f"/_stacklapse/{newest}")
    assert server.ask("/boom").status == 500


def check_file(server: Server, kind: str) -> None:
    name = kind.partition("-")[0]
    content = (PROGRAMS / f"{APPS.get(name, f'{name}_app')}.py").read_bytes()
    assert server.ask("/file").body == content
    sent = server.ask("/file?profile")
    assert sent.body == content
    assert "cook_json" in server.functions(sent.report)


def check_cookie_and_header(server: Server) -> None:
    for headers in ({"Cookie": "a=b; stacklapse=1; c=d"}, {"X-Stacklapse": "1"}):
        # A page stays a page: it is its background requests that are of interest.
        answer = server.browse("/page/ann", headers)
        assert answer.body == b"<h1>3</h1>"
        assert "cook_page" in server.functions(answer.report)
    assert server.browse("/page/ann", {"Cookie": "notstacklapse=1; stacklapse-not=2"}).says_nothing


def check_disconnect(server: Server) -> None:
    """Who goes away in the middle leaves a report behind, and a server that works."""
    with contextlib.closing(socket.create_connection(("127.0.0.1", server.port), timeout=60)) as connection:
        connection.sendall(b"GET /endless?profile HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = b""
        while b"xxxx" not in received:
            received += connection.recv(10_000)
    report = next(
        line.partition(b":")[2].strip().decode()
        for line in received.split(b"\r\n")
        if line.lower().startswith(b"x-stacklapse-report")
    )
    assert "cook_stream" in server.functions(report)


@pytest.mark.parametrize("kind", ["starlette", "fastapi"])
def test_threads_background_tasks_and_web_sockets(stacklapse: Command, kind: str) -> None:
    from websockets.sync.client import connect

    with serving(stacklapse, kind) as server:
        assert "cook_page" in server.functions(server.ask("/thread?profile").report)
        assert "cook_in_background" in server.functions(server.ask("/background?profile").report)
        with connect(f"ws://127.0.0.1:{server.port}/echo?profile", open_timeout=60) as echo:
            echo.send("hello")
            assert echo.recv(60) == "HELLO"
        assert "stacklapse: " not in server.log, server.log


def test_asynchronous_views_of_django(stacklapse: Command) -> None:
    with serving(stacklapse, "django-asgi") as server:
        functions = server.functions(server.ask("/asynchronous?profile").report)
        assert {"cook_page", "[await]"} <= functions
        streamed = server.browse("/async-stream?profile")
        assert streamed.body == b"part 0\npart 1\npart 2\npart 3\n"
        assert "cook_stream" in server.functions(streamed.report)


def test_an_application_without_a_framework(stacklapse: Command) -> None:
    with serving(stacklapse, "wsgiref") as server:
        page = server.browse("/page?profile")
        assert page.is_report
        assert "cook_page" in server.functions(page.report)
        assert server.ask("/page?profile").body == b"<h1>page</h1>"
        # The server closes a response behind its last byte.
        until(lambda: server.ask("/closed").body == b"2", "both responses closed")
        # Of one part the server itself makes a Content-Length, if it sees that it is one.
        one = server.ask("/one?profile")
        assert (one.body, one.header("Content-Length")) == (b"one part", "8")
        assert server.browse("/one?profile").is_report
        for path, body in (("/late", b"<h1>late</h1>"), ("/write", b"written, again, returned")):
            answer = server.browse(f"{path}?profile")
            assert answer.body == body
            assert "cook_page" in server.functions(answer.report)
        failed = server.ask("/exc-info?profile")
        assert (failed.status, failed.body) == (500, b"<h1>failed</h1>")
        assert server.browse("/exc-info?profile").is_report
        assert server.browse("/boom?profile").status == 500
        assert server.browse("/silent?profile").status == 500
        assert server.browse("/page").body == b"<h1>page</h1>"


def test_every_message_of_asgi_arrives_as_it_was_sent(stacklapse: Command) -> None:
    run_program(stacklapse, "asgi_messages.py")
