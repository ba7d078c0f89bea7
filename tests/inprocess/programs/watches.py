"""Requests that nobody asked to profile: which are kept, and that what stands in their way is not noticed."""

import asyncio
import contextvars
import gc
import os
import random
import sys
import threading
import time

from stacklapse import _native
from work import spin

kept = []
tended = []


def watches(slow_ns=3600_000_000_000, sample=0.0, most=10, keep=None, **more):
    return _native.Watches(
        **{
            "interval_ns": 1_000_000,
            "first_ns": 1_000_000,
            "slow_ns": slow_ns,
            "sample": sample,
            "most": most,
            "tend": lambda: tended.append(1),
            "keep": keep or (lambda *arguments: kept.append(arguments)),
            **more,
        }
    )


def raises(kind, call, *arguments, **keywords):
    try:
        call(*arguments, **keywords)
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def here():
    return sys._getframe(1)


# Why one is kept.
table = watches()
watch = table.begin("GET", here())
assert (watch.method, watch.session) == ("GET", None)
assert table.running() == [watch]
assert not table.rest()
watch.end(200, None)
assert kept == []
assert table.running() == []
watch.end(500, ValueError())
assert kept == [], "a request ends once"
assert watch.take() is None

recordings = []
ends = watches(slow_ns=5_000_000, keep=lambda watch, *said: recordings.append((watch.take(), watch, *said)))
watch = ends.begin("GET", here())
spin(0.02)
assert watch.samples > 0
assert 0.02 <= watch.seconds < 10
watch.end(204, None, "subject")
((recording, seen, status, error, reason, seconds, subject),) = recordings
assert (seen, status, error, reason, subject) == (watch, 204, None, "slow", "subject")
assert 0.02 <= seconds < 10
assert recording.running
recording.stop()
assert "spin" in _native.Session(recording.trace()).render("folded")

failure = ValueError("no")
for status, error in ((500, None), (503, None), (200, failure), (0, failure)):
    table.begin("PUT", here()).end(status, error)
    ((_, *said, _, _),) = kept
    assert said == [status, error, "failed"]
    kept.clear()
assert len(tended) == 2
assert table.rest()
table.begin("GET", here()).end(499, None)
assert len(tended) == 3
assert kept == []

# A share of all, and none of the others.
share = watches(slow_ns=None, sample=0.25, most=10_000)
begun = [share.begin("GET", here()) for _ in range(4000)]
chosen = [one for one in begun if one is not None]
# Six standard deviations: once in five hundred million.
assert abs(len(chosen) - 1000) < 165, len(chosen)
for one in chosen:
    one.end(500, None)
assert [reason for _, _, _, reason, _, _ in kept] == ["sampled"] * len(chosen)
kept.clear()
del begun, chosen, one, share
assert watches(slow_ns=None, sample=1.0).begin("GET", here()) is not None
assert watches(slow_ns=None).begin("GET", here()) is None

# So many at a time.
two = watches(most=2)
first, second = two.begin("GET", here()), two.begin("GET", here())
assert two.begin("GET", here()) is None
second.end(200, None)
third = two.begin("GET", here())
assert set(two.running()) == {first, third}
assert watches(most=0).begin("GET", here()) is None
# One whose recording has ended, because it lasts, takes the place of none.
third.take().discard()
fourth = two.begin("GET", here())
assert set(two.running()) == {first, third, fourth}
assert not two.rest()
assert two.begin("GET", here()) is None
third.end(200, None)
assert two.begin("GET", here()) is None
fourth.end(200, None)
fifth = two.begin("GET", here())
assert fifth is not None

# What is dropped is forgotten, also in a cycle.
del first, third, fourth, fifth
assert two.running() == []
watch = two.begin("GET", here())
watch.session = [watch]
del watch
gc.collect()
assert two.running() == []

# A failure of `keep` is told, and that of `tend` is who begins's.
told = []
sys.unraisablehook = lambda unraisable: told.append(unraisable.exc_value)
watches(keep=lambda *_: 1 / 0).begin("GET", here()).end(500, None)
assert [type(error) for error in told] == [ZeroDivisionError]
sys.unraisablehook = sys.__unraisablehook__
failing = watches(tend=lambda: 1 / 0)
for _ in range(2):
    raises(ZeroDivisionError, failing.begin, "GET", here())
    assert failing.running() == []


def interrupted(*_):
    raise KeyboardInterrupt


# What is to end the program goes on, also on top of what the application raised.
impatient = watches(keep=interrupted)
raises(KeyboardInterrupt, impatient.begin("GET", here()).end, 500, None)
request = impatient.wsgi({}, print, here())
request.pass_on(iter(()))
try:
    try:
        raise failure
    except ValueError as error:
        request.fail(error)
