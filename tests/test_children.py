"""`--children`: every Python that a program starts is recorded, apart; `--`: whatever ends up in a Python is found."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.command import Argument, Command, Recording, Run
from support.interpreters import Interpreter
from support.packages import packages
from support.program import running, until
from support.trace_reader import Trace

# A child of each kind works in a function of its own until it has used some CPU time.
WORK = """\
import os, sys, time

def work(seconds=0.1):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
    return os.getpid()

def in_first(): return work()
def in_second(): return work()
"""

# Takes far more CPU time than a Python that does nothing.
BUSY_SHELL = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"

FORK = """\
import os
from work import in_first, in_second
for function in in_first, in_second:
    pid = os.fork()
    if pid == 0:
        function()
        os._exit(0)
    os.waitpid(pid, 0)
"""

POOL = """\
import multiprocessing, sys
from work import in_first, in_second
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    children = [context.Process(target=function) for function in (in_first, in_second)]
    for child in children: child.start()
    for child in children: child.join()
"""

EXECUTOR = """\
import concurrent.futures, multiprocessing
from work import in_first, in_second
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    both = context.Barrier(2)  # the first to be there would else do the work of the other
    with concurrent.futures.ProcessPoolExecutor(2, context, initializer=both.wait) as executor:
        for future in [executor.submit(function) for function in (in_first, in_second)]: future.result()
"""

SUBPROCESS = """\
import subprocess, sys
for name in "in_first", "in_second":
    subprocess.run([sys.executable, "-c", f"import work; work.{name}()"], check=True)
"""

SHELL = """\
import shlex, subprocess, sys
for name in "in_first", "in_second":
    command = shlex.join([sys.executable, "-c", f"import work; work.{name}()"])
    subprocess.run(["sh", "-c", command + "; true"], check=True)
"""

EXEC = """\
import os, sys
from work import in_first
for name in "in_first", "in_second":
    pid = os.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", f"import work; work.{name}()"])
    os.waitpid(pid, 0)
