"""Who may have a request profiled, and see reports.

Without configuration: in debug mode, who comes from the loopback address. Behind a proxy or a tunnel on the same
machine everybody does, so a request that shows that it was forwarded is refused, whatever its headers claim: they can
take the permission away and never give it. One that is forwarded as it came, or as the proxy's own, cannot be told.

So is one for a host name that is not this machine's: a page of another site may have had its own name lead here (DNS
rebinding), and could then read what it is answered. And so is what a page of another origin asks for by itself: it can
read the answer where the application allows that to all (CORS). Who follows a link sees the answer, the page does not.
"""

from __future__ import annotations

import inspect
import ipaddress

from stacklapse._web import tokens
from stacklapse._web.incoming import Incoming
from stacklapse._web.options import Options

# Of the headers by which a proxy tells for whom it asks, in lower case: whole names, beginnings, ends.
_FORWARDED = ("forwarded", "via", "x-envoy-external-address")
_FORWARDED_BEGINNINGS = ("x-forwarded", "x-original-forwarded")
_FORWARDED_ENDS = ("real-ip", "client-ip", "connecting-ip")
# Browsers and clients have not spoken it for long; older versions of nginx ask in it by default, without any header.
_FORWARDED_PROTOCOL = "HTTP/1.0"


def asks(options: Options, incoming: Incoming) -> tuple[str, ...]:
    """The values with which a profile is asked for: of the query's argument, of the header, of the cookie."""
    values = (incoming.argument(options.argument), incoming.header(options.header), incoming.cookie(options.cookie))
    return tuple(value for value in values if value is not None)


def may(options: Options, incoming: Incoming) -> bool:
    """Raises what `allow` does, and TypeError when it is an asynchronous function: its result would always be true."""
    if options.allow is not None:
        answer = options.allow(incoming.native())
        if inspect.isawaitable(answer):
            if inspect.iscoroutine(answer):
                answer.close()
            raise TypeError("allow must be an ordinary function, not one that has to be awaited")
        return bool(answer)
    secret = options.secret
    if isinstance(secret, bytes) and any(tokens.valid(secret, value) for value in asks(options, incoming)):
        return True
    debug = incoming.debug if options.debug is None else options.debug
    return bool(debug) and is_local(incoming)


def is_local(incoming: Incoming) -> bool:
    return (
        is_loopback(incoming.peer)
        and not _was_forwarded(incoming)
        and _names_this_machine(incoming.header("Host"))
        and not _is_from_another_page(incoming)
    )


def _was_forwarded(incoming: Incoming) -> bool:
    names = [name.lower() for name in incoming.names()]
    return incoming.protocol == _FORWARDED_PROTOCOL or any(
        name in _FORWARDED or name.startswith(_FORWARDED_BEGINNINGS) or name.endswith(_FORWARDED_ENDS) for name in names
    )


def _is_from_another_page(incoming: Incoming) -> bool:
    """Whether a page of another origin asks for it, and not a person who followed its link."""
    origin = incoming.header("Origin")
    if origin is not None and origin.partition("://")[2].lower() != (incoming.header("Host") or "").lower():
        return True
    if incoming.header("Sec-Fetch-Site") in (None, "same-origin", "none"):
        return False
    followed = (incoming.header("Sec-Fetch-Mode"), incoming.header("Sec-Fetch-Dest")) == ("navigate", "document")
    return not followed


def is_loopback(address: str | None) -> bool:
    if not address or not isinstance(address, str):
        return False
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.is_loopback


def _names_this_machine(host: str | None) -> bool:
    """`localhost:8000`, `127.0.0.1`, `[::1]`; no host at all is no browser's."""
    if host is None:
        return True
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    name = name.lower().rstrip(".")
    return name in ("localhost", "0.0.0.0") or name.endswith(".localhost") or is_loopback(name)
