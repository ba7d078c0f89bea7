"""Requests are kept in a thread of its own: nobody waits for that, whatever it waits for."""

import logging
import os
import sys
import threading
from pathlib import Path

from keeping import until_all_is_kept
from stacklapse._web import core, failure, writer
from stacklapse._web.store import Store
from stacklapse.wsgi import ProfilerMiddleware

top = Path(sys.argv[1])
told = []


class Told(logging.Handler):
    def emit(self, record):
        told.append(record.getMessage())


logging.getLogger("stacklapse").addHandler(Told())


class Wrapper:
    def __init__(self, file):
        self.file = file

    def __iter__(self):
        return iter([b"page"])


class Closed(Wrapper):
    def close(self):
        self.file = None


class SlowStore(Store):
    """Whose disk is stuck until it is let go."""

    def __init__(self, folder, free=False):
        super().__init__(folder)
        self.reached, self.freed = threading.Event(), threading.Event()
        if free:
            self.freed.set()

    def keep(self, *arguments, **keywords):
        self.reached.set()
        assert threading.current_thread() is not threading.main_thread()
        assert self.freed.wait(60)
        return super().keep(*arguments, **keywords)


def sends(kind):
    def application(environ, start_response):
        start_response("200 OK", [])
        return {"list": [b"page"], "file": Wrapper(None), "closed": Closed(None)}[kind]

    return application


def watching(name, kind="list", free=False):
    """A middleware that keeps every request, and its folder."""
    stacklapse_store, core.Store = core.Store, lambda folder, **limits: SlowStore(folder, free)
    try:
        middleware = ProfilerMiddleware(sends(kind), slow=0, folder=top / name)
    finally:
        core.Store = stacklapse_store
    return middleware, middleware._core._store


def ask(middleware):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "QUERY_STRING": "", "wsgi.file_wrapper": Wrapper}
    body = middleware(environ, lambda *_: None)
    assert b"".join(body) == b"page"
    getattr(body, "close", int)()


def nobody_waits():
    for kind in ("list", "file", "closed"):
        middleware, store = watching(kind, kind)
        for _ in range(3):
            ask(middleware)
        assert store.reached.wait(60)
        assert store.entries() == []
        store.freed.set()
        until_all_is_kept()
        assert len(store.entries()) == 3


def what_waits_is_bounded():
    middleware, store = watching("bounded")
    ask(middleware)
    assert store.reached.wait(60)
    for _ in range(writer._WAITING_MAX + 5):
        ask(middleware)
    assert "faster than they are kept" in told.pop()
    assert told == []
    store.freed.set()
    until_all_is_kept()
    assert len(store.entries(1000)) == writer._WAITING_MAX + 1
    # None is dropped for ever.
    ask(middleware)
    until_all_is_kept()
    assert len(store.entries(1000)) == writer._WAITING_MAX + 2
    # A large one is kept by itself.
    large = writer.Writer()
    done, going = [], threading.Event()
    large.add(writer._BYTES_MAX * 2, lambda: going.wait(60))
    while large._waiting:
        going.wait(0.01)
    large.add(writer._BYTES_MAX * 2, lambda: done.append("large"))
    large.add(1, lambda: done.append("dropped"))
    going.set()
    until_all_is_kept()
    assert done == ["large"], done


def a_thread_that_cannot_be_started_costs_nothing():
    middleware, store = watching("threads", free=True)
    ask(middleware)
    until_all_is_kept()

    def cannot(*arguments, **keywords):
        raise RuntimeError("can't start new thread")

    start, writer.start_thread = writer.start_thread, cannot
    try:
        for _ in range(20):
            ask(middleware)
    finally:
        writer.start_thread = start
    assert "waits until the next one is kept" in told.pop()
    assert told == []
    ask(middleware)
    until_all_is_kept()
    assert len(store.entries()) == 22


def what_fails_keeps_no_other_from_being_kept():
    failure._told.clear()
    each = writer.Writer()
    done = []
    each.add(1, lambda: 1 / 0)
    each.add(1, lambda: done.append(1))
    until_all_is_kept()
    assert done == [1]
    assert "a request was not kept: division by zero" in told.pop()


def a_forked_child_keeps_its_own():
    middleware, store = watching("forked")
    ask(middleware)
    ask(middleware)
    assert store.reached.wait(60)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            # One of its own: the parent's is locked for ever if its thread was about to wait for it.
            store.freed = threading.Event()
            store.freed.set()
            ask(middleware)
            until_all_is_kept()
            code = 0 if len(store.entries()) == 1 else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    store.freed.set()
    until_all_is_kept()
    assert len(store.entries()) == 3


nobody_waits()
what_waits_is_bounded()
a_thread_that_cannot_be_started_costs_nothing()
what_fails_keeps_no_other_from_being_kept()
a_forked_child_keeps_its_own()
assert told == [], told
