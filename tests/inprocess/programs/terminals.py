"""Colour and width of what is printed, by the variables that the command heeds and in its order."""

import fcntl
import io
import os
import struct
import termios

from stacklapse import Profiler
from work import spin

# What is set, and whether there is colour on a terminal and elsewhere.
COLORS = (
    ({}, True, False),
    ({"TERM": "dumb"}, False, False),
    ({"TERM": ""}, False, False),
    ({"NO_COLOR": "1"}, False, False),
    ({"NO_COLOR": ""}, True, False),
    ({"FORCE_COLOR": "1"}, True, True),
    ({"FORCE_COLOR": "0"}, True, False),
    ({"FORCE_COLOR": ""}, True, False),
    ({"CLICOLOR_FORCE": "1"}, True, True),
    ({"CLICOLOR_FORCE": "0"}, True, False),
    ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
    ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False, False),
)
END = "\x04"
NAMES = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS")


def environment(variables):
    for name in NAMES:
        os.environ.pop(name, None)
    os.environ.update({"TERM": "xterm"} | variables)


def printed(profiler, columns):
    """To a terminal of that many columns, as the terminal shows it; None: to what is none."""
    if columns is None:
        text = io.StringIO()
        profiler.print(file=text)
        return text.getvalue()
    there, here = os.openpty()
    fcntl.ioctl(here, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(here, "w", encoding="utf-8") as terminal:
        profiler.print(file=terminal, unicode=False)
        terminal.write(END)
        terminal.flush()
        text = b""
        while not text.endswith(END.encode()):
            text += os.read(there, 65536)
    os.close(there)
    return text.decode().removesuffix(END)


def width(text):
    return max(map(len, text.splitlines()))


with Profiler(0.0005) as profiler:
    spin(0.02)
for variables, on_terminal, elsewhere in COLORS:
    environment(variables)
    for columns, expected in ((200, on_terminal), (None, elsewhere)):
        assert ("\x1b[" in printed(profiler, columns)) == expected, (variables, columns)
environment({"NO_COLOR": "1", "COLUMNS": "60"})
assert width(printed(profiler, None)) <= 60
assert 60 < width(printed(profiler, 80)) <= 80, "a terminal knows better"
assert width(printed(profiler, 0)) <= 60, "but not one without a size"
usual = printed(profiler, 100)
for nonsense in ("", "x", "-5", "0", "9" * 5000):
    environment({"NO_COLOR": "1", "COLUMNS": nonsense})
    assert printed(profiler, 0) == usual, nonsense
