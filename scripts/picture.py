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

# The colours that the report uses, of a terminal's 256; the names are classes of the style sheet below.
COLOURS = {196: "red", 136: "yellow", 28: "green", 30: "cyan", 243: "dim"}
LIGHT = {"red": "#b3261e", "green": "#1b6e33", "yellow": "#8a5a00"}
DARK = {"red": "#ff8a80", "green": "#7ddc92", "yellow": "#f2c14e"}
LIGHT |= {"cyan": "#0e6a78", "text": "#1f2328", "dim": "#59636e", "page": "#ffffff", "edge": "#d1d9e0"}
DARK |= {"cyan": "#7fd6e3", "text": "#e6edf3", "dim": "#9198a1", "page": "#0d1117", "edge": "#3d444d"}

ESCAPE = re.compile(r"\x1b\[([0-9;]*)m")


@dataclass(frozen=True)
class Style:
    colour: str = "text"
    bold: bool = False

    def after(self, codes: list[int]) -> Style:
        """This style changed by the numbers of one escape sequence."""
        style = self
        rest = iter(codes)
        for code in rest:
            if code == 0:
                style = Style()
            elif code == 1:
                style = replace(style, bold=True)
            elif code == 38 and next(rest, None) == 5:
                style = replace(style, colour=COLOURS[next(rest)])
            else:
                raise ValueError(f"the report uses a style that the picture does not know: {codes}")
        return style

    @property
    def names(self) -> str:
        return self.colour + (" bold" if self.bold else "")


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
    with tempfile.TemporaryDirectory() as folder:
        # Debian's interpreter: what somebody else's imports at every start is no part of the picture.
        environment = {"XDG_STATE_HOME": folder, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        run = subprocess.run(
            [TOP / "build" / "stacklapse", "--color", "always", PROGRAM],
            cwd=TOP,
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | environment,
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
