"""`stacklapse dump`: every thread of a program that stands still by construction, against what is known of it."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.command import Command
from support.interpreters import TOP, Interpreter
from support.program import children_of, running, until
from support.terminal import Terminal

# Each thread waits in its own way. What it is called is its outermost function here.
PROGRAM = """\
import os, socket, sys, threading, time

lock = threading.Lock()
lock.acquire()
server = socket.create_server(("127.0.0.1", 0))
address = server.getsockname()
connection = socket.create_connection(address)
with_timeout = socket.create_connection(address, timeout=1000)
listening = socket.socket(socket.AF_UNIX)
listening.bind(sys.argv[1])
listening.listen()
reading, writing = os.pipe()
file = os.open(sys.argv[2], os.O_RDWR)

def locks(): lock.acquire()
def sleeps(): time.sleep(1000)
def accepts(): listening.accept()
def receives(): connection.recv(1)
def polls(): with_timeout.recv(1)
def reads(): os.read(reading, 1)
def opens(): os.read(file, 1)
def digs(depth=100): digs(depth - 1) if depth else time.sleep(1000)
def even(depth): odd(depth - 1) if depth else time.sleep(1000)
def odd(depth): even(depth - 1) if depth else time.sleep(1000)
def alternates(): even(40)
def spins():
    while True:
        pass

for function in (locks, sleeps, accepts, receives, polls, reads, opens, digs, alternates):
    threading.Thread(target=function, daemon=True).start()
print("ready", flush=True)
spins()
"""


@contextmanager
def program(stacklapse: Command, python: Interpreter) -> Iterator[tuple[int, Path]]:
    """The program's pid and script. `opens` waits for a pipe that has a name."""
    script = stacklapse.folder / "waits.py"
    script.write_text(PROGRAM)
    named_pipe = stacklapse.folder / "named pipe"
    os.mkfifo(named_pipe)
    with running([python.path, script, stacklapse.folder / "socket", named_pipe]) as process:
        until(lambda: settled(stacklapse, process.pid, script), "for every thread to wait")
        yield process.pid, script


def settled(stacklapse: Command, pid: int, script: Path) -> bool:
    """Whether each thread but the main one waits in a function of its own, and that one spins."""
    main, *others = dump(stacklapse, str(pid))["processes"][0]["threads"]
    waiting = [
        thread["state"] in ("waiting", "waiting for lock")
        and any(frame["file"] == str(script) for frame in thread["frames"])
        for thread in others
    ]
    return main["frames"][0]["function"] == "spins" and len(waiting) == 9 and all(waiting)


