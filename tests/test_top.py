"""`stacklapse top`: what a running program does, in a terminal that is as before when it is over."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.command import Command
from support.interpreters import Interpreter
from support.program import running, until
from support.tmux import PROMPT, Tmux

# Two thirds of the main thread's time in one function, one third in another; a thread that sleeps again and again, one
# that only waits.
PROGRAM = """\
import threading, time
def heavy(): return [sum(range(300)) for _ in range(200)]
def light(): return [sum(range(300)) for _ in range(100)]
def phase():
    heavy()
    light()
def doze():
    while True: time.sleep(0.2)
def wait(): threading.Event().wait()
for target in doze, wait: threading.Thread(target=target, daemon=True).start()
print("ready", flush=True)
while True: phase()
"""

# A function's row: its own share and its total of the last seconds, the same since the start, name and place.
ROW = r"^ +(?P<self>[\d.]+)% +(?P<total>[\d.]+)% +(?P<all_self>[\d.]+ \S+) +(?P<all_total>[\d.]+ \S+)  (?P<rest>.*)$"


def rows(screen: str) -> dict[str, dict[str, str]]:
    return {match["rest"].split("  ")[0]: match.groupdict() for match in re.finditer(ROW, screen, re.MULTILINE)}


def environment(stacklapse: Command, **more: str) -> dict[str, str]:
    given = {name: value for name, value in stacklapse.environment().items() if name not in ("NO_COLOR", "COLUMNS")}
    return given | {"LC_ALL": "C.UTF-8"} | more


def found(screen: str) -> str:
    """The row of the screen that says how long the view has been there; none when it is not there."""
    match = re.search(r"^ [\d.]+ .?s · .*samples.*$", screen, re.MULTILINE)
    return match.group() if match else ""


@contextmanager
def watching(
    stacklapse: Command, python: Interpreter, *options: str, program: str = PROGRAM, rows: int = 24, columns: int = 80
) -> Iterator[tuple[Tmux, subprocess.Popen[str]]]:
    """The view of a program, when it shows something."""
    with (
        running([python.path, "-c", program]) as process,
        Tmux(stacklapse.folder, environment(stacklapse), rows, columns) as tmux,
    ):
        tmux.start([stacklapse.path, "top", *options, str(process.pid)])
        tmux.until(r"^ +[\d.]+% ", "the first row")
        yield tmux, process


def test_functions_threads_and_stacks_of_a_running_program(stacklapse: Command, python: Interpreter) -> None:
    with watching(stacklapse, python, columns=160) as (tmux, program):
        screen = tmux.until(lambda screen: {"heavy", "light", "phase"} <= set(rows(screen)), "the functions")
        assert f"stacklapse top  {program.pid}  {str(python.path)[:20]}" in screen
        assert re.search(r"CPU \d+% · GIL \d+% · 3 threads, \d idle", found(screen))
        tmux.until(lambda screen: float(rows(screen)["phase"]["all_total"].split()[0]) >= 3, "three seconds")
        shown = rows(tmux.screen())
        # On every version a comprehension or what it calls is part of the function, in total.
        heavy, light, phase = (float(shown[name]["total"].rstrip("%")) for name in ("heavy", "light", "phase"))
        assert heavy > light
        assert heavy + light - 1 < phase <= 100.1

        tmux.press("Tab")
        screen = tmux.until(r"^ +runs +GIL +for GIL  thread", "the threads")
        assert re.search(rf"^ +[\d.]+% +[\d.]+% +[\d.]+%  {program.pid} main ", screen, re.MULTILINE)
        tmux.until(r" doze +.*\[sleep\]$", "the thread that sleeps")

        tmux.press("Tab")
        tmux.press("/")
        tmux.type("phase")
        tmux.press("Enter")
        tmux.until(lambda screen: set(rows(screen)) == {"phase"}, "only what is filtered")
        tmux.press("Enter")
        screen = tmux.until(r"^ stacks with phase in the last", "the stacks")
        assert re.search(r"%.*<module>.*\n.*%.*phase.*\n(.*\n)?.*%.*heavy", screen)

        tmux.press("q")
        tmux.until(r"^\[ended with 0\]\nprompt>", "the end")


# What takes long by itself, what has much below it, and what was only there at the beginning.
ORDERED = """\
import time
def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end: pass
exec("def cold():\\n spin(1)\\n" + "".join(f"def {n}():\\n spin({t})\\n" for n, t in (("hot", .03), ("warm", .01))))
def outer():
    hot()
    warm()
