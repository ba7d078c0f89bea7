"""The blocks of commands and programs in the documentation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from support.interpreters import TOP

BLOCK = re.compile(r"^```(?P<kind>[^\n]*)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)

SCRIPT = """\
import json
import sys
import time


def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        json.dumps(list(range(100)))


def main():
    spin(0.15)
    print("rounds", *sys.argv[1:])


main()
"""


@dataclass(frozen=True)
class Block:
    document: Path
    kind: str
    line: int
    text: str


def documents() -> list[Path]:
    others = ("README.md", "CONTRIBUTING.md", "report/README.md")
    return [*(TOP / name for name in others), *sorted((TOP / "docs").glob("*.md"))]


def anchors(document: Path) -> set[str]:
    """What may stand behind the # of an address: GitHub makes them of the headings."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.*?) *#*$", BLOCK.sub("", document.read_text()), re.MULTILINE):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        number = 0
        while (anchor := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(anchor)
    return found


def blocks(document: Path) -> list[Block]:
    content = document.read_text()
    return [
        Block(document, match["kind"].strip(), content.count("\n", 0, match.start()) + 2, match["text"])
        for match in BLOCK.finditer(content)
    ]
