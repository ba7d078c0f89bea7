"""A Django middleware written by hand on the plain Profiler."""

import sys

import kitchen
from django.conf import settings

settings.configure(
    DEBUG=True,
    SECRET_KEY="for-tests-only",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["hooks_django.ByHand"],
)
sys.modules.setdefault("hooks_django", sys.modules[__name__])

from django.http import HttpResponse
from django.urls import path

from stacklapse import Profiler


class ByHand:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "profile" not in request.GET:
            return self.get_response(request)
        profiler = Profiler()
        profiler.start()
        self.get_response(request)
        profiler.stop()
        return HttpResponse(profiler.output_html())


def ready(request):
    return HttpResponse("ready")


def turns(request, number):
    kitchen.busy_in_turn(number, 0.3)
    return HttpResponse("turned")


urlpatterns = [path("ready", ready), path("turns/<int:number>", turns)]

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
