"""A terminal with a program in it, as a person at the keyboard has it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType

from support.command import Argument
from support.program import until


class Terminal:
    """Starts `arguments` as the first process of a new terminal. What it writes collects in `output`."""

    def __init__(
        self, arguments: Sequence[Argument], environment: Mapping[str, str], rows: int = 24, columns: int = 100
    ) -> None:
        self.output = ""
        self._seen = 0
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            try:
                os.execve(os.fspath(arguments[0]), [os.fspath(argument) for argument in arguments], dict(environment))
            finally:
                os._exit(127)
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._status: int | None = None

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.kill(self.pid, signal.SIGCONT)
            os.waitpid(self.pid, 0)
        os.close(self.descriptor)

    def press(self, keys: str) -> None:
        os.write(self.descriptor, keys.encode())

    def _read(self, timeout: float) -> bool:
        ready, _, _ = select.select([self.descriptor], [], [], timeout)
        if not ready:
            return True
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:  # EIO: everybody on the other side is gone
            return False
        self.output += data.decode(errors="replace")
        return bool(data)

    def expect(self, pattern: str, timeout: float = 30) -> re.Match[str]:
        """Waits until what came after the last match has `pattern`."""
        end = time.monotonic() + timeout
        while True:
            match = re.compile(pattern).search(self.output, self._seen)
            if match:
                self._seen = match.end()
                return match
            alive = self._read(0.1)
            if time.monotonic() > end or (not alive and not re.compile(pattern).search(self.output, self._seen)):
                raise AssertionError(f"no {pattern!r} in {self.output[self._seen :]!r} (all: {self.output!r})")

    def press_until(self, keys: str, pattern: str, timeout: float = 30) -> None:
        """Presses them again and again until `pattern` is shown, by a program that only tells when it is asked."""

        def shown() -> bool:
            self.press(keys)
            with suppress(AssertionError):
                return bool(self.expect(pattern, 0.2))
            return False

        until(shown, lambda: f"{pattern!r} in {self.output!r}", timeout)

    def wait(self, timeout: float = 30) -> int:
        """Reads until its end; the exit code as a shell tells it."""
        end = time.monotonic() + timeout
        while self._read(0.1):
            if time.monotonic() > end:
                raise AssertionError(f"still running after {self.output!r}")
        _, self._status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(self._status)
        return code if code >= 0 else 128 - code

    @property
    def killed_by(self) -> int | None:
        """The signal that it died of, after `wait`."""
        assert self._status is not None
        return os.WTERMSIG(self._status) if os.WIFSIGNALED(self._status) else None

    @property
    def lines(self) -> list[str]:
        return self.output.replace("\r\n", "\n").split("\n")
