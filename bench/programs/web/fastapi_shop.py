"""The shop under FastAPI, with each profiler in turn: what has been asked for last as /profiler/NAME, at first
SHOP_PROFILER, is what answers. NAME: plain, stacklapse or pyinstrument."""

import os
from pathlib import Path

import shop
from fastapi import FastAPI, Request
from fastapi.templating import Jinja2Templates
from pyinstrument import Profiler
from stacklapse.asgi import ProfilerMiddleware

templates = Jinja2Templates(directory=Path(__file__).parent / "templates")


def shop_application():
    app = FastAPI()

    # A `def` runs in a thread, an `async def` in the loop.
    @app.get("/")
    def orders(request: Request):
        return templates.TemplateResponse(request, "orders.html", {"orders": shop.latest(100)})

    @app.get("/orders/{number}")
    async def one_order(number: int):
        return shop.order(number)

    @app.get("/summary")
    async def summary():
        return shop.summary()

    return app


APPLICATIONS = {name: shop_application() for name in ("plain", "stacklapse", "pyinstrument")}
APPLICATIONS["stacklapse"].add_middleware(ProfilerMiddleware, slow="500ms", folder=os.environ["SHOP_FOLDER"])


# The hook of its documentation, on every request.
@APPLICATIONS["pyinstrument"].middleware("http")
async def profile(request, call_next):
    with Profiler(async_mode="enabled"):
        return await call_next(request)


chosen = os.environ.get("SHOP_PROFILER", "plain")


async def application(scope, receive, send):
    global chosen
    if scope["type"] == "http" and scope["path"].startswith("/profiler/"):
        chosen = scope["path"].removeprefix("/profiler/")
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    await APPLICATIONS[chosen](scope, receive, send)
