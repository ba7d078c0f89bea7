"""Packages of Python's index for the interpreters under test, which are nobody's to install into: each set is put into
a folder of its own, once for each minor version, and found by PYTHONPATH."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.interpreters import TOP, Interpreter

CACHE = TOP / "build-test" / "packages"


def packages(python: Interpreter, requirements: Sequence[str]) -> Path:
    """The folder that has them; the test is skipped, naming them, where they cannot be had for this version."""
    version = ".".join(str(part) for part in python.version[:2])
    digest = hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:12]
    folder = CACHE / f"{version}-{digest}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{folder.name}.lock").open("w") as lock:
        # Tests run in several processes.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _install(python, requirements, folder)
    return folder


def _install(python: Interpreter, requirements: Sequence[str], folder: Path) -> None:
    # No suffix in place of another: `3.12-…` has one already, as far as paths know.
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    # Wheels only: an interpreter that was unpacked from another release has no headers that fit.
    command = [sys.executable, "-m", "uv", "--quiet", "pip", "install", "--only-binary", ":all:"]
    command += ["--python", str(python.path), "--target", str(unfinished), *requirements]
    environment = os.environ | {"UV_LINK_MODE": "copy", "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1:] or ["uv failed"]
        pytest.skip(f"{', '.join(requirements)} for Python {python}: {reason[0]}")
    unfinished.rename(folder)
