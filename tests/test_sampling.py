"""What the sampler makes of a real process: what its threads do, that they begin and end, that it becomes another."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from support.command import Command, Recording
from support.interpreters import Interpreter


def record(
    stacklapse: Command, python: Interpreter, program: str, *arguments: str, interval: str = "1ms", exit_code: int = 0
) -> Recording:
    script = stacklapse.folder / "program.py"
    script.write_text(dedent(program))
    return stacklapse.record(python, [script, *arguments], ["-i", interval], exit_code=exit_code)


def line_states(recording: Recording, function: str) -> dict[str, int]:
    """How long the function itself was at lines whose samples were mostly in each state, in ns."""
    states: dict[str, int] = {}
    for entry in recording.json["functions"]:
        if entry["name"] == function:
            for line in entry["lines"]:
                states[line["state"]] = states.get(line["state"], 0) + line["self_ns"]
    return states


def longest(states: dict[str, int]) -> str:
    return max(states, key=lambda state: states[state])


def own_threads(recording: Recording) -> list[dict[str, Any]]:
    return [thread for thread in recording.json["threads"] if thread["kind"] == "thread"]


WAITING = """\
    import socket, threading, time

    guard = threading.Lock()
    guard.acquire()
    here, there = socket.socketpair()
    finish = time.monotonic() + 1

    def sleeps():
        time.sleep(1)

    def locked():
        guard.acquire()

    def receives():
        here.recv(1)

    def first():
        while time.monotonic() < finish: pass

    def second():
        while time.monotonic() < finish: pass

    threads = [threading.Thread(target=target) for target in (sleeps, locked, receives, first, second)]
    for thread in threads:
        thread.start()
    threads[0].join()
    threads[3].join()
    threads[4].join()
    guard.release()
    there.send(b"x")
"""


def test_what_each_thread_was_doing_is_told(stacklapse: Command, python: Interpreter) -> None:
    recording = record(stacklapse, python, WAITING)
    assert longest(line_states(recording, "sleeps")) == "waiting"
    assert longest(line_states(recording, "receives")) == "waiting"
    assert longest(line_states(recording, "locked")) == "waiting for lock"
    # Two threads that compute take turns: each runs or waits for the GIL, and hardly anything else.
    for function in ("first", "second"):
        total = [f["total_ns"] for f in recording.json["functions"] if f["name"] == function]
        assert len(total) == 1
        threads = [t for t in own_threads(recording) if function in names_of(recording, t)]
        assert len(threads) == 1


def names_of(recording: Recording, thread: dict[str, Any]) -> set[str]:
    """Names of the functions that were on the thread's stack."""
    found = set()
    for stack in recording.stacks():
        if re.search(rf"\b{thread['id']}\)$", stack.frames[0]):
            found |= set(stack.names)
    return found


def test_cpu_time_is_told_for_each_thread_and_the_process(stacklapse: Command, python: Interpreter) -> None:
    program = """\
        import threading, time

        def burns():
            begin = time.thread_time()
            while time.thread_time() - begin < 0.5: pass

        def idles():
            time.sleep(0.5)

        threads = [threading.Thread(target=target) for target in (burns, idles)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
    """
    recording = record(stacklapse, python, program)
    cpu = {}
    for thread in own_threads(recording):
        for function in ("burns", "idles"):
            if function in names_of(recording, thread):
                cpu[function] = thread["cpu_ns"]
    assert 0.45e9 < cpu["burns"] < 0.6e9
    assert cpu["idles"] < 0.05e9
    process = recording.json["processes"][0]
    assert process["cpu_ns"] > 0.5e9
    assert process["cpu_ns"] >= sum(thread["cpu_ns"] for thread in own_threads(recording)) * 0.95


def test_a_program_that_executes_another_python_is_followed(stacklapse: Command, python: Interpreter) -> None:
    program = """\
        import os, sys, threading, time

        def before():
            time.sleep(0.3)

        def after():
            time.sleep(0.3)

        if len(sys.argv) == 1:
            threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
            before()
            os.execv(sys.executable, [sys.executable, __file__, "again"])
        after()
        os._exit(3)
    """
    recording = record(stacklapse, python, program, exit_code=3)
    functions = {f["name"]: f["total_ns"] for f in recording.json["functions"]}
    assert functions["before"] > 0.25e9
    assert functions["after"] > 0.25e9
    assert len(recording.json["processes"]) == 1
    main = [thread for thread in own_threads(recording) if thread["main"]]
    assert len(main) == 1
    assert main[0]["total_ns"] > 0.6e9


def test_a_program_that_executes_what_is_no_python_is_recorded_until_then(
    stacklapse: Command, python: Interpreter
) -> None:
    program = """\
        import os, time

        def before():
            time.sleep(0.3)

        before()
        os.execv("/bin/sh", ["sh", "-c", "sleep 0.3; exit 5"])
    """
    recording = record(stacklapse, python, program, exit_code=5)
    functions = {f["name"]: f["total_ns"] for f in recording.json["functions"]}
    assert functions["before"] > 0.25e9
    # By the name of its file: sh may be called otherwise.
    [other] = {name for name in functions if name.startswith("[not Python: ")}
    assert functions[other] > 0.25e9
    assert recording.json["recording"]["duration_ns"] > 0.6e9
    assert recording.json["recording"]["complete"]


