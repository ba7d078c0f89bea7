"""The folder in which the profiles of requests are kept: for each a recording (`.lapse`), its report (`.html`), and a
line in the index.

Any number of processes and threads may keep requests in one folder. A file has its final name only when it is whole;
names come and go together with their line in the index, under its lock. Where a process dies in between, the next one
that keeps a request finds files without a line and lines without files, and sets that right.
"""

from __future__ import annotations

import _thread
import contextlib
import logging
import math
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stacklapse._web.folders import make_folder
from stacklapse._web.names import NAME, NameFacts, clean_method, clean_route, clean_status, make_name, read_name
from stacklapse._web.reports import About, render
from stacklapse._web.threads import system_lock
from stacklapse.session import Session

if TYPE_CHECKING:
    from stacklapse._web.index import Entry, Index

MAX_FILES = 1000
MAX_BYTES = 500_000_000

RECORDING, REPORT = ".lapse", ".html"
_EXTENSIONS = (RECORDING, REPORT)
_REASON_MAX = 32
# What is still unfinished after so long belongs to a process that died.
_UNFINISHED_SECONDS = 600
_UNFINISHED = ".unfinished-"

_log = logging.getLogger("stacklapse")


class StoreError(Exception):
    """A sentence that says why nothing can be kept here."""


class _Alone:
    """
    Held while this process has an index open. A fork waits for it: a child in which SQLite believes that a transaction
    of its parent is its own could never write again. Nothing within lets another greenlet run. Who comes back while
    holding it (the garbage collector closes what belongs to another request) is sent away instead of waiting for ever.
    """

    _PATIENCE_SECONDS = 10.0

    def __init__(self) -> None:
        self._lock = system_lock()
        self._owner: int | None = None
        self._forking: set[int] = set()

    def __enter__(self) -> None:
        own = _thread.get_ident()
        if self._owner == own or not self._lock.acquire(timeout=self._PATIENCE_SECONDS):
            raise StoreError("another request is being kept")
        self._owner = own

    def __exit__(self, *ignored: object) -> None:
        self._owner = None
        self._lock.release()

    def before_fork(self) -> None:
        with contextlib.suppress(StoreError):
            self.__enter__()
            self._forking.add(_thread.get_ident())

    def after_in_parent(self) -> None:
        own = _thread.get_ident()
        if own in self._forking:
            self._forking.remove(own)
            self.__exit__()

    def after_in_child(self) -> None:
        own = _thread.get_ident()
        if own not in self._forking and self._owner != own:
            # The fork did not wait any longer for who holds it, and is not here.
            self._lock, self._owner = system_lock(), None
        self.after_in_parent()
        self._forking.clear()


_alone = _Alone()
os.register_at_fork(
    before=_alone.before_fork, after_in_parent=_alone.after_in_parent, after_in_child=_alone.after_in_child
)


