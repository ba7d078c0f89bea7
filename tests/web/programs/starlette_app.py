import asyncio
import time

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from starlette.responses import StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute

from stacklapse.asgi import ProfilerMiddleware

import kitchen


async def ready(request):
    return PlainTextResponse("ready")


async def page(request):
    kitchen.cook_page()
    response = HTMLResponse(f"<h1>{len(request.path_params['name'])}</h1>", headers={"X-Dish": "<b>soup</b>"})
    response.set_cookie("basket", "very-secret-basket")
    return response


async def as_json(request):
    kitchen.cook_json()
    return JSONResponse({"received": len(await request.body())})


async def away(request):
    kitchen.cook_json()
    return RedirectResponse("/page/x?secret=hidden-in-query")


async def parts():
    for number in range(4):
        kitchen.cook_stream()
        await asyncio.sleep(0)
        yield f"part {number}\n".encode()


async def endless_parts():
    while True:
        kitchen.cook_stream()
        await asyncio.sleep(0)
        yield b"x" * 10_000


async def stream(request):
    return StreamingResponse(parts(), media_type="text/plain")


async def endless(request):
    return StreamingResponse(endless_parts(), media_type="text/plain")


async def boom(request):
    kitchen.cook_failure()


async def error(request):
    kitchen.cook_json()
    return HTMLResponse("<h1>error</h1>", 500)


async def file(request):
    kitchen.cook_json()
    return FileResponse(__file__, media_type="text/plain")


async def slow(request):
    await asyncio.sleep(0.15)
    return PlainTextResponse("slow")


def in_a_thread(request):
    kitchen.cook_page()
    return PlainTextResponse("threaded")


async def background(request):
    return PlainTextResponse("done", background=BackgroundTask(kitchen.cook_in_background))


async def turns(request):
    number, end = request.path_params["number"], time.perf_counter() + float(request.query_params["seconds"])
    while time.perf_counter() < end:
        kitchen.take_turn(number)
        await asyncio.sleep(0)
    return PlainTextResponse("turned")


async def echo(socket):
    await socket.accept()
    kitchen.cook_json()
    await socket.send_text((await socket.receive_text()).upper())
    await socket.close()


def mounted(request):
    return PlainTextResponse("mounted")


app = Starlette(
    debug=kitchen.DEBUG,
    routes=[
        Route("/ready", ready),
        Route("/page/{name}", page),
        Route("/json", as_json, methods=["GET", "POST"]),
        Route("/away", away),
        Route("/stream", stream),
        Route("/endless", endless),
        Route("/boom", boom),
        Route("/error", error),
        Route("/file", file),
        Route("/thread", in_a_thread),
        Route("/background", background),
        Route("/turns/{number:int}", turns),
        Mount("/slow", routes=[Route("/{user}", slow)]),
        Mount("/mounted/{tenant}", Starlette(routes=[Route("/page/{name}", mounted)])),
        WebSocketRoute("/echo", echo),
    ],
    middleware=[Middleware(ProfilerMiddleware, **kitchen.OPTIONS)],
)
