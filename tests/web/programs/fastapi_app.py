import asyncio
import time

from fastapi import APIRouter, BackgroundTasks, FastAPI, Request, WebSocket
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, StreamingResponse

from stacklapse.asgi import ProfilerMiddleware

import kitchen
import starlette_app

app = FastAPI(debug=kitchen.DEBUG)
inner, router = FastAPI(), APIRouter(prefix="/router")
app.mount("/mounted/{tenant}", inner)
app.add_middleware(ProfilerMiddleware, **kitchen.OPTIONS)


@app.get("/ready", response_class=HTMLResponse)
async def ready():
    return "ready"


# A function that FastAPI runs in a thread.
@app.get("/page/{name}")
def page(name: str):
    kitchen.cook_page()
    response = HTMLResponse(f"<h1>{len(name)}</h1>", headers={"X-Dish": "<b>soup</b>"})
    response.set_cookie("basket", "very-secret-basket")
    return response


@app.api_route("/json", methods=["GET", "POST"])
async def as_json(request: Request):
    kitchen.cook_json()
    return {"received": len(await request.body())}


@app.get("/away")
async def away():
    kitchen.cook_json()
    return RedirectResponse("/page/x?secret=hidden-in-query")


# Generators that are iterated over in threads.
@app.get("/stream")
def stream():
    return StreamingResponse(kitchen.parts(), media_type="text/plain")


@app.get("/endless")
def endless():
    return StreamingResponse(kitchen.endless(), media_type="text/plain")


@app.get("/boom")
def boom():
    kitchen.cook_failure()


@app.get("/error")
async def error():
    kitchen.cook_json()
    return HTMLResponse("<h1>error</h1>", 500)


@app.get("/file")
async def file():
    kitchen.cook_json()
    return FileResponse(__file__, media_type="text/plain")


@app.get("/thread")
def in_a_thread():
    kitchen.cook_page()
    return "threaded"


@app.get("/background", response_class=HTMLResponse)
async def background(tasks: BackgroundTasks):
    tasks.add_task(kitchen.cook_in_background)
    return "done"


@app.get("/slow/{user}")
async def slow(user: str):
    await asyncio.sleep(0.15)
    return "slow"


@inner.get("/page/{name}")
def mounted(name: str):
    return "mounted"


@router.get("/page/{name}")
def included(name: str):
    return "included"


async def plain(request: Request):
    return HTMLResponse("plain")


router.add_route("/plain/{name}", plain)
for including in (app, inner):
    for place in ("/one", "/two"):
        including.include_router(router, prefix=place)


@app.get("/turns/{number}")
async def turns(number: int, seconds: float):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        kitchen.take_turn(number)
        await asyncio.sleep(0)
    return "turned"


@app.websocket("/echo")
async def echo(socket: WebSocket):
    await starlette_app.echo(socket)