class Store:
    """
    Keeps at most `max_files` requests, and at most `max_bytes` of recordings and reports: those that were kept last.
    The folder is made when it is first needed, readable by its owner alone.
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, max_files: int = MAX_FILES, max_bytes: int = MAX_BYTES
    ) -> None:
        # A server that becomes a daemon changes its working folder later.
        self.folder = Path(folder).absolute()
        self.max_files = max_files
        self.max_bytes = max_bytes
        self._told = False
        self._tidied_by = 0

    def keep(
        self,
        session: Session,
        *,
        method: str,
        route: str,
        status: int,
        duration: float,
        reason: str,
        in_task: bool = False,
    ) -> str | None:
        """
        Keeps a request that took `duration` seconds and ended now, and returns the name of its files, which end in
        `.lapse` and `.html`. `route` is the framework's template, without values; `in_task`: it shared its thread with
        others. None when it could not be kept: why is logged, the first time. Takes some milliseconds; most of them,
        for the report, without the GIL.
        """
        try:
            return self._keep(session, method, route, status, duration, reason, in_task)
        except Exception as error:
            self._tell(error)
            return None

    def entries(self, limit: int = 100) -> list[Entry]:
        """The last ones that were kept, the newest first; none where nothing has been kept yet, or the
        index cannot be read."""
        from stacklapse._web.index import open_index

        try:
            with _alone, open_index(self.folder, write=False) as index:
                return index.newest(limit)
        except FileNotFoundError:
            return []
        except Exception as error:
            self._tell(error)
            return []

    def report(self, name: str) -> bytes | None:
        """The report page of that name; None when there is none, or not any more."""
        page = self._read(name, REPORT)
        if page is not None:
            return page
        # A process died when it had put no more than the recording in its place.
        trace, facts = self.recording(name), read_name(name)
        return _page(Session(trace), facts) if trace is not None and facts is not None else None

    def recording(self, name: str) -> bytes | None:
        """The recording of that name."""
        return self._read(name, RECORDING)

    def _read(self, name: str, extension: str) -> bytes | None:
        if not NAME.fullmatch(name):
            return None
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            descriptor = os.open(self.folder / (name + extension), flags)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            return file.read() if stat.S_ISREG(os.fstat(descriptor).st_mode) else None

    def _tell(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            _log.warning("stacklapse: requests cannot be kept in %s: %s", self.folder, error)

    def _keep(
        self, session: Session, method: str, route: str, status: int, duration: float, reason: str, in_task: bool
    ) -> str:
        from stacklapse._web.index import Entry

        if not math.isfinite(duration) or duration < 0:
            duration = 0.0
        method, route, status = clean_method(method), clean_route(route), clean_status(status)
        duration_ns = int(duration * 1e9)
        time_ns = session._native.start_time_ns
        page = _page(session, NameFacts(time_ns, method, route, status, duration_ns))
        content = {RECORDING: session._native.trace, REPORT: page}
        size = sum(len(part) for part in content.values())
        if size > self.max_bytes:
            raise StoreError(f"a request's profile has {size:,} bytes, and max_bytes is {self.max_bytes:,}")
        kinds = session.kinds
        entry = Entry(
            name=make_name(time_ns, method, route, status, duration),
            time_ns=time_ns,
            method=method,
            route=route,
            status=status,
            duration_ns=duration_ns,
            cpu_ns=_cpu_ns(session, in_task),
            wait_ns=int(1e9 * sum(kinds[kind] for kind in ("gil_wait", "lock", "call"))),
            samples=session.sample_count,
            reason=reason[:_REASON_MAX],
            bytes=size,
        )
        make_folder(self.folder)
        with self._unfinished(entry.name, content) as finish:
            self._write(entry, finish)
        return entry.name

    @contextlib.contextmanager
    def _unfinished(self, name: str, content: dict[str, bytes]) -> Iterator[Callable[[], None]]:
        """Writes the files under names that nobody takes for finished. What is given puts them in their places."""
        written: dict[Path, Path] = {}
        placed: list[Path] = []

        def finish() -> None:
            for path, final in written.items():
                path.rename(final)
                placed.append(final)

        try:
            for extension, part in content.items():
                path = self.folder / f"{_UNFINISHED}{name}{extension}"
                written[path] = self.folder / f"{name}{extension}"
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
                with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
                    file.write(part)
            yield finish
        except BaseException:
            for path in (*written, *placed):
                with contextlib.suppress(OSError):
                    path.unlink()
            raise

    def _write(self, entry: Entry, finish: Callable[[], None]) -> None:
        from stacklapse._web.index import is_damage, open_index, set_damaged_aside

        with _alone:
            try:
                with open_index(self.folder, write=True) as index:
                    self._settle(index, entry, finish)
            except Exception as error:
                if not is_damage(error):
                    raise
                _log.warning("stacklapse: the index of %s is damaged (%s) and is made anew", self.folder, error)
                set_damaged_aside(self.folder)
                self._tidied_by = 0
                with open_index(self.folder, write=True) as index:
                    self._settle(index, entry, finish)
            self._tidied_by = os.getpid()

    def _settle(self, index: Index, entry: Entry, finish: Callable[[], None]) -> None:
        if index.created or self._tidied_by != os.getpid():
            self._tidy(index)
        index.add(entry)
        surplus = index.surplus(self.max_files, self.max_bytes)
        index.remove(surplus)
        finish()
        for name in surplus:
            self._delete(name)

    def _tidy(self, index: Index) -> None:
        """Makes files and index agree again."""
        names = index.names()
        sizes: dict[str, dict[str, int]] = {}
        now = time.time()
        for file in self.folder.iterdir():
            name, extension = file.stem, file.suffix
            if extension not in _EXTENSIONS or not NAME.fullmatch(name.removeprefix(_UNFINISHED)):
                continue
            try:
                there = file.lstat()
            except FileNotFoundError:
                # Another process has given up what it had not finished.
                continue
            if not stat.S_ISREG(there.st_mode):
                continue
            if not name.startswith(_UNFINISHED):
                sizes.setdefault(name, {})[extension] = there.st_size
            elif there.st_mtime < now - _UNFINISHED_SECONDS:
                file.unlink(missing_ok=True)
        index.remove(name for name in names if RECORDING not in sizes.get(name, {}))
        # By their names, which begin with the time: what is added first goes first.
        for name, parts in sorted(sizes.items()):
            if RECORDING not in parts:
                self._delete(name)
            elif name not in names:
                self._add_found(index, name, sum(parts.values()))

    def _add_found(self, index: Index, name: str, size: int) -> None:
        from stacklapse._web.index import Entry

        facts = read_name(name)
        if facts is not None:
            index.add(
                Entry(
                    name=name,
                    time_ns=facts.time_ns,
                    method=facts.method,
                    route=facts.route,
                    status=facts.status,
                    duration_ns=facts.duration_ns,
                    cpu_ns=None,
                    wait_ns=None,
                    samples=None,
                    reason="found",
                    bytes=size,
                )
            )

    def _delete(self, name: str) -> None:
        for extension in _EXTENSIONS:
            (self.folder / f"{name}{extension}").unlink(missing_ok=True)


def _cpu_ns(session: Session, in_task: bool) -> int:
    """A sample cannot tell a thread on a CPU from one that waits for a CPU; the kernel can, but counts by thread and
    process. So of a request that shared its thread it is what was sampled, and no more than the process used."""
    if not in_task:
        return session._native.starter_cpu_ns
    kinds = session._native.kinds()
    return min(sum(kinds[kind] for kind in ("python", "native", "gc")), session._native.cpu_ns)


def _page(session: Session, facts: NameFacts) -> bytes:
    title = f"{facts.method} {facts.route or 'request'}"
    status = str(facts.status) if facts.status else "none: nothing was answered"
    return render(
        session, About(title, [("request", title), ("status", status), ("took", f"{facts.duration_ns / 1e6:,.1f} ms")])
    )
