"""An application without a framework: `start_response` late, `write()`, a body with `close()`, `exc_info`."""

import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import kitchen
from stacklapse.wsgi import ProfilerMiddleware

PAGE = [("Content-Type", "text/html")]
closed = []


class Body:
    def __init__(self, parts):
        self.parts = iter(parts)

    def __iter__(self):
        return self.parts

    def close(self):
        closed.append(True)


def late(environ, start_response):
    kitchen.cook_page()
    start_response("200 OK", [*PAGE])
    yield b"<h1>"
    yield b"late</h1>"


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/ready":
        start_response("200 OK", [*PAGE])
        return [b"ready"]
    if path == "/late":
        return late(environ, start_response)
    if path == "/closed":
        start_response("200 OK", [*PAGE])
        return [str(len(closed)).encode()]
    if path == "/write":
        write = start_response("200 OK", [*PAGE])
        kitchen.cook_page()
        write(b"written, ")
        write(b"again, ")
        return [b"returned"]
    if path == "/exc-info":
        start_response("200 OK", [*PAGE])
        try:
            kitchen.cook_failure()
        except ValueError:
            start_response("500 Oh no", [*PAGE], sys.exc_info())
            return [b"<h1>failed</h1>"]
    if path.startswith("/page"):
        kitchen.cook_page()
        return_ = Body([b"<h1>", b"page</h1>"])
        start_response("200 OK", [*PAGE, ("Content-Length", "13")])
        return return_
    if path == "/one":
        kitchen.cook_page()
        start_response("200 OK", [*PAGE])
        return [b"one part"]
    if path == "/boom":
        kitchen.cook_failure()
    if path == "/silent":
        return []
    if path == "/nothing":
        start_response("200 OK", [*PAGE])
        return None
    start_response("404 Not Found", [*PAGE])
    return [b"not found"]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


if __name__ == "__main__":
    options = kitchen.OPTIONS
    if options.pop("plain", False):
        app = ProfilerMiddleware(application, **options)
    else:
        app = ProfilerMiddleware(application, debug=kitchen.DEBUG, **options)
    with make_server("127.0.0.1", int(sys.argv[1]), app, Server, WSGIRequestHandler) as server:
        server.serve_forever()
