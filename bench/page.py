"""The report page: how large it is, how long it takes to write, to open and to answer. Of recordings of real programs
and of those that are made up for its tests (tests/report/shapes.h), which have far more stacks than a real program."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from inside import packages
from measure import COMMAND, PROGRAMS, TOP, info, interpreters, one_interpreter, table

SHAPES = COMMAND.resolve().parent / "tests" / "report" / "report_shapes"
SAMPLES = 100_000

SYMPY = "import sympy; x = sympy.Symbol('x'); print(sympy.integrate(x**2 * sympy.sin(x) * sympy.exp(x), x))"


def page_sizes() -> str:
    """What `make page` says of its parts, and the smallest page."""
    said = (TOP / "report" / "dist" / "report.html").read_text()
    blocks = {name: re.findall(rf"<{name}>(.*?)</{name}>", said, re.DOTALL) for name in ("script", "style")}
    module = re.search(r'id="stacklapse-module">([^<]*)<', said)
    assert module
    inflated = subprocess.run(
        ["node", "-e", "process.stdin.on('data', (b) => (t += b)).on('end', () => console.log(require('zlib')"
         ".inflateRawSync(Buffer.from(t, 'base64')).length)); let t = ''"],
        input=module[1], check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    rows = [
        ("JavaScript", kilobytes(sum(len(block.encode()) for block in blocks["script"]))),
        ("CSS", kilobytes(sum(len(block.encode()) for block in blocks["style"]))),
        ("WebAssembly", kilobytes(int(inflated))),
        ("the template, WebAssembly deflated", kilobytes(len(said.encode()))),
    ]
    return table(("part", "size"), rows)


def kilobytes(size: int) -> str:
    return f"{size / 1000:.1f} kB"


def shape(name: str, folder: Path) -> tuple[Path, str]:
    """The page of a made-up recording, and the seconds that writing it took."""
    path = folder / f"{name}.html"
    with path.open("wb") as file:
        subprocess.run([SHAPES, "page", name], check=True, stdout=file)
    said = subprocess.run([SHAPES, "time", name], check=True, capture_output=True, text=True).stderr
    return path, f"{float(said.split()[0]):.2f} s"


def recorded(recording: Path, source: str) -> Path:
    path = recording.with_suffix(".html")
    subprocess.run([COMMAND, "view", recording, "-o", path, "--source", source], check=True)
    return path


def sympy(folder: Path) -> Path:
    python = one_interpreter()
    name = next(name for name, path in interpreters().items() if path == python)
    recording = folder / "sympy.lapse"
    environment = os.environ | {"PYTHONPATH": str(packages(name, python))}
    subprocess.run(
        [COMMAND, "-q", "--python", python, "-o", recording, "-c", SYMPY],
        check=True, env=environment, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return recorded(recording, "app")


def program(folder: Path) -> Path:
    """100,000 samples of a program that runs all the time."""
    recording = folder / "program.lapse"
    seconds = 2.0
    while True:
        subprocess.run(
            [COMMAND, "-q", "--python", one_interpreter(), "-i", "20us", "-o", recording, PROGRAMS / "compile_all.py",
             str(seconds)],
            check=True,
        )  # fmt: skip
        samples = int(info(recording)["samples"].replace(",", ""))
        if samples >= SAMPLES or seconds > 60:
            return recorded(recording, "none")
        seconds *= 1.2 * SAMPLES / samples


def page() -> str:
    subprocess.run([TOP / "scripts" / "requirements", "page", "browser"], check=True)
    subprocess.run([TOP / "scripts" / "node_packages"], check=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pages = [("sympy, with source", sympy(folder), ""), ("100,000 samples of a program", program(folder), "")]
        for what, made_up in (
            ("made up: nothing", "empty"),
            ("made up: 100,000 samples", "app"),
            ("made up: 1,000,000 samples", "large"),
            ("made up: 10,000 frames deep", "deep"),
            ("made up: 200 threads", "threads"),
        ):
            path, took = shape(made_up, folder)
            pages.append((what, path, took))
        command: list[str | Path] = ["node", TOP / "bench" / "page.mjs", *(path for _, path, _ in pages)]
        measured = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        rows = [
            (what, kilobytes(path.stat().st_size), took, *(f"{times[key]:.0f} ms" for key in times))
            for (what, path, took), times in zip(pages, measured, strict=True)
        ]
    heads = ("recording", "page", "written in", "interactive after", "search", "range", "zoom")
    return f"{page_sizes()}\n\n{table(heads, rows)}"


FIGURES: dict[str, Callable[[], str]] = {"page": page}