print("ready", flush=True)
time.sleep(1)
cold()
while True: outer()
"""


def order(screen: str) -> list[str]:
    return list(rows(screen))


def test_keys_change_what_is_shown(stacklapse: Command, any_python: Interpreter) -> None:
    with watching(stacklapse, any_python, "--rate", "200", program=ORDERED) as (tmux, _):
        tmux.until(lambda screen: {"outer", "hot", "warm", "spin", "cold"} <= set(rows(screen)), "all functions")
        # When the beginning is not among the last seconds any more, it still is since the start.
        tmux.press("-", "-")
        tmux.until(lambda screen: "last 1 s" in screen and rows(screen)["cold"]["total"] == "0.0", "the last second")
        assert rows(tmux.screen())["cold"]["all_total"] != "0 s"
        tmux.press("t")
        tmux.until(lambda screen: order(screen)[-1] == "cold", "the order of totals")
        tmux.press("n")
        tmux.until(lambda screen: order(screen) == sorted(order(screen)), "the order of names")
        tmux.press("S")
        tmux.until(lambda screen: order(screen)[0] == "spin", "the order of own time since the start")
        tmux.press("+")
        tmux.until("last 2 s", "a longer time")
        tmux.press("m")
        tmux.until("time on a CPU or ready for one", "the other mode")
        tmux.press("m")
        tmux.until("time holding the GIL", "the third mode")
        tmux.press("m", "i")
        tmux.until("all time · with idle threads", "idle threads")
        tmux.press("?")
        tmux.until(r"^  keys|^ keys", "the help")
        tmux.press("Escape")
        tmux.until(lambda screen: "outer" in rows(screen), "the functions again")

        # The chosen row goes with its function, and Enter means that one.
        tmux.press("n", "Home", "Down", "Down")
        chosen = order(tmux.until(lambda screen: order(screen) == sorted(order(screen)), "names"))[2]
        tmux.press("Enter")
        tmux.until(rf"^ stacks with {chosen} ", "its stacks")
        tmux.press("a")
        tmux.until(rf"^ stacks with {chosen} since the start", "all its stacks")


def test_the_filter_is_typed_and_given_up(stacklapse: Command, any_python: Interpreter) -> None:
    with watching(stacklapse, any_python) as (tmux, _):
        tmux.press("/")
        tmux.type("heavyq")
        # A q is a letter now, and takes nothing away but what does not fit.
        tmux.until(lambda screen: screen.endswith("filter: heavyq_") and not rows(screen), "nothing that fits")
        tmux.press("BSpace")
        tmux.until(lambda screen: "heavy" in rows(screen) and "light" not in rows(screen), "what fits")
        tmux.press("Escape")
        tmux.until(lambda screen: "light" in rows(screen), "the list as it was")
        tmux.press("/")
        tmux.type("LIGHT")
        tmux.press("Enter")
        tmux.until(lambda screen: "only LIGHT" in screen and "heavy" not in rows(screen), "capitals do not matter")
        tmux.press("Escape")
        tmux.until(lambda screen: "heavy" in rows(screen), "all of it")


def test_a_pause_stops_the_view_and_not_the_recording(stacklapse: Command, any_python: Interpreter) -> None:
    with watching(stacklapse, any_python) as (tmux, _):
        tmux.press("Space")
        tmux.until("^ paused ·", "the pause")
        before = tmux.screen()
        # It still can be looked around in, and only that changes it.
        tmux.press("Tab")
        tmux.until("now in", "threads")
        tmux.press("Tab", "Down", "Enter")
        tmux.until("stacks with", "stacks")
        tmux.press("Escape")
        tmux.until(lambda screen: bool(rows(screen)), "functions")
        assert found(tmux.screen()) == found(before)
        assert {name: row["all_total"] for name, row in rows(tmux.screen()).items()} == {
            name: row["all_total"] for name, row in rows(before).items()
        }
        tmux.press("Space")
        screen = tmux.until(lambda screen: "paused" not in screen and found(screen) != found(before), "the view again")
        assert rows(screen)["phase"]["all_total"] != rows(before)["phase"]["all_total"]


@pytest.mark.parametrize("reading", ["pause", "stacks"])
def test_who_is_reading_when_the_program_ends_goes_on_reading(
    stacklapse: Command, any_python: Interpreter, reading: str
) -> None:
    with watching(stacklapse, any_python) as (tmux, program):
        tmux.until(lambda screen: "phase" in rows(screen), "functions")
        if reading == "pause":
            tmux.press("Space")
            tmux.until("^ paused ·", "the pause")
        else:
            tmux.press("Enter")
            tmux.until("^ stacks with", "stacks")
        program.kill()
        tmux.until("^ ended ·", "the end in the head")
        tmux.press("Escape" if reading == "stacks" else "Down")
        tmux.until(lambda screen: "phase" in rows(screen), "functions still")
        tmux.press("Space")
        tmux.until(r"^stacklapse: the process has ended\n\[ended with 0\]", "the end of the view")


def test_what_others_write_on_the_screen_is_drawn_over_when_asked_for(
    stacklapse: Command, any_python: Interpreter
) -> None:
    with watching(stacklapse, any_python, rows=30) as (tmux, _):
        Path(tmux.ask("pane_tty")).write_text("\033[25;20Hprinted by the program")
        screen = tmux.until("printed by the program", "what was printed")
        tmux.until(lambda now: found(now) != found(screen), "the next numbers")
        assert "printed by the program" in tmux.screen()
        tmux.press("C-l")
        tmux.until(lambda now: "printed by the program" not in now and "heavy" in rows(now), "a screen drawn anew")


ENDS = {
    "q": 0,
    "ctrl-c": 0,
    "SIGTERM": 128 + signal.SIGTERM,
    "SIGSEGV": 128 + signal.SIGSEGV,
    "SIGABRT": 128 + signal.SIGABRT,
    "program": 0,
}


@pytest.mark.parametrize("end", ENDS)
def test_the_terminal_is_as_before_however_it_ends(stacklapse: Command, any_python: Interpreter, end: str) -> None:
    with (
        running([any_python.path, "-c", PROGRAM]) as program,
        Tmux(stacklapse.folder, environment(stacklapse, ASAN_OPTIONS="handle_segv=0:handle_abort=0")) as tmux,
    ):
        settings = tmux.settings()
        tmux.type("echo what was there before\n")
        tmux.until("^what was there before", "the echo")
        tmux.start([stacklapse.path, "top", str(program.pid)])
        tmux.until(r"^ +[\d.]+% ", "the first row")
        assert tmux.ask("alternate_on") == "1"
        assert "what was there before" not in tmux.screen()
        view = int(subprocess.check_output(["pgrep", "-f", f"stacklapse top {program.pid}$"]).split()[0])
        if end.startswith("SIG"):
            os.kill(view, getattr(signal, end))
        elif end == "program":
            program.kill()
        else:
            tmux.press({"q": "q", "ctrl-c": "C-c"}[end])
        screen = tmux.until(rf"^\[ended with {ENDS[end]}\]\n{PROMPT.strip()}", "the end")
        assert screen.startswith(PROMPT)
        assert "\nwhat was there before\n" in screen
        assert tmux.ask("alternate_on") == "0"
        assert tmux.ask("cursor_flag") == "1"
        # The shell reads keys in a mode of its own; what a program would find is the same.
        tmux.press("Enter")
        assert tmux.settings() == settings
        said = [line for line in screen.split("\n") if line.startswith("stacklapse:")]
        assert said == (["stacklapse: the process has ended"] if end == "program" else [])
        tmux.type("echo 'not in reverse'\n")
        tmux.until("^not in reverse", "another echo")
        [line] = [line for line in tmux.screen(styles=True).split("\n") if line.startswith("not in")]
        assert line == "not in reverse"


def test_a_stopped_view_gives_the_terminal_back_and_comes_back(stacklapse: Command, any_python: Interpreter) -> None:
    with watching(stacklapse, any_python) as (tmux, _):
        tmux.press("C-z")
        # The shell goes on with the line, behind the command that was stopped.
        tmux.until(rf"^\[ended with \d+\]\n(.*\n)*{PROMPT.strip()}$", "the shell")
        assert tmux.ask("alternate_on") == "0"
        tmux.type("fg\n")
        tmux.until(lambda screen: "heavy" in rows(screen), "the view again")
        tmux.press("q")
        tmux.until(rf"{PROMPT.strip()}$", "the end")


def test_it_fits_any_size_and_follows_a_change_of_it(stacklapse: Command, any_python: Interpreter) -> None:
    with watching(stacklapse, any_python, rows=24, columns=80) as (tmux, program):
        screen = tmux.until(lambda screen: "heavy" in rows(screen), "functions")
        lines = screen.split("\n")
        assert len(lines) == 24
        assert lines[-1].startswith(" q quit")
        assert "…" not in lines[-1]
        for height, width in ((10, 60), (7, 45), (5, 30), (3, 20), (2, 10), (1, 5), (40, 200)):
            tmux.resize(height, width)
            # Whatever fits: at least the share of the row under the cursor, where there is a row for it.
            tmux.until(
                lambda screen, height=height: len(screen.split("\n")) <= height and re.search(r"\d|self|s…", screen),
                f"the view in {height} rows of {width} columns",
            )
            for page in ("Tab", "Tab", "Enter", "Enter", "?", "Enter", "Escape", "Escape", "Down", "End", "Home"):
                tmux.press(page)
        tmux.until(lambda screen: "heavy" in rows(screen) and len(screen.split("\n")) == 40, "functions in all rows")
        tmux.press("q")
        tmux.until(rf"^\[ended with 0\]\n{PROMPT.strip()}", "the end")
        assert program.poll() is None


HOSTILE = """\
import threading, time
def named(name, file):
    code = compile("def f():\\n end = time.monotonic() + 0.05\\n while time.monotonic() < end: pass\\n", file, "exec")
    space = {"time": time}
    exec(code, space)
    function = space["f"]
    function.__code__ = function.__code__.replace(co_name=name, co_qualname=name)
    return function
