"""Profiles one request of the Flask example and saves its recording: python demo.py RECORDING"""

from __future__ import annotations

import sys
import threading
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
    with urllib.request.urlopen(f"{address}{report}.lapse") as recording:
        Path(sys.argv[1]).write_bytes(recording.read())
    server.shutdown()


main()
