"""The folder that an integration is told of: there, ours, and closed to others."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class FolderError(Exception):
    """A sentence that says why nothing can be kept here."""


def make_folder(folder: Path) -> None:
    """An empty one that somebody has made for this is taken over."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(0o700)
    except FileExistsError:
        pass
    there = folder.stat()
    if not stat.S_ISDIR(there.st_mode):
        raise FolderError(f"{folder} is no folder")
    if there.st_uid != os.geteuid():
        raise FolderError(f"{folder} belongs to another user")
    if there.st_mode & 0o077:
        if any(folder.iterdir()):
            raise FolderError(
                f"others may enter {folder}, and it is not empty: chmod 700 it, or name a new folder in it"
            )
        folder.chmod(0o700)
