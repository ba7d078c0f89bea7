"""The shop under FastAPI. SHOP_PROFILER: plain, stacklapse or pyinstrument."""

import os
from pathlib import Path

import shop
from fastapi import FastAPI, Request
from fastapi.templating import Jinja2Templates

app = FastAPI()
templates = Jinja2Templates(directory=Path(__file__).parent / "templates")
profiler = os.environ.get("SHOP_PROFILER", "plain")


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


if profiler == "pyinstrument":
    from pyinstrument import Profiler

    # The hook of its documentation, on every request.
    @app.middleware("http")
    async def profile(request, call_next):
        with Profiler(async_mode="enabled"):
            return await call_next(request)


if profiler == "stacklapse":
    from stacklapse.asgi import ProfilerMiddleware

    app.add_middleware(ProfilerMiddleware, slow="500ms", folder=os.environ["SHOP_FOLDER"])
