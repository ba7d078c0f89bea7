"""The WSGI core: records a request from the call of the application to the `close()` of what it returned.

A WebSocket goes straight to the application: it lasts as long as somebody looks, and WSGI knows of no end of it, so
that who serves it raises something.

A response is never held back and never buffered, unless it is one page of a known size in whose place a report is sent:
that page is kept until the report is made, to be sent after all if it cannot be.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from stacklapse._native import WSGIWatch
from stacklapse._web import failure
from stacklapse._web.answers import Answer
from stacklapse._web.core import Core, Outcome, replaceable
from stacklapse._web.incoming import Incoming
from stacklapse._web.watch import Asked

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Write = Callable[[bytes], object]
ROUTE = "stacklapse.route"
"""Where in the environ a framework's integration leaves the route's template."""
_REASONS = {200: "OK", 202: "Accepted", 404: "Not Found", 405: "Method Not Allowed"}


class WSGICore:
    def __init__(
        self,
        app: WSGIApplication,
        core: Core,
        debug: Callable[[], bool] = lambda: False,
        native: Callable[[WSGIEnvironment], object] = lambda environ: environ,
    ) -> None:
        """`native` makes of an environ what the configured `allow` is called with."""
        self._app = app
        self._core = core
        self._debug = debug
        self._native = native
        self._argument = core.options.argument
        self._cookie = core.options.cookie
        self._variable = _variable(core.options.header)
        self._address = core.options.address
        self._watches = core.watches(lambda watch: route_of(core, watch.environ, watch.request))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # What every request goes through is written out here: calls are what it costs.
        incoming, is_socket = None, False
        try:
            get = environ.get
            upgrade = get("HTTP_UPGRADE")
            is_socket = upgrade is not None and upgrade.lower() == "websocket"
            query, cookies = get("QUERY_STRING"), get("HTTP_COOKIE")
            if (
                (query and self._argument in query)
                or (cookies and self._cookie in cookies)
                or self._variable in environ
                or get("PATH_INFO", "").startswith(self._address)
            ):
                incoming = self._incoming(environ)
        except Exception as error:
            failure.tell("a request could not be looked at", error)
        if is_socket:
            return self._app(environ, start_response)
        if incoming is not None:
            answer = self._core.answer(incoming)
            if answer is not None:
                return _send(answer, start_response, incoming.method)
            watch = self._core.begin(incoming, sys._getframe())
            if watch is not None:
                return self._recorded(watch, environ, start_response)
        if self._watches is None:
            return self._app(environ, start_response)
        try:
            watched = self._watches.wsgi(environ, start_response, sys._getframe())
        except Exception as error:
            failure.tell("a request could not be recorded", error)
            watched = None
        if watched is None:
            return self._app(environ, start_response)
        try:
            body = self._app(environ, watched)
            passed = watched.pass_on(body)
            return _SizedWatched(watched, body) if passed is None else passed
        except BaseException as error:
            watched.fail(error)
            raise

    def _recorded(self, watch: Asked, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """A request that was asked for."""
        exchange = _Exchange(self._core, watch, environ, start_response)
        try:
            body = self._app(environ, exchange.start_response)
            return exchange.pass_on(body)
        except BaseException as error:
            exchange.fail(error)
            raise

    def _incoming(self, environ: WSGIEnvironment) -> Incoming:
        """Of a request that seems to ask for something of ours."""
        return Incoming(
            method=environ["REQUEST_METHOD"],
            path=_text(environ.get("PATH_INFO", "")),
            root=_text(environ.get("SCRIPT_NAME", "")),
            query=environ.get("QUERY_STRING", ""),
            header=lambda name: environ.get(_variable(name)),
            names=lambda: [name[5:].replace("_", "-") for name in environ if name.startswith("HTTP_")],
            protocol=environ.get("SERVER_PROTOCOL", ""),
            peer=environ.get("REMOTE_ADDR"),
            debug=bool(self._debug()),
            native=lambda: self._native(environ),
        )


class _SizedWatched:
    """The body of a request that nobody asked for, where the server may see how many parts there are: of one part it
    makes a Content-Length."""

    def __init__(self, watched: WSGIWatch, body: Iterable[bytes]) -> None:
        self._watched = watched
        self._body = body
        self.close = watched.close

    def __iter__(self) -> Iterator[bytes]:
        return self._watched

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]


class _Exchange:
    """A request that was asked for, on its way through."""

    __slots__ = (
        "_core",
        "_environ",
        "_finished",
        "_held",
        "_holds",
        "_outcome",
        "_released",
        "_start_response",
        "_watch",
    )

    def __init__(self, core: Core, watch: Asked, environ: WSGIEnvironment, start_response: StartResponse) -> None:
        self._core = core
        self._watch = watch
        self._environ = environ
        self._start_response = start_response
        self._outcome = Outcome()
        self._held: tuple[str, list[tuple[str, str]]] | None = None
        self._holds = core.replaces(watch)
        self._released: Write | None = None
        self._finished = False

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None, /
    ) -> Write:
        self._outcome.status = int(status[:3]) if status[:3].isdigit() else 0
        self._outcome.route = route_of(self._core, self._environ)
        self._outcome.headers = tuple(headers)
        if self._holds:
            self._held = (status, headers)
            return self._write
        return self._start(status, headers, exc_info)

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None) -> Write:
        more = self._core.headers(self._watch)
        if more:
            headers = [*headers, *more]
        write: Write
        if exc_info is None:
            write = self._start_response(status, headers)
        else:
            write = self._start_response(status, headers, exc_info)

        def counting(data: bytes) -> object:
            self._outcome.size += len(data)
            return write(data)

        return counting

    def _write(self, data: bytes) -> object:
        """What an application that writes by itself streams: nothing is sent in its place."""
        return self._release()(data)

    def _release(self) -> Write:
        """Sends the headers that were held back, the first time: the server takes them once."""
        if self._released is None:
            assert self._held is not None
            self._holds = False
            self._released = self._start(*self._held, None)
        return self._released

    def pass_on(self, body: Iterable[bytes]) -> Iterable[bytes]:
        if self._holds:
            return self._replace(body)
        if isinstance(body, list | tuple):
            # Nothing of the application runs any more.
            self._outcome.size += sum(len(part) for part in body)
            self.finish()
            return body
        if is_file(self._environ, body):
            self.finish()
            return body
        return _SizedBody(self, body) if hasattr(body, "__len__") else _Body(self, body)

    def _replace(self, body: Iterable[bytes]) -> Iterable[bytes]:
        """The report, if it is one page that was answered; else what was answered."""
        if is_file(self._environ, body) and not self._may_hold(body):
            if self._held is not None:
                self._release()
            self._holds = False
            self.finish()
            return body
        parts = self.count(body)
        held: list[bytes] = []
        try:
            if self._held is None:
                # An application may call start_response as late as with the first part.
                held.extend(itertools.islice(parts, 1))
            if self._held is not None and self._holds:
                if not replaceable(self._outcome.status, self._outcome.headers, whole=isinstance(body, list | tuple)):
                    self._release()
                for part in parts if self._holds else ():
                    held.append(part)
                    if not self._holds:
                        break
        except BaseException:
            _close(body)
            raise
        if self._held is None or not self._holds:
            # Not called at all: what is missing, the server says.
            self._holds = False
            return _Body(self, body, held, parts)
        _close(body)
        answer = self._core.page(self._watch, self._outcome)()
        self._finished = True
        if answer is None:
            self._release()
            return held
        return _send(answer, self._start_response, "GET")

    def _may_hold(self, file: Iterable[bytes]) -> bool:
        """Whether a file is a page to show a report instead of, and could be sent after all if there is none."""
        return (
            self._held is not None
            and hasattr(file, "__iter__")
            and replaceable(self._outcome.status, self._outcome.headers)
        )

    def count(self, body: Iterable[bytes]) -> Iterator[bytes]:
        """The parts as they come."""
        try:
            for part in body:
                self._outcome.size += len(part)
                yield part
        except GeneratorExit:
            raise
        except BaseException as error:
            self._outcome.error = error
            raise

    def fail(self, error: BaseException) -> None:
        if not isinstance(error, GeneratorExit):
            self._outcome.error = error
        self.finish()

    def finish(self) -> None:
        if not self._finished:
            self._finished = True
            self._outcome.route = self._outcome.route or route_of(self._core, self._environ)
            self._core.finish(self._watch, self._outcome)


class _Body:
    """What the application returned, and the end of its recording."""

    def __init__(
        self,
        exchange: _Exchange,
        body: Iterable[bytes],
        held: Iterable[bytes] = (),
        parts: Iterator[bytes] | None = None,
    ) -> None:
        """`held` are parts that were taken out already, `parts` what gives the others."""
        self._exchange = exchange
        self._body = body
        self._parts = itertools.chain(held, exchange.count(body) if parts is None else parts)

    # An iterator with a close() of its own: who delegates to it with `yield from` closes it by that.
    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._parts)

    def close(self) -> None:
        try:
            _close(self._body)
        except BaseException as error:
            self._exchange.fail(error)
            raise
        self._exchange.finish()


class _SizedBody(_Body):
    """Where the server may see how many parts there are: of one part it makes a Content-Length."""

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]


def is_file(environ: WSGIEnvironment, body: object) -> bool:
    """Whether the server sends the body by itself, if it is handed what it made: a file in the server's own wrapper. A
    wrapper that is a function may give back the file that it was given, and know it again (uWSGI's does): what can be
    read is left as it is, then."""
    wrapper = environ.get("wsgi.file_wrapper")
    if isinstance(wrapper, type):
        return isinstance(body, wrapper)
    return callable(wrapper) and hasattr(body, "read")


def _close(body: Iterable[bytes]) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()


def _send(answer: Answer, start_response: StartResponse, method: str) -> list[bytes]:
    start_response(f"{answer.status} {_REASONS[answer.status]}", answer.headers)
    return [] if method == "HEAD" else [answer.body]


def route_of(core: Core, environ: WSGIEnvironment, request: Any = None) -> str:
    """The template of the route, where there is one: nothing that a client chose. `request`: Werkzeug's, if that may no
    longer be in the environ."""
    try:
        if core.options.route is not None:
            return str(core.options.route(environ))
        found = environ.get(ROUTE)
        if found is None:
            request = request or environ.get("werkzeug.request")
            found = getattr(getattr(request, "url_rule", None), "rule", None)
        return str(found or "")
    except Exception as error:
        failure.tell("the route of a request could not be found", error)
        return ""


def _variable(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")


def _text(value: str) -> str:
    """WSGI gives bytes as if they were Latin-1."""
    return value.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
