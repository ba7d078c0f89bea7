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
    return [TOP / "README.md", TOP / "CONTRIBUTING.md", *sorted((TOP / "docs").glob("*.md"))]


def blocks(document: Path) -> list[Block]:
    content = document.read_text()
    return [
        Block(document, match["kind"].strip(), content.count("\n", 0, match.start()) + 2, match["text"])
        for match in BLOCK.finditer(content)
    ]
