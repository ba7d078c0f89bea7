"""Entries in SQLite, and the questions that are put to it."""

from __future__ import annotations

import sqlite3
from types import TracebackType

from parsing import Entry


class Store:
    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")
        self.connection.execute(
            "CREATE TABLE request (address TEXT, moment REAL, page TEXT, status INTEGER, milliseconds REAL, agent TEXT)"
        )

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def add(self, entries: list[Entry]) -> None:
        with self.connection:
            self.connection.executemany("INSERT INTO request VALUES (?, ?, ?, ?, ?, ?)", entries)

    def slowest_pages(self, limit: int = 5) -> list[tuple[str, int, float]]:
        """Page, number of requests, and their mean time in ms."""
        return self.connection.execute(
            "SELECT page, count(*), avg(milliseconds) FROM request GROUP BY page ORDER BY 3 DESC LIMIT ?", (limit,)
        ).fetchall()

    def failures_by_hour(self) -> list[tuple[int, int]]:
        return self.connection.execute(
            "SELECT CAST(moment / 3600 AS INTEGER) % 24, count(*) FROM request "
            "WHERE status >= 500 GROUP BY 1 ORDER BY 1"
        ).fetchall()
