"""The shop under Flask, with each profiler in turn (turns.py): what has been asked for last as /profiler/NAME, at first
SHOP_PROFILER, is what answers. NAME: plain, again (the same), nothing, stacklapse, pyinstrument or cProfile."""

import io
import os

import shop
from flask import Flask, g, jsonify, render_template
from pyinstrument import Profiler
from stacklapse.wsgi import ProfilerMiddleware
from turns import Turns
from werkzeug.middleware import profiler as werkzeug

app = Flask(__name__)


@app.get("/")
def orders():
    return render_template("orders.html", orders=shop.latest(100))


@app.get("/orders/<int:number>")
def one_order(number):
    return jsonify(shop.order(number))


@app.get("/summary")
def summary():
    return jsonify(shop.summary())


# The hooks of its documentation, on every request.
@app.before_request
def before():
    if turns.chosen == "pyinstrument":
        g.profiler = Profiler()
        g.profiler.start()


@app.after_request
def after(response):
    if "profiler" in g:
        g.profiler.stop()
    return response


def nothing(environ, start_response):
    """The least that a middleware has to be to see how a request is answered."""
    answered = ""

    def passing(status, headers, failure=None):
        nonlocal answered
        answered = status
        return start_response(status, headers, failure)

    return app(environ, passing)


class Nowhere(io.TextIOBase):
    def write(self, text):
        return len(text)


APPLICATIONS = {
    "plain": app,
    "again": app,
    "nothing": nothing,
    "stacklapse": ProfilerMiddleware(app, slow="500ms", folder=os.environ["SHOP_FOLDER"]),
    "pyinstrument": app,
    "cProfile": werkzeug.ProfilerMiddleware(app, stream=Nowhere()),
}
turns = Turns()


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/profiler/"):
        turns.chosen = path.removeprefix("/profiler/")
        start_response("204 No Content", [])
        return []
    if path == "/turns":
        start_response("200 OK", [])
        return [turns.taken()]
    return APPLICATIONS[turns.profiler()](environ, start_response)
