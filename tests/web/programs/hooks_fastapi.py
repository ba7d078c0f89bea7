"""pyinstrument's recipe for FastAPI, with the import changed."""

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse

from stacklapse import Profiler

import kitchen

app = FastAPI()


@app.middleware("http")
async def profile_request(request: Request, call_next):
    profiling = request.query_params.get("profile", False)
    if profiling:
        profiler = Profiler()
        profiler.start()
        await call_next(request)
        profiler.stop()
        return HTMLResponse(profiler.output_html())
    else:
        return await call_next(request)


@app.get("/ready", response_class=PlainTextResponse)
async def ready():
    return "ready"


# One in a thread of the pool, one in the event loop.
@app.get("/turns/{number}")
def turns(number: int):
    kitchen.busy_in_turn(number, 0.3)
    return "turned"


@app.get("/loop/{number}")
async def loop(number: int):
    await kitchen.busy_in_loop(number, 0.3)
    return "turned"
