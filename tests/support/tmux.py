"""A terminal that shows what a program draws, not only what it writes: tmux, with a server of its own."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from support.command import Argument

PROMPT = "prompt> "


class Tmux:
    """One window with a shell in it. Ends with everything that runs in it."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        rows: int = 24,
        columns: int = 80,
        terminal: str = "tmux-256color",
    ) -> None:
        program = shutil.which("tmux")
        assert program, "tmux is missing: scripts/requirements terminal"
        settings = folder / "tmux.conf"
        settings.write_text(f"set -g default-terminal {terminal}\nset -g status off\nset -sg escape-time 0\n")
        self._tmux = [program, "-u", "-S", str(folder / "tmux.socket")]
        given = dict(environment) | {"PS1": PROMPT, "SHELL": "/bin/sh", "TERM": "xterm-256color"}
        size = ["-x", str(columns), "-y", str(rows)]
        # The shell's environment is that of the server, which this starts.
        subprocess.run([*self._tmux, "-f", settings, "new-session", "-d", *size, "/bin/sh"], check=True, env=given)
        self.until(lambda screen: screen.endswith(PROMPT.strip()), "the shell's prompt")

    def __enter__(self) -> Tmux:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run([*self._tmux, "kill-server"], check=False)

    def _ask(self, *arguments: str) -> str:
        return subprocess.run([*self._tmux, *arguments], check=True, capture_output=True).stdout.decode()

    def type(self, text: str) -> None:
        self._ask("send-keys", "-l", text)

    def press(self, *keys: str) -> None:
        """Keys by tmux's names for them: Enter, Up, PPage, C-c, q."""
        self._ask("send-keys", *keys)

    def start(self, arguments: Sequence[Argument]) -> None:
        """Types a command; what it ended with is shown when it has."""
        self.type(shlex.join(str(argument) for argument in arguments) + '; echo "[ended with $?]"')
        self.press("Enter")

    def resize(self, rows: int, columns: int) -> None:
        self._ask("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self, styles: bool = False) -> str:
        """What is shown now, without spaces at the end of rows."""
        text = self._ask("capture-pane", "-p", *(["-e"] if styles else []))
        return "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n")

    def ask(self, variable: str) -> str:
        return self._ask("display-message", "-p", f"#{{{variable}}}").strip()

    def until(self, condition: object, what: str, seconds: float = 60) -> str:
        """Waits for a screen that is right: `condition` is a function of it, or a pattern."""
        test = condition if callable(condition) else re.compile(str(condition), re.MULTILINE).search
        end = time.monotonic() + seconds
        while not test(screen := self.screen()):
            assert time.monotonic() < end, f"waited in vain: {what}. The screen:\n{screen}"
            time.sleep(0.05)
        return screen

    def settings(self) -> str:
        """The terminal's modes, as stty has them."""
        terminal = self.ask("pane_tty")
        return subprocess.run(["stty", "-g", "-F", terminal], check=True, capture_output=True, text=True).stdout
