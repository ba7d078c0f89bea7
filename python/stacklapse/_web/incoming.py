"""A request as WSGI, ASGI and Django all have one: what is asked for, and by whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus

# Longer ones are not looked at: no token and no cookie of ours is.
_LONGEST = 8192


@dataclass(frozen=True, slots=True)
class Incoming:
    method: str
    path: str
    """Below the application's root, percent-decoded."""
    root: str
    """Of the application: SCRIPT_NAME, root_path."""
    query: str
    header: Callable[[str], str | None]
    """One header by its name; what occurs several times may be joined by commas."""
    names: Callable[[], Iterable[str]]
    """Of all headers."""
    protocol: str
    """`HTTP/1.1`; empty where it is not known."""
    peer: str | None
    """The address that the connection comes from. None: a socket of the file system, or not known."""
    debug: bool
    native: Callable[[], object]
    """Gives the framework's own request, or environ, or scope: what `allow` is called with."""
    allowed: bool | None = None
    """Whether it may, where that was found out before, by `Core.allows`. None: it was not."""

    def argument(self, name: str) -> str | None:
        """Of the query; empty where it has no value."""
        if name not in self.query or len(self.query) > _LONGEST:
            return None
        for part in self.query.split("&"):
            key, _, value = part.partition("=")
            if unquote_plus(key) == name:
                return unquote_plus(value)
        return None

    def cookie(self, name: str) -> str | None:
        text = self.header("Cookie")
        if not text or name not in text or len(text) > _LONGEST:
            return None
        for part in text.replace(",", ";").split(";"):
            key, equals, value = part.strip().partition("=")
            if equals and key == name:
                return value.strip('"')
        return None

    @property
    def wants_page(self) -> bool:
        """Whether a browser asks for something to show: it may be shown a report instead."""
        if self.method != "GET":
            return False
        destination = self.header("Sec-Fetch-Dest")
        if destination is not None and destination not in ("document", "iframe", "frame"):
            return False
        return "text/html" in (self.header("Accept") or "").lower()

    def itself(self, argument: str) -> str:
        """A link from the report to the page that was asked for, without the argument that gave the report. It begins
        with `./`, so that no path makes a link to elsewhere of it."""
        last = quote(self.path.rpartition("/")[2].encode("utf-8", "surrogateescape"), safe="")
        rest = [part for part in self.query.split("&") if part and unquote_plus(part.partition("=")[0]) != argument]
        return "./" + last + ("?" + quote("&".join(rest), safe="=&%+:/;,@!$*()~._-") if rest else "")
