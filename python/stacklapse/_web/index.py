"""The index of a folder of kept requests: one SQLite table, written by any number of processes.

A process opens it for one transaction at a time and keeps no connection: a connection must not be carried across a
fork, and servers fork when they like. Files get their final names, and lose them, only while a transaction of this
index is open for writing, so whoever holds it sees exactly the files that are finished. `stacklapse requests`
(src/cli/request_index.c) reads what is written here.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

INDEX_NAME = "index.sqlite"
DAMAGED_NAME = "index.sqlite.damaged"

# "lpse", and the version of the table.
_APPLICATION = 0x6C707365
_VERSION = 1
_TABLE = """
CREATE TABLE requests (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    time_ns INTEGER NOT NULL,
    method TEXT NOT NULL,
    route TEXT NOT NULL,
    status INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    cpu_ns INTEGER,
    wait_ns INTEGER,
    samples INTEGER,
    reason TEXT NOT NULL,
    bytes INTEGER NOT NULL
)
"""

# Another process's transaction is a matter of milliseconds, unless the disk is in trouble.
_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A kept request."""

    name: str
    """Of its files, without extension."""
    time_ns: int
    """When it began, since 1970."""
    method: str
    route: str
    status: int
    """0 when none was sent."""
    duration_ns: int
    cpu_ns: int | None
    """On a CPU, while it was sampled. None where a crash left no more than the files."""
    wait_ns: int | None
    """Waiting for the GIL, a lock, the network, a database, of the time that was sampled."""
    samples: int | None
    reason: str
    """Why it was kept: `slow`, `failed`, `sampled`; `found` where a crash left no more than the files."""
    bytes: int
    """Of its files."""


_COLUMNS = "name, time_ns, method, route, status, duration_ns, cpu_ns, wait_ns, samples, reason, bytes"


def is_damage(error: Exception) -> bool:
    """Whether the file is no database, or not a whole one. Whatever else can happen (it is busy, the disk is full or
    read-only) has left it as it was."""
    return type(error) is sqlite3.DatabaseError


class ForeignIndexError(Exception):
    """The file there is a database, but none of this version's."""


class Index:
    """A connection within a transaction."""

    def __init__(self, connection: sqlite3.Connection, created: bool) -> None:
        self._connection = connection
        self.created = created
        """In this transaction: it knows nothing of the files that are there."""

    def add(self, entry: Entry) -> None:
        values = tuple(getattr(entry, column) for column in _COLUMNS.split(", "))
        marks = ", ".join("?" * len(values))
        self._connection.execute(f"INSERT INTO requests ({_COLUMNS}) VALUES ({marks})", values)

    def remove(self, names: Iterable[str]) -> None:
        self._connection.executemany("DELETE FROM requests WHERE name = ?", ((name,) for name in names))

    def names(self) -> set[str]:
        return {name for (name,) in self._connection.execute("SELECT name FROM requests")}

    def surplus(self, max_files: int, max_bytes: int) -> list[str]:
        """Those that were kept first, so many that what remains is within both limits. Not those that began first: the
        longest requests would go as soon as they are kept, and all new ones after the clock was put back."""
        count, size = self._connection.execute("SELECT COUNT(*), TOTAL(bytes) FROM requests").fetchone()
        found = []
        for name, own in self._connection.execute("SELECT name, bytes FROM requests ORDER BY id"):
            if count <= max_files and size <= max_bytes:
                break
            found.append(name)
            count -= 1
            size -= own
        return found

    def newest(self, limit: int) -> list[Entry]:
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM requests ORDER BY time_ns DESC, id DESC LIMIT ?", (limit,)
        )
        return [Entry(*row) for row in rows]


@contextlib.contextmanager
def open_index(folder: Path, *, write: bool) -> Iterator[Index]:
    """A transaction, committed unless an exception leaves it. To read where there is no index: FileNotFoundError."""
    path = folder / INDEX_NAME
    if write:
        _create(path)
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ForeignIndexError(f"{path} is no regular file")
    connection = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
    try:
        # A crash of the program leaves the database whole in any case; this is about losing power, and a synced disk
        # at every kept request is more than the last of them is worth.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        try:
            yield Index(connection, _created(connection, path, write))
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
    finally:
        connection.close()


def _create(path: Path) -> None:
    """An empty file is an empty database; made here because SQLite would let the umask decide who reads it."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _created(connection: sqlite3.Connection, path: Path, write: bool) -> bool:
    """Creates the table where there is nothing. Raises where there is another's."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if (application, version) == (_APPLICATION, _VERSION):
        return False
    (objects,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    if (application, version, objects) != (0, 0, 0):
        raise ForeignIndexError(f"{path} is not an index that this version of stacklapse can write to")
    if not write:
        raise FileNotFoundError(f"{path} is empty")
    connection.execute(_TABLE)
    connection.execute("CREATE INDEX requests_by_time ON requests (time_ns)")
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {_VERSION}")
    return True


def set_damaged_aside(folder: Path) -> None:
    """So that a new index can be begun; the files that it listed are found again."""
    (folder / f"{INDEX_NAME}-journal").unlink(missing_ok=True)
    (folder / INDEX_NAME).replace(folder / DAMAGED_NAME)
