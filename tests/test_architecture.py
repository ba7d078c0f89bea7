"""Includes run one way: a folder of src knows those below it and none above."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.interpreters import TOP

SOURCE = TOP / "src"

# The folder, and the folders beside itself that it may include.
ALLOWED = {
    "base": set[str](),
    "target": {"base"},
    "cpython": {"base", "target"},
    "profile": {"base"},
    "sampler": {"base", "target", "cpython", "profile"},
    "analysis": {"base", "profile"},
    "render": {"base", "profile", "analysis"},
    "push": {"base"},
    "cli": {"base", "target", "cpython", "profile", "sampler", "analysis", "render", "push"},
    "extension": {"base", "target", "cpython", "profile", "sampler", "analysis", "render"},
}

# src/analysis is also compiled to WebAssembly, without a C library: memory comes from the arena, and of the system's
# headers only those that a freestanding compiler brings along, and string.h's memory functions.
FREESTANDING = {"stdbool.h", "stddef.h", "stdint.h", "limits.h", "string.h"}
ANALYSIS_MAY_INCLUDE = {"base/arena.h", "profile/profile.h", "profile/state.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def includes(path: Path) -> list[tuple[bool, str]]:
    """Whether it is the system's, and what is named."""
    return [(kind == "<", name) for kind, name in INCLUDE.findall(path.read_text())]


def sources(folder: str) -> list[Path]:
    return sorted([*(SOURCE / folder).rglob("*.c"), *(SOURCE / folder).rglob("*.h")])


def test_every_folder_has_its_place() -> None:
    assert {path.name for path in SOURCE.iterdir() if path.is_dir()} <= set(ALLOWED)


@pytest.mark.parametrize("folder", ALLOWED)
def test_a_folder_includes_only_what_lies_below_it(folder: str) -> None:
    wrong = []
    for path in sources(folder):
        for system, name in includes(path):
            if system or not (SOURCE / name).exists():
                # The system's, a generated one, or one beside the file.
                continue
            if name.split("/")[0] not in ALLOWED[folder] | {folder}:
                wrong.append(f"{path.relative_to(TOP)} includes {name}")
    assert not wrong


def test_analysis_needs_no_c_library() -> None:
    wrong = []
    for path in sources("analysis"):
        for system, name in includes(path):
            own = name.startswith("analysis/")
            if name not in FREESTANDING if system else not own and name not in ANALYSIS_MAY_INCLUDE:
                wrong.append(f"{path.relative_to(TOP)} includes {name}")
    assert not wrong


def test_no_header_of_cpython_is_included() -> None:
    """Layouts are read from tables and from the target, so that one build serves every version."""
    wrong = [
        f"{path.relative_to(TOP)} includes {name}"
        for folder in ALLOWED.keys() - {"extension"}
        for path in sources(folder)
        for _, name in includes(path)
        if name == "Python.h" or name.startswith(("internal/", "cpython/pycore"))
    ]
    assert not wrong
