"""Tokens that let a browser or a client ask for a profile: signed, and good for some minutes only.

A token is `sl1.EXPIRES.SIGNATURE`: the second since 1970 at which it ends, and the HMAC-SHA256 of
`stacklapse token 1\\nEXPIRES` under the secret, as URL-safe base64 without padding. It needs no escaping in a query
string, a header or a cookie. The command's `stacklapse token` (src/cli/token.c) makes the same; the test that holds
them against each other is tests/test_command_token.py.

Whoever holds a token may use it until it ends. To take all of them back, change the secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import re
import time

SECRET_MIN = 16
"""Bytes. A shorter secret could be guessed from one token."""
TTL_MAX = 7 * 24 * 3600

_FORMAT = re.compile(r"sl1\.([1-9][0-9]{0,11})\.([A-Za-z0-9_-]{43})", re.ASCII)
_LONGEST = len("sl1.") + 12 + 1 + 43


def check_secret(secret: bytes) -> None:
    """Raises TypeError or ValueError when no token can be made with it."""
    if not isinstance(secret, bytes):
        raise TypeError(f"the secret for tokens must be bytes, not {type(secret).__name__}")
    if len(secret) < SECRET_MIN:
        raise ValueError(f"the secret for tokens must be at least {SECRET_MIN} bytes long, and random")


def make(secret: bytes, ttl_seconds: float, now: float | None = None) -> str:
    """A token that ends `ttl_seconds` from `now` (seconds since 1970; None: the clock's)."""
    check_secret(secret)
    if not 0 < ttl_seconds <= TTL_MAX:
        raise ValueError(f"a token must be good for more than 0 and at most {TTL_MAX} seconds, not {ttl_seconds!r}")
    expires = math.ceil((time.time() if now is None else now) + ttl_seconds)
    return f"sl1.{expires}.{_signature(secret, str(expires))}"


def valid(secret: bytes, token: str, now: float | None = None) -> bool:
    """Whether the token was made with this secret and has not ended. Never raises: with a secret that no token can be
    made with, none is valid."""
    if not isinstance(secret, bytes) or len(secret) < SECRET_MIN:
        return False
    if not isinstance(token, str) or len(token) > _LONGEST:
        return False
    match = _FORMAT.fullmatch(token)
    if match is None:
        return False
    expires, signature = match.groups()
    signed = hmac.compare_digest(_signature(secret, expires), signature)
    return signed and (time.time() if now is None else now) < int(expires)


def _signature(secret: bytes, expires: str) -> str:
    digest = hmac.digest(secret, f"stacklapse token 1\n{expires}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
