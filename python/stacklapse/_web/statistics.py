"""What Werkzeug's ProfilerMiddleware does with each request: statistics in a stream, a `.prof` file in a folder.

Unlike Werkzeug's, the response is passed on as it comes and its `close()` is called, requests may overlap, a profile is
not lost when the application raises, and no file replaces another.
"""

from __future__ import annotations

import marshal
import os
import pstats
import re
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from stacklapse import _native
from stacklapse._web import failure
from stacklapse._web.watch import begin_recording, stopped
from stacklapse._web.wsgi import is_file
from stacklapse.session import Session

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FILENAME_FORMAT = "{method}.{path}.{elapsed:.0f}ms.{time:.0f}.prof"
_INTERVAL_NS = 1_000_000
_NAME_MAX = 150


class StatisticsMiddleware:
    def __init__(
        self,
        app: WSGIApplication,
        stream: IO[str] | None,
        sort_by: Iterable[str],
        restrictions: Iterable[str | int | float],
        profile_dir: str | None,
        filename_format: str | Callable[[WSGIEnvironment], str],
    ) -> None:
        self._app = app
        self._stream = stream
        self._sort_by = tuple(sort_by)
        self._restrictions = tuple(restrictions)
        self._folder = None if profile_dir is None else Path(profile_dir).absolute()
        self._filename_format = filename_format

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        recording = None
        try:
            method = str(environ.get("REQUEST_METHOD", ""))
            recording, _ = begin_recording(method, _INTERVAL_NS, sys._getframe())
        except Exception as error:
            failure.tell("a request could not be recorded", error)

        def finish() -> None:
            self._finish(recording, environ)

        try:
            body = self._app(environ, start_response)
            if is_file(environ, body):
                finish()
                return body
            return _SizedBody(body, finish) if hasattr(body, "__len__") else _Body(body, finish)
        except BaseException:
            finish()
            raise

    def _finish(self, recording: _native.Recording | None, environ: WSGIEnvironment) -> None:
        try:
            session = stopped(recording) if recording is not None else None
            if session is not None:
                self._report(session, environ)
        except Exception as error:
            failure.tell("the statistics of a request could not be written", error)

    def _report(self, session: Session, environ: WSGIEnvironment) -> None:
        statistics = session.render("pstats")
        assert isinstance(statistics, bytes)
        if self._folder is not None:
            self._write(statistics, self._name(session, environ))
        if self._stream is not None:
            line = "-" * 80
            print(f"{line}\nPATH: {environ.get('PATH_INFO', '')!r}", file=self._stream)
            if session.sample_count > 0:
                loaded: Any = _Loaded(statistics)
                pstats.Stats(loaded, stream=self._stream).sort_stats(*self._sort_by).print_stats(*self._restrictions)
            else:
                print("    no sample: the request took less than a millisecond", file=self._stream)
            print(f"{line}\n", file=self._stream)

    def _name(self, session: Session, environ: WSGIEnvironment) -> str:
        elapsed, now = session.duration * 1000.0, time.time()
        if callable(self._filename_format):
            environ["werkzeug.profiler"] = {"elapsed": elapsed, "time": now}
            return os.fspath(self._filename_format(environ))
        path = environ.get("PATH_INFO", "").strip("/").replace("/", ".") or "root"
        return self._filename_format.format(
            method=environ["REQUEST_METHOD"], path=path, elapsed=elapsed, time=now, environ=environ
        )

    def _write(self, statistics: bytes, name: str) -> None:
        """In the folder, whatever the name says, and nowhere else; readable by its owner alone."""
        assert self._folder is not None
        whole = Path(re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".") or "request")
        stem, extension = whole.stem[:_NAME_MAX], whole.suffix[:20]
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        self._folder.mkdir(0o700, parents=True, exist_ok=True)
        for again in ("", *(f"-{secrets.token_hex(4)}" for _ in range(4))):
            try:
                descriptor = os.open(self._folder / f"{stem}{again}{extension}", flags, 0o600)
            except FileExistsError:
                continue
            with os.fdopen(descriptor, "wb") as file:
                file.write(statistics)
            return
        raise FileExistsError(f"{self._folder / whole} is there already")


class _Loaded:
    """What `pstats.Stats` takes in place of a profile of cProfile's."""

    def __init__(self, statistics: bytes) -> None:
        self.stats: dict[Any, Any] = marshal.loads(statistics)

    def create_stats(self) -> None:
        """They are there."""


class _Body:
    def __init__(self, body: Iterable[bytes], finish: Callable[[], None]) -> None:
        self._body = body
        self._parts = iter(body)
        self._finish = finish

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._parts)

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._finish()


class _SizedBody(_Body):
    """Where the server may see how many parts there are: of one part it makes a Content-Length."""

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]
