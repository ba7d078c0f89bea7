"""%stacklapse in IPython and in Jupyter kernels, as they can be had for each Python of the matrix."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.command import Command, Recording
from support.documentation import blocks
from support.inside import run_inside
from support.interpreters import TOP, Interpreter
from support.packages import packages
from support.page import source_text

NEWEST = ("ipython >=8.31, <10", "ipykernel >=6.29, <8", "jupyter-client >=8.6, <9")
# Debian 12's.
OLDEST = ("ipython ==8.5.0", "ipykernel ==6.17.0", "jupyter-client ==7.4.9")

# Half of them are wrong; which is the command's to say.
TIMES = [
    *("1ms", "100us", "0.001", ".5ms", "1e-3", "1E-3s", "5.ms", "250\N{MICRO SIGN}s", "2\N{GREEK SMALL LETTER MU}s"),
    *("1000ns", "999ns", "0.01m", "1h", "10s", "10.1s", "0", "1", "-1ms", "+1ms", "1.2.3", "1e", "1e5us", "0x1p3"),
    *("inf", "nan", "ms", "1 ms", "1ms ", "1MS", "1min", "1_000us", "", ".", "1e-3e-3", "\N{ARABIC-INDIC DIGIT ONE}ms"),
]


@pytest.fixture(params=[NEWEST, OLDEST], ids=["newest", "oldest"])
def installed(request: pytest.FixtureRequest, python: Interpreter) -> Path:
    if request.param is OLDEST and python.version[:2] != (3, 11):
        pytest.skip("what Debian 12 has is for its Python, 3.11")
    return packages(python, request.param)


# Their own warnings are not ours, and in development mode asyncio would say of each cell how long it took.
OPTIONS = ()


def test_what_ipython_runs_is_profiled(
    stacklapse: Command, python: Interpreter, installed: Path, tmp_path: Path
) -> None:
    run_inside(stacklapse, python, "magics.py", tmp_path, options=OPTIONS, on_path=[installed])


def run_kernel(command: Command, python: Interpreter, installed: Path) -> tuple[Path, Path]:
    """A page of what a kernel gave a notebook to show, and a report that it wrote."""
    folder = command.folder / "kernel"
    folder.mkdir()
    shown = command.folder / "shown.html"
    run_inside(command, python, "kernels.py", folder, shown, options=OPTIONS, on_path=[installed])
    return shown, folder / "cell.html"


def test_what_a_kernel_runs_is_profiled(stacklapse: Command, python: Interpreter, installed: Path) -> None:
    _, written = run_kernel(stacklapse, python, installed)
    # Functions that were written in cells have their text in the page.
    assert "def fry():\n    spin(0.05)" in source_text(written.read_text())


def need_a_driven_browser() -> None:
    """Installs what drives Chromium, once, or skips the test and says why it cannot be had."""
    if shutil.which("node") is None or shutil.which("npm") is None or not Path("/usr/bin/chromium").exists():
        pytest.skip("needs node, npm and chromium to look at the page in its frame")
    with (TOP / "report" / "package-lock.json").open("rb") as file:
        # Tests run in several processes.
        fcntl.flock(file, fcntl.LOCK_EX)
        command = [TOP / "scripts" / "node_packages"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"playwright-core cannot be had: {done.stderr.strip()}")


def test_the_page_draws_itself_in_the_notebook(stacklapse: Command, any_python: Interpreter) -> None:
    need_a_driven_browser()
    notebook, _ = run_kernel(stacklapse, any_python, packages(any_python, NEWEST))
    done = subprocess.run(
        ["node", TOP / "tests" / "support" / "frame.mjs", notebook.as_uri(), "cook", "clean"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_does_not_need_ipython(stacklapse: Command, python: Interpreter) -> None:
    run_inside(stacklapse, python, "without_ipython.py")


def test_times_are_read_as_by_the_command(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    run = run_inside(stacklapse, any_python, "times.py", json.dumps(TIMES))
    read = json.loads(run.stdout)
    for text, seconds in zip(TIMES, read, strict=True):
        file = tmp_path / "recording.lapse"
        file.unlink(missing_ok=True)
        command = stacklapse("-i", text, "-o", file, "--python", any_python.path, "-c", "pass")
        assert (command.exit_code == 0) == (seconds is not None), (text, seconds, command.stderr)
        if seconds is not None:
            recording = Recording(stacklapse, file, command)
            assert recording.json["recording"]["interval_ns"] == round(seconds * 1e9)


def test_the_cells_of_the_documentation_work(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    cells = [block.text for block in blocks(TOP / "docs" / "notebooks.md") if block.kind == "ipython"]
    assert len(cells) >= 4
    on_path = [packages(any_python, NEWEST)]
    run_inside(
        stacklapse, any_python, "notebook_document.py", tmp_path, json.dumps(cells), options=OPTIONS, on_path=on_path
    )


def test_the_documentation_names_every_option() -> None:
    document = (TOP / "docs" / "notebooks.md").read_text()
    source = (TOP / "python" / "stacklapse" / "_ipython" / "options.py").read_text()
    options = set(re.findall(r"--\w[\w-]*", source.partition('HELP = """')[2].partition('"""')[0]))
    assert {"--interval", "--help"} <= options
    assert [option for option in sorted(options) if f"`{option}" not in document] == []