def test_the_time_of_a_wrapper_script_is_not_that_of_an_interpreter_that_starts(
    stacklapse: Command, any_python: Interpreter
) -> None:
    wrapper = stacklapse.folder / "python"
    wrapper.write_text(f'#!/bin/sh\nsleep 0.3\nexec {shlex.quote(str(any_python.path))} "$@"\n')
    wrapper.chmod(0o755)
    report = stacklapse.folder / "report.lapse"
    run = stacklapse("--python", wrapper, "-o", report, "-c", "import time; time.sleep(0.1)")
    assert run.exit_code == 0, run.stderr
    functions = {f["name"]: f["total_ns"] for f in Recording(stacklapse, report, run).json["functions"]}
    [other] = {name for name in functions if name.startswith("[not Python: ")}
    assert other == f"[not Python: {Path('/bin/sh').resolve().name}]"
    assert functions[other] > 0.25e9


def test_a_generator_is_seen_on_the_outermost_frame(stacklapse: Command, python: Interpreter) -> None:
    program = """\
        import _thread, time

        def waits():
            yield time.sleep(0.3)

        def computes():
            end = time.monotonic() + 0.3
            while time.monotonic() < end:
                pass
            yield

        def loops():
            for _ in waits(): pass
            for _ in computes(): pass

        _thread.start_new_thread(loops, ())
        for _ in waits(): pass
        for _ in computes(): pass
        time.sleep(0.3)
    """
    recording = record(stacklapse, python, program, interval="5ms")
    assert recording.count("broken") < 0.02 * recording.count("samples")
    pairs = {stack.names[-2:] for stack in recording.stacks() if stack.names[-1] in {"waits", "computes"}}
    assert pairs == {(caller, callee) for caller in ("<module>", "loops") for callee in ("waits", "computes")}


def test_hundreds_of_threads_are_each_recorded(stacklapse: Command, python: Interpreter) -> None:
    program = """\
        import threading, time

        gate = threading.Event()

        def waits():
            gate.wait()

        threads = [threading.Thread(target=waits) for _ in range(300)]
        for thread in threads: thread.start()
        time.sleep(0.5)
        gate.set()
        for thread in threads: thread.join()
    """
    recording = record(stacklapse, python, program, interval="5ms")
    waiting = [thread for thread in own_threads(recording) if not thread["main"]]
    assert len(waiting) == 300
    assert all(thread["total_ns"] > 0.45e9 for thread in waiting)
    assert recording.count("missed") == 0


def test_threads_have_the_names_that_the_system_knows(stacklapse: Command, python: Interpreter) -> None:
    if python.version < (3, 14):
        pytest.skip("before 3.14 Python does not tell the system the names of its threads")
    program = """\
        import threading, time
        thread = threading.Thread(target=time.sleep, args=(0.3,), name="oven")
        thread.start()
        thread.join()
        def renamed():
            time.sleep(0.3)
            threading.current_thread().name = "grill"
            time.sleep(1.5)
        late = threading.Thread(target=renamed)
        late.start()
        late.join()
    """
    recording = record(stacklapse, python, program)
    assert sorted(thread["name"] for thread in own_threads(recording) if not thread["main"]) == ["grill", "oven"]


def test_an_interpreter_within_an_interpreter_runs_on_top_of_the_one_that_called_it(
    stacklapse: Command, python: Interpreter
) -> None:
    program = """\
        import time
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters

        def host(number):
            interpreters.run_string(number, "import time\\ndef guest():\\n    time.sleep(0.3)\\nguest()")

        host(interpreters.create())
    """
    recording = record(stacklapse, python, program)
    below_guest = [stack.names for stack in recording.stacks() if stack.names[-1] == "guest"]
    assert below_guest
    assert all("host" in names and names.index("host") < names.index("guest") for names in below_guest)


def test_the_recording_of_a_killed_program_is_whole(stacklapse: Command, python: Interpreter) -> None:
    program = """\
        import os, signal, time

        def last():
            time.sleep(0.3)

        last()
        os.kill(os.getpid(), signal.SIGKILL)
    """
    recording = record(stacklapse, python, program, exit_code=137)
    assert recording.json["recording"]["complete"]
    assert recording.json["processes"][0]["exit_status"] == 9
    assert sum(f["total_ns"] for f in recording.json["functions"] if f["name"] == "last") > 0.25e9


def test_what_lies_in_the_recording_adds_up(stacklapse: Command, python: Interpreter) -> None:
    recording = record(stacklapse, python, WAITING)
    for thread in own_threads(recording):
        assert abs(thread["total_ns"] - (thread["end_ns"] - thread["begin_ns"])) <= 1_000_000
    process = recording.json["processes"][0]
    main = next(thread for thread in own_threads(recording) if thread["main"])
    assert (main["begin_ns"], main["end_ns"]) == (process["begin_ns"], process["end_ns"])
