"""Times in words, as the command takes them (src/cli/values.c): `500ms`, `2 s`, `1e-3`."""

from __future__ import annotations

import re

_TIME = re.compile(r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?) *(?P<unit>.*)", re.ASCII | re.DOTALL)
_UNITS_NS = {
    "ns": 1.0,
    "us": 1e3,
    "\N{MICRO SIGN}s": 1e3,
    "\N{GREEK SMALL LETTER MU}s": 1e3,
    "ms": 1e6,
    "s": 1e9,
    "m": 60e9,
    "h": 3600e9,
    "": 1e9,
}


def nanoseconds(text: str) -> float | None:
    """None when it is no time. Without a unit it is one in seconds."""
    found = _TIME.fullmatch(text)
    if found is None or found["unit"] not in _UNITS_NS:
        return None
    return float(found["number"]) * _UNITS_NS[found["unit"]]
