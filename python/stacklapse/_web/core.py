"""What WSGI, ASGI and Django share: whether a request is recorded, and what becomes of the recording.

Nothing in here raises into the request. What fails is told once (failure.py), and the request goes on as if stacklapse
were not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any
from urllib.parse import quote

from stacklapse import _native
from stacklapse._web import access, answers, failure
from stacklapse._web.answers import Answer
from stacklapse._web.incoming import Incoming
from stacklapse._web.options import Options
from stacklapse._web.reports import About, Reports
from stacklapse._web.store import MAX_BYTES, MAX_FILES, Store
from stacklapse._web.watch import Asked, Limits
from stacklapse._web.writer import Writer
from stacklapse.session import Session

Headers = Sequence[tuple[str, str]]

# Values of headers like these stay out of a report, which may be kept and sent around.
_SECRET_WORDS = (
    *("cookie", "auth", "token", "secret", "key", "session", "csrf", "xsrf", "user", "email"),
    *("pass", "pwd", "credential", "signature", "jwt", "otp", "code"),
)
_HEADERS_MAX, _VALUE_MAX = 50, 200
# Bytes of a page that a report is sent instead of; it is held meanwhile. Longer ones are sent themselves.
_REPLACED_MAX = 16_000_000


@dataclass(slots=True)
class Outcome:
    """How a request went."""

    status: int = 0
    """0: nothing was answered."""
    headers: Headers = ()
    size: int = 0
    """Bytes of the body that were sent."""
    error: BaseException | None = None
    """That left the application; not for a client that went away, and a task that was cancelled for that."""
    route: str = ""


class Core:
    def __init__(self, options: Options) -> None:
        self.options = options
        self._limits = Limits(float(options.max_seconds), options.max_samples)
        self._store: Store | None = None
        self._watches: _native.Watches | None = None
        if options.folder is not None:
            self._store = Store(
                options.folder,
                max_files=MAX_FILES if options.max_files is None else options.max_files,
                max_bytes=MAX_BYTES if options.max_bytes is None else options.max_bytes,
            )
        self._reports = Reports(self._store.folder if self._store is not None else None, options.max_reports)
        self._writer = Writer()

    def watches(self, route: Callable[[Any], str]) -> _native.Watches | None:
        """
        What records the requests that nobody asked for, to see which are worth keeping; None when none are to be.
        `route` gives the template of the route of one that is kept, from what its Watch hands over as its subject. Of
        one that was asked for, the template itself is the subject.
        """
        options, store = self.options, self._store
        if not options.watches or store is None:
            return None

        def ended(
            watch: _native.Watch, status: int, raised: BaseException | None, reason: str, seconds: float, subject: Any
        ) -> None:
            try:
                session = self._limits.stop(watch)
                if session is not None:
                    keep = partial(
                        store.keep,
                        session,
                        method=watch.method,
                        route=subject if isinstance(subject, str) else route(subject),
                        # What the server answers where the application does not.
                        status=500 if status == 0 and raised is not None else status,
                        duration=seconds,
                        reason=reason,
                        in_task=watch.in_task,
                    )
                    self._writer.add(len(session._trace), keep)
            except Exception as error:
                failure.tell("a recording could not be ended", error)

        interval_ns = round((options.watch_interval or 0.0) * 1e9)
        slow_ns = round(options.slow * 1e9) if isinstance(options.slow, float) else None
        watches = _native.Watches(
            interval_ns=interval_ns,
            # What begins is looked at only once in this time: most requests end sooner, and are never looked at.
            first_ns=max((slow_ns or 0) // 10, interval_ns),
            slow_ns=slow_ns,
            sample=options.sample,
            most=options.max_watched,
            tend=self._limits.tend,
            keep=ended,
        )
        self._limits.include(watches)
        self._watches = watches
        return watches

    def concerned(self, path: str, query: str, cookies: str, marked: bool) -> bool:
        """Whether a request may be for stacklapse at all, which few are. `marked`: it has our header."""
        options = self.options
        return (
            marked
            or (query != "" and options.argument in query)
            or (cookies != "" and options.cookie in cookies)
            or path.startswith(options.address)
        )

    def answer(self, incoming: Incoming) -> Answer | None:
        """A report, or the list of them, when that is asked for by who may; else None."""
        make = self.answering(incoming)
        return make() if make is not None else None

    def answering(self, incoming: Incoming) -> Callable[[], Answer | None] | None:
        """What makes that answer, in any thread: it takes as long as the folder and the report do."""
        try:
            place = incoming.path.removeprefix(self.options.address)
            if place == incoming.path or (place and not place.startswith("/")) or not self._may(incoming):
                return None
        except Exception as error:
            failure.tell("a request could not be looked at", error)
            return None

        def make() -> Answer | None:
            try:
                return answers.answer(incoming, place.removeprefix("/"), self._reports, self._store)
            except Exception as error:
                failure.tell("a report could not be served", error)
                return None

        return make

    def begin(self, incoming: Incoming, caller: FrameType) -> Asked | None:
        """Starts to record the request, if it was asked for by who may."""
        try:
            if access.asks(self.options, incoming) and self._may(incoming):
                return self._begin_asked(incoming, caller)
        except Exception as error:
            failure.tell("a request could not be recorded", error)
        return None

    def allows(self, incoming: Incoming) -> bool:
        """Whether `incoming` asks for something of ours, and may: for who has to ask elsewhere than where it begins."""
        asks = incoming.path.startswith(self.options.address) or access.asks(self.options, incoming)
        return bool(asks) and self._may(incoming)

    def _may(self, incoming: Incoming) -> bool:
        if incoming.allowed is not None:
            return incoming.allowed
        try:
            return access.may(self.options, incoming)
        except Exception as error:
            failure.tell("the configured function `allow` failed, and nobody is let in", error)
            return False

    def _begin_asked(self, incoming: Incoming, caller: FrameType) -> Asked:
        watch = Asked(incoming)
        self._start_asked(watch, caller)
        # Last, so that its time is the request's and not what we do before.
        try:
            if self._watches is not None:
                watch.watched = self._watches.begin(incoming.method, caller)
        except Exception as error:
            failure.tell("a request is recorded, but cannot be kept", error)
        except BaseException:
            self._end(watch, Outcome(), None)
            raise
        return watch

    def _start_asked(self, watch: Asked, caller: FrameType) -> None:
        """Begins to record it, unless too many are."""
        if not self._limits.add(watch, self.options.max_profiles):
            most = self.options.max_profiles
            watch.skipped = f"{most} {'request is' if most == 1 else 'requests are'} being profiled already"
            return
        try:
            watch.number = self._reports.reserve(f"{watch.incoming.method} request")
            watch.start(round(self.options.interval * 1e9), caller)
        except BaseException:
            self._limits.remove(watch)
            if watch.number is not None:
                self._reports.drop(watch.number)
            raise

    def headers(self, watch: Asked) -> list[tuple[str, str]]:
        """What the response says of its profile."""
        found = []
        if watch.number is not None:
            found.append(("Server-Timing", watch.timing()))
            found.append(("X-Stacklapse-Report", self._address(watch)))
        if watch.skipped is not None:
            found.append(("X-Stacklapse-Skipped", watch.skipped))
        if watch.limited is not None:
            found.append(("X-Stacklapse-Limit", watch.limited))
        return found

    def _address(self, watch: Asked) -> str:
        root = quote(watch.incoming.root.rstrip("/").encode("utf-8", "surrogateescape"), safe="/")
        return f"{root}{self.options.address}/{watch.number}"

    def finish(self, watch: Asked, outcome: Outcome) -> None:
        """A request that was asked for has ended."""
        self._end(watch, outcome, None)

    def page(self, watch: Asked, outcome: Outcome) -> Callable[[], Answer | None]:
        """Ends the recording. What makes its report, in any thread, to be sent instead of the response; None when there
        is none."""
        ended: tuple[Session, About] | None = None
        headers: list[tuple[str, str]] = []
        try:
            ended = self._end(watch, outcome, watch.incoming.itself(self.options.argument))
            # What the page sets goes on: else a report would cost a user his session.
            cookies = [(name, value) for name, value in outcome.headers if name.lower() == "set-cookie"]
            headers = [*self.headers(watch), *cookies]
        except Exception as error:
            failure.tell("a report could not be made", error)

        def make() -> Answer | None:
            try:
                return answers.page(*ended, headers) if ended is not None else None
            except Exception as error:
                failure.tell("a report could not be made", error)
                return None

        return make

    def _end(self, watch: Asked, outcome: Outcome, link: str | None) -> tuple[Session, About] | None:
        """Ends the recording, and puts what it has where it is asked for. None when there is nothing: nobody is to wait
        for that."""
        try:
            seconds = watch.seconds
            if outcome.status == 0 and outcome.error is not None:
                # What the server answers where the application does not.
                outcome.status = 500
            self._limits.remove(watch)
            try:
                session = self._limits.stop(watch)
            finally:
                watch.end_watched(outcome.status, outcome.error, outcome.route)
            if session is not None and watch.number is not None:
                about = _about(watch, outcome, seconds, link)
                self._reports.put(watch.number, about, session)
                return session, about
        except Exception as error:
            failure.tell("a recording could not be ended", error)
        try:
            if watch.number is not None and watch.is_here:
                number, watch.number = watch.number, None
                self._reports.drop(number)
        except Exception as error:
            failure.tell("a report could not be taken back", error)
        return None

    def replaces(self, watch: Asked) -> bool:
        """Whether the report is to be sent instead of the response, if that is one page and no redirect."""
        return (
            watch.number is not None
            and watch.incoming.argument(self.options.argument) is not None
            and watch.incoming.wants_page
        )


def replaceable(status: int, headers: Headers, *, whole: bool = False) -> bool:
    """Whether a response is one in whose place a report may be shown: no redirect, no question for a password, nothing
    to be saved to a file, and nothing that streams. Such a one has its size in the headers; `whole`: it is there as a
    whole, whatever they say."""
    if status < 200 or status in (204, 304, 401) or 300 <= status <= 399:
        return False
    if any(name.lower() == "content-disposition" and not _shows(value) for name, value in headers):
        return False
    size = content_length(headers)
    return whole if size is None else size <= _REPLACED_MAX


def _shows(disposition: str) -> bool:
    return disposition.partition(";")[0].strip().lower() == "inline"


def content_length(headers: Headers) -> int | None:
    for name, value in headers:
        if name.lower() == "content-length":
            return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None
    return None


def _about(watch: Asked, outcome: Outcome, seconds: float, link: str | None) -> About:
    method = watch.incoming.method[:20]
    route = outcome.route or "request"
    facts = [
        ("request", f"{method} {route}"),
        ("status", str(outcome.status) if outcome.status else "none: nothing was answered"),
        ("size", f"{outcome.size or content_length(outcome.headers) or 0:,} bytes"),
        ("took", f"{seconds * 1e3:,.1f} ms"),
    ]
    if outcome.error is not None:
        facts.append(("exception", type(outcome.error).__name__))
    if watch.limited is not None:
        facts.append(("cut off", watch.limited))
    facts.extend((name, _shown(name, value)) for name, value in _few(outcome.headers))
    return About(
        _encodable(f"{method} {route}"), [(_encodable(name), _encodable(value)) for name, value in facts], link
    )


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _few(headers: Headers) -> Iterable[tuple[str, str]]:
    return headers[:_HEADERS_MAX]


def _shown(name: str, value: str) -> str:
    lower = name.lower()
    if any(word in lower for word in _SECRET_WORDS):
        return "(not shown)"
    if lower in ("location", "content-location", "refresh", "link"):
        value = re.split("[?#]", value, maxsplit=1)[0]
    return value if len(value) <= _VALUE_MAX else value[:_VALUE_MAX] + "…"