functions = [
    named("\\x1b]0;owned\\x07\\x1b[2Jclears", "/tmp/\\x1b[31mred\\r\\n.py"),
    named("long" * 2500, "/" + "deep/" * 2000 + "end.py"),
    named("\\u4f60\\u597d" * 30, "wide.py"),
    named("\\u202egnp.exe\\u0301" + "\\u0301" * 40, "\\x9bbidi.py"),
    named("\\udc80\\ud800", "surrogate.py"),
]
print("ready", flush=True)
while True:
    for function in functions: function()
"""


def test_names_that_would_steer_a_terminal_do_not(stacklapse: Command, any_python: Interpreter) -> None:
    names = (r"\x1b]0;owned\x07\x1b[2Jclears", r"\x1b[31mred\r\n.py", "longlong", "你好", r"\u202e", r"\x9bbidi.py")
    with watching(stacklapse, any_python, program=HOSTILE, columns=160) as (tmux, _):
        screen = tmux.until(lambda screen: all(name in screen for name in names), "the names")
        assert len(screen.split("\n")) == 24
        assert screen.split("\n")[-1].startswith(" q quit")
        for keys in (["Tab"], ["Tab", "Enter"], ["Escape", "Down", "Enter"], ["Escape", "Down", "Down", "Enter"]):
            tmux.press(*keys)
            tmux.until("q quit", "another page")
        assert "owned" not in tmux.ask("pane_title")
        tmux.press("q")
        tmux.until(rf"^\[ended with 0\]\n{PROMPT.strip()}", "the end")


def test_without_utf_8_everything_is_ascii(stacklapse: Command, any_python: Interpreter) -> None:
    with (
        running([any_python.path, "-c", HOSTILE]) as program,
        Tmux(stacklapse.folder, environment(stacklapse, LC_ALL="C")) as tmux,
    ):
        tmux.start([stacklapse.path, "top", str(program.pid)])
        screen = tmux.until(r"\\u4f60\\u597d", "the wide name")
        assert screen.isascii()
        assert "CPU " in screen
        tmux.press("Enter")
        assert tmux.until("stacks with", "stacks").isascii()


COLOR = re.compile(r"\x1b\[[0-9;]*[34][0-8][;m]")


def test_no_color_is_heeded(stacklapse: Command, any_python: Interpreter) -> None:
    with running([any_python.path, "-c", PROGRAM]) as program:
        cases: list[tuple[dict[str, str], list[str], bool]] = [
            ({}, [], True),
            ({"NO_COLOR": "1"}, [], False),
            ({}, ["--color", "never"], False),
            ({"NO_COLOR": "1"}, ["--color", "always"], True),
        ]
        for number, (variables, options, colored) in enumerate(cases):
            folder = stacklapse.folder / str(number)
            folder.mkdir()
            with Tmux(folder, environment(stacklapse, **variables)) as tmux:
                tmux.start([stacklapse.path, "top", *options, str(program.pid)])
                tmux.until(lambda screen: "heavy" in rows(screen), "functions")
                assert bool(COLOR.search(tmux.screen(styles=True))) == colored


@pytest.mark.parametrize(
    ("terminal", "sentence"),
    [
        ("dumb", "top needs a terminal that can move its cursor (TERM is dumb);"),
        ("", "top needs a terminal that can move its cursor (TERM is not set);"),
        ("no-such-terminal", "this machine does not know the terminal that TERM names;"),
    ],
)
def test_a_terminal_that_cannot_show_it_is_refused(
    stacklapse: Command, any_python: Interpreter, terminal: str, sentence: str
) -> None:
    with (
        running([any_python.path, "-c", PROGRAM]) as program,
        Tmux(stacklapse.folder, environment(stacklapse), columns=200) as tmux,
    ):
        tmux.start(["env", f"TERM={terminal}", stacklapse.path, "top", str(program.pid)])
        screen = tmux.until(r"^\[ended with 1\]", "the end")
        [said] = [line for line in screen.split("\n") if line.startswith("stacklapse:")]
        instead = "stacklapse dump PID prints the stacks once, stacklapse attach PID records"
        assert said == f"stacklapse: {sentence} {instead}"


def test_without_a_terminal_it_says_what_to_use_instead(stacklapse: Command) -> None:
    run = stacklapse("top", str(os.getpid()))
    assert (run.exit_code, run.stdout) == (1, "")
    assert run.stderr == (
        "stacklapse: top needs a terminal; stacklapse dump PID prints the stacks once, stacklapse attach PID records\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ([], 2, "which process?"),
        (["app.py"], 2, "top takes the number of a process"),
        (["--duration", "1s", "1"], 2, "--duration is not an option of this sub-command"),
        (["999999999"], 1, "999999999"),
    ],
)
def test_what_cannot_be_watched_is_told_in_one_sentence(
    stacklapse: Command, arguments: list[str], code: int, sentence: str
) -> None:
    with Tmux(stacklapse.folder, environment(stacklapse), columns=200) as tmux:
        tmux.start([stacklapse.path, "top", *arguments])
        screen = tmux.until(r"^\[ended with \d+\]", "the end")
        assert f"[ended with {code}]" in screen
        [said] = [line for line in screen.split("\n") if line.startswith("stacklapse:")]
        assert sentence in said
        assert tmux.ask("alternate_on") == "0"


def test_sampling_options_are_heeded(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    library = tmp_path / "worklib.py"
    library.write_text("def work():\n    return [sum(range(300)) for _ in range(200)]\n")
    program = (
        f"import sys, threading, time\nsys.path.insert(0, {str(tmp_path)!r})\nimport worklib\n"
        "def doze():\n    while True: time.sleep(0.01)\n"
        "def call(): worklib.work()\n"
        "threading.Thread(target=doze, daemon=True).start()\nprint('ready', flush=True)\nwhile True: call()\n"
    )
    options = ["--threads", "main", "--hide", "worklib", "--mode", "cpu", "-i", "10ms"]
    with watching(stacklapse, any_python, *options, program=program) as (tmux, _):
        screen = tmux.until(lambda screen: "call" in rows(screen), "functions")
        assert "1 thread ·" in found(screen)
        assert "time on a CPU or ready for one · without libraries" in screen
        assert "work" not in rows(screen)
        samples = re.search(r"([\d,]+) samples", found(screen))
        seconds = re.search(r"([\d.]+) (m?s)", found(screen))
        assert samples
        assert seconds
        elapsed = float(seconds[1]) / (1000 if seconds[2] == "ms" else 1)
        assert 0 < int(samples[1].replace(",", "")) <= elapsed * 100 + 2
        tmux.press("l")
        tmux.until(lambda screen: "work" in rows(screen), "what was hidden")


def test_what_is_to_be_shown_is_of_the_libraries_the_only_thing_that_is(
    stacklapse: Command, any_python: Interpreter
) -> None:
    program = (
        "import copy, statistics\nvalues = [[number] for number in range(200)]\n"
        "def call():\n    copy.deepcopy(values)\n    statistics.mean(range(200))\n"
        "print('ready', flush=True)\nwhile True: call()\n"
    )
    with watching(stacklapse, any_python, "--show", "copy", program=program) as (tmux, _):
        screen = tmux.until(lambda screen: {"call", "deepcopy"} <= set(rows(screen)), "functions")
        assert "without libraries" in screen
        assert "mean" not in rows(screen)
        tmux.press("l")
        tmux.until(lambda screen: "mean" in rows(screen), "all libraries")


def test_several_processes_are_watched_together(stacklapse: Command, any_python: Interpreter) -> None:
    with (
        running([any_python.path, "-c", PROGRAM]) as first,
        running([any_python.path, "-c", PROGRAM.replace("heavy", "massive")]) as second,
        Tmux(stacklapse.folder, environment(stacklapse)) as tmux,
    ):
        tmux.start([stacklapse.path, "top", str(first.pid), str(second.pid)])
        screen = tmux.until(lambda screen: {"heavy", "massive"} <= set(rows(screen)), "functions of both")
        assert f"top  {first.pid} and 1 more" in screen
        first.kill()
        tmux.until(lambda screen: rows(screen)["heavy"]["total"] == "0.0", "the other alone")
        tmux.until(rf"top  {second.pid}  ", "whose process it is now")
        second.kill()
        tmux.until(r"^stacklapse: the processes have ended\n\[ended with 0\]", "the end")


def test_of_what_cannot_be_watched_the_others_are_and_it_is_said_at_the_end(
    stacklapse: Command, any_python: Interpreter
) -> None:
    with (
        running([any_python.path, "-c", PROGRAM]) as process,
        Tmux(stacklapse.folder, environment(stacklapse)) as tmux,
    ):
        tmux.start([stacklapse.path, "top", str(process.pid), "2147483647"])
        tmux.until(lambda screen: "heavy" in rows(screen), "functions of the one that is there")
        tmux.press("q")
        tmux.until(r"^stacklapse: there is no process 2147483647\n\[ended with 1\]", "the end")


def test_it_keeps_no_recording(stacklapse: Command, any_python: Interpreter) -> None:
    with watching(stacklapse, any_python) as (tmux, _):
        until(lambda: "heavy" in rows(tmux.screen()), "functions")
        tmux.press("q")
        tmux.until(r"^\[ended with 0\]", "the end")
        assert not list(stacklapse.state.rglob("*.lapse"))


FORKING = """\
import os, time
def parent():
    while True: time.sleep(0.01)
