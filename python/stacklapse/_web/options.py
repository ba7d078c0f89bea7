"""What an integration can be told, by the same names in every framework."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypedDict

from stacklapse._web import tokens
from stacklapse.profiler import INTERVAL_MAX, INTERVAL_MIN
from stacklapse.times import nanoseconds

# RFC 9110 and RFC 6265: what a name of a header or cookie may consist of, and what needs no escaping in a query.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_ADDRESS = re.compile(r"(?:/[A-Za-z0-9._-]{1,64}){1,8}", re.ASCII)

Allow = Callable[[Any], Any]
RouteOf = Callable[[Any], Any]


class Keywords(TypedDict, total=False):
    """The fields of Options, as an integration's keywords. With `**options: Any` type checkers would know none of them,
    and refuse the class for Starlette's `add_middleware`."""

    debug: bool | None
    secret: bytes | str | None
    allow: Allow | None
    argument: str
    cookie: str
    header: str
    address: str
    interval: float
    watch_interval: float | None
    slow: float | str | None
    sample: float
    folder: str | os.PathLike[str] | None
    max_files: int | None
    max_bytes: int | None
    max_profiles: int
    max_watched: int
    max_seconds: float | str
    max_samples: int
    max_reports: int
    route: RouteOf | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything that may be configured, with what holds where nothing is."""

    debug: bool | None = None
    """Whether the loopback address is let in. None: what the framework says of itself, and no where it says nothing."""
    # Programs that report errors send the repr of what is in a frame.
    secret: bytes | str | None = field(default=None, repr=False)
    """Of the tokens of `stacklapse token`."""
    allow: Allow | None = None
    """Decides alone who is let in: called with the framework's own request, when a profile or a report is asked for."""
    argument: str = "profile"
    """Of the query: `?profile`."""
    cookie: str = "stacklapse"
    header: str = "X-Stacklapse"
    address: str = "/_stacklapse"
    """Where reports are served, below the application's own root."""
    interval: float = 0.0001
    """Seconds between two samples of a request that was asked for."""
    watch_interval: float | None = None
    """The same for requests that are watched because of `slow` and `sample`. None: a hundredth of `slow`, but at
    least 1 ms and at most 10 ms; 1 ms without `slow`."""
    slow: float | str | None = None
    """A request that took longer is kept, and one that failed: seconds, or `500ms`."""
    sample: float = 0.0
    """The share of all requests that is kept in any case."""
    folder: str | os.PathLike[str] | None = None
    """Where they are kept."""
    max_files: int | None = None
    max_bytes: int | None = None
    """Of what is kept in the folder."""
    max_profiles: int = 4
    """Requests that are profiled on demand at a time, in one process."""
    max_watched: int = 1000
    """The same for those that are watched."""
    max_seconds: float | str = 60.0
    """Longer is no request recorded. It goes on, and its report ends there."""
    max_samples: int = 1_000_000
    max_reports: int = 50
    """That are held for whoever asked for them."""
    route: RouteOf | None = None
    """Gives a request's route template, where the framework does not: called with the environ or scope."""

    def __post_init__(self) -> None:
        for name in ("argument", "cookie", "header"):
            _matches(name, getattr(self, name), _NAME, "letters, digits, - and _")
        _matches("address", self.address, _ADDRESS, "a path such as /_stacklapse")
        if any(part in (".", "..") for part in self.address.split("/")):
            raise ValueError(f"address must be a path such as /_stacklapse, not {self.address!r}")
        _number("interval", self.interval, INTERVAL_MIN, INTERVAL_MAX)
        _number("sample", self.sample, 0, 1)
        for name in ("max_profiles", "max_watched", "max_reports"):
            _whole(name, getattr(self, name), 10_000)
        _whole("max_samples", self.max_samples, 10**9)
        for name, most in (("max_files", 1_000_000), ("max_bytes", 10**15)):
            if getattr(self, name) is not None:
                _whole(name, getattr(self, name), most)
        if self.debug is not None and not isinstance(self.debug, bool):
            raise TypeError(f"debug must be True, False or None, not {self.debug!r}")
        for name in ("allow", "route"):
            if getattr(self, name) is not None and not callable(getattr(self, name)):
                raise TypeError(f"{name} must be callable, not {getattr(self, name)!r}")
        object.__setattr__(self, "max_seconds", duration("max_seconds", self.max_seconds))
        if self.slow is not None:
            object.__setattr__(self, "slow", duration("slow", self.slow))
        if self.watch_interval is None:
            slow = self.slow if isinstance(self.slow, float) else 0.0
            object.__setattr__(self, "watch_interval", min(max(slow / 100, 0.001), 0.010))
        _number("watch_interval", self.watch_interval, INTERVAL_MIN, INTERVAL_MAX)
        if self.secret is not None:
            secret = self.secret.encode() if isinstance(self.secret, str) else self.secret
            tokens.check_secret(secret)
            object.__setattr__(self, "secret", secret)
        if (self.slow is not None or self.sample) and self.folder is None:
            raise ValueError("slow and sample need a folder to keep requests in")

    @property
    def watches(self) -> bool:
        """Whether requests that nobody asked for are looked at."""
        return self.slow is not None or self.sample > 0

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(field.name for field in fields(cls))

    @classmethod
    def configured(cls, settings: Callable[[str], Any], given: Mapping[str, Any]) -> Options:
        """Of `STACKLAPSE_…` settings: `settings` gives one by its name, or None. What is `given` goes before."""
        found = {name: settings(f"STACKLAPSE_{name.upper()}") for name in cls.names()}
        return cls(**({name: value for name, value in found.items() if value is not None} | dict(given)))


def duration(name: str, value: object) -> float:
    """Seconds, of a number or a text such as `500ms`, `2 s` or `10m`."""
    if isinstance(value, str):
        ns = nanoseconds(value.strip())
        if ns is None:
            raise ValueError(f"{name} must be a time such as '500ms' or '2s', not {value!r}")
        value = ns / 1e9
    return _number(name, value, 0, 24 * 3600)


def _number(name: str, value: object, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number, not {value!r}")
    if not least <= value <= most:
        raise ValueError(f"{name} must be from {least:g} to {most:g}, not {value!r}")
    return float(value)


def _whole(name: str, value: object, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, not {value!r}")
    if not 1 <= value <= most:
        raise ValueError(f"{name} must be from 1 to {most:,}, not {value!r}")


def _matches(name: str, value: object, pattern: re.Pattern[str], words: str) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {value!r}")
    if pattern.fullmatch(value) is None:
        raise ValueError(f"{name} must be {words}, not {value!r}")
