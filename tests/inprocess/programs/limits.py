"""A thread looks after the requests that are recorded: it ends what takes too long, and keeps nothing alive."""

import gc
import tempfile
import threading
import time
from pathlib import Path

import stacklapse.wsgi
from keeping import until_all_is_kept
from stacklapse._web import watch

ended = []


class Resource:
    def __del__(self):
        ended.append(threading.current_thread())


def application(environ, start_response):
    environ["resource"] = Resource()
    start_response("200 OK", [])
    yield b"1"
    time.sleep(environ["seconds"])
    yield b"2"


def request(seconds):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "QUERY_STRING": "", "seconds": seconds}
    return middleware(environ, lambda *_: None)


def running():
    (limits,) = watch._all
    return [one for watches in limits._watched for one in watches.running()]


folder = tempfile.mkdtemp()
middleware = stacklapse.wsgi.ProfilerMiddleware(application, folder=folder, slow=0.8, max_seconds=1.0)

# Long enough to be seen by that thread, which looks every quarter of a second.
body = request(0.6)
assert list(body) == [b"1", b"2"]
assert len(running()) == 1
body.close()
del body
gc.collect()
assert running() == []
assert ended == [threading.main_thread()], "what a request held ends with it, and where it ends"
assert not list(Path(folder).rglob("*.lapse"))

# One that its server drops is forgotten.
body = request(0.6)
assert next(body) == b"1"
time.sleep(0.6)
assert len(running()) == 1
del body
patience = time.monotonic() + 20
while running() and time.monotonic() < patience:
    gc.collect()
    time.sleep(0.05)
assert running() == []

# One that takes too long goes on without its recording, which is kept.
body = request(1.8)
assert list(body) == [b"1", b"2"]
(one,) = running()
assert one.session is not None
assert one.session.duration < 1.8
del one
body.close()
assert running() == []
until_all_is_kept()
(kept,) = Path(folder).rglob("*.lapse")
