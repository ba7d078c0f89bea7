"""Profiles one request of the Flask example and saves its recording: python demo.py RECORDING"""

from __future__ import annotations

import http
import sys
import threading
import time
import urllib.request
from pathlib import Path

from flask_app import app
from werkzeug.serving import make_server


def main() -> None:
    app.debug = True
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    urllib.request.urlopen(f"{address}/with/salt").read()
    # A client that is no browser's gets its page, and the report's address in a header.
    with urllib.request.urlopen(f"{address}/with/leeks?profile") as answer:
        answer.read()
        for name in ("Server-Timing", "X-Stacklapse-Report"):
            print(f"{name}: {answer.headers[name]}")
        report = answer.headers["X-Stacklapse-Report"]
    Path(sys.argv[1]).write_bytes(fetched(f"{address}{report}.lapse"))
    server.shutdown()


def fetched(address: str) -> bytes:
    """The recording of a request, once that has ended: a client may have the whole page a moment before."""
    for _ in range(200):
        with urllib.request.urlopen(address) as answer:
            if answer.status != http.HTTPStatus.ACCEPTED:
                recording: bytes = answer.read()
                return recording
        time.sleep(0.05)
    raise TimeoutError("the request does not end")


main()
