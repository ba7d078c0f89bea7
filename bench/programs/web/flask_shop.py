"""The shop under Flask. SHOP_PROFILER: plain, stacklapse, pyinstrument or cProfile."""

import io
import os

import shop
from flask import Flask, g, jsonify, render_template

app = Flask(__name__)
profiler = os.environ.get("SHOP_PROFILER", "plain")


@app.get("/")
def orders():
    return render_template("orders.html", orders=shop.latest(100))


@app.get("/orders/<int:number>")
def one_order(number):
    return jsonify(shop.order(number))


@app.get("/summary")
def summary():
    return jsonify(shop.summary())


if profiler == "pyinstrument":
    from pyinstrument import Profiler

    # The hooks of its documentation, on every request.
    @app.before_request
    def before():
        g.profiler = Profiler()
        g.profiler.start()

    @app.after_request
    def after(response):
        g.profiler.stop()
        return response


application = app
if profiler == "stacklapse":
    from stacklapse.wsgi import ProfilerMiddleware

    application = ProfilerMiddleware(app, slow="500ms", folder=os.environ["SHOP_FOLDER"])
elif profiler == "cProfile":
    from werkzeug.middleware.profiler import ProfilerMiddleware

    class Nowhere(io.TextIOBase):
        def write(self, text):
            return len(text)

    application = ProfilerMiddleware(app, stream=Nowhere())