"""

PROGRAMS = {
    "fork": (FORK, []),
    "multiprocessing-fork": (POOL, ["fork"]),
    "multiprocessing-spawn": (POOL, ["spawn"]),
    "multiprocessing-forkserver": (POOL, ["forkserver"]),
    "executor": (EXECUTOR, []),
    "subprocess": (SUBPROCESS, []),
    "shell": (SHELL, []),
    "exec": (EXEC, []),
}


def script(folder: Path, code: str) -> Path:
    (folder / "work.py").write_text(WORK)
    path = folder / "program.py"
    path.write_text(code)
    return path


def processes(recording: Recording) -> dict[int, dict[str, Any]]:
    """By their pid."""
    return {process["pid"]: process for process in recording.json["processes"]}


def processes_in(recording: Recording, function: str) -> set[str]:
    """Those whose stacks hold the function, as the folded output names them."""
    return {stack.frames[0] for stack in recording.stacks() if function in stack.names}


@pytest.mark.parametrize("way", PROGRAMS)
def test_every_child_is_recorded_apart(stacklapse: Command, python: Interpreter, tmp_path: Path, way: str) -> None:
    code, arguments = PROGRAMS[way]
    recording = stacklapse.record(python, [script(tmp_path, code), *arguments], ["--children"])
    first = processes_in(recording, "in_first")
    second = processes_in(recording, "in_second")
    assert len(first) == len(second) == 1, recording.json["processes"]
    assert first != second
    found = processes(recording)
    main, *children = recording.json["processes"]
    assert len(children) >= 2
    assert main["command"].startswith("program.py") or str(tmp_path) in main["command"]
    for child in children:
        assert child["python"] == python.version_text
        assert child["parent_pid"] in found or way == "shell"
        assert child["begin_ns"] >= main["begin_ns"]
    # Each is what it was started as: nobody is taken for the parent it was forked off from.
    if way in ("subprocess", "shell", "exec"):
        assert all("import work" in child["command"] for child in children)
    # What they used is their own, and not told as that of children which nobody recorded.
    recorded = sum(child["cpu_ns"] for child in children) / 1e9
    assert float(recording.info["children_cpu_time"].split()[0]) < recorded / 2


@pytest.mark.parametrize("way", ["fork", "subprocess"])
def test_without_the_option_only_the_program_is(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path, way: str
) -> None:
    recording = stacklapse.record(any_python, [script(tmp_path, PROGRAMS[way][0])])
    assert len(recording.json["processes"]) == 1
    assert not processes_in(recording, "in_first")
    assert "record the Pythons:  --children" in recording.view("-r", "text")


def test_children_that_are_no_python_are_not_said_to_need_the_option(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    code = f"import subprocess; subprocess.run(['sh', '-c', {BUSY_SHELL!r}], check=True)"
    run = stacklapse("--children", "--python", any_python.path, script(tmp_path, code))
    assert "they are no Python, or too brief" in run.stderr
    assert "--children" not in "".join(run.stderr.splitlines()[-3:])


def test_children_that_ran_before_the_program_was_a_python_are_not_its_own(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    wrapper = tmp_path / "python"
    wrapper.write_text(f'#!/bin/sh\nsh -c {shlex.quote(BUSY_SHELL)}\nexec {shlex.quote(str(any_python.path))} "$@"\n')
    wrapper.chmod(0o755)
    report = tmp_path / "report.lapse"
    run = stacklapse("--python", wrapper, "-o", report, "-c", "import time; time.sleep(0.1)")
    assert run.exit_code == 0, run.stderr
    recording = Recording(stacklapse, report, run)
    assert float(recording.info["children_cpu_time"].split()[0]) == 0
    assert "child processes" not in recording.view("-r", "text")


def test_children_have_trees_of_their_own_which_merge_makes_one(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    recording = stacklapse.record(any_python, [script(tmp_path, POOL), "fork"], ["--children"])
    count = len(recording.json["processes"])
    text = recording.view("-r", "text", "--show-all")
    assert f"{count} processes" in text
    assert len(re.findall(r"^ process \d+ · ", text, re.MULTILINE)) == count
    assert "--children" not in text.splitlines()[-3:]

    merged = recording.view("-r", "text", "--merge", "--show-all")
    assert not re.search(r"^ process \d+ · ", merged, re.MULTILINE)
    assert merged.count("in_first") == merged.count("in_second") == 1

    folded = recording.view("-r", "folded", "--merge", "--show-all")
    assert not re.search(r"\(process \d+\)", folded)
    apart = recording.view("-r", "folded", "--show-all")
    assert len(set(re.findall(r"\(process (\d+)\)", apart))) == count

    def total(lines: str) -> int:
        return sum(int(line.rpartition(" ")[2]) for line in lines.splitlines())

    assert total(folded) == pytest.approx(total(apart), abs=apart.count("\n"))

    def kinds(*options: str) -> Counter[str]:
        found: Counter[str] = Counter()
        pending = list(json.loads(recording.view("-r", "json", *options))["tree"])
        while pending:
            node = pending.pop()
            found[node["kind"]] += 1
            pending.extend(node.get("children", []))
        return found

    assert kinds()["process"] == count
    assert kinds("--merge")["process"] == 0

    # The page opens with what was asked for (report/tests says what it makes of that).
    assert '"merge":false' in recording.view("-r", "html")
    assert '"merge":true' in recording.view("-r", "html", "--merge")


def test_children_of_twenty_milliseconds_are_seen(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    """On a busy machine the sampler itself may have had to wait longer than that: then once more."""
    code = """\
import os, time
for n in range(20):
    pid = os.fork()
    if pid == 0:
        time.sleep(0.02)
        os._exit(0)
    os.waitpid(pid, 0)
    time.sleep(0.005)
"""
    seen = []
    for _attempt in range(5):
        recording = stacklapse.record(any_python, [script(tmp_path, code)], ["--children"])
        seen.append(len(recording.json["processes"]) - 1)
        if seen[-1] == 20:
            return
    raise AssertionError(f"of 20 children: {seen}")


def test_what_is_no_python_leaves_no_trace_in_the_recording(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    code = """\
import subprocess
subprocess.run(["sleep", "0.3"])
subprocess.run(["sh", "-c", "sleep 0.2; true"])
"""
    recording = stacklapse.record(any_python, [script(tmp_path, code)], ["--children"])
    assert len(recording.json["processes"]) == 1


def test_a_child_that_becomes_another_program_is_ended_there_and_begun_anew_should_it_be_a_python_again(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    code = """\
import os, sys
from work import in_first
child = os.fork()
if child == 0:
    in_first()
    again = f"{sys.executable} -c 'import work; work.in_second()'"
    os.execv("/bin/sh", ["sh", "-c", f"sleep 0.3; exec {again}"])
