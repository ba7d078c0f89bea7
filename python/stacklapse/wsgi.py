"""Any WSGI application.

    app = ProfilerMiddleware(app, debug=True)

It takes the arguments of Werkzeug's middleware of the same name, too, and does the same with them: prints the
statistics of each request to a stream, and writes `.prof` files for the standard library's `pstats` and for SnakeViz.
With `debug=True`, `?profile` behind an address shows where the request's time went, for who comes from this machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import IO, TYPE_CHECKING, Literal, Unpack

from stacklapse._web.core import Core
from stacklapse._web.options import Keywords, Options
from stacklapse._web.statistics import FILENAME_FORMAT, StatisticsMiddleware
from stacklapse._web.wsgi import WSGICore

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

__all__ = ["ProfilerMiddleware"]


class ProfilerMiddleware(WSGICore):
    """
    `stream`, `sort_by`, `restrictions`, `profile_dir` and `filename_format` are Werkzeug's and are about every request.
    Everything else are our options, described by `stacklapse._web.options.Options`. Where none of those is given,
    `stream` is stdout, as with Werkzeug; where one is, requests are printed only if a stream is named.
    """

    def __init__(
        self,
        app: WSGIApplication,
        stream: IO[str] | Literal["default"] | None = "default",
        sort_by: Iterable[str] = ("time", "calls"),
        restrictions: Iterable[str | int | float] = (),
        profile_dir: str | None = None,
        filename_format: str | Callable[[WSGIEnvironment], str] = FILENAME_FORMAT,
        **options: Unpack[Keywords],
    ) -> None:
        if stream == "default":
            stream = None if options else sys.stdout
        if stream is not None or profile_dir is not None:
            app = StatisticsMiddleware(app, stream, sort_by, restrictions, profile_dir, filename_format)
        super().__init__(app, Core(Options(**options)))
