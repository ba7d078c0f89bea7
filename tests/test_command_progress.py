"""The progress line: there while a recording goes on in a terminal, and never in the way of what the program writes.
The screen is what a terminal emulator makes of it (pyte)."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path

import pyte
import pytest
from support.command import Argument, Command
from support.interpreters import Interpreter
from support.terminal import Terminal

ROWS, COLUMNS = 12, 80


class Screen:
    """What a person sees."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.Stream(self.screen)

    def show(self, output: str) -> list[str]:
        self.screen.reset()
        self.stream.feed(output)
        return [line.rstrip() for line in self.screen.display]


def terminal_for(
    stacklapse: Command, python: Interpreter, program: Sequence[str], *options: str, **environment: str
) -> Terminal:
    variables = {name: value for name, value in stacklapse.environment().items() if name != "CI"}
    arguments: list[Argument] = [stacklapse.path, "--python", python.path, "--color", "never", *options, *program]
    return Terminal(arguments, variables | {"TERM": "xterm"} | environment, rows=ROWS, columns=COLUMNS)


PROGRESS = re.compile(r"stacklapse  \d+ s  [\d,]+ samples")
SLOW = ["-c", "import time; print('started', flush=True); time.sleep(2.5); print('ended')"]


def test_it_says_how_long_and_how_many_and_is_gone_before_the_report(
    stacklapse: Command, any_python: Interpreter
) -> None:
    with terminal_for(stacklapse, any_python, SLOW) as terminal:
        terminal.expect(PROGRESS.pattern)
        terminal.expect(r"stacklapse  2 s  [\d,]+ samples")
        lines = Screen().show(terminal.output)
        assert PROGRESS.fullmatch(lines[-1])
        assert lines[0] == "started"
        assert lines[1:-1] == [""] * (ROWS - 2)
        terminal.expect("ended\r\n")
        assert terminal.wait() == 0
        screen = Screen()
        assert not any(PROGRESS.search(line) for line in screen.show(terminal.output))
        assert screen.screen.margins is None


def screen_with_and_without(
    stacklapse: Command, python: Interpreter, code: str, keys: str = ""
) -> tuple[list[str], list[str]]:
    """The program's own output on the screen, once with the line and once without."""
    screens = []
    for options in ([], ["-q"]):
        # The report goes elsewhere, so that the program's output is all there is.
        arguments = ["-o", "/dev/null", "-r", "json", *options]
        with terminal_for(stacklapse, python, ["-c", code], *arguments) as terminal:
            if keys:
                terminal.expect("now")
                time.sleep(1.5)
                terminal.press(keys)
            terminal.wait()
            screens.append((Screen().show(terminal.output), PROGRESS.search(terminal.output)))
    (with_line, shown), (without, absent) = screens
    assert shown
    assert not absent
    written = [line for line in with_line if line and not line.startswith("stacklapse: wrote")]
    return written, [line for line in without if line]


@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(1.3)\nfor i in range(5): print('line', i)",
        "import time\nfor i in range(30): print('line', i, flush=True); time.sleep(0.06)",
        "import time\nprint('x' * 200, flush=True); time.sleep(1.3); print('y' * 90)",
        "import time\nprint('no newline', end='', flush=True); time.sleep(1.3); print(' goes on')",
        "import time\nprint('\\n' * 40 + 'at the bottom', end='', flush=True); time.sleep(1.3); print(' goes on')\n"
        "print('and one more')",
        "import sys, time\nfor i in range(20): print(f'\\r{i} %', end='', flush=True); time.sleep(0.1)\nprint()",
    ],
    ids=["short lines", "scrolling", "long lines", "a half line", "a half line at the bottom", "a bar of its own"],
)
def test_what_the_program_writes_looks_as_without_it(stacklapse: Command, any_python: Interpreter, code: str) -> None:
    with_line, without = screen_with_and_without(stacklapse, any_python, code)
    # The line's row, and that of the last remark, may have scrolled the rest up.
    assert len(with_line) >= min(len(without), ROWS - 3)
    assert with_line == without[-len(with_line) :]


def test_a_question_and_its_answer_are_left_alone(stacklapse: Command, any_python: Interpreter) -> None:
    code = "print('now', flush=True)\nprint('hello', input('name? '))"
    with_line, without = screen_with_and_without(stacklapse, any_python, code, keys="world\n")
    assert with_line == without


