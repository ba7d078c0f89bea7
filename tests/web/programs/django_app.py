import asyncio
import os
import sys
import time

import kitchen
from django.conf import settings

MIDDLEWARE = ["stacklapse.django.ProfilerMiddleware", "django.middleware.common.CommonMiddleware"]
if os.environ.get("DJANGO_CACHES"):
    update, fetch = (f"django.middleware.cache.{name}CacheMiddleware" for name in ("Update", "FetchFrom"))
    MIDDLEWARE = [update, *MIDDLEWARE, fetch]

if not settings.configured:
    settings.configure(
        DEBUG=kitchen.DEBUG,
        SECRET_KEY="for-tests-only",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="django_app",
        MIDDLEWARE=MIDDLEWARE,
        INSTALLED_APPS=["stacklapse.django.StacklapseConfig"],
        **{f"STACKLAPSE_{name.upper()}": value for name, value in kitchen.OPTIONS.items()},
    )

from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

sys.modules.setdefault("django_app", sys.modules[__name__])


def ready(request):
    return HttpResponse("ready")


def page(request, name):
    kitchen.cook_page()
    response = HttpResponse(f"<h1>{len(name)}</h1>", headers={"X-Dish": "<b>soup</b>"})
    response.set_cookie("basket", "very-secret-basket")
    return response


@csrf_exempt
def as_json(request):
    kitchen.cook_json()
    return JsonResponse({"received": len(request.body)})


def away(request):
    kitchen.cook_json()
    return HttpResponse(status=302, headers={"Location": "/page/x?secret=hidden-in-query"})


def stream(request):
    return StreamingHttpResponse(kitchen.parts(), content_type="text/plain")


def endless(request):
    return StreamingHttpResponse(kitchen.endless(), content_type="text/plain")


def boom(request):
    kitchen.cook_failure()


def error(request):
    kitchen.cook_json()
    return HttpResponse("<h1>error</h1>", status=500)


def file(request):
    kitchen.cook_json()
    return FileResponse(open(__file__, "rb"), content_type="text/plain")


def slow(request, user):
    kitchen.slow_page()
    return HttpResponse("slow")


async def asynchronous(request):
    kitchen.cook_page()
    await asyncio.sleep(0.01)
    return HttpResponse("asynchronous")


async def async_parts():
    for number in range(4):
        kitchen.cook_stream()
        await asyncio.sleep(0)
        yield f"part {number}\n".encode()


async def async_endless_parts():
    while True:
        kitchen.cook_stream()
        await asyncio.sleep(0)
        yield b"x" * 10_000


# Under ASGI, Django collects an ordinary generator before it sends anything.
async def async_endless(request):
    return StreamingHttpResponse(async_endless_parts(), content_type="text/plain")


async def async_stream(request):
    return StreamingHttpResponse(async_parts(), content_type="text/plain")


def turns(request, number):
    end = time.perf_counter() + float(request.GET["seconds"])
    while time.perf_counter() < end:
        kitchen.take_turn(number)
        time.sleep(0)
    return HttpResponse("turned")


urlpatterns = [
    path("ready", ready),
    path("page/<str:name>", page),
    path("json", as_json),
    path("away", away),
    path("stream", stream),
    path("endless", endless if __name__ == "__main__" else async_endless),
    path("boom", boom),
    path("error", error),
    path("file", file),
    path("slow/<str:user>", slow),
    path("asynchronous", asynchronous),
    path("async-stream", async_stream),
    path("turns/<int:number>", turns),
]

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
else:
    import django
    from django.core.asgi import get_asgi_application

    if os.environ.get("DJANGO_COMMAND") is None:
        django.setup()
        asgi = get_asgi_application()
