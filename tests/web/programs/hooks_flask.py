"""pyinstrument's recipe for Flask, with the import changed."""

from flask import Flask, g, make_response, request

from stacklapse import Profiler

import kitchen

app = Flask(__name__)


@app.before_request
def before_request():
    if "profile" in request.args:
        g.profiler = Profiler()
        g.profiler.start()


@app.after_request
def after_request(response):
    if not hasattr(g, "profiler"):
        return response
    g.profiler.stop()
    output_html = g.profiler.output_html()
    return make_response(output_html)


@app.get("/ready")
def ready():
    return "ready"


@app.get("/turns/<int:number>")
def turns(number):
    kitchen.busy_in_turn(number, 0.3)
    return "turned"
