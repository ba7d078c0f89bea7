"""The shop under FastAPI, with each profiler in turn (turns.py): what has been asked for last as /profiler/NAME, at
first SHOP_PROFILER, is what answers. NAME: plain, again (the same), nothing, stacklapse or pyinstrument. All but the
last stand before the same application: two of the same kind differ by more than what stands before them."""

import asyncio
import os
from pathlib import Path

import shop
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from fastapi.templating import Jinja2Templates
from pyinstrument import Profiler
from stacklapse.asgi import ProfilerMiddleware
from turns import Turns

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

    @app.get("/events")
    async def events():
        async def tick():
            while True:
                yield "data: tick\n\n"
                await asyncio.sleep(1)

        return StreamingResponse(tick(), media_type="text/event-stream")

    @app.get("/summary")
    async def summary():
        return shop.summary()

    return app


class Nothing:
    """The least that a middleware has to be to see how a request is answered."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        status = 0

        async def passing(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self.app(scope, receive, passing)


plain = shop_application()
APPLICATIONS = {
    "plain": plain,
    "again": plain,
    "nothing": Nothing(plain),
    "stacklapse": ProfilerMiddleware(plain, slow="500ms", folder=os.environ["SHOP_FOLDER"]),
    "pyinstrument": shop_application(),
}


# The hook of its documentation, on every request.
@APPLICATIONS["pyinstrument"].middleware("http")
async def profile(request, call_next):
    with Profiler(async_mode="enabled"):
        return await call_next(request)


turns = Turns()


async def application(scope, receive, send):
    if scope["type"] == "http" and scope["path"].startswith("/profiler/"):
        turns.chosen = scope["path"].removeprefix("/profiler/")
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
    elif scope["type"] == "http" and scope["path"] == "/turns":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": turns.taken()})
    else:
        await APPLICATIONS[turns.profiler()](scope, receive, send)
