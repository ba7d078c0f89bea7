import time

from flask import Flask, Response, jsonify, redirect, request, send_file

from stacklapse.flask import Stacklapse

import kitchen

app = Flask(__name__)
app.debug = kitchen.DEBUG
for name, value in kitchen.OPTIONS.items():
    app.config[f"STACKLAPSE_{name.upper()}"] = value
Stacklapse().init_app(app)


@app.get("/ready")
def ready():
    return "ready"


@app.get("/page/<name>")
def page(name):
    kitchen.cook_page()
    response = Response(f"<h1>{len(name)}</h1>", mimetype="text/html")
    response.set_cookie("basket", "very-secret-basket")
    response.headers["X-Dish"] = "<b>soup</b>"
    return response


@app.route("/json", methods=["GET", "POST"])
def as_json():
    kitchen.cook_json()
    return jsonify(received=len(request.get_data()))


@app.get("/away")
def away():
    kitchen.cook_json()
    return redirect("/page/x?secret=hidden-in-query")


@app.get("/stream")
def stream():
    return Response(kitchen.parts(), mimetype="text/plain")


@app.get("/endless")
def endless():
    return Response(kitchen.endless(), mimetype="text/plain")


@app.get("/boom")
def boom():
    kitchen.cook_failure()


@app.get("/error")
def error():
    kitchen.cook_json()
    return "<h1>error</h1>", 500


@app.get("/file")
def file():
    kitchen.cook_json()
    return send_file(__file__, mimetype="text/plain")


@app.get("/slow/<user>")
def slow(user):
    kitchen.slow_page()
    return "slow"


@app.get("/turns/<int:number>")
def turns(number):
    end = time.perf_counter() + float(request.args["seconds"])
    while time.perf_counter() < end:
        kitchen.take_turn(number)
        time.sleep(0)
    return "turned"
