"""Flask applications.

    Stacklapse(app)                     # or Stacklapse().init_app(app)

and, in debug mode, `?profile` behind the address of a page shows where its time went, for who comes from this machine.
Outside of debug mode it does nothing until `secret` or `allow` lets somebody in, or `folder` and `slow` keep requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from flask import request

from stacklapse._web.core import Core
from stacklapse._web.options import Keywords, Options
from stacklapse._web.wsgi import ROUTE, WSGICore

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["Stacklapse"]


class Stacklapse:
    """Options are keywords here, or `STACKLAPSE_…` in the application's configuration; the keywords go before.
    `stacklapse._web.options.Options` says what each means."""

    def __init__(self, app: Flask | None = None, **options: Unpack[Keywords]) -> None:
        self._options = options
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        if "stacklapse" in app.extensions:
            raise RuntimeError("this application has stacklapse already")
        options = Options.configured(app.config.get, self._options)
        # Debug mode may be switched on later, by app.run(debug=True).
        app.wsgi_app = WSGICore(  # type: ignore[method-assign]
            app.wsgi_app,
            Core(options),
            lambda: app.debug,
            lambda environ: app.request_class(environ, populate_request=False),
        )
        app.url_value_preprocessor(_note_route)
        app.extensions["stacklapse"] = self


def _note_route(*_: object) -> None:
    """Called by Flask when it has found the route, before any function of the application's."""
    if request.url_rule is not None:
        request.environ[ROUTE] = request.url_rule.rule
