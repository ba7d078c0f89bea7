"""Start it with `python examples/web/django_app.py runserver`, and open http://127.0.0.1:8000/with/leeks?profile"""

from __future__ import annotations

import sys
from typing import Any

import recipes
from django.conf import settings

settings.configure(
    DEBUG=True,
    SECRET_KEY="an example has no secrets",
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["stacklapse.django.ProfilerMiddleware", "django.middleware.common.CommonMiddleware"],
    INSTALLED_APPS=["stacklapse.django.StacklapseConfig"],
)

from django.http import Http404, HttpResponse, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402


def known(ingredient: str) -> str:
    if ingredient not in recipes.INGREDIENTS:
        raise Http404
    return ingredient


def home(_: Any) -> HttpResponse:
    return HttpResponse('<!doctype html><title>Recipes</title><a href="/with/leeks">With leeks</a>')


def with_ingredient(_: Any, ingredient: str) -> HttpResponse:
    return HttpResponse(recipes.page(known(ingredient)))


def api_with_ingredient(_: Any, ingredient: str) -> HttpResponse:
    return JsonResponse(recipes.shopping_list(known(ingredient)))


urlpatterns = [
    path("", home),
    path("with/<str:ingredient>", with_ingredient),
    path("api/with/<str:ingredient>", api_with_ingredient),
]

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
