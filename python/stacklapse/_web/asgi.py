"""The ASGI core: records a request from the call of the application to its return, which is after the last byte and
after background tasks. Of the messages none is held back, unless they are one page in whose place a report is sent.

Everything that is no HTTP request (WebSockets, the lifespan) goes straight to the application.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from types import CodeType
from typing import Any

from stacklapse._web import failure
from stacklapse._web.answers import Answer
from stacklapse._web.core import Core, Outcome, replaceable
from stacklapse._web.incoming import Incoming
from stacklapse._web.threads import in_thread
from stacklapse._web.watch import Asked

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# How a server tells that the client has gone: not an error of the application's.
_GONE = ("ClientDisconnect", "ClientDisconnected")
# Ways to send a body that the server takes from elsewhere; a page that may be replaced comes in messages.
_BY_SERVER = ("http.response.pathsend", "http.response.zerocopysend")
# Of an application; what lies beyond has its own path for a route.
_ROUTES_MAX = 10_000


class ASGICore:
    def __init__(self, app: Application, core: Core, debug: Callable[[Scope], bool]) -> None:
        self._app = app
        self._core = core
        self._debug = debug
        self._argument = core.options.argument
        self._cookie = core.options.cookie.encode()
        self._header = core.options.header.lower().encode()
        self._address = core.options.address
        self._watches = core.watches(lambda scope: route_of(core, scope))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # What every request goes through is written out here: calls are what it costs, and awaits at each suspension.
        watched = None
        if scope["type"] == "http":
            incoming = self._incoming(scope)
            if incoming is not None:
                answering = self._core.answering(incoming)
                answer = await in_thread(answering) if answering is not None else None
                if answer is not None:
                    return await _send(answer, send, incoming.method)
                watch = self._core.begin(incoming, sys._getframe())
                if watch is not None:
                    return await self._recorded(watch, scope, receive, send)
            if self._watches is not None:
                try:
                    watched = self._watches.asgi(scope, send, sys._getframe())
                except Exception as error:
                    failure.tell("a request could not be recorded", error)
        if watched is None:
            return await self._app(scope, receive, send)
        try:
            await self._app(scope, receive, watched)
        except BaseException as error:
            watched.finish(error if _is_failure(error, send, receive) else None)
            raise
        watched.finish(None)
        return None

    async def _recorded(self, watch: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        """A request that was asked for."""
        exchange = _Exchange(self._core, watch, scope, send)
        try:
            await self._app(exchange.scope, receive, exchange.send)
            await exchange.complete()
        except BaseException as error:
            if _is_failure(error, send, receive):
                exchange.fail(error)
            if isinstance(error, Exception):
                # A framework may answer with an error page first and then let the server know.
                await exchange.complete()
            raise
        finally:
            exchange.finish()

    def _incoming(self, scope: Scope) -> Incoming | None:
        """None when it asks for nothing of ours."""
        try:
            query = scope.get("query_string", b"").decode("latin-1")
            root, path = scope.get("root_path", ""), scope["path"]
            # In newer versions of the specification the path has the root at its beginning.
            below = path[len(root) :] if root and path.startswith(root + "/") else path
            headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
            concerned = (query and self._argument in query) or below.startswith(self._address)
            for name, value in headers if not concerned else ():
                # There may be several cookies from HTTP/2 on.
                if name == self._header or (name == b"cookie" and self._cookie in value):
                    concerned = True
            if not concerned:
                return None

            def header(name: str) -> str | None:
                key = name.lower().encode("latin-1")
                values = [value.decode("latin-1") for found, value in headers if found.lower() == key]
                # Cookies come in several headers from HTTP/2 on.
                return (";" if key == b"cookie" else ",").join(values) if values else None

            client = scope.get("client")
            return Incoming(
                method=scope["method"],
                path=below,
                root=root,
                query=query,
                header=header,
                names=lambda: [name.decode("latin-1") for name, _ in headers],
                protocol=f"HTTP/{scope.get('http_version', '')}",
                peer=client[0] if client else None,
                debug=bool(self._debug(scope)),
                native=lambda: scope,
            )
        except Exception as error:
            failure.tell("a request could not be looked at", error)
            return None


class _Exchange:
    """A request that was asked for, on its way through."""

    __slots__ = ("_core", "_finished", "_held", "_holds", "_outcome", "_send", "_watch", "scope")

    def __init__(self, core: Core, watch: Asked, scope: Scope, send: Send) -> None:
        self._core = core
        self._watch = watch
        self._send = send
        self._outcome = Outcome()
        self._held: list[Message] = []
        self._holds = core.replaces(watch)
        self._finished = False
        self.scope = scope
        if self._holds and scope.get("extensions"):
            extensions = {name: what for name, what in scope["extensions"].items() if name not in _BY_SERVER}
            self.scope = {**scope, "extensions": extensions}

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self._outcome.status = message["status"]
            message = self._amended(message)
        elif kind == "http.response.body":
            self._outcome.size += len(message.get("body", b""))
        if self._holds and kind in ("http.response.start", "http.response.body"):
            self._held.append(message)
            if not self._replaceable(message):
                await self._release()
            return
        if self._holds and self._held:
            # Nothing overtakes what is held: neither trailers nor what a server may know besides.
            await self._release()
        await self._send(message)

    def _amended(self, message: Message) -> Message:
        try:
            # An application may give an iterator, which can be read once.
            message = {**message, "headers": list(message.get("headers", ()))}
            headers = [(bytes(name), bytes(value)) for name, value in message["headers"]]
            self._outcome.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
            if self._holds:
                return message
            return {**message, "headers": [*headers, *_encoded(self._core.headers(self._watch))]}
        except Exception as error:
            failure.tell("the headers of a response could not be added to", error)
            return message

    def _replaceable(self, message: Message) -> bool:
        """What there is up to this message may turn out to be a page. Without a size in its headers it is one if its
        body is a single message."""
        if message["type"] == "http.response.start":
            return replaceable(message["status"], self._outcome.headers, whole=True)
        whole = len(self._held) == 2 and not message.get("more_body", False)
        return replaceable(self._outcome.status, self._outcome.headers, whole=whole)

    async def _release(self) -> None:
        """Sends what was held back: no report will be sent in its place."""
        self._holds = False
        held, self._held = self._held, []
        for message in held:
            if message["type"] == "http.response.start":
                message = self._amended(message)
            await self._send(message)

    async def complete(self) -> None:
        """The application has returned."""
        if not self._holds or not self._held:
            return
        if self._held[-1]["type"] != "http.response.body" or self._held[-1].get("more_body", False):
            await self._release()
            return
        self._outcome.route = route_of(self._core, self.scope)
        make = self._core.page(self._watch, self._outcome)
        self._finished = True
        answer = await in_thread(make)
        if answer is None:
            await self._release()
        else:
            self._holds = False
            await _send(answer, self._send, "GET")

    def fail(self, error: BaseException) -> None:
        self._outcome.error = error

    def finish(self) -> None:
        if not self._finished:
            self._finished = True
            self._outcome.route = route_of(self._core, self.scope)
            self._core.finish(self._watch, self._outcome)


def _is_failure(error: BaseException, send: Send, receive: Receive) -> bool:
    """Not where the client has gone: the application was cancelled for that, or the server's functions say so."""
    if isinstance(error, asyncio.CancelledError | GeneratorExit) or type(error).__name__ in _GONE:
        return False
    # What others than the server say is about another connection: to a database, say.
    return not (isinstance(error, OSError) and _came_through(error, (_code_of(send), _code_of(receive))))