def dump(stacklapse: Command, *arguments: str) -> dict[str, Any]:
    run = stacklapse("dump", "--json", *arguments)
    assert (run.exit_code, run.stderr) == (0, "")
    document: dict[str, Any] = json.loads(run.stdout)
    schema = json.loads((TOP / "docs" / "dump.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    return document


def test_every_thread_is_shown_with_what_it_waits_for(stacklapse: Command, python: Interpreter) -> None:
    with program(stacklapse, python) as (pid, script):
        [process] = dump(stacklapse, str(pid))["processes"]
        assert (process["pid"], process["python"], process["error"]) == (pid, python.version_text, None)
        threads = {}
        for thread in process["threads"]:
            assert (thread["consistent"], thread["too_deep"]) == (True, False)
            own = [frame for frame in thread["frames"] if frame["file"] == str(script)]
            threads[own[-2 if thread["main"] else -1]["function"]] = thread
        port = threads["receives"]["descriptor_is"].rpartition(":")[2]
        seen = {name: (thread["state"], thread["descriptor_is"]) for name, thread in threads.items()}
        assert seen == {
            "spins": ("running", None),
            "locks": ("waiting for lock", None),
            "sleeps": ("waiting", None),
            "accepts": ("waiting", f"unix socket {stacklapse.folder}/socket"),
            "receives": ("waiting", f"socket 127.0.0.1:{port}"),
            "polls": ("waiting", f"socket 127.0.0.1:{port}"),
            "reads": ("waiting", "pipe"),
            "opens": ("waiting", f"{stacklapse.folder}/named pipe"),
            "digs": ("waiting", None),
            "alternates": ("waiting", None),
        }
        assert process["threads"][0]["main"]
        assert process["threads"][0]["name"] == ""
        assert [thread["main"] for thread in process["threads"]].count(True) == 1
        assert {name for name, thread in threads.items() if thread["has_gil"]} == {"spins"}
        source = PROGRAM.splitlines()
        for name in ("locks", "receives", "reads", "digs"):
            [frame] = threads[name]["frames"][:1]
            assert frame["file"] == str(script)
            assert source[frame["line"] - 1].startswith(f"def {name}(")
        assert [frame["function"] for frame in threads["digs"]["frames"]].count("digs") == 101


def test_who_runs_and_who_waits_for_the_gil_is_told(stacklapse: Command, python: Interpreter) -> None:
    """Of threads that compete; which of them is what changes, so it is looked at until each was seen."""
    code = """\
import hashlib, threading
data = bytes(1 << 26)
def computes():
    while True: pass
def hashes():
    while True: hashlib.sha256(data)
for function in computes, computes, hashes:
    threading.Thread(target=function, daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
"""
    seen: dict[str, set[str]] = {"computes": set(), "hashes": set(), "<module>": set()}

    def all_seen() -> bool:
        for thread in stacklapse("dump", str(process.pid)).stdout.split("\n\n")[1:]:
            head, *frames = thread.splitlines()
            for name in seen:
                if any(frame.split()[0] == name for frame in frames):
                    seen[name].add(head.partition("  ")[2])
        wanted = {"computes": {"has the GIL", "waits for the GIL"}, "hashes": {"running"}, "<module>": {"lock"}}
        return all(states <= seen[name] for name, states in wanted.items())

    with running([python.path, "-c", code]) as process:
        until(all_seen, "each of them to be in each state")
    # With no GIL and on a CPU is only who has let go of it, but for the moment of changing hands.
    assert seen["computes"] <= {"has the GIL", "waits for the GIL", "running"}


def test_the_text_says_the_same(stacklapse: Command, python: Interpreter) -> None:
    with program(stacklapse, python) as (pid, script):
        run = stacklapse("dump", str(pid))
        assert (run.exit_code, run.stderr) == (0, "")
        head, *threads = run.stdout.split("\n\n")
        assert head.splitlines()[0].startswith(f"process {pid}  {python.path} {script} ")
        assert head.splitlines()[1] == f"Python {python.version_text}  {Path(f'/proc/{pid}/exe').readlink()}"
        states = {}
        for thread in threads:
            state = thread.splitlines()[0].partition("  ")[2]
            own = [line.split()[0] for line in thread.splitlines() if f"  {script}:" in line]
            states[[name for name in own if name != "<module>"][-1]] = state
        assert states["spins"] == "has the GIL"
        assert states["locks"] == "lock"
        assert states["sleeps"] == "sleep"
        assert re.fullmatch(r"recv fd \d+ \(socket 127\.0\.0\.1:\d+\)", states["receives"])
        assert re.fullmatch(r"poll fd \d+ \(socket 127\.0\.0\.1:\d+\)", states["polls"])
        assert re.fullmatch(r"read fd \d+ \(pipe\)", states["reads"])
        assert "[this frame 100 times more; --show-all shows them]" in run.stdout
        assert "[these 2 frames 19 times more; --show-all shows them]" in run.stdout
        whole = stacklapse("dump", "--show-all", "--color", "always", str(pid)).stdout
        assert whole.count("mdigs\x1b") == 101
        assert "\x1b[" in whole
        assert "\x1b[" not in run.stdout


def test_a_program_that_was_stopped_is_told_from_one_that_waits(stacklapse: Command, python: Interpreter) -> None:
    code = """\
import threading, time
threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
time.sleep(0.2)
print("ready", flush=True)
while True: pass
"""
    with running([python.path, "-c", code]) as process:
        until(lambda: "has the GIL" in stacklapse("dump", str(process.pid)).stdout, "the program to be in its loop")
        os.kill(process.pid, signal.SIGSTOP)
        until(lambda: "stopped" in stacklapse("dump", str(process.pid)).stdout, "the program to stop")
        main, other = dump(stacklapse, str(process.pid))["processes"][0]["threads"]
        assert [(thread["stopped_by"], thread["has_gil"]) for thread in (main, other)] == [
            ("signal", True),
            ("signal", False),
        ]
        heads = re.findall(r"^thread .*", stacklapse("dump", str(process.pid)).stdout, re.MULTILINE)
        assert [head.partition("  ")[2] for head in heads] == ["stopped, has the GIL", "stopped"]
        os.kill(process.pid, signal.SIGCONT)
        until(lambda: "stopped" not in stacklapse("dump", str(process.pid)).stdout, "the program to go on")
        for thread in dump(stacklapse, str(process.pid))["processes"][0]["threads"]:
            assert thread["stopped_by"] is None


def test_an_interpreter_in_which_nothing_runs_hides_no_thread(stacklapse: Command, python: Interpreter) -> None:
    code = """\
import time
try: import _interpreters as interpreters
except ImportError: import _xxsubinterpreters as interpreters
created = interpreters.create()
print("ready", flush=True)
time.sleep(1000)
"""
    with running([python.path, "-c", code]) as process:
        [thread] = dump(stacklapse, str(process.pid))["processes"][0]["threads"]
        assert [frame["function"] for frame in thread["frames"]] == ["<module>"]


def test_a_stack_that_is_too_deep_is_told_as_that(stacklapse: Command, python: Interpreter) -> None:
    code = """\
import sys
sys.setrecursionlimit(10**6)
def digs(depth):
    if depth: digs(depth - 1)
    else:
        print("ready", flush=True)
        while True: pass
digs(70000)
"""
    with running([python.path, "-c", code]) as process:
        [thread] = dump(stacklapse, str(process.pid))["processes"][0]["threads"]
        assert (thread["consistent"], thread["too_deep"], thread["frames"]) == (False, True, [])
        text = stacklapse("dump", str(process.pid)).stdout
        assert "    [too deep: more than 65,536 frames, or 64 MiB of them]\n" in text
        assert "broken" not in text


def test_a_connection_over_ipv6_and_a_listening_socket(stacklapse: Command, any_python: Interpreter) -> None:
    code = """\
import socket, sys
server = socket.create_server(("::1", 0), family=socket.AF_INET6)
print("ready", flush=True)
server.accept()
"""
    try:
        with running([any_python.path, "-c", code]) as process:
            until(
                lambda: dump(stacklapse, str(process.pid))["processes"][0]["threads"][0]["state"] == "waiting", "accept"
            )
            [thread] = dump(stacklapse, str(process.pid))["processes"][0]["threads"]
            assert re.fullmatch(r"socket listening on \[::1\]:\d+", thread["descriptor_is"])
    except AssertionError as error:
        if "Cannot assign" in str(error):
            pytest.skip("there is no IPv6 here")
        raise


def test_all_goes_on_with_the_descendants(stacklapse: Command, any_python: Interpreter) -> None:
    code = "import time; print('ready', flush=True); time.sleep(1000)"
    with running(["sh", "-c", f'"{any_python.path}" -c "{code}" & wait']) as parent:
        [child] = children_of(parent.pid)
        shell, python = dump(stacklapse, "--all", str(parent.pid))["processes"]
        assert (shell["pid"], shell["python"], shell["threads"]) == (parent.pid, None, [])
        assert "is not Python" in shell["error"]
        assert (python["pid"], python["parent_pid"], python["error"]) == (child, parent.pid, None)
        run = stacklapse("dump", "--all", str(parent.pid))
        assert (run.exit_code, run.stderr) == (0, "")
        assert f"process {parent.pid} is not Python" in run.stdout
        assert f"process {child}  " in run.stdout
        run = stacklapse("dump", str(parent.pid))
        assert (run.exit_code, run.stdout) == (1, "")
        assert f"these are Python: {child} (" in run.stderr


def test_what_cannot_be_looked_at_is_said(stacklapse: Command, any_python: Interpreter) -> None:
    with running([any_python.path, "-c", "print('ready', flush=True); input()"]) as process:
        run = stacklapse("dump", "2147483647", str(process.pid))
        assert run.exit_code == 1
        assert run.stderr == "stacklapse: there is no process 2147483647\n"
        assert f"process {process.pid}" in run.stdout
        document = json.loads(stacklapse("dump", "--json", "2147483647", str(process.pid)).stdout)
        assert [entry["error"] for entry in document["processes"]] == ["there is no process 2147483647", None]


def test_hostile_names_do_not_steer_the_terminal(stacklapse: Command, any_python: Interpreter) -> None:
    code = "exec(compile('def f(): print(\"ready\", flush=True); input()', 'a\\x1b[2Jb', 'exec')); f()"
    with running([any_python.path, "-c", code, "\x1b[31m\n"]) as process:
        run = stacklapse("dump", str(process.pid))
        assert run.exit_code == 0
        assert "\x1b" not in run.stdout
        assert "b:1" in run.stdout


def test_a_program_that_never_holds_still_is_told_consistently(stacklapse: Command, any_python: Interpreter) -> None:
    """Whatever stack is shown, each function in it is called by the one below, and has a name."""
    code = """\
def a(n): return b(n - 1) if n else 0
def b(n): return c(n - 1) if n else 0
def c(n): return a(n - 1) if n else 0
print("ready", flush=True)
while True: a(60)
"""
    calls = {"b": "a", "c": "b", "a": "c"}
    with running([any_python.path, "-c", code]) as process:
        for _ in range(100):
            [thread] = dump(stacklapse, str(process.pid))["processes"][0]["threads"]
            names = [frame["function"] for frame in thread["frames"]]
            if not thread["consistent"]:
                assert names == []
                continue
            assert names[-1] == "<module>"
            for callee, caller in itertools.pairwise(names[:-1]):
                assert calls[callee] == caller


def test_a_reader_that_has_seen_enough_is_no_failure(stacklapse: Command, any_python: Interpreter) -> None:
    with running([any_python.path, "-c", "print('ready', flush=True); input()"]) as process:
        for options in ([], ["--json"]):
            reading, writing = os.pipe()
            os.close(reading)
            done = subprocess.run(
                [stacklapse.path, "dump", *options, str(process.pid)],
                stdout=writing,
                stderr=subprocess.PIPE,
                text=True,
                env=stacklapse.environment(),
                check=False,
            )
            os.close(writing)
            assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_names_in_other_scripts_are_shown_where_they_can_be(
    stacklapse: Command, any_python: Interpreter, locale: str
) -> None:
    code = "def größe(): print('ready', flush=True); input()\ngröße()"
    environment = stacklapse.environment() | {"LC_ALL": locale, "TERM": "xterm"}
    with running([any_python.path, "-X", "utf8", "-c", code]) as process:
        with Terminal([stacklapse.path, "dump", str(process.pid)], environment) as terminal:
            assert terminal.wait() == 0
        assert ("größe" in terminal.output) is (locale == "C.UTF-8"), terminal.output
        piped = stacklapse("dump", str(process.pid), environment={"LC_ALL": locale})
        assert "größe" in piped.stdout
