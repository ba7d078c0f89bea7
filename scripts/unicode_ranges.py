#!/usr/bin/env python3
"""Writes src/render/text_unicode_ranges.h from the Unicode data of the Python that runs it.

Run it with the newest Python at hand, then clang-format; the header says which Unicode version it was made from. What
it has escaped, the report page escapes as well (report/src/engine/recording.ts); a test there compares the two.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Iterator

# Invisible, but letters or marks by category: fillers, and what only changes how a neighbour is drawn.
INVISIBLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0x2800} | set(range(0x180B, 0x1810))


def escaped(code: int) -> bool:
    """Controls, formats (bidirectional ones among them), separators of lines, private use, non-characters."""
    if code in INVISIBLE or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF or 0xE0000 <= code <= 0xE0FFF:
        return True
    return unicodedata.category(chr(code)) in {"Cc", "Cf", "Zl", "Zp", "Co", "Cs"}


def combining(code: int) -> bool:
    """Drawn over the character before it. The second and third part of a Hangul syllable are, too."""
    if escaped(code):
        return False
    return unicodedata.category(chr(code)) in {"Mn", "Me"} or 0x1160 <= code <= 0x11FF or 0xD7B0 <= code <= 0xD7FB


def wide(code: int) -> bool:
    """Two columns, as in UAX #11."""
    return not escaped(code) and not combining(code) and unicodedata.east_asian_width(chr(code)) in "WF"


def ranges(belongs: Callable[[int], bool]) -> Iterator[tuple[int, int]]:
    """What belongs, in ranges; a gap that holds nothing but unassigned characters is bridged."""
    first = last = None
    for code in range(0x80, 0x110000):
        if belongs(code):
            if first is None:
                first = code
            last = code
        elif first is not None and last is not None and unicodedata.category(chr(code)) != "Cn":
            yield first, last
            first = None
    if first is not None and last is not None:
        yield first, last


def table(name: str, belongs: Callable[[int], bool]) -> str:
    """One C array."""
    rows = ", ".join(f"{{0x{first:04X}, 0x{last:04X}}}" for first, last in ranges(belongs))
    return f"static const struct range {name}[] = {{{rows}}};\n"


sys.stdout.write(
    f"/* Made by scripts/unicode_ranges.py from Unicode {unicodedata.unidata_version}; do not edit. Included by"
    " text_unicode.c alone. */\n"
    + table("escaped_ranges", escaped)
    + table("combining_ranges", combining)
    + table("wide_ranges", wide)
)