def _came_through(error: BaseException, codes: tuple[CodeType | None, ...]) -> bool:
    at = error.__traceback__
    while at is not None:
        if at.tb_frame.f_code in codes:
            return True
        at = at.tb_next
    return False


def _code_of(function: object) -> CodeType | None:
    """Of what is called; None when that is none of Python's."""
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    return code if isinstance(code, CodeType) else None


async def _send(answer: Answer, send: Send, method: str) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": _encoded(answer.headers)})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else answer.body})


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]


def route_of(core: Core, scope: Scope) -> str:
    """The template of the route, where there is one: nothing that a client chose."""
    try:
        if core.options.route is not None:
            return str(core.options.route(scope))
        return _starlette_route(scope) or ""
    except Exception as error:
        failure.tell("the route of a request could not be found", error)
        return ""


def _starlette_route(scope: Scope) -> str | None:
    """Starlette says which route or function answers; below which others it lies is in the outermost router's list. A
    mounted application puts itself in the place of the outermost, but not its router."""
    wanted, endpoint = scope.get("route"), scope.get("endpoint")
    if wanted is None and endpoint is None:
        return None
    included = scope.get("fastapi", {}).get("effective_route_context")
    original = getattr(included, "original_route", None)
    if endpoint is not None and getattr(original, "endpoint", None) is endpoint:
        # Its router may be included in several places, and this is the route in one of them.
        wanted = getattr(included, "starlette_route", None) or included
    pending = [("", route) for route in getattr(scope.get("router"), "routes", ())]
    at = 0
    while at < len(pending) and at < _ROUTES_MAX:
        prefix, route = pending[at]
        at += 1
        path = prefix + str(getattr(route, "path", ""))
        inner = _below(route)
        if route is wanted or (wanted is None and not inner and getattr(route, "endpoint", None) is endpoint):
            return path
        pending.extend((path, below) for below in inner)
    return getattr(wanted, "path", None)


def _below(route: Any) -> list[Any]:
    """The routes of a mount; or of a router that FastAPI has included, as they are in that place, which has no path."""
    candidates = getattr(route, "effective_candidates", None)
    routes = candidates() if candidates is not None else getattr(route, "routes", None)
    return [getattr(below, "starlette_route", None) or below for below in routes or ()]
