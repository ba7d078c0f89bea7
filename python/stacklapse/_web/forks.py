"""What a forked child has to begin anew: locks that another thread may have held, lists of what ran in the parent."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from types import MethodType

_methods: list[weakref.WeakMethod[Callable[[], None]]] = []


def in_child(method: Callable[[], None]) -> None:
    """Has a method called in every child, for as long as its object lives."""
    assert isinstance(method, MethodType)
    _methods[:] = [reference for reference in _methods if reference() is not None]
    _methods.append(weakref.WeakMethod(method))


def _call() -> None:
    for reference in _methods:
        method = reference()
        if method is not None:
            method()


os.register_at_fork(after_in_child=_call)
