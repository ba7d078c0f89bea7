"""Options, settings and Django's system checks; Flask's reloader."""

from __future__ import annotations

import os
import time
from pathlib import Path

from support.command import Command
from support.program import until

from web.servers import run_program, serving


def test_options_are_checked_and_settings_are_read(stacklapse: Command) -> None:
    run_program(stacklapse, "options.py")


def test_a_reloaded_server_profiles_as_before(stacklapse: Command, tmp_path: Path) -> None:
    watched = tmp_path / "watched.txt"
    watched.write_text("1")
    with serving(stacklapse, "flask-reloader", more=["--extra-files", str(watched)]) as server:
        assert server.browse("/page/ann?profile").is_report
        watched.write_text("2")
        os.utime(watched, (time.time() + 10, time.time() + 10))
        until(lambda: "Detected change" in server.log, lambda: f"the change\n{server.log}", 60)
        until(lambda: server.log.count("Debugger PIN") == 2, lambda: f"the second start\n{server.log}", 60)
        assert server.browse("/page/ann?profile").is_report
        assert "stacklapse: " not in server.log, server.log
