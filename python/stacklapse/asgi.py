"""Any ASGI application, FastAPI's and Starlette's among them.

    app.add_middleware(ProfilerMiddleware)              # FastAPI, Starlette
    app = ProfilerMiddleware(app, debug=True)           # any other

In debug mode, `?profile` behind an address shows where the request's time went, for who comes from this machine.
"""

from __future__ import annotations

from typing import Unpack

from stacklapse._web.asgi import Application, ASGICore, Scope
from stacklapse._web.core import Core
from stacklapse._web.options import Keywords, Options

__all__ = ["ProfilerMiddleware"]


class ProfilerMiddleware(ASGICore):
    """Options are keywords, described by `stacklapse._web.options.Options`. Without any it does something in debug mode
    only, which Starlette and FastAPI tell of themselves (`FastAPI(debug=True)`)."""

    def __init__(self, app: Application, **options: Unpack[Keywords]) -> None:
        super().__init__(app, Core(Options(**options)), _debug)


def _debug(scope: Scope) -> bool:
    return getattr(scope.get("app"), "debug", False) is True