except KeyboardInterrupt as error:
    assert error.__context__ is failure
assert impatient.running() == []


class Closed:
    def __iter__(self):
        return iter(())

    def close(self):
        raise failure


request = impatient.wsgi({}, print, here())
request.pass_on(Closed())
assert raises(KeyboardInterrupt, request.close).__context__ is failure

# Nobody rests between the call of `tend` and the first.
rested = []
first = watches(tend=lambda: rested.append(first.rest()))
assert first.begin("GET", here()) is not None
assert rested == [False]

# A module that another thread is importing is not waited for.
os.mkdir("slowly")
with open("slowly/trio.py", "w") as file:
    file.write("import time\nimporting = True\ntime.sleep(3)\n")
sys.path.insert(0, "slowly")
importing = threading.Thread(target=__import__, args=("trio",))
importing.start()
while "importing" not in vars(sys.modules.get("trio", object)):
    time.sleep(0.001)
table.begin("GET", here()).end(200, None)
assert importing.is_alive(), "it was waited for"
importing.join()
del sys.path[0], sys.modules["trio"]
raises(TypeError, table.begin, b"GET", here())
raises(TypeError, table.begin, "GET", "no frame")
raises(TypeError, _native.Watch)
raises(TypeError, _native.Watches)
raises(OverflowError, watches, slow_ns=-1)
assert table.running() == []


# Between a WSGI server and an application.
class Body:
    closed = 0
    failing = None

    def __init__(self, *parts):
        self.parts = iter(parts)

    def __iter__(self):
        return self

    def __next__(self):
        part = next(self.parts)
        if isinstance(part, BaseException):
            raise part
        return part

    def close(self):
        self.closed += 1
        if self.failing is not None:
            raise self.failing


class Sized(Body):
    def __len__(self):
        return 1


class Wrapper(Body):
    """What a server sends by itself."""


started = []


def start_response(*arguments, **keywords):
    started.append((arguments, keywords))
    return "write"


environ = {"REQUEST_METHOD": "HEAD", "werkzeug.request": "the request", "wsgi.file_wrapper": Wrapper}


def wsgi(body, status="200 OK"):
    request = table.wsgi(environ, start_response, here())
    if status is not None:
        assert request(status, []) == "write"
    return request, request.pass_on(body)


for body in ([b"1"], (b"1",), Wrapper(b"1")):
    request, passed = wsgi(body)
    assert passed is body
    assert table.running() == [], "it has ended with that"
for body in (Body(b"1", b"2"), iter([b"1", b"2"]), (part for part in (b"1", b"2"))):
    request, passed = wsgi(body)
    assert passed is request
    assert iter(passed) is passed
    assert list(passed) == [b"1", b"2"]
    assert table.running() == [request]
    passed.close()
    assert table.running() == []
    assert getattr(body, "closed", 1) == 1
request, passed = wsgi(Sized(b"1"))
assert passed is None
assert list(request) == [b"1"]
request.close()
assert kept == []


# A wrapper that gives back what it was given, and knows it again: uWSGI's.
class Readable:
    def read(self, size=-1):
        return b""


environ["wsgi.file_wrapper"] = lambda file, size=0: file
with open(__file__, "rb") as file:
    for body in (Readable(), file):
        request, passed = wsgi(body)
        assert passed is body
        assert table.running() == []
request, passed = wsgi(Body(b"1"))
assert passed is request
request.close()
environ["wsgi.file_wrapper"] = Wrapper

assert started[-1] == (("200 OK", []), {})
request = table.wsgi(environ, start_response, here())
request("500 No", [("a", "b")], ("exc", "in", "fo"))
assert started[-1] == (("500 No", [("a", "b")], ("exc", "in", "fo")), {})
raises(TypeError, table.wsgi(environ, lambda: None, here()), "200 OK", [])
assert (request.environ is environ, request.request) == (True, "the request")
seen = []
ends = watches(keep=lambda watch, *said: seen.append((watch.environ is environ, watch.request, *said[:3])))
request = ends.wsgi(environ, start_response, here())
request("503 No", [])
assert request.environ is environ
del environ["werkzeug.request"]
request.pass_on([])
assert seen == [(True, "the request", 503, None, "failed")], seen
assert (request.environ, request.request) == (None, None), "it keeps nothing of its request"

# A body may have a close that is none.
body = Body(b"1")
body.close = None
request, passed = wsgi(body)
assert list(passed) == [b"1"]
passed.close()
assert table.running() == []


