"""The reports of requests that somebody asked for, until he opens them: a bounded number, the oldest go first.

Each has a random number that is in the response's header before the request has ended. With a folder the workers of a
server share them, in FOLDER/asked: `NUMBER.json` from the beginning of a request on, `NUMBER.lapse` from its end on;
where its worker died before that, it is none any more. Without one each process has its own.
"""

from __future__ import annotations

import _thread
import contextlib
import json
import os
import re
import secrets
import stat
import time
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

from stacklapse._web import forks
from stacklapse._web.folders import make_folder
from stacklapse._web.workers import Worker, this_worker
from stacklapse.session import Session

NUMBER = re.compile(r"[0-9a-f]{32}", re.ASCII)
# Of the recordings that one process holds in memory.
_BYTES_MAX = 64_000_000


@dataclass(frozen=True, slots=True)
class About:
    """What a report says of its request. No value of it is a secret, or the query."""

    title: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    link: str | None = None
    """To the page that the report stands in for; not in one that is held, which has another address."""


@dataclass(frozen=True, slots=True)
class Report:
    about: About
    session: Session | None
    """None while the request goes on."""
    moment: float
    """When the request began or, once it has ended, when it did: seconds since 1970."""

    def page(self) -> bytes:
        assert self.session is not None
        return render(self.session, self.about)


def _size(report: Report) -> int:
    return len(report.session._trace) if report.session is not None else 0


def render(session: Session, about: About) -> bytes:
    """The report page."""
    facts = [text for fact in about.facts for text in fact]
    page = session.render("html", hide=("stacklapse",), title=about.title, link=about.link, about=facts)
    return page if isinstance(page, bytes) else page.encode("utf-8", "surrogateescape")


class Reports:
    def __init__(self, folder: Path | None, most: int) -> None:
        self._folder = None if folder is None else folder / "asked"
        self._most = most
        self._held: dict[str, Report] = {}
        self._reset()
        forks.in_child(self._reset)

    def _reset(self) -> None:
        # The system's, since nothing that is done under it waits. Whoever holds it may come upon the end of a request
        # by way of the garbage collector, which then puts or drops its report.
        self._lock = _thread.RLock()

    def reserve(self, title: str) -> str:
        """A number, under which a report will be."""
        number = secrets.token_hex(16)
        self._put(number, About(title), None)
        return number

    def put(self, number: str, about: About, session: Session) -> None:
        try:
            self._put(number, replace(about, link=None), session)
        except BaseException:
            # Else it would be waited for for ever.
            self.drop(number)
            raise

    def drop(self, number: str) -> None:
        with self._lock:
            self._held.pop(number, None)
        if self._folder is not None:
            self._delete(number)

    def get(self, number: str) -> Report | None:
        if NUMBER.fullmatch(number) is None:
            return None
        if self._folder is not None:
            return self._read(number)
        with self._lock:
            return self._held.get(number)

    def latest(self) -> list[tuple[str, Report]]:
        """Each with its number, the newest first."""
        if self._folder is None:
            with self._lock:
                return list(reversed(self._held.items()))
        found = []
        for number in reversed(self._numbers()):
            report = self._read(number)
            if report is not None:
                found.append((number, report))
        return found

    def _put(self, number: str, about: About, session: Session | None) -> None:
        if self._folder is not None:
            self._write(self._folder, number, about, session)
            return
        with self._lock:
            self._held.pop(number, None)
            self._held[number] = Report(about, session, time.time())
            sizes = {each: _size(report) for each, report in list(self._held.items())}
            size = sum(sizes.values())
            for oldest, its_size in list(sizes.items())[:-1]:
                if len(self._held) <= self._most and size <= _BYTES_MAX:
                    break
                self._held.pop(oldest, None)
                size -= its_size

    def _write(self, folder: Path, number: str, about: About, session: Session | None) -> None:
        if session is None:
            make_folder(folder.parent)
            with contextlib.suppress(FileExistsError):
                folder.mkdir(0o700)
            there = folder.lstat()
            if not stat.S_ISDIR(there.st_mode) or there.st_uid != os.geteuid() or there.st_mode & 0o077:
                raise OSError(f"{folder} is not a folder of this user alone")
        said = {"title": about.title, "facts": about.facts, "worker": astuple(this_worker()), "moment": time.time()}
        _write_file(folder / f"{number}.json", json.dumps(said).encode())
        if session is not None:
            _write_file(folder / f"{number}.lapse", session._trace)
        else:
            # The clock may have been put back, and this one look as if it were the oldest.
            others = [each for each in self._numbers() if each != number]
            for old in others[: max(len(others) + 1 - self._most, 0)]:
                self._delete(old)

    def _numbers(self) -> list[str]:
        """Of the reports in the folder, the oldest first."""
        assert self._folder is not None
        found = []
        with contextlib.suppress(FileNotFoundError), os.scandir(self._folder) as files:
            for file in files:
                number, _, extension = file.name.partition(".")
                if extension == "json" and NUMBER.fullmatch(number):
                    with contextlib.suppress(FileNotFoundError):
                        found.append((file.stat(follow_symlinks=False).st_mtime_ns, number))
        return [number for _, number in sorted(found)]

    def _read(self, number: str) -> Report | None:
        assert self._folder is not None
        told = _read_file(self._folder / f"{number}.json")
        if told is None:
            return None
        try:
            said: dict[str, Any] = json.loads(told)
            about = About(said["title"], [(name, text) for name, text in said["facts"]])
            moment = float(said.get("moment", 0.0))  # none in a file of an earlier version
            worker = Worker(*said["worker"])
        except (ValueError, TypeError, LookupError, AttributeError):
            # The machine may have stopped before it was on the disk.
            return None
        # In this order: what it has ended before it went is there.
        gone = worker.gone
        trace = _read_file(self._folder / f"{number}.lapse")
        if trace is None:
            return None if gone else Report(about, None, moment)
        return Report(about, Session(trace), moment)

    def _delete(self, number: str) -> None:
        assert self._folder is not None
        for extension in (".lapse", ".json"):
            with contextlib.suppress(FileNotFoundError):
                (self._folder / f"{number}{extension}").unlink()


def _write_file(path: Path, content: bytes) -> None:
    """There whole or not at all, and its owner's alone."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(unfinished, flags, 0o600), "wb") as file:
            file.write(content)
        unfinished.rename(path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


def _read_file(path: Path) -> bytes | None:
    """None where there is no regular file of that name."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read() if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
