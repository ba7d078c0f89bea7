"""Django's middleware gives a response back before its request is kept, whatever that waits for."""

import sys
import tempfile
import threading

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    STACKLAPSE_FOLDER=tempfile.mkdtemp(),
    STACKLAPSE_SLOW=0,
)
django.setup()

from django.http import FileResponse, HttpResponse
from django.test import RequestFactory

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
for thread in threading.enumerate():
    if thread.name == "stacklapse-keep":
        thread.join()
assert len(middleware._core._store.entries()) == 2
sys.stdout.write("as said\n")
