"""Django's middleware gives a response back before its request is kept, whatever that waits for; and an event loop goes
on while a report is made."""

import asyncio
import sys
import tempfile
import threading

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    STACKLAPSE_FOLDER=tempfile.mkdtemp(),
    STACKLAPSE_SLOW=0,
    STACKLAPSE_DEBUG=True,
)
django.setup()

from django.http import FileResponse, HttpResponse
from django.test import AsyncRequestFactory, RequestFactory

from keeping import until_all_is_kept
from stacklapse._web import answers
from stacklapse._web.store import Store
from stacklapse.django import ProfilerMiddleware

freed = threading.Event()
keep = Store.keep


def keep_when_freed(*arguments, **keywords):
    assert threading.current_thread() is not threading.main_thread()
    assert freed.wait(60)
    return keep(*arguments, **keywords)


Store.keep = keep_when_freed


def page(request):
    return FileResponse(open(__file__, "rb")) if request.path == "/file" else HttpResponse("page")


middleware = ProfilerMiddleware(page)
for path in ("/page", "/file"):
    middleware(RequestFactory().get(path)).close()
freed.set()
until_all_is_kept()
assert len(middleware._core._store.entries()) == 2

threads = []


def noted(make):
    def instead(*arguments):
        threads.append(threading.current_thread() is threading.main_thread())
        return make(*arguments)

    return instead


answers.answer, answers.page = noted(answers.answer), noted(answers.page)


async def asynchronous_page(request):
    return HttpResponse("page")


async def asked(path):
    request = AsyncRequestFactory().get(path)
    request.META |= {"HTTP_HOST": "localhost", "HTTP_ACCEPT": "text/html", "QUERY_STRING": "profile"}
    return await ProfilerMiddleware(asynchronous_page)(request)


assert b"stacklapse-columns" in asyncio.run(asked("/page")).content
assert b"Profiled requests" in asyncio.run(asked("/_stacklapse/")).content
assert threads == [False, False]
sys.stdout.write("as said\n")
