"""What the applications do, the same in each: functions that are found in reports by their names."""

import asyncio
import json
import os
import time

OPTIONS = json.loads(os.environ.get("WEB_OPTIONS", "{}"))
DEBUG = bool(os.environ.get("WEB_DEBUG"))


def staff_only(request):
    headers = getattr(request, "headers", None)
    if isinstance(request, dict):
        headers = {name.decode(): value.decode() for name, value in request.get("headers", ())} or {
            "x-staff": request.get("HTTP_X_STAFF")
        }
    return headers.get("X-Staff") == "yes" or headers.get("x-staff") == "yes"


def failing(request):
    raise RuntimeError("the callback is broken")


async def asynchronous(request):
    await asyncio.sleep(0)
    return staff_only(request)


def in_database(request):
    """As Django guards each use of its database."""
    from django.utils.asyncio import async_unsafe

    return async_unsafe(staff_only)(request)


if "allow" in OPTIONS:
    OPTIONS["allow"] = {
        "staff": staff_only,
        "failing": failing,
        "asynchronous": asynchronous,
        "in_database": in_database,
    }[OPTIONS["allow"]]


def busy(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(200))


def cook_page():
    busy(0.03)


def cook_json():
    busy(0.03)


def cook_stream():
    busy(0.02)


def cook_failure():
    busy(0.03)
    raise ValueError("burnt")


def cook_in_background():
    busy(0.05)


def slow_page():
    time.sleep(0.15)


def parts():
    for number in range(4):
        cook_stream()
        yield f"part {number}\n".encode()


def endless():
    while True:
        cook_stream()
        yield b"x" * 10_000


# Twenty requests at a time, each with functions of its own: turn_0 to turn_19.
TURNS = {}
for _number in range(20):
    _code = f"def turn_{_number}(until):\n    while clock() < until:\n        pass\n"
    _names = {"clock": time.perf_counter}
    exec(compile(_code, "turns.py", "exec"), _names)
    TURNS[_number] = _names[f"turn_{_number}"]


def take_turn(number, seconds=20e-6):
    TURNS[number](time.perf_counter() + seconds)


def busy_in_turn(number, seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        take_turn(number)
        time.sleep(0)


async def busy_in_loop(number, seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        take_turn(number)
        await asyncio.sleep(0)
