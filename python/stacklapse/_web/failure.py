"""What goes wrong in here is logged, once, and nothing else: a request does not fail because it was looked at."""

from __future__ import annotations

import logging

_log = logging.getLogger("stacklapse")
_told: set[str] = set()


def tell(what: str, error: BaseException) -> None:
    """Logs a failure of that kind, the first time that it happens in this process."""
    if what in _told:
        return
    _told.add(what)
    try:
        _log.warning("stacklapse: %s: %s (this is told once)", what, error, exc_info=error)
    except Exception:
        # A handler of the application's that fails must not fail the request either.
        return
