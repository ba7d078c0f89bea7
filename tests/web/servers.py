"""Real servers with the applications of tests/web/programs, spoken to over real sockets."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.command import Argument, Command, Recording, Run
from support.inside import PROGRAMS as INSIDE_PROGRAMS
from support.inside import package_path
from support.interpreters import TOP
from support.program import until

PROGRAMS = Path(__file__).resolve().parent / "programs"
EXAMPLES = TOP / "examples" / "web"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

# Where the frameworks are: pure Python for the most part, so that other interpreters can import them from there, too.
SITE_PACKAGES = next(path for path in sys.path if path.endswith("site-packages"))

# Else it takes the faster ones, which most installations have, where they are there.
UVICORN = ["-m", "uvicorn", "--loop", "asyncio", "--http", "h11"]
UVICORN_UVLOOP = ["-m", "uvicorn", "--loop", "uvloop", "--http", "httptools"]

SERVERS: dict[str, list[str]] = {
    "flask": ["-m", "flask", "--app", "flask_app", "run", "--debug", "--no-reload", "--port", "{port}"],
    "flask-reloader": ["-m", "flask", "--app", "flask_app", "run", "--debug", "--port", "{port}"],
    "gunicorn-sync": ["-m", "gunicorn", "--bind", "127.0.0.1:{port}", "flask_app:app"],
    "gunicorn-gthread": ["-m", "gunicorn", "--threads", "8", "--bind", "127.0.0.1:{port}", "flask_app:app"],
    "gunicorn-gevent": ["-m", "gunicorn", "-k", "gevent", "--bind", "127.0.0.1:{port}", "flask_app:app"],
    "gunicorn-preload": ["-m", "gunicorn", "--preload", "-w", "2", "--bind", "127.0.0.1:{port}", "flask_app:app"],
    "gunicorn-gthread-preload": [
        "-m",
        "gunicorn",
        "--preload",
        "-w",
        "2",
        "--threads",
        "4",
        "--bind",
        "127.0.0.1:{port}",
        "flask_app:app",
    ],
    "gunicorn-gevent-preload": [
        "-m",
        "gunicorn",
        "--preload",
        "-k",
        "gevent",
        "-w",
        "2",
        "--bind",
        "127.0.0.1:{port}",
        "flask_app:app",
    ],
    "django": ["django_app.py", "runserver", "--noreload", "127.0.0.1:{port}"],
    "django-asgi": [*UVICORN, "--port", "{port}", "django_app:asgi"],
    "starlette": [*UVICORN, "--port", "{port}", "starlette_app:app"],
    "fastapi": [*UVICORN, "--port", "{port}", "fastapi_app:app"],
    "starlette-uvloop": [*UVICORN_UVLOOP, "--port", "{port}", "starlette_app:app"],
    "fastapi-uvloop": [*UVICORN_UVLOOP, "--port", "{port}", "fastapi_app:app"],
    "wsgiref": ["wsgi_app.py", "{port}"],
    "snakeviz": ["-m", "snakeviz", "--server", "--port", "{port}"],
    "example-flask": [
        "-m",
        "flask",
        "--app",
        f"{EXAMPLES}/flask_app.py",
        "run",
        "--debug",
        "--no-reload",
        "-p",
        "{port}",
    ],
    "example-fastapi": [*UVICORN, "--app-dir", f"{EXAMPLES}", "--port", "{port}", "fastapi_app:app"],
    "example-django": [f"{EXAMPLES}/django_app.py", "runserver", "--noreload", "{port}"],
    "example-wsgi": [f"{EXAMPLES}/wsgi_app.py", "{port}"],
    "hooks-flask": ["-m", "flask", "--app", "hooks_flask", "run", "--no-reload", "--port", "{port}"],
    "hooks-django": ["hooks_django.py", "runserver", "--noreload", "127.0.0.1:{port}"],
    "hooks-fastapi": [*UVICORN, "--port", "{port}", "hooks_fastapi:app"],
}


@dataclass(frozen=True)
class Response:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[-1] if values else None

    @property
    def report(self) -> str:
        """The address of the report, which must be there."""
        address = self.header("X-Stacklapse-Report")
        assert address is not None, (self.status, self.headers, self.body[:300])
        return address

    @property
    def is_report(self) -> bool:
        return b'id="stacklapse-columns"' in self.body

    @property
    def says_nothing(self) -> bool:
        """No trace of stacklapse."""
        names = {name.lower() for name, _ in self.headers}
        return not self.is_report and not any("stacklapse" in name or name == "server-timing" for name in names)


class Server:
    def __init__(self, command: Command, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.command = command
        self.process = process
        self.port = port
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def ask(
        self,
        path: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 120,
    ) -> Response:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            answer = connection.getresponse()
            return Response(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def browse(self, path: str, headers: Mapping[str, str] | None = None) -> Response:
        return self.ask(path, headers=BROWSER | dict(headers or {}))

    def recording(self, address: str, headers: Mapping[str, str] | None = None) -> Recording:
        """The recording of a report, once the request has ended."""

        def answered() -> Response | None:
            answer = self.ask(f"{address}.lapse", headers=headers)
            return answer if answer.status != 202 else None

        answer = until(answered, "the end of the request", 60)
        assert answer.status == 200, (answer.status, answer.body[:300], self.log)
        self.command.recordings += 1
        path = self.command.folder / f"request-{self.command.recordings}.lapse"
        path.write_bytes(answer.body)
        return Recording(self.command, path, Run(0, "", ""))

    def functions(self, address: str, headers: Mapping[str, str] | None = None) -> set[str]:
        """The names in the stacks of a report's recording."""
        return {name for stack in self.recording(address, headers).stacks() for name in stack.names}


def run_program(command: Command, name: str) -> None:
    """One of the programs that needs no server, and says at its end that all was as it should be."""
    path = os.pathsep.join([str(package_path(command)), SITE_PACKAGES, str(INSIDE_PROGRAMS)])
    done = subprocess.run(
        [sys.executable, "-W", "error", PROGRAMS / name],
        env=command.environment() | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=command.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "as said\n"), done.stderr


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(
    command: Command,
    kind: str,
    options: Mapping[str, Any] | None = None,
    *,
    python: Argument = sys.executable,
    debug: bool = True,
    environment: Mapping[str, str] | None = None,
    more: Sequence[str] = (),
) -> Iterator[Server]:
    """A server, ready to answer. `options` are stacklapse's."""
    arguments = SERVERS[kind]
    log = command.folder / f"{kind}.log"
    for attempt in range(5):
        port = free_port()
        variables = command.environment() | {
            "PYTHONPATH": os.pathsep.join([str(package_path(command)), str(PROGRAMS), SITE_PACKAGES]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "WEB_OPTIONS": json.dumps(dict(options or {})),
            "WEB_DEBUG": "1" if debug else "",
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [python, *(argument.format(port=port) for argument in arguments), *more],
                cwd=EXAMPLES if kind.startswith("example") else PROGRAMS,
                env=variables | dict(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        server = Server(command, process, port, log)
        try:
            if _ready(server):
                yield server
                return
        finally:
            _end(process)
        # Another program may have taken the port in between.
        assert "in use" in server.log, server.log
        assert attempt < 4


def _ready(server: Server) -> bool:
    """Whether it got the port: it has ended where it did not."""

    def answers() -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            server.ask("/ready", timeout=10)
            return True
        return False

    until(lambda: server.process.poll() is not None or answers(), lambda: f"an answer\n{server.log}", 120)
    return server.process.poll() is None


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