os.waitpid(child, 0)
"""
    recording = stacklapse.record(any_python, [script(tmp_path, code)], ["--children"])
    _, first, second = recording.json["processes"]
    assert first["pid"] == second["pid"]
    assert second["begin_ns"] - first["end_ns"] > 0.2e9
    assert "import work" in second["command"]
    marks = {name for stack in recording.stacks() for name in stack.names if name.startswith("[not Python: ")}
    assert len(marks) == 1
    # The time of neither is told of the other, too.
    for process in first, second:
        assert 0.09e9 < process["cpu_ns"] < 0.19e9, recording.json["processes"]


def test_a_child_that_outlives_the_program_does_not_hold_us_up(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    code = """\
import os, time
if os.fork() == 0:
    os.setsid(); null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3): os.dup2(null, fd)
    time.sleep(60); os._exit(0)
time.sleep(0.2)
"""
    run = stacklapse("--children", "--python", any_python.path, script(tmp_path, code), timeout=30)
    assert run.exit_code == 0
    assert "2 processes" in run.stderr


def test_a_shell_script_and_a_console_script_end_up_in_python(
    stacklapse: Command, python: Interpreter, tmp_path: Path
) -> None:
    program = script(tmp_path, "from work import in_first\nin_first()\n")
    tool = tmp_path / "tool"
    (tmp_path / "tool").write_text(f"#!{python.path}\nfrom work import in_first\nin_first()\n")
    tool.chmod(0o755)
    becomes = tmp_path / "becomes.sh"
    becomes.write_text(f"#!/bin/sh\nsleep 0.05\nexec {python.path} {program}\n")
    starts = tmp_path / "starts.sh"
    starts.write_text(f"#!/bin/sh\nsleep 0.05\n{python.path} {program} || exit 1\nexit 7\n")
    for command, exit_code in (tool, 0), (becomes, 0), (starts, 7):
        command.chmod(0o755)
        report = tmp_path / f"{command.name}.lapse"
        run = stacklapse("-o", report, "--", command)
        assert run.exit_code == exit_code, run.stderr
        recording = Recording(stacklapse, report, run)
        assert [process["python"] for process in recording.json["processes"]] == [python.version_text]
        assert any("in_first" in stack.names for stack in recording.stacks())


def test_the_first_python_of_a_command_is_the_program_and_the_next_takes_its_place(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    script(tmp_path, "")
    python = any_python.path
    code = "import subprocess, sys, work; work.{}(); subprocess.run([sys.executable, '-c', 'import work; work.work()'])"
    line = f'{python} -c "{code.format("in_first")}"; {python} -c "{code.format("in_second")}"; true'
    report = tmp_path / "line.lapse"
    run = stacklapse("-o", report, "--", "sh", "-c", line, cwd=tmp_path)
    assert run.exit_code == 0, run.stderr
    recording = Recording(stacklapse, report, run)
    assert len(recording.json["processes"]) == 2, recording.json["processes"]
    assert recording.info["command"].startswith("sh -c '")
    assert recording.view().splitlines()[1].startswith(" stacklapse  sh -c '")
    assert " · sh -c " in recording.view("-r", "html")
    assert recording.info["command"] == Trace(report.read_bytes()).command
    assert recording.info["command"] == recording.json["recording"]["command"]
    assert {name for stack in recording.stacks() for name in stack.names if name.startswith("in_")} == {
        "in_first",
        "in_second",
    }
    run = stacklapse("-o", report, "--children", "--", "sh", "-c", line, cwd=tmp_path)
    assert run.exit_code == 0, run.stderr
    assert len(Recording(stacklapse, report, run).json["processes"]) == 4


def test_a_command_without_a_python_says_so(stacklapse: Command) -> None:
    for options in [], ["--children"]:
        run = stacklapse(*options, "--", "sh", "-c", "sleep 0.1; exit 3")
        assert run.exit_code == 3
        assert run.stderr == "stacklapse: not profiled: the program ended before a Python was found in it\n"


PREFORK = """\
import os, sys, time
from work import in_first, in_second
def serve(function):
    while True:
        function()
        time.sleep(0.001)
def start(function):
    pid = os.fork()
    if pid == 0: serve(function)
    return pid
