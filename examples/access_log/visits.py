"""Which requests belong to one visit: the same address, no pause longer than half an hour."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from parsing import Entry

PAUSE_SECONDS = 1800


def split(moments: list[float]) -> list[list[float]]:
    visits = [[moments[0]]]
    for before, moment in pairwise(moments):
        if moment - before > PAUSE_SECONDS:
            visits.append([])
        visits[-1].append(moment)
    return visits


def is_crawler(entry: Entry) -> bool:
    return "crawler" in entry.agent.lower()


def visits_of(entries: list[Entry]) -> dict[str, float]:
    by_address: dict[str, list[float]] = defaultdict(list)
    for entry in entries:
        if not is_crawler(entry):
            by_address[entry.address].append(entry.moment)
    lengths = [visit[-1] - visit[0] for moments in by_address.values() for visit in split(sorted(moments))]
    return {"count": len(lengths), "mean_minutes": sum(lengths) / len(lengths) / 60 if lengths else 0.0}
