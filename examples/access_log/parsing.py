"""From lines of text to entries."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

LINE = re.compile(
    r'(?P<address>\S+) \S+ \S+ \[(?P<moment>[^]]+)\] "(?P<method>\S+) (?P<page>\S+) [^"]*" '
    r'(?P<status>\d+) (?P<size>\d+) "(?P<agent>[^"]*)" (?P<milliseconds>[\d.]+)'
)


class Entry(NamedTuple):
    address: str
    moment: float
    page: str
    status: int
    milliseconds: float
    agent: str


def moment_of(text: str) -> float:
    return datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z").timestamp()


def parse_line(line: str) -> Entry | None:
    match = LINE.match(line)
    if match is None:
        return None
    return Entry(
        address=match["address"],
        moment=moment_of(match["moment"]),
        page=match["page"],
        status=int(match["status"]),
        milliseconds=float(match["milliseconds"]),
        agent=match["agent"],
    )


def parse_lines(lines: list[str]) -> list[Entry]:
    entries = (parse_line(line) for line in lines)
    return [entry for entry in entries if entry is not None]