start(in_first)
print("ready", flush=True)
sys.stdin.readline()
start(in_second)
print("again", flush=True)
time.sleep(100)
"""


def test_attach_takes_the_children_that_are_there_and_those_to_come(
    stacklapse: Command, python: Interpreter, tmp_path: Path
) -> None:
    with running([python.path, script(tmp_path, PREFORK)]) as program:
        assert program.stdout
        assert program.stdin
        report = tmp_path / "attached.lapse"
        with subprocess.Popen(
            [stacklapse.path, "attach", "--children", "-d", "1.5s", "-o", report, str(program.pid)],
            env=stacklapse.environment(),
            stderr=subprocess.PIPE,
            text=True,
        ) as attached:
            until(lambda: any((stacklapse.state / "stacklapse").glob("*.lapse")), "for the recording")
            program.stdin.write("\n")
            program.stdin.flush()
            assert program.stdout.readline() == "again\n"
            _, said = attached.communicate(timeout=60)
        recording = Recording(stacklapse, report, Run(attached.returncode, "", said))
        assert recording.run.exit_code == 0, said
        assert len(recording.json["processes"]) == 3
        assert len(processes_in(recording, "in_first")) == len(processes_in(recording, "in_second")) == 1


def test_attach_to_a_shell_takes_the_python_below_it(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    script(tmp_path, "")
    code = "import work; print('ready', flush=True); work.in_first(); work.work(100)"
    line = f'{any_python.path} -c "{code}"; true'
    with running(["sh", "-c", line], cwd=tmp_path) as shell:
        report = tmp_path / "attached.lapse"
        run = stacklapse("attach", "--children", "-d", "0.5s", "-o", report, str(shell.pid))
        assert run.exit_code == 0, run.stderr
        recording = Recording(stacklapse, report, run)
        assert [process["python"] for process in recording.json["processes"]] == [any_python.version_text]


APPLICATION = """\
from work import work

def wsgi(environ, start_response):
    work(0.05)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

async def asgi(scope, receive, send):
    if scope["type"] == "http":
        work(0.05)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
"""

# A worker of uvicorn that needs too long for its start is taken for dead.
UVICORN = ["-m", "uvicorn", "--workers", "2", "--timeout-worker-healthcheck", "60", "--uds", "socket"]
SERVERS = {
    "gunicorn": (["-m", "gunicorn", "-w", "2", "-b", "unix:socket", "application:wsgi"], "wsgi"),
    "uvicorn": ([*UVICORN, "--lifespan", "off", "application:asgi"], "asgi"),
}


def answered(path: Path) -> bool:
    """Whether a request was answered."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            client.connect(str(path))
            client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            return client.recv(100).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


@pytest.mark.parametrize("name", SERVERS)
def test_the_workers_of_a_server_are_recorded(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path, name: str
) -> None:
    server, application = SERVERS[name]
    installed = packages(any_python, ["gunicorn >=23, <29", "uvicorn >=0.37, <1"])
    script(tmp_path, "")
    (tmp_path / "application.py").write_text(APPLICATION)
    options: list[Argument] = ["--children", "--python", any_python.path, "-o", tmp_path / "server.lapse"]
    with subprocess.Popen(
        [stacklapse.path, *options, *server],
        cwd=tmp_path,
        env=stacklapse.environment() | {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as profiled:
        try:
            until(lambda: answered(tmp_path / "socket"), f"for {name}", 90)
            assert all(answered(tmp_path / "socket") for _ in range(8))
            profiled.send_signal(signal.SIGTERM)
            _, said = profiled.communicate(timeout=60)
        finally:
            if profiled.poll() is None:
                os.killpg(profiled.pid, signal.SIGKILL)
    recording = Recording(stacklapse, tmp_path / "server.lapse", Run(profiled.returncode, "", said))
    main = recording.json["processes"][0]
    workers = processes_in(recording, application)
    assert workers, said
    assert not any(str(main["pid"]) in worker for worker in workers)
    # The second may have had nothing to do. uvicorn has Python's resource tracker as well.
    children = [process for process in recording.json["processes"] if process["parent_pid"] == main["pid"]]
    assert len(children) >= 2


def test_uv_run_ends_up_in_python(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    program = script(tmp_path, "from work import in_first\nin_first()\n")
    report = tmp_path / "uv.lapse"
    uv: list[Argument] = [sys.executable, "-m", "uv", "run", "--offline", "--no-project", "--python", any_python.path]
    # The first Python is the one that runs uv itself here.
    run = stacklapse("--children", "-o", report, "--", *uv, program, environment={"UV_CACHE_DIR": str(tmp_path / "uv")})
    assert run.exit_code == 0, run.stderr
    recording = Recording(stacklapse, report, run)
    assert any("in_first" in stack.names for stack in recording.stacks())
