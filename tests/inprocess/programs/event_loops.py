"""What takes long for who asks for a report is done beside the event loop, which serves others meanwhile."""

import sys
import tempfile
import threading

from stacklapse._web import answers, failure
from stacklapse.asgi import ProfilerMiddleware

kind = sys.argv[1]
threads = []
real = {name: getattr(answers, name) for name in ("answer", "page")}


def noted(name):
    def instead(*arguments):
        threads.append((name, threading.current_thread() is threading.main_thread()))
        return real[name](*arguments)

    return instead


for name in real:
    setattr(answers, name, noted(name))


async def application(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"page"})


async def receive():
    return {"type": "http.request", "body": b""}


middleware = ProfilerMiddleware(application, debug=True, folder=tempfile.mkdtemp())


async def asked(path, query=b""):
    sent = []

    async def send(message):
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"accept", b"text/html")]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query, "headers": headers}
    await middleware(scope | {"client": ("127.0.0.1", 1)}, receive, send)
    return b"".join(message.get("body", b"") for message in sent)


async def main():
    assert b"stacklapse-columns" in await asked("/", b"profile")
    assert b"Profiled requests" in await asked("/_stacklapse/")
    ((number, _),) = middleware._core._reports.latest()
    assert b"stacklapse-columns" in await asked(f"/_stacklapse/{number}")
    assert await asked("/_stacklapses") == b"page"


if kind == "trio":
    import trio

    trio.run(main)
else:
    import asyncio

    asyncio.run(main())
assert threads == [("page", False), ("answer", False), ("answer", False)], threads

# Where there is no loop that is known, and where it has no thread.
threads.clear()
coroutine = asked("/_stacklapse/")
try:
    coroutine.send(None)
except StopIteration as ended:
    assert b"Profiled requests" in ended.value
assert threads == [("answer", True)]
assert not failure._told
if kind == "asyncio":

    async def without_threads():
        asyncio.get_running_loop().run_in_executor = None
        assert b"Profiled requests" in await asked("/_stacklapse/")

    asyncio.run(without_threads())
    assert failure._told == {"no thread could be had"}
