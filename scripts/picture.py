"""Makes docs/images/report.svg: what a terminal shows of the demo's report, in colours for light and dark pages.

usage: scripts/python scripts/picture.py
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
PICTURE = TOP / "docs" / "images" / "report.svg"
PROGRAM = "examples/access_log/main.py"

COLUMN, ROW, MARGIN = 8.4, 18, 16

# Terminal colours by their number; the names are classes of the style sheet below.
COLOURS = {1: "red", 2: "green", 3: "yellow", 4: "blue", 5: "magenta", 6: "cyan"}
LIGHT = {"red": "#b3261e", "green": "#1b6e33", "yellow": "#8a5a00", "blue": "#1d4ed8", "magenta": "#86198f"}
DARK = {"red": "#ff8a80", "green": "#7ddc92", "yellow": "#f2c14e", "blue": "#8ab4f8", "magenta": "#e29bf0"}
LIGHT |= {"cyan": "#0e6a78", "text": "#1f2328", "dim": "#59636e", "page": "#ffffff", "edge": "#d1d9e0"}
DARK |= {"cyan": "#7fd6e3", "text": "#e6edf3", "dim": "#9198a1", "page": "#0d1117", "edge": "#3d444d"}

ESCAPE = re.compile(r"\x1b\[([0-9;]*)m")


@dataclass(frozen=True)
class Style:
    colour: str = "text"
    bold: bool = False
    dim: bool = False

    def after(self, codes: list[int]) -> Style:
        style = self
        for code in codes:
            if code == 0:
                style = Style()
            elif code == 1:
                style = replace(style, bold=True)
            elif code == 2:
                style = replace(style, dim=True)
            elif code == 22:
                style = replace(style, bold=False, dim=False)
            elif code == 39:
                style = replace(style, colour="text")
            elif code in range(30, 38) or code in range(90, 98):
                style = replace(style, colour=COLOURS.get(code % 10, "dim" if code == 90 else "text"))
        return style

    @property
    def names(self) -> str:
        return ("dim" if self.dim else self.colour) + (" bold" if self.bold else "")


def pieces(line: str) -> list[tuple[int, Style, str]]:
    """Column, style and text of each run of characters."""
    found, column, style, position = [], 0, Style(), 0
    for match in [*ESCAPE.finditer(line), None]:
        text = line[position : match.start()] if match else line[position:]
        if text.strip():
            indent = len(text) - len(text.lstrip())
            found.append((column + indent, style, text.strip()))
        column += len(text)
        if match:
            style = style.after([int(code or 0) for code in match[1].split(";")])
            position = match.end()
    return found


def sheet(colours: dict[str, str]) -> str:
    rules = [f".{name}{{fill:{value}}}" for name, value in colours.items() if name not in ("page", "edge")]
    return "".join(rules) + f".page{{fill:{colours['page']};stroke:{colours['edge']}}}"


def svg(lines: list[str]) -> str:
    columns = max(len(ESCAPE.sub("", line)) for line in lines)
    width, height = columns * COLUMN + 2 * MARGIN, len(lines) * ROW + 2 * MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" '
        f'role="img" aria-label="A report of stacklapse in a terminal">',
        f"<style>text{{font:14px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}}"
        f".bold{{font-weight:bold}}{sheet(LIGHT)}@media(prefers-color-scheme:dark){{{sheet(DARK)}}}</style>",
        f'<rect class="page" x=".5" y=".5" width="{width - 1:.0f}" height="{height - 1}" rx="6"/>',
    ]
    for number, line in enumerate(lines):
        y = MARGIN + (number + 1) * ROW - 5
        for column, style, text in pieces(line):
            # The width is given, so that columns align whatever font the page has.
            out.append(
                f'<text class="{style.names}" x="{MARGIN + column * COLUMN:.1f}" y="{y}" '
                f'textLength="{len(text) * COLUMN:.1f}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
            )
    return "\n".join([*out, "</svg>", ""])


def report() -> list[str]:
    with tempfile.TemporaryDirectory() as state:
        run = subprocess.run(
            [TOP / "build" / "stacklapse", "--color", "always", PROGRAM],
            cwd=TOP,
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"XDG_STATE_HOME": state, "COLUMNS": "100", "LANG": "C.UTF-8"},
        )
    lines = run.stderr.rstrip("\n").split("\n")
    while lines and not lines[0].strip():
        del lines[0]
    return [f"$ stacklapse {PROGRAM}", *lines]


def main() -> None:
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(svg(report()))
    print(PICTURE.relative_to(TOP))


if __name__ == "__main__":
    main()
