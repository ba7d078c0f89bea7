"""An application without a framework. Start it with `python examples/web/wsgi_app.py`, and open
http://127.0.0.1:8000/with/leeks?profile"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING
from wsgiref.simple_server import make_server

import recipes
from stacklapse.wsgi import ProfilerMiddleware

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    ingredient = environ["PATH_INFO"].removeprefix("/with/")
    if ingredient not in recipes.INGREDIENTS:
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b'<!doctype html><title>Recipes</title><a href="/with/leeks">With leeks</a>']
    start_response("200 OK", [("Content-Type", "text/html")])
    return [recipes.page(ingredient).encode()]


app = ProfilerMiddleware(application, debug=True, route=lambda _: "/with/{ingredient}")

if __name__ == "__main__":
    with make_server("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8000, app) as server:
        print(f"http://127.0.0.1:{server.server_port}/with/leeks?profile")
        server.serve_forever()
