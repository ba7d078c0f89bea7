"""What a kept request is called: in its files' names, which anybody who lists the folder reads, and in the index.

Neither holds a query string, a secret or a user's id. A framework's route template (`/users/{id}`) has none; where a
path itself has to stand for the route, the parts of it that look like an id are left out.
"""

from __future__ import annotations

import calendar
import math
import os
import re
import time
from dataclasses import dataclass

ROUTE_MAX = 200
"""Characters of a route in the index."""
_ROUTE_IN_NAME_MAX = 60
_PART_MAX = 40

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT")

# `{id}`, `<int:id>`, `(?P<id>[0-9]+)`, `*`
_PLACEHOLDER = re.compile(r"[{}<>()*]")
_QUERY = re.compile(r"(?<!\()\?|[#;]")
_PLAIN = re.compile(r"[^\x00-\x20\x7f@%=:,+~]*")
_KEY = re.compile(r"[0-9a-fA-F-]{16,}")

NAME = re.compile(r"(\d{8}T\d{6}\.\d{3}Z)-([A-Z]{3,7})-([A-Za-z0-9._]{1,60})-(\d{3})-(\d{1,9})ms-[0-9a-f]{8}", re.ASCII)


def clean_method(method: str) -> str:
    return method if method in _METHODS else "OTHER"


def clean_status(status: int) -> int:
    """0 for what no server answers with."""
    return status if isinstance(status, int) and 100 <= status <= 599 else 0


def clean_route(route: str) -> str:
    """Without query string, and with `…` for each part that is no placeholder and looks like an id."""
    path = _QUERY.split(route[: 4 * ROUTE_MAX], maxsplit=1)[0]
    parts = ["…" if _looks_like_id(part) else part for part in path.split("/")]
    return "/".join(parts)[:ROUTE_MAX].encode("utf-8", "replace").decode()


def _looks_like_id(part: str) -> bool:
    """As no fixed part of a path does, but ids, keys and addresses do: `4711`, `ann@example.org`, `a3f81c05`."""
    if _PLACEHOLDER.search(part):
        return False
    digits = sum(character.isdigit() for character in part)
    return (
        len(part) > _PART_MAX
        or digits >= 4
        or 0 < digits == len(part)
        or not _PLAIN.fullmatch(part)
        or _KEY.fullmatch(part) is not None
    )


@dataclass(frozen=True, slots=True)
class NameFacts:
    """What a name tells."""

    time_ns: int
    method: str
    route: str
    status: int
    duration_ns: int


def make_name(time_ns: int, method: str, route: str, status: int, duration: float) -> str:
    """`20260314T092653.589Z-GET-users_id-200-731ms-5f0c9a3e`: plain ASCII, no longer than 120 bytes, of no two requests
    the same. The arguments are clean."""
    second = time.strftime("%Y%m%dT%H%M%S", time.gmtime(time_ns // 1_000_000_000))
    word = re.sub(r"[^A-Za-z0-9.]+", "_", route).strip("._")[:_ROUTE_IN_NAME_MAX] or "root"
    milliseconds = min(math.floor(duration * 1e3), 999_999_999)
    return (
        f"{second}.{time_ns // 1_000_000 % 1000:03}Z-{method}-{word}-{status:03}-{milliseconds}ms-{os.urandom(4).hex()}"
    )


def read_name(name: str) -> NameFacts | None:
    """None for what is no name of ours."""
    match = NAME.fullmatch(name)
    if match is None:
        return None
    moment, method, word, status, milliseconds = match.groups()
    try:
        fields = time.strptime(moment[:15], "%Y%m%dT%H%M%S")
    except ValueError:
        return None
    return NameFacts(
        time_ns=calendar.timegm(fields) * 1_000_000_000 + int(moment[16:19]) * 1_000_000,
        method=method,
        route=word,
        status=int(status),
        duration_ns=int(milliseconds) * 1_000_000,
    )
