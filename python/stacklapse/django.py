"""Django projects.

    MIDDLEWARE = ["stacklapse.django.ProfilerMiddleware", ...]
    INSTALLED_APPS = [..., "stacklapse.django.StacklapseConfig"]      # for the system checks

and, with DEBUG, `?profile` behind the address of a page shows where its time went, for who comes from this machine.
Options are settings, such as STACKLAPSE_FOLDER; `stacklapse._web.options.Options` says what each means. Without DEBUG
nothing is done until STACKLAPSE_SECRET or STACKLAPSE_ALLOW lets somebody in, or STACKLAPSE_FOLDER and STACKLAPSE_SLOW
keep requests.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.http import FileResponse, HttpResponse

from stacklapse import _native
from stacklapse._web import failure
from stacklapse._web.answers import Answer
from stacklapse._web.core import Core, Outcome, replaceable
from stacklapse._web.incoming import Incoming
from stacklapse._web.options import Options
from stacklapse._web.threads import in_thread
from stacklapse._web.watch import Asked

__all__ = ["ProfilerMiddleware", "StacklapseConfig"]


def _options() -> Options:
    allow = getattr(settings, "STACKLAPSE_ALLOW", None)
    instead = {"allow": async_to_sync(allow)} if iscoroutinefunction(allow) else {}
    return Options.configured(lambda name: getattr(settings, name, None), instead)


class ProfilerMiddleware:
    """Records what lies behind it, so it belongs near the beginning of MIDDLEWARE."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response
        self._core = Core(_options())
        self._variable = "HTTP_" + self._core.options.header.upper().replace("-", "_")
        self._asynchronous = iscoroutinefunction(get_response)
        self._asks_in_thread = self._asynchronous and self._core.options.allow is not None
        self._watches = self._core.watches(_route)
        if self._asynchronous:
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:
        if self._asynchronous:
            return self._call_asynchronously(request)
        answering, watch = self._begin(request)
        answer = answering() if answering is not None else None
        if answer is not None:
            return _response(answer)
        if watch is None:
            return self._get_response(request)
        try:
            response = self._get_response(request)
        except BaseException as error:
            self._fail(watch, request, error)
            raise
        outcome, make = self._look(watch, request, response)
        return self._end(watch, request, response, outcome, make() if make is not None else None)

    async def _call_asynchronously(self, request: Any) -> Any:
        answering, watch = self._begin(request, await self._allowed(request) if self._asks_in_thread else None)
        answer = await in_thread(answering) if answering is not None else None
        if answer is not None:
            return _response(answer)
        if watch is None:
            return await self._get_response(request)
        try:
            response = await self._get_response(request)
        except BaseException as error:
            self._fail(watch, request, error)
            raise
        outcome, make = self._look(watch, request, response)
        return self._end(watch, request, response, outcome, await in_thread(make) if make is not None else None)

    async def _allowed(self, request: Any) -> bool:
        """What `allow` says. It is asked in the thread where Django lets it use the database."""
        try:
            if self._concerned(request):
                allowed: bool = await sync_to_async(self._core.allows, thread_sensitive=True)(_incoming(request))
                return allowed
        except Exception as error:
            failure.tell("a request could not be looked at", error)
        return False

    def _concerned(self, request: Any) -> bool:
        get = request.META.get
        marked = self._variable in request.META
        return self._core.concerned(request.path_info, get("QUERY_STRING", ""), get("HTTP_COOKIE", ""), marked)

    def _begin(
        self, request: Any, allowed: bool | None = None
    ) -> tuple[Callable[[], Answer | None] | None, Asked | _native.Watch | None]:
        """What makes an answer of our own, and what the request is recorded as. `allowed`: as in Incoming."""
        try:
            caller = sys._getframe(1)
            if self._concerned(request):
                incoming = _incoming(request, allowed)
                answering = self._core.answering(incoming)
                watch = None if answering is not None else self._core.begin(incoming, caller)
                if answering is not None or watch is not None:
                    return answering, watch
            return None, self._watches.begin(request.method or "", caller) if self._watches is not None else None
        except Exception as error:
            failure.tell("a request could not be looked at", error)
            return None, None

    def _fail(self, watch: Asked | _native.Watch, request: Any, error: BaseException) -> None:
        outcome = Outcome(error=error if isinstance(error, Exception) else None)
        self._finish(watch, request, outcome)

    def _finish(self, watch: Asked | _native.Watch, request: Any, outcome: Outcome) -> None:
        if isinstance(watch, Asked):
            outcome.route = _route(request)
            self._core.finish(watch, outcome)
        else:
            try:
                watch.end(outcome.status, outcome.error, request)
            except Exception as error:
                failure.tell("a recording could not be ended", error)

    def _look(
        self, watch: Asked | _native.Watch, request: Any, response: Any
    ) -> tuple[Outcome, Callable[[], Answer | None] | None]:
        """How it went, and what makes a report to be sent instead, if one is to be: the recording has ended, then."""
        outcome = Outcome()
        try:
            outcome.status = response.status_code
            if isinstance(watch, Asked):
                # Django's page cache would give everybody what is about to be added, and can be told by no other way.
                request._cache_update_cache = False
                streams = bool(getattr(response, "streaming", False))
                outcome.headers = list(response.items())
                outcome.size = 0 if streams else len(response.content)
                outcome.route = _route(request)
                if (
                    not streams
                    and self._core.replaces(watch)
                    and replaceable(outcome.status, outcome.headers, whole=True)
                ):
                    return outcome, self._core.page(watch, outcome)
        except Exception as error:
            failure.tell("a response could not be looked at", error)
        return outcome, None

    def _end(
        self, watch: Asked | _native.Watch, request: Any, response: Any, outcome: Outcome, answer: Answer | None
    ) -> Any:
        try:
            if answer is not None:
                _turn_into(response, answer)
                return response
            return self._passed_on(watch, request, response, outcome)
        except Exception as error:
            failure.tell("a response could not be looked at", error)
            self._finish(watch, request, Outcome())
            return response

    def _passed_on(self, watch: Asked | _native.Watch, request: Any, response: Any, outcome: Outcome) -> Any:
        for name, value in self._core.headers(watch) if isinstance(watch, Asked) else ():
            before = response.get(name) if name == "Server-Timing" else None
            response[name] = f"{before}, {value}" if before else value

        def finish() -> None:
            self._finish(watch, request, outcome)

        # A file is sent by the server.
        if not getattr(response, "streaming", False) or isinstance(response, FileResponse):
            finish()
            return response
        if response.is_async:
            response.streaming_content = _AsyncStream(response.streaming_content, outcome, finish)
        else:
            response.streaming_content = _Stream(response.streaming_content, outcome, finish)
        return response