# One that dies while somebody asks for those that run.
class Asks:
    def __del__(self):
        asked.append(table.running())


asked = []
for _ in range(10):
    held = {"asks": Asks()}
    request = table.wsgi(held, print, here())
    request.take().discard()
    del held, request
assert asked == [[]] * 10, asked

# Its errors are the application's, and go on.
for broken in (ValueError("in the body"), KeyboardInterrupt()):
    seen.clear()
    request = ends.wsgi(environ, start_response, here())
    request("200 OK", [])
    assert raises(type(broken), list, request.pass_on(Body(b"1", broken))) is broken
    request.close()
    assert seen == [(True, None, 200, broken, "failed")], seen
seen.clear()
request = ends.wsgi(environ, start_response, here())
body = Body(b"1")
body.failing = failure
request.pass_on(body)
assert raises(ValueError, request.close) is failure
assert seen == [(True, None, 0, failure, "failed")]
seen.clear()
request = ends.wsgi(environ, start_response, here())
raises(TypeError, request.pass_on, 7)
request.fail(GeneratorExit())
assert seen == [], "a body that is not read to its end is no failure"
ends.wsgi(environ, start_response, here()).fail(failure)
assert seen == [(True, None, 0, failure, "failed")]
for status in ("", "2", "20", "2x0", "x", 200, None, "²00 OK", "\ud800"):
    seen.clear()
    request = ends.wsgi({}, lambda *_: None, here())
    assert request.method == ""
    request(status, [])
    request.fail(failure)
    assert seen[0][2] == 0, status


# Between an ASGI server and an application.
async def asgi():
    sent = []

    async def send(message):
        await asyncio.sleep(0)
        sent.append(message)
        return "sent"

    said = []
    twenty = watches(most=20, keep=lambda watch, *arguments: said.append(arguments))
    scope = {"method": "POST"}
    request = twenty.asgi(scope, send, here())
    start = {"type": "http.response.start", "status": 502}
    assert await request(start) == "sent"
    assert sent == [start]
    request.finish(None)
    ((status, error, reason, _, subject),) = said
    assert (status, error, reason, subject is scope) == (502, None, "failed", True)
    for message in ({"type": "http.response.body"}, {}, {"type": 7}, {"type": "http.response.start"}, 7):
        said.clear()
        request = twenty.asgi(scope, send, here())
        await request(message)
        assert sent[-1] is message
        request.finish(failure)
        assert said[0][:2] == (0, failure)
    for status in ("200", -1, 2**70, None):
        request = twenty.asgi(scope, send, here())
        await request({"type": "http.response.start", "status": status})
        request.finish(None)
    raises(TypeError, twenty.asgi(scope, send, here()))
    raises(KeyError, twenty.asgi, {}, send, here())
    assert twenty.running() == []

    # Twenty at once, each its own.
    async def one(number):
        request = twenty.asgi(scope, send, here())
        for _ in range(random.randrange(5)):
            await asyncio.sleep(0.001)
        await request({"type": "http.response.start", "status": 500 + number})
        request.finish(None)

    said.clear()
    await asyncio.gather(*(one(number) for number in range(20)))
    assert sorted(status for status, *_ in said) == list(range(500, 520))
    assert twenty.running() == []


asyncio.run(asgi())
kept.clear()

# What runs in one thread may be ended in another, and the context is as it was.
before = dict(contextvars.copy_context())
watch = table.begin("GET", here())
assert dict(contextvars.copy_context()) != before
ending = threading.Thread(target=watch.end, args=(200, None))
ending.start()
ending.join()
table.begin("GET", here()).end(200, None)
assert table.running() == []

# A forked child has none of them.
forked = watches()
watch = forked.begin("GET", here())
child = os.fork()
if child == 0:
    code = 1
    try:
        forked.forget()
        assert forked.running() == []
        watch.end(500, None)
        assert kept == []
        forked.begin("GET", here()).end(500, None)
        assert len(kept) == 1
        code = 0
    finally:
        os._exit(code)
assert os.waitpid(child, 0)[1] == 0
assert forked.running() == [watch]
watch.end(200, None)

# Nothing is left behind.
counts = []
for _ in range(3):
    for _ in range(300):
        request = table.wsgi(environ, start_response, here())
        request("200 OK", [])
        list(request.pass_on(Body(b"1")))
        request.close()
    del request
    gc.collect()
    started.clear()
    counts.append((sys.getrefcount(environ), sys.getrefcount(table), sys.getrefcount(_native.WSGIWatch)))
assert counts[0] == counts[1] == counts[2], counts
