"""What a user without rights sees. Only root can become one; as anybody else the tests see it anyway."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.command import Argument, Command

NOBODY = 65534


def open_to_others(folder: Path) -> None:
    """Makes the folder reachable and readable for everybody, as far as it lies in a temporary folder of ours."""
    for path in (folder, *folder.parents):
        if path.parent == path or path == Path("/tmp") or path.stat().st_uid != os.geteuid():
            break
        path.chmod(path.stat().st_mode | 0o055)


def run_as_nobody(
    stacklapse: Command, *arguments: Argument, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A copy of the command, because the checkout may lie where others cannot go, with a home of its own."""
    if os.geteuid() != 0:
        pytest.skip("needs to become another user")
    folder = stacklapse.folder / "nobody"
    folder.mkdir(exist_ok=True)
    shutil.copy2(stacklapse.path, folder / "stacklapse")
    open_to_others(folder)
    home = folder / "home"
    home.mkdir(exist_ok=True)
    os.chown(home, NOBODY, NOBODY)
    return subprocess.run(
        [folder / "stacklapse", *arguments],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd=folder,
        env={"HOME": str(home), "PATH": os.environ["PATH"]} | dict(environment or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def recordings_of_nobody(stacklapse: Command) -> list[Path]:
    return sorted((stacklapse.folder / "nobody" / "home" / ".local/state/stacklapse").glob("*.lapse"))
