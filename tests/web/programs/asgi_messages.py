"""What an ASGI application may send that no server of the tests passes on, or no framework sends."""

import asyncio
import functools
import sys
import tempfile

from keeping import until_all_is_kept
from stacklapse._web.store import Store
from stacklapse.asgi import ProfilerMiddleware

BROWSER = [(b"host", b"localhost"), (b"accept", b"text/html")]


def start(headers, **more):
    return {"type": "http.response.start", "status": 200, "headers": headers, **more}


def body(content, more=False):
    return {"type": "http.response.body", "body": content, "more_body": more}


def answered(*messages):
    """What becomes of an application's messages when a browser asks for a report."""
    sent = []

    async def application(scope, receive, send):
        for message in messages:
            await send(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"profile", "headers": BROWSER}
    scope["client"] = ("127.0.0.1", 1)
    asyncio.run(ProfilerMiddleware(application, debug=True)(scope, receive, send))
    return sent


def check_that_headers_may_be_an_iterator():
    headers = [(b"location", b"/elsewhere"), (b"set-cookie", b"a=b")]
    moved = answered({**start(iter(headers)), "status": 302}, body(b""))
    streamed = answered(start(iter(headers)), body(b"one", more=True), body(b"two"))
    for messages in (moved, streamed):
        assert list(messages[0]["headers"])[:2] == headers, messages
        assert any(name == b"x-stacklapse-report" for name, _ in messages[0]["headers"]), messages
    shown = answered(start(iter(headers)), body(b"page"))
    assert b"stacklapse-columns" in shown[1]["body"]
    assert (b"set-cookie", b"a=b") in shown[0]["headers"]


def check_that_nothing_overtakes_the_beginning():
    trailers = {"type": "http.response.trailers", "headers": [(b"x-sum", b"1")]}
    messages = answered(start([], trailers=True), body(b"page"), trailers)
    assert [message["type"] for message in messages] == [
        "http.response.start",
        "http.response.body",
        "http.response.trailers",
    ]
    assert messages[1]["body"] == b"page"


def check_that_only_the_server_says_that_the_client_has_gone():
    """Another connection may be reset as well: to a database, say."""

    async def receive():
        raise ConnectionResetError("the client")

    async def send(message):
        raise OSError("the client, as the specification says it")

    async def bound(self, message):
        raise BrokenPipeError("the client")

    async def closed(self, message):
        raise BrokenPipeError("the client, of which it was said before")

    async def named(number, message):
        raise ConnectionAbortedError("the client")

    class Server:
        send = bound
        __call__ = closed

    async def sends(scope, receive, send):
        await send(start([]))

    async def receives(scope, receive, send):
        await receive()

    async def asks_a_database(scope, receive, send):
        raise ConnectionRefusedError("the database")

    async def runs_out_of_disk(scope, receive, send):
        raise OSError("no space")

    for application, function, failed in (
        (sends, send, False),
        (sends, Server().send, False),
        (sends, Server(), False),
        (sends, functools.partial(named, 1), False),
        (receives, send, False),
        (asks_a_database, send, True),
        (asks_a_database, print, True),
        (runs_out_of_disk, send, True),
    ):
        for query in (b"", b"profile"):
            folder = tempfile.mkdtemp()
            middleware = ProfilerMiddleware(application, debug=True, slow=60, folder=folder)
            scope = {"type": "http", "method": "GET", "path": "/", "query_string": query, "headers": BROWSER}
            scope["client"] = ("127.0.0.1", 1)
            try:
                asyncio.run(middleware(scope, receive, function))
            except OSError:
                until_all_is_kept()
                kept = Store(folder).entries()
                assert [(entry.status, entry.reason) for entry in kept] == [(500, "failed")] * failed
            else:
                raise AssertionError("it was swallowed")
            for _, report in middleware._core._reports.latest():
                facts = dict(report.about.facts)
                assert (facts["status"] == "500") == ("exception" in facts) == failed, facts


check_that_headers_may_be_an_iterator()
check_that_only_the_server_says_that_the_client_has_gone()
check_that_nothing_overtakes_the_beginning()
sys.stdout.write("as said\n")
