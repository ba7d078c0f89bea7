"""The responses that are our own: a report instead of a page, a report at its address, the list of reports."""

from __future__ import annotations

import html
import time
from dataclasses import dataclass, field

from stacklapse._web.incoming import Incoming
from stacklapse._web.reports import About, Report, Reports, render
from stacklapse._web.store import Store
from stacklapse.session import Session

# For nobody else to keep, index, put into a frame or take for something else. What the page itself may load it says in
# its own policy.
_CLOSED = [
    # Django's page cache, up to 5.2.0, takes notice of `private` alone.
    ("Cache-Control", "no-store, private"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Robots-Tag", "noindex, nofollow"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]
_PAGE_POLICY = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_LIST_POLICY = "default-src 'none'; style-src 'unsafe-inline'; " + _PAGE_POLICY
_LISTED_MAX = 100

_LIST = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>stacklapse: requests</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<style>body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem }} td {{ padding: 0 1rem 0 0 }}</style></head>
<body><h1>Profiled requests</h1>{sections}</body></html>
"""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)


def page(session: Session, about: About, headers: list[tuple[str, str]]) -> Answer:
    return _html(render(session, about), _PAGE_POLICY, headers)


def answer(incoming: Incoming, place: str, reports: Reports, store: Store | None) -> Answer:
    """What is at `place`, below the address of reports, for who may see it."""
    if incoming.method not in ("GET", "HEAD"):
        return _text(405, "Reports can be read only.\n", [("Allow", "GET, HEAD")])
    if place == "":
        return _list(incoming, reports, store)
    number, dot, extension = place.partition(".")
    report = reports.get(number) if not dot or extension == "lapse" else None
    if report is not None:
        return _report(report, extension)
    kept = store.report(place) if store is not None else None
    if kept is not None:
        return _html(kept, _PAGE_POLICY, [])
    return _text(
        404,
        "There is no report of this number any more, or its worker process has died before the request ended, or it is "
        "another process's: with the option `folder` all workers of a server know of all reports.\n",
    )


def _report(report: Report, extension: str) -> Answer:
    if report.session is None:
        return _text(202, "The request has not ended yet.\n", [("Refresh", "1"), ("Retry-After", "1")])
    if extension == "lapse":
        name = [("Content-Disposition", 'attachment; filename="request.lapse"')]
        return _closed(200, report.session._trace, "application/octet-stream", name)
    return _html(report.page(), _PAGE_POLICY, [])


def _list(incoming: Incoming, reports: Reports, store: Store | None) -> Answer:
    asked = [(number, report.moment, report.about.title, _outcome(report)) for number, report in reports.latest()]
    sections = _section("Asked for", asked)
    if store is not None:
        kept = [
            (
                entry.name,
                entry.time_ns / 1e9,
                f"{entry.method} {entry.route}",
                f"{entry.status}, {entry.duration_ns / 1e6:,.0f} ms",
            )
            for entry in store.entries(_LISTED_MAX)
        ]
        sections += _section("Kept", kept)
    # Links are relative to the address with a slash at its end.
    base = "" if incoming.path.endswith("/") else incoming.path.rpartition("/")[2] + "/"
    return _html(_LIST.format(sections=sections.replace("{base}", html.escape(base))).encode(), _LIST_POLICY, [])


def _outcome(report: Report) -> str:
    if report.session is None:
        return "has not ended yet"
    # The first of a name is our own, not a header of the response.
    facts = dict(reversed(report.about.facts))
    return ", ".join(facts[name] for name in ("status", "took") if name in facts)


def _section(title: str, rows: list[tuple[str, float, str, str]]) -> str:
    """Of a number, a moment in seconds since 1970, what was asked for and what came of it, each."""
    lines = "".join(
        f"<tr><td>{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(moment))}</td>"
        f'<td><a href="{{base}}{html.escape(number)}">{_escaped(what)}</a></td><td>{_escaped(more)}</td></tr>'
        for number, moment, what, more in rows[:_LISTED_MAX]
    )
    return f"<h2>{title}</h2>" + (f"<table>{lines}</table>" if lines else "<p>None.</p>")


def _escaped(text: str) -> str:
    # No brace survives: the place of the links' base is marked with them.
    return html.escape(text).replace("{", "&#123;").replace("}", "&#125;")


def _html(body: bytes, policy: str, headers: list[tuple[str, str]]) -> Answer:
    return _closed(200, body, "text/html; charset=utf-8", [("Content-Security-Policy", policy), *headers])


def _text(status: int, text: str, headers: list[tuple[str, str]] | None = None) -> Answer:
    return _closed(status, text.encode(), "text/plain; charset=utf-8", headers or [])


def _closed(status: int, body: bytes, kind: str, headers: list[tuple[str, str]]) -> Answer:
    return Answer(status, body, [("Content-Type", kind), ("Content-Length", str(len(body))), *_CLOSED, *headers])
