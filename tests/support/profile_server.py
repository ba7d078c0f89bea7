"""A server that profiles are sent to, also as a proxy: keeps what it is sent, and answers as it is told."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CERTIFICATE = Path(__file__).with_name("certificate.pem")


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    """Whole addresses where it is a proxy."""
    headers: dict[str, str]
    """By their names in lower case."""
    body: bytes


@dataclass
class ProfileServer:
    address: str
    statuses: list[int] = field(default_factory=list)
    """Of the next answers; 200 when there are no more."""
    requests: list[Request] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    greeted: threading.Event = field(default_factory=threading.Event)
    """Somebody began to speak TLS, whatever came of it."""


@contextmanager
def profile_server(port: int = 0, *, certified: bool = False) -> Iterator[ProfileServer]:
    """`certified`: it speaks TLS, with the key and certificate of CERTIFICATE."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.keep(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(found.statuses.pop(0) if found.statuses else 200)
            self.send_header("Content-Length", "0")
            self.send_header("Retry-After", "1")
            self.end_headers()
            found.arrived.set()

        def do_CONNECT(self) -> None:
            """What a proxy is asked for that is to know nothing of what it passes on. This one passes nothing on."""
            self.keep(b"")
            self.send_response(502)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def keep(self, body: bytes) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.requests.append(Request(self.command, self.path, headers, body))

        def log_request(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        found = ProfileServer(f"{'https' if certified else 'http'}://127.0.0.1:{server.server_port}")
        if certified:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            context.sni_callback = lambda *_: found.greeted.set()
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()


def fields(message: bytes) -> dict[int, list[Any]]:
    """The fields of a message of Protocol Buffers by their numbers, in order (protobuf.dev, Encoding)."""
    found: dict[int, list[Any]] = {}
    place = 0

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while place < len(message):
        key = varint()
        value: int | bytes
        if key & 7 == 0:
            value = varint()
        else:
            size = {1: 8, 5: 4}.get(key & 7) or varint()
            value = message[place : place + size]
            assert len(value) == size
            place += size
        found.setdefault(key >> 3, []).append(value)
    return found


@dataclass(frozen=True)
class Series:
    """Of a push.v1.PushRequest."""

    labels: dict[str, str]
    id: str
    profile: bytes
    """Of pprof, compressed."""


def pushed(request: Request) -> list[Series]:
    series = []
    for entry in fields(request.body)[1]:
        parts = fields(entry)
        pairs = [fields(pair) for pair in parts[1]]
        (sample,) = (fields(sample) for sample in parts[2])
        labels = {pair[1][0].decode(): pair[2][0].decode() for pair in pairs}
        assert len(labels) == len(pairs)
        series.append(Series(labels, sample[2][0].decode(), sample[1][0]))
    return series


def profile_time(profile: bytes) -> int:
    """When a profile of pprof was begun, in nanoseconds since 1970."""
    time = fields(gzip.decompress(profile))[9][0]
    assert isinstance(time, int)
    return time


def strings_of(profile: bytes) -> set[str]:
    """The string table of a profile of pprof."""
    return {text.decode() for text in fields(gzip.decompress(profile))[6]}
