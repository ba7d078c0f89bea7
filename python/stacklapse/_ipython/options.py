"""What stands behind %stacklapse: options in the words of the command, and then what is to be run."""

from __future__ import annotations

import difflib
import re
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stacklapse import _native
from stacklapse.profiler import INTERVAL_MAX, INTERVAL_MIN, Threads
from stacklapse.times import nanoseconds

HELP = """\
Runs a line or a cell, and shows where its time went.

    %stacklapse [options] STATEMENT
    %%stacklapse [options]         (before the lines of a cell)

  -i, --interval TIME    look once every TIME: 1ms (the default), 500us, 0.001 (seconds)
  --threads all          record every thread of the process, and not only what the code runs
  -o, --output FILE      write the report to FILE, in the format that its extension names, and
                         do not show it; FILE.lapse saves the recording itself
  -r, --renderer NAME    text or html; with -o FILE any format of `stacklapse view -r`
  --timeline             calls in the order in which they happened, not merged
  --show-all             fold nothing
  -h, --help             show this, and run nothing
  --                     the statement follows, though it may begin with -

What was recorded is in the variable _stacklapse afterwards: a stacklapse.Session."""

SAVED = ".lapse"

_LETTERS = {"-i": "--interval", "-o": "--output", "-r": "--renderer", "-h": "--help"}
_FLAGS = ("--timeline", "--show-all", "--help")
_TAKING = ("--interval", "--threads", "--output", "--renderer")
_OPTION = re.compile(r"--[A-Za-z][\w-]*|-[A-Za-z]", re.ASCII)
_VALUE = re.compile(r"\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>\S+)")


class RefusedError(Exception):
    """What is wrong with what was typed, or why it cannot be done: one sentence."""


@dataclass(frozen=True, slots=True)
class Options:
    interval: float = 0.001
    threads: Threads = "scope"
    output: str | None = None
    renderer: str | None = None
    """None: what suits the place."""
    timeline: bool = False
    show_all: bool = False
    help: bool = False
    statement: str = ""
    """As it was typed."""

    @property
    def shown(self) -> dict[str, Any]:
        """What every renderer takes."""
        return {"timeline": self.timeline, "show_all": self.show_all}


def parsed(line: str) -> Options:
    """Raises RefusedError."""
    options, rest = Options(), line.strip()
    while (found := _OPTION.match(rest)) is not None:
        given, rest = found[0], rest[found.end() :]
        name = _LETTERS.get(given, given)
        if name in _TAKING:
            value, rest = _value(given, rest)
            options = replace(options, **_read(given, name, value))
        elif name in _FLAGS and (not rest or rest[0].isspace()):
            fields: dict[str, Any] = {name[2:].replace("-", "_"): True}
            options = replace(options, **fields)
        else:
            raise _unknown(given)
        rest = rest.lstrip()
    if rest == "--" or rest.startswith("-- "):
        rest = rest[2:].lstrip()
    options = replace(options, statement=rest)
    _check_output(options)
    return options


def _value(given: str, rest: str) -> tuple[str, str]:
    """Behind a blank, an equals sign, or at once behind a letter."""
    if rest.startswith("=") and given.startswith("--"):
        rest = rest[1:]
    found = _VALUE.match(rest.lstrip())
    if found is None:
        raise RefusedError(f"{given} needs a value")
    return found["double"] or found["single"] or found["bare"] or "", rest.lstrip()[found.end() :]


def _read(given: str, name: str, value: str) -> dict[str, Any]:
    """The field that an option sets."""
    match name:
        case "--interval":
            return {"interval": interval(given, value)}
        case "--threads":
            return {"threads": _choice(given, value, ("all", "scope"))}
        case "--renderer":
            return {"renderer": _choice(given, value, tuple(_native.renderers()))}
    if not value:
        raise RefusedError(f"{given} takes the name of a file")
    # As for the command: what is not to go to a file is shown.
    return {"output": _path(value) if value != "-" else None}


def _path(value: str) -> str:
    try:
        return str(Path(value).expanduser().absolute())
    except RuntimeError:
        raise RefusedError(f"cannot write {value}: there is no home directory {Path(value).parts[0]}") from None
    except OSError as error:
        # The working directory was removed.
        raise RefusedError(f"cannot write {value}: {error.strerror or error}") from None


def interval(given: str, text: str) -> float:
    """Seconds, in the words that the command takes."""
    ns = nanoseconds(text)
    if ns is None:
        raise RefusedError(f"{given} takes a time such as 1ms, 500us or 0.001, not {text!r}")
    # Half a nanosecond of play, for what decimal fractions lose.
    if not INTERVAL_MIN * 1e9 - 0.5 <= ns <= INTERVAL_MAX * 1e9 + 0.5:
        raise RefusedError(f"{given} takes a time from 1us to 10s, not {text!r}")
    return round(ns) / 1e9


def _choice(given: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        allowed = f"{', '.join(choices[:-1])} or {choices[-1]}"
        raise RefusedError(f"{given} takes {allowed}, not {value!r}" + _meant(value, choices))
    return value


def _unknown(given: str) -> RefusedError:
    meant = _meant(given, (*_TAKING, *_FLAGS)) if given.startswith("--") else ""
    return RefusedError(f"there is no option {given}" + (meant or "; %stacklapse -h lists what there is"))


def _meant(word: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    return f": did you mean {near[0]}?" if near else ""


def _check_output(options: Options) -> None:
    """Before anything runs: what it gives shall not be lost because of a name."""
    if options.output is None:
        if options.renderer not in (None, "text", "html"):
            raise RefusedError(f"{options.renderer} cannot be shown here; write it to a file with -o")
        return
    path = Path(options.output)
    if options.renderer is None and path.suffix.lower() != SAVED and _native.renderer_for_path(path) is None:
        raise RefusedError(
            f"the name {path.name} does not say which format to write; -r does: {', '.join(_native.renderers())}"
        )
    try:
        wrong = "it is a directory" if stat.S_ISDIR(path.stat().st_mode) else None
    except (FileNotFoundError, NotADirectoryError):
        wrong = f"there is no directory {path.parent}" if not path.parent.is_dir() else None
    except OSError as error:
        # Too long a name, a directory that may not be searched.
        wrong = error.strerror or str(error)
    if wrong is not None:
        raise RefusedError(f"cannot write {path}: {wrong}")
