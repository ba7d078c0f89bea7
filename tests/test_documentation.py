"""The commands and programs in the documentation work: every line of every ```sh and ```python block of README.md and
docs/*.md is run.

A block that cannot be run (it installs, takes half an hour, needs a network) says so: ```sh not-run; the README's that
installs is run by test_install.py. Those of a document run in order in one folder, in which `script.py` lies and, where
it is about kept requests, there are some in `profiles`; Python goes on from the blocks of Python before it.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
from pathlib import Path

import pytest
from support.command import Command
from support.documentation import BLOCK, SCRIPT, Block, anchors, blocks, documents
from support.inside import package_path, run_inside
from support.interpreters import TOP, Interpreter
from truth.test_shares import FREED_CODE_ERROR, FREED_CODE_ERROR_3_11, INTERVAL_IN_STEP_NS


def runnable(document: Path) -> list[Block]:
    return [block for block in blocks(document) if block.kind in ("sh", "python")]


WITH_COMMANDS = [document for document in documents() if runnable(document)]


@pytest.mark.parametrize("document", WITH_COMMANDS, ids=lambda document: document.name)
def test_every_command_in_the_documentation_works(
    document: Path, stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    if "requests profiles" in document.read_text():
        run_inside(stacklapse, any_python, "requests_folder.py", tmp_path / "profiles")
    path = tmp_path / "bin"
    path.mkdir()
    # `python` is an interpreter that can be profiled; `stacklapse` is the command under test.
    (path / "stacklapse").symlink_to(stacklapse.path)
    (path / "python").write_text(f'#!/bin/sh\nexec "{any_python.path}" "$@"\n')
    (path / "python").chmod(0o755)
    environment = stacklapse.environment() | {"PATH": f"{path}:{os.environ['PATH']}"}
    environment["PYTHONPATH"] = str(package_path(stacklapse))
    program = ""
    for block in runnable(document):
        if block.kind == "python":
            program += block.text
            (tmp_path / "program.py").write_text(program)
        run = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "python program.py" if block.kind == "python" else block.text],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, f"{document.name}:{block.line}\n{block.text}\n{run.stdout}\n{run.stderr}"
        assert "not profiled" not in run.stderr, f"{document.name}:{block.line}\n{run.stderr}"


@pytest.mark.parametrize("document", documents(), ids=lambda document: str(document.relative_to(TOP)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", BLOCK.sub("", document.read_text()))
    for path, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text):
        target = document.parent / path if path else document
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def test_nothing_that_is_installed_points_to_documents_that_are_not() -> None:
    assert [str(module) for module in (TOP / "python").glob("**/*.py*") if "docs/" in module.read_text()] == []


def test_every_word_of_make_that_the_documentation_names_is_there() -> None:
    makefile = (TOP / "Makefile").read_text()
    for document in documents():
        for target in re.findall(r"`make ([\w-]+)|^make ([\w-]+)", document.read_text(), re.MULTILINE):
            word = target[0] or target[1]
            assert re.search(rf"^{word}:", makefile, re.MULTILINE), f"{document.name} names make {word}"


def test_every_row_of_the_report_that_is_no_function_is_explained() -> None:
    marks = {"the interpreter itself"}
    for folder in ("sampler", "profile"):
        for source in (TOP / "src" / folder).glob("*.c"):
            marks |= set(re.findall(r'"(\[[a-zA-Z][^"%:]*\])"', source.read_text()))
    marks |= set(re.findall(r'"(self\b[^"]*)"', (TOP / "src" / "render" / "text_walk.c").read_text()))
    assert {"[starting]", "self"} <= marks
    document = (TOP / "docs" / "text-report.md").read_text()
    assert [mark for mark in sorted(marks) if f"`{mark}`" not in document] == []


def test_every_extension_of_a_format_is_documented() -> None:
    table = (TOP / "src" / "render" / "renderers.h").read_text().replace("\\\n", "")
    renderers = re.findall(r'X\((\w+), \w+, \w+, ("[^"]*"(?:,\s*"[^"]*")+)\)', table)
    manual = (TOP / "docs" / "stacklapse.1").read_text().partition(".Ss Formats")[2]
    formats = (TOP / "docs" / "formats.md").read_text()
    assert len(renderers) > 10
    for name, texts in renderers:
        extensions = {end or start for end, start in re.findall(r'"(\.[\w.]+)"|(callgrind\.out\.\*)', texts)}
        (in_manual,) = re.findall(rf"^\.It Cm {name}\n.*\n\.Pa (.*) \.$", manual, re.MULTILINE)
        (in_formats,) = re.findall(rf"^\| `{name}` \| `(.*?)` \|", formats, re.MULTILINE)
        assert set(in_manual.split(" , ")) == set(in_formats.split("`, `")) == extensions


def test_every_variable_of_the_environment_that_the_command_heeds_is_in_its_manual() -> None:
    code = "".join(source.read_text() for source in (TOP / "src").glob("**/*.c"))
    heeded = set(re.findall(r'\b(?:getenv|is_set|is_on)\("(\w+)"\)', code)) - {"HOME", "PATH"}
    manual = (TOP / "docs" / "stacklapse.1").read_text().partition(".Sh ENVIRONMENT")[2].partition(".Sh ")[0]
    told = set(re.findall(r"\w+", " ".join(re.findall(r"^\.It Ev (.*)$", manual, re.MULTILINE))))
    assert {"CI", "TMPDIR"} <= heeded <= told


def test_versions_of_frameworks_in_the_documentation_are_those_of_the_tests() -> None:
    wanted = re.findall(r"^(\w+) >=([\d.]+)", (TOP / "tests" / "requirements.txt").read_text(), re.MULTILINE)
    least = {name: version.removesuffix(".0") for name, version in wanted}
    pages = {"flask": ["flask"], "django": ["django"], "fastapi": ["fastapi"], "wsgi-asgi": ["gunicorn", "uvicorn"]}
    for page, names in pages.items():
        (line,) = re.findall(r"^.*\bTested with .*$", (TOP / "docs" / f"{page}.md").read_text(), re.MULTILINE)
        told = re.findall(r"(\w+) (\d[\d.]*\d)", line.partition("Tested with ")[2].partition(" and later")[0])
        assert [(name.lower(), version) for name, version in told] == [(name, least[name]) for name in names]


@pytest.mark.parametrize("page", ["from-pyinstrument.md", "from-py-spy.md"])
def test_what_stands_in_place_of_an_option_of_another_profiler_is_there(page: str) -> None:
    rows = re.findall(r"^\| .* \| (.*) \|$", (TOP / "docs" / page).read_text(), re.MULTILINE)
    ours = " ".join(code for row in rows for code in re.findall(r"`(.*?)`", row))
    table = re.findall(r"^ +\{('.'|0), \"([a-z-]+)\", ", (TOP / "src" / "cli" / "options.c").read_text(), re.MULTILINE)
    options = {f"--{name}" for _, name in table} | {f"-{letter[1]}" for letter, _ in table if letter != "0"}
    named = set(re.findall(r"(?:^|(?<= ))-{1,2}[a-zA-Z][a-z-]*", ours))
    assert {"--children", "--threads", "-r"} <= named <= options
    settings = set(re.findall(r"STACKLAPSE_(\w+)", ours))
    fields = re.findall(
        r"^    (\w+): .* = ", (TOP / "python" / "stacklapse" / "_web" / "options.py").read_text(), re.MULTILINE
    )
    assert settings <= {field.upper() for field in fields}


def test_an_image_gets_the_libraries_that_the_command_is_linked_with(stacklapse: Command) -> None:
    section = (TOP / "docs" / "attach.md").read_text().partition("\n## Into an image\n")[2].partition("\n## ")[0]
    dynamic = subprocess.run(["readelf", "-d", stacklapse.path], check=True, capture_output=True, text=True).stdout
    linked = set(re.findall(r"\(NEEDED\).*\[lib(\w+)\.so", dynamic))
    # The C library's own, a sanitizer's, and what libncursesw6 brings along.
    linked -= {"c", "m", "pthread", "rt", "dl", "asan", "ubsan", "tinfo"}
    packages = section.partition("FROM debian:12-slim")[2].partition("COPY")[0]
    assert "elf" in linked
    assert [name for name in linked if f" {'zlib' if name == 'z' else 'lib' + name}" not in packages] == []


def test_what_the_tests_of_shares_ask_for_is_documented() -> None:
    truth = (TOP / "docs" / "benchmarks.md").read_text().partition("\n## Truth\n")[2]
    (freed,) = re.findall(
        r"^\| code that is made, run once .* freed \| the same and (\d+) points, (\d+) on 3\.11 \|$", truth, re.M
    )
    assert [int(points) for points in freed] == [
        round(100 * error) for error in (FREED_CODE_ERROR, FREED_CODE_ERROR_3_11)
    ]
    (interval,) = re.findall(r"^\| two functions that alternate .* at an interval of (\d+) us \|", truth, re.M)
    assert int(interval) == INTERVAL_IN_STEP_NS // 1000


def test_what_a_session_and_a_frame_have_is_documented_and_what_they_lack_too() -> None:
    profiler, pyinstrument = ((TOP / "docs" / name).read_text() for name in ("profiler.md", "from-pyinstrument.md"))
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`(.*?)`", profiler + pyinstrument))))
    lacking = set(re.findall(r"`(\w+)(?:\(\))?`", pyinstrument.partition("does not exist:\n")[2].partition("\n## ")[0]))
    assert {"class_name", "to_json_str"} <= lacking
    for kind in ast.parse((TOP / "python" / "stacklapse" / "session.py").read_text()).body:
        if isinstance(kind, ast.ClassDef) and kind.name in ("Session", "Frame"):
            methods = {part.name for part in kind.body if isinstance(part, ast.FunctionDef)}
            fields = {ast.unparse(part.target) for part in kind.body if isinstance(part, ast.AnnAssign)}
            public = {name for name in methods | fields if not name.startswith("_")}
            assert public <= named - lacking
