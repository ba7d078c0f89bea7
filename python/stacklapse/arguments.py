"""What arguments may be: one that is wrong is told in one sentence, before something else is taken for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

COLUMNS_MAX = 10_000


def one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raises when an argument is not one of the words that it may be."""
    if value not in allowed:
        words = " or ".join([", ".join(repr(word) for word in allowed[:-1]), repr(allowed[-1])])
        kind = ValueError if isinstance(value, str) else TypeError
        raise kind(f"{name} must be {words}, not {value!r}")


def globs(name: str, value: object) -> tuple[str, ...]:
    several = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else (None,)
    if not all(isinstance(glob, str) for glob in several):
        raise TypeError(f"{name} must be globs: a str, or several, not {value!r}")
    return several


def share(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number from 0 to 1, not {value!r}")
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be a number from 0 to 1, not {value!r}")
    return float(value)


def columns(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a number of columns, not {value!r}")
    if not 0 <= value <= COLUMNS_MAX:
        raise ValueError(f"{name} must be a number of columns from 0 to {COLUMNS_MAX:,}, not {value!r}")
    return value


_OF_OUTPUTS: dict[str, Callable[[str, object], object]] = {
    "show": globs,
    "hide": globs,
    "threshold": share,
    "width": columns,
}


def output_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an output as the engine takes them. It says itself which names it knows."""
    if options.get("flat") and options.get("timeline"):
        raise ValueError("flat and timeline cannot be had together: a table of functions has no order of time")
    return {name: _OF_OUTPUTS[name](name, value) if name in _OF_OUTPUTS else value for name, value in options.items()}