class _Stream:
    """A streaming body, whose request ends with it."""

    def __init__(self, parts: Iterator[bytes], outcome: Outcome, finish: Callable[[], None]) -> None:
        self._parts = parts
        self._outcome = outcome
        self._finish = finish

    def __iter__(self) -> Iterator[bytes]:
        try:
            for part in self._parts:
                self._outcome.size += len(part)
                yield part
        except GeneratorExit:
            raise
        except BaseException as error:
            self._outcome.error = error
            raise
        finally:
            self.close()

    def close(self) -> None:
        """Django's to call, with the response. A second time does nothing."""
        finish, self._finish = self._finish, lambda: None
        finish()


class _AsyncStream:
    def __init__(self, parts: AsyncIterator[bytes], outcome: Outcome, finish: Callable[[], None]) -> None:
        self._parts = parts
        self._outcome = outcome
        self._finish = finish

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._parts:
                self._outcome.size += len(part)
                yield part
        except Exception as error:
            self._outcome.error = error
            raise
        finally:
            self.close()

    def close(self) -> None:
        finish, self._finish = self._finish, lambda: None
        finish()


def _incoming(request: Any, allowed: bool | None = None) -> Incoming:
    meta = request.META
    return Incoming(
        method=request.method or "",
        path=request.path_info,
        root=meta.get("SCRIPT_NAME", ""),
        query=meta.get("QUERY_STRING", ""),
        header=request.headers.get,
        names=lambda: request.headers,
        # Under ASGI the request does not say, and the scope does.
        protocol=meta.get("SERVER_PROTOCOL") or f"HTTP/{getattr(request, 'scope', {}).get('http_version', '')}",
        peer=meta.get("REMOTE_ADDR"),
        debug=bool(settings.DEBUG),
        native=lambda: request,
        allowed=allowed,
    )


def _route(request: Any) -> str:
    """The template of the URL pattern: nothing that a client chose."""
    route = getattr(getattr(request, "resolver_match", None), "route", None)
    return f"/{route}" if route is not None else ""


def _response(answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status)
    for name, value in answer.headers:
        response[name] = value
    return response


def _turn_into(response: Any, answer: Answer) -> None:
    """The same response object, since Django closes what belongs to it; its cookies stay."""
    for name in list(response.headers):
        del response[name]
    response.status_code = answer.status
    response.reason_phrase = None
    response.content = answer.body
    for name, value in answer.headers:
        if name.lower() != "set-cookie":
            response[name] = value


class StacklapseConfig(AppConfig):  # type: ignore[misc,unused-ignore]
    """For INSTALLED_APPS: the system checks."""

    name = "stacklapse.django"
    label = "stacklapse"
    verbose_name = "stacklapse"

    def ready(self) -> None:
        checks.register(check_settings, checks.Tags.security)


def check_settings(*_: object, **__: object) -> list[checks.CheckMessage]:
    """Whether the settings can be used, and let somebody in who should not be, or nobody at all."""
    try:
        options = _options()
    except (TypeError, ValueError) as error:
        return [checks.Error(f"A STACKLAPSE_… setting cannot be used: {error}.", id="stacklapse.E001")]
    found: list[checks.CheckMessage] = []
    installed = any("stacklapse.django" in str(name) for name in settings.MIDDLEWARE)
    if not installed:
        found.append(
            checks.Warning(
                "stacklapse is in INSTALLED_APPS, but its middleware is not in MIDDLEWARE.",
                hint="Add 'stacklapse.django.ProfilerMiddleware' near the beginning of MIDDLEWARE.",
                id="stacklapse.W001",
            )
        )
    closed = not settings.DEBUG and options.secret is None and options.allow is None and not options.debug
    if installed and closed and not options.watches:
        found.append(
            checks.Warning(
                "stacklapse's middleware does nothing: DEBUG is off, and nobody else is let in.",
                hint="Set STACKLAPSE_SECRET or STACKLAPSE_ALLOW, or STACKLAPSE_FOLDER and STACKLAPSE_SLOW.",
                id="stacklapse.W002",
            )
        )
    if options.debug and not settings.DEBUG:
        found.append(
            checks.Warning(
                "STACKLAPSE_DEBUG lets every process of this machine see reports, with source, though DEBUG is off.",
                id="stacklapse.W003",
            )
        )
    return found