def child():
    while True: sum(range(1000))
if os.fork() == 0: child()
print("ready", flush=True)
parent()
"""


def test_children_are_watched_too_when_asked_for(stacklapse: Command, any_python: Interpreter) -> None:
    with watching(stacklapse, any_python, "--children", program=FORKING) as (tmux, program):
        tmux.until(lambda screen: {"parent", "child"} <= set(rows(screen)), "functions of both")
        assert f"top  {program.pid} and 1 more" in tmux.screen()


# Threads that end, one after the other, and one that stays.
ENDING = """\
import threading, time
def brief(): time.sleep(0.3)
def spin():
    while True: pass
print("ready", flush=True)
threading.Thread(target=spin, daemon=True).start()
for _ in range(3):
    thread = threading.Thread(target=brief)
    thread.start()
    thread.join()
time.sleep(1000)
"""


def test_threads_that_have_ended_are_told_from_those_that_are_there(
    stacklapse: Command, any_python: Interpreter
) -> None:
    with watching(stacklapse, any_python, program=ENDING) as (tmux, _):
        tmux.press("+", "+", "+", "Tab")
        screen = tmux.until(lambda screen: screen.count("[ended]") == 3, "the end of three threads")
        assert re.search(r" 2 threads ·", found(screen))
        for thread in re.findall(r"^(?: +[\d.]+%){3}  \d+ .*", screen, re.MULTILINE):
            assert ("[ended]" in thread) == ("brief" in thread)


# Whatever CPU time it takes, it takes in processes that are not there for long.
SHORT_LIVED = """\
import os, time
print("ready", flush=True)
while True:
    if os.fork() == 0:
        end = time.monotonic() + 0.3
        while time.monotonic() < end: pass
        os._exit(0)
    os.wait()
"""


def test_the_cpu_time_of_children_counts_that_are_gone_again(stacklapse: Command, any_python: Interpreter) -> None:
    with watching(stacklapse, any_python, "--children", program=SHORT_LIVED) as (tmux, _):
        tmux.until(r"CPU ([2-9]\d|1\d\d)%", "their use")