def test_a_program_that_takes_the_keyboard_has_the_whole_screen(stacklapse: Command, any_python: Interpreter) -> None:
    code = (
        "import sys, termios, time, tty\n"
        "time.sleep(1.3)\n"
        "before = termios.tcgetattr(0)\n"
        "tty.setraw(0)\n"
        "time.sleep(1)\n"
        "print('\\x1b[2J\\x1b[H' + '\\r\\n'.join(f'row {i}' for i in range(12)), end='', flush=True)\n"
        "print('MARK', end='', flush=True)\n"
        "time.sleep(1.5)\n"
        "termios.tcsetattr(0, termios.TCSANOW, before)\n"
        "print('LEAVE', flush=True)\n"
    )
    with terminal_for(stacklapse, any_python, ["-c", code]) as terminal:
        terminal.expect(PROGRESS.pattern)
        terminal.expect("MARK")
        shown = len(terminal.output)
        terminal.expect("LEAVE")
        assert not PROGRESS.search(terminal.output[shown:])
        lines = Screen().show(terminal.output[:shown])
        assert lines[0] == "row 0"
        assert lines[-1] == "row 11MARK"


@pytest.mark.parametrize(
    ("options", "environment"),
    [(["-q"], {}), ([], {"TERM": "dumb"}), ([], {"TERM": ""}), ([], {"CI": "true"})],
    ids=["quiet", "dumb", "no terminal type", "continuous integration"],
)
def test_there_is_none_where_it_is_not_wanted(
    stacklapse: Command, any_python: Interpreter, options: list[str], environment: dict[str, str]
) -> None:
    with terminal_for(stacklapse, any_python, SLOW, *options, **environment) as terminal:
        terminal.wait()
        assert not PROGRESS.search(terminal.output)
        assert "\x1b" not in terminal.output.split("ended")[0]


def test_there_is_none_without_a_terminal(stacklapse: Command, any_python: Interpreter) -> None:
    run = stacklapse("--python", any_python.path, "-r", "json", "-o", "x.json", *SLOW, environment={"TERM": "xterm"})
    assert "\x1b" not in run.stderr
    assert not PROGRESS.search(run.stderr)


def test_what_comes_behind_the_python_has_the_whole_screen(stacklapse: Command, any_python: Interpreter) -> None:
    code = "import time; time.sleep(2)"
    arguments: list[Argument] = [stacklapse.path, "--color", "never", "--", "sh", "-c"]
    variables = {name: value for name, value in stacklapse.environment().items() if name != "CI"} | {"TERM": "xterm"}
    shell = f'"{any_python.path}" -c "{code}"; echo "python is over"; read line; echo "read $line"'
    with Terminal([*arguments, shell], variables, rows=ROWS, columns=COLUMNS) as terminal:
        terminal.expect(PROGRESS.pattern)
        terminal.expect("python is over")
        terminal.expect(r"\x1b\[r")
        screen = Screen()
        assert not any(PROGRESS.search(line) for line in screen.show(terminal.output))
        assert screen.screen.margins is None
        terminal.press("on\n")
        terminal.expect("read on")
        assert terminal.wait() == 0


def test_ctrl_z_gives_the_screen_back(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    variables = {name: value for name, value in stacklapse.environment().items() if name != "CI"}
    variables |= {"TERM": "xterm", "PS1": "shell> ", "HISTFILE": ""}
    with Terminal(
        ["/bin/bash", "--norc", "--noprofile", "--noediting", "-i"], variables, rows=ROWS, columns=COLUMNS
    ) as terminal:
        terminal.expect("shell> ")
        terminal.press(f"{stacklapse.path} --python {any_python.path} {script}\n")
        terminal.expect(PROGRESS.pattern)
        terminal.press("\x1a")
        terminal.expect("Stopped")
        terminal.expect("shell> ")
        lines = Screen().show(terminal.output)
        assert not any(PROGRESS.search(line) for line in lines)
        screen = Screen()
        screen.show(terminal.output)
        assert screen.screen.margins is None
        terminal.press("fg\n")
        terminal.expect(PROGRESS.pattern)
        terminal.press("\x03")
        terminal.expect("KeyboardInterrupt")
        terminal.expect("shell> ")
        screen.show(terminal.output)
        assert screen.screen.margins is None
