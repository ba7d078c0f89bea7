"""Under gevent, requests are kept in a thread of the system's: in a greenlet, all others would wait for it. The
interpreter waits for it before it ends: CHILD asks once more and ends at once.

usage: greenlets_keep.py FOLDER [CHILD]
"""

# ruff: noqa: E402
from gevent import monkey

monkey.patch_all()

import subprocess
import sys
import time
from pathlib import Path

from stacklapse._web import core
from stacklapse._web.store import Store
from stacklapse.wsgi import ProfilerMiddleware

folder = Path(sys.argv[1])
native_lock = monkey.get_original("_thread", "allocate_lock")
native_sleep = monkey.get_original("time", "sleep")
stuck, reached = native_lock(), native_lock()
stuck.acquire()
reached.acquire()


class StuckStore(Store):
    """Whose disk is stuck until it is let go: a greenlet that waits for it holds up all others."""

    def keep(self, *arguments, **keywords):
        reached.release()
        assert stuck.acquire(timeout=20), "nobody could let it go"
        stuck.release()
        return super().keep(*arguments, **keywords)


class SlowStore(Store):
    def keep(self, *arguments, **keywords):
        native_sleep(0.3)
        return super().keep(*arguments, **keywords)


def application(environ, start_response):
    start_response("200 OK", [])
    return [b"page"]


def ask(middleware):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "QUERY_STRING": ""}
    assert b"".join(middleware(environ, lambda *_: None)) == b"page"


def names():
    return [entry.name for entry in Store(folder).entries()]


if len(sys.argv) > 2:
    core.Store = SlowStore
    ask(ProfilerMiddleware(application, slow=0, folder=folder))
    sys.exit()

core.Store = StuckStore
middleware = ProfilerMiddleware(application, slow=0, folder=folder)
ask(middleware)
assert reached.acquire(timeout=20)
assert names() == []
stuck.release()
patience = time.monotonic() + 20
while not names():
    assert time.monotonic() < patience
    time.sleep(0.01)
assert subprocess.run([sys.executable, __file__, folder, "again"]).returncode == 0
assert len(names()) == 2
print("ok")
