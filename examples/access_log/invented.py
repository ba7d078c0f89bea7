"""A log that never was: visitors who wander through a shop, the same ones each time."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

PAGES = ["/", "/search", "/cart", "/checkout", "/account", "/help"] + [f"/item/{number}" for number in range(200)]
AGENTS = ["Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (Macintosh)", "curl/8.5", "crawler/2.1 (+about)"]


def line(choose: random.Random, moment: datetime) -> str:
    page = choose.choice(PAGES)
    milliseconds = choose.lognormvariate(3.0, 1.0) * (6 if page == "/search" else 1)
    status = choose.choices([200, 304, 404, 500], weights=[90, 6, 3, 1])[0]
    return (
        f"10.{choose.randrange(4)}.{choose.randrange(16)}.{choose.randrange(16)} - - "
        f'[{moment:%d/%b/%Y:%H:%M:%S +0000}] "GET {page} HTTP/1.1" {status} {choose.randrange(200, 90_000)} '
        f'"{choose.choice(AGENTS)}" {milliseconds:.1f}'
    )


def write_log(path: Path, lines: int) -> None:
    choose = random.Random(42)
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    with path.open("w") as file:
        for _ in range(lines):
            moment += timedelta(seconds=choose.expovariate(2))
            file.write(line(choose, moment) + "\n")
