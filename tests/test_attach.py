"""`stacklapse attach`: programs that run already are looked at, and do not notice."""

from __future__ import annotations

import hashlib
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.command import Command, Recording, Run
from support.interpreters import Interpreter
from support.program import children_of, running, until, until_recording

# Two phases that call nothing that is not named, until a line comes from outside.
PROGRAM = """\
import sys, threading, time
def first(): return [number * 2 for number in range(1000)]
def second(): return sum(range(2000))
def work():
    while not done:
        first()
        second()
def wait():
    while not done:
        time.sleep(0.05)
done = []
threads = [threading.Thread(target=work), threading.Thread(target=wait)]
for thread in threads: thread.start()
print("ready", flush=True)
print("read", sys.stdin.readline().strip(), flush=True)
done.append(1)
for thread in threads: thread.join()
print("end")
"""


def script(stacklapse: Command, code: str = PROGRAM) -> Path:
    path = stacklapse.folder / f"program_{hashlib.sha1(code.encode()).hexdigest()[:8]}.py"
    path.write_text(code)
    return path


def attach(stacklapse: Command, *arguments: str | os.PathLike[str]) -> Recording:
    path = stacklapse.folder / "attached.lapse"
    run = stacklapse("attach", "-o", path, *arguments)
    assert run.exit_code == 0, run.stderr
    return Recording(stacklapse, path, run)


def test_a_program_that_runs_is_looked_at_and_goes_on(stacklapse: Command, python: Interpreter) -> None:
    with running([python.path, script(stacklapse)]) as program:
        recording = attach(stacklapse, str(program.pid), "-d", "0.6s")
        names = {name for stack in recording.stacks() for name in stack.names}
        assert {"work", "wait", "<module>"} <= names
        assert recording.info["python"] == python.version_text
        assert recording.info["complete"] == "yes"
        [process] = recording.json["processes"]
        assert process["pid"] == program.pid
        assert process["command"].startswith(str(python.path))
        assert len(recording.json["threads"]) == 3
        stdout, stderr = program.communicate("a line\n", timeout=60)
        assert (program.returncode, stdout, stderr) == (0, "read a line\nend\n", "")


def test_the_report_goes_to_standard_output_and_the_recording_is_kept(
    stacklapse: Command, any_python: Interpreter
) -> None:
    with running([any_python.path, script(stacklapse)]) as program:
        run = stacklapse("attach", "--duration=300ms", str(program.pid))
        assert (run.exit_code, run.stderr) == (0, "")
        assert "work" in run.stdout
        assert f"pid {program.pid}" in run.stdout
        again = stacklapse("view", "last")
        assert again.stdout.splitlines()[:4] == run.stdout.splitlines()[:4]


def test_every_option_of_a_report_is_taken(stacklapse: Command, any_python: Interpreter) -> None:
    with running([any_python.path, script(stacklapse)]) as program:
        run = stacklapse("attach", "-d", "0.3", "-i", "5ms", "--threads", "main", "-r", "json", str(program.pid))
        assert run.exit_code == 0, run.stderr
        assert run.stdout.startswith('{"format":"stacklapse"')
        assert "interval: 0.005000000 s" in stacklapse("info").stdout
        assert "threads: 1\n" in stacklapse("info").stdout


def test_several_processes_are_apart(stacklapse: Command, any_python: Interpreter) -> None:
    other = PROGRAM.replace("work", "labour")
    with (
        running([any_python.path, script(stacklapse)]) as one,
        running([any_python.path, script(stacklapse, other)]) as two,
    ):
        recording = attach(stacklapse, str(one.pid), str(two.pid), str(one.pid), "-d", "0.5")
        processes = {process["pid"]: index for index, process in enumerate(recording.json["processes"])}
        assert set(processes) == {one.pid, two.pid}
        owners = [thread["process"] for thread in recording.json["threads"]]
        assert sorted(owners) == sorted([processes[one.pid], processes[two.pid]] * 3)
        sections = re.split(r"^ process (\d+) ", recording.view("--threshold", "0"), flags=re.MULTILINE)[1:]
        reports = dict(zip(map(int, sections[::2]), sections[1::2], strict=True))
        assert set(reports) == {one.pid, two.pid}
        assert "labour" in reports[two.pid]
        assert "labour" not in reports[one.pid]


def test_ctrl_c_ends_the_recording_and_not_the_program(stacklapse: Command, any_python: Interpreter) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with running([any_python.path, script(stacklapse)]) as program:
            attached = stacklapse.start("attach", str(program.pid))
            until_recording(stacklapse)
            attached.send_signal(number)
            stdout, stderr = attached.communicate(timeout=60)
            assert (attached.returncode, stderr) == (0, "")
            assert "work" in stdout
            assert program.poll() is None
            assert program.communicate("\n", timeout=60)[0] == "read \nend\n"
        for recording in (stacklapse.state / "stacklapse").glob("*.lapse"):
            recording.unlink()


def test_the_end_of_the_program_ends_the_recording(stacklapse: Command, any_python: Interpreter) -> None:
    with running([any_python.path, script(stacklapse)]) as program:
        attached = stacklapse.start("attach", str(program.pid))
        until_recording(stacklapse)
        program.communicate("\n", timeout=60)
        stdout, stderr = attached.communicate(timeout=60)
        assert (attached.returncode, stderr) == (0, "")
        assert "work" in stdout


def test_a_program_that_is_killed_leaves_its_recording(stacklapse: Command, any_python: Interpreter) -> None:
    with running([any_python.path, script(stacklapse)]) as program:
        attached = stacklapse.start("attach", str(program.pid))
        until_recording(stacklapse)
        program.kill()
        stdout, stderr = attached.communicate(timeout=60)
        assert (attached.returncode, stderr) == (0, "")
        assert "work" in stdout


def test_of_several_the_last_to_end_ends_the_recording(stacklapse: Command, any_python: Interpreter) -> None:
    with running([any_python.path, script(stacklapse)]) as one, running([any_python.path, script(stacklapse)]) as two:
        attached = stacklapse.start("attach", str(one.pid), str(two.pid), "-r", "json")
        until_recording(stacklapse)
        one.kill()
        one.wait()
        assert attached.poll() is None
        two.kill()
        stdout, _ = attached.communicate(timeout=60)
        assert attached.returncode == 0
        assert str(one.pid) in stdout
        assert str(two.pid) in stdout


def test_a_program_that_executes_another_is_followed(stacklapse: Command, python: Interpreter) -> None:
    again = script(stacklapse, PROGRAM.replace("work", "labour"))
    code = PROGRAM.replace('print("end")', f"import os; os.execv(sys.executable, [sys.executable, {str(again)!r}])")
    with running([python.path, script(stacklapse, code)]) as program:
        attached = stacklapse.start("attach", str(program.pid), "-r", "folded")
        recording = until_recording(stacklapse)
        assert program.stdin
        assert program.stdout
        program.stdin.write("go\n")
        program.stdin.flush()
        assert program.stdout.readline() == "read go\n"
        assert program.stdout.readline() == "ready\n"
        until(lambda: "labour" in stacklapse("view", recording, "-r", "folded").stdout, "for the second program")
        attached.send_signal(signal.SIGINT)
        stdout, stderr = attached.communicate(timeout=60)
        assert (attached.returncode, stderr) == (0, "")
        assert "work" in stdout
        assert "labour" in stdout


def test_a_program_that_executes_what_is_no_python_is_told_to_have(
    stacklapse: Command, any_python: Interpreter
) -> None:
    code = PROGRAM.replace('print("end")', "import os; os.execv('/bin/sh', ['sh', '-c', 'sleep 0.3; exit 5'])")
    with running([any_python.path, script(stacklapse, code)]) as program:
        attached = stacklapse.start("attach", str(program.pid), "-r", "folded")
        until_recording(stacklapse)
        assert program.stdin
        program.stdin.write("go\n")
        program.stdin.flush()
        stdout, _ = attached.communicate(timeout=60)
        program.wait()
        assert (attached.returncode, program.returncode) == (0, 5)
        assert "work" in stdout
        assert re.search(r"^.*\[not Python: \w+\] \d+$", stdout, re.MULTILINE), stdout


def test_killing_us_leaves_the_program_and_the_recording(stacklapse: Command, any_python: Interpreter) -> None:
    with running([any_python.path, script(stacklapse)]) as program:
        attached = stacklapse.start("attach", str(program.pid))
        until_recording(stacklapse)
        attached.kill()
        attached.communicate(timeout=60)
        assert program.communicate("\n", timeout=60)[0] == "read \nend\n"
    view = stacklapse("view", "last")
    assert view.exit_code == 0, view.stderr
    assert "work" in view.stdout


@pytest.mark.parametrize("for_good", [True, False])
def test_a_disk_that_is_full_is_said_when_it_is_and_makes_it_a_failure_if_it_stays(
    stacklapse: Command, any_python: Interpreter, for_good: bool
) -> None:
    with running([any_python.path, script(stacklapse)]) as program:
        attached = stacklapse.start("attach", "-i", "100us", "-d", "30s", str(program.pid))
        size = until_recording(stacklapse).stat().st_size
        assert attached.stderr
        resource.prlimit(attached.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        assert attached.stderr.readline() == "stacklapse: cannot write the recording: File too large\n"
        assert attached.stderr.readline().startswith("stacklapse: looking goes on: ")
        if not for_good:
            resource.prlimit(attached.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        attached.send_signal(signal.SIGINT)
        stdout, stderr = attached.communicate(timeout=60)
        assert "work" in stdout
        if for_good:
            assert stderr == "stacklapse: the recording is not complete: cannot write the recording: File too large\n"
        else:
            assert stderr == ""
        assert attached.returncode == (1 if for_good else 0)


def assert_refused(run: Run, *sentences: str) -> None:
    assert (run.exit_code, run.stdout) == (1, "")
    assert len(run.stderr.splitlines()) == len(sentences), run.stderr
    for line, sentence in zip(run.stderr.splitlines(), sentences, strict=True):
        assert re.fullmatch(r"stacklapse: [^\n]*[^\n.]", line), run.stderr
        assert sentence in line


def test_what_cannot_be_looked_at_is_named_and_the_others_are_recorded(
    stacklapse: Command, any_python: Interpreter
) -> None:
    with running([any_python.path, script(stacklapse)]) as program:
        run = stacklapse("attach", "-d", "0.3", "2147483647", str(program.pid))
        assert run.exit_code == 1
        assert run.stderr == "stacklapse: there is no process 2147483647\n"
        assert "work" in run.stdout


def test_what_is_not_python_is_told_with_its_python_children(stacklapse: Command, any_python: Interpreter) -> None:
    shell = f"{any_python.path} {script(stacklapse)} & wait"
    with running(["sh", "-c", shell]) as parent:
        [child] = children_of(parent.pid)
        run = stacklapse("attach", str(parent.pid))
        name = Path(f"/proc/{parent.pid}/exe").resolve().name
        assert_refused(run, f"process {parent.pid} is not Python: there is no CPython in it; it runs {name} now; of "
                            f"its descendants these are Python: {child} ({any_python.path}")  # fmt: skip
        assert not list((stacklapse.state / "stacklapse").glob("*.lapse"))
    with running(["sleep", "100"], wait=False) as sleep:
        until(lambda: Path(f"/proc/{sleep.pid}/comm").read_text() == "sleep\n", "for sleep")
        run = stacklapse("attach", str(sleep.pid))
        assert_refused(run, f"process {sleep.pid} is not Python: there is no CPython in it; it runs sleep now")


def test_that_no_python_came_of_what_was_to_start_one_is_said(stacklapse: Command) -> None:
    with running(["sleep", "100"], wait=False) as one, running(["sleep", "100"], wait=False) as two:
        until(lambda: Path(f"/proc/{two.pid}/comm").read_text() == "sleep\n", "for sleep")
        run = stacklapse("attach", "--children", "-d", "0.2", str(one.pid))
        assert_refused(run, f"no Python was found in process {one.pid} or below it")
        run = stacklapse("attach", "--children", "-d", "0.2", str(one.pid), str(two.pid))
        assert_refused(run, "no Python was found in these 2 processes or below them")


def test_a_zombie_and_a_kernel_thread_are_told(stacklapse: Command) -> None:
    zombie = subprocess.Popen([sys.executable, "-c", ""])
    until(lambda: ") Z " in Path(f"/proc/{zombie.pid}/stat").read_text(), "for the end")
    assert_refused(stacklapse("attach", str(zombie.pid)), f"process {zombie.pid} has ended already")
    zombie.wait()
    if Path("/proc/2/comm").read_text() == "kthreadd\n":
        assert_refused(stacklapse("attach", "2"), "process 2 is a kernel thread")


def letter_of(pid: int) -> str:
    """Of its state, as ps shows it."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def blocks(pid: int, number: signal.Signals) -> bool:
    blocked = re.search(r"^SigBlk:\t([0-9a-f]+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return blocked is not None and bool(int(blocked[1], 16) >> (number - 1) & 1)


@pytest.mark.parametrize("orphaned", [True, False])
def test_ctrl_z_stops_only_where_a_shell_can_let_it_go_on(
    stacklapse: Command, any_python: Interpreter, orphaned: bool
) -> None:
    """As the kernel has it: nobody would continue a group that no shell looks after (docker exec, ssh HOST COMMAND)."""
    with running([any_python.path, "-u", script(stacklapse)]) as program:
        attached = subprocess.Popen(
            [stacklapse.path, "attach", "-q", "-o", stacklapse.folder / "stopped.lapse", str(program.pid)],
            env=stacklapse.environment(),
            start_new_session=orphaned,
            process_group=None if orphaned else 0,
        )
        until(lambda: blocks(attached.pid, signal.SIGTSTP), "until it is told of signals")
        os.kill(attached.pid, signal.SIGTSTP)
        if orphaned:
            time.sleep(0.5)
            assert letter_of(attached.pid) != "T"
        else:
            until(lambda: letter_of(attached.pid) == "T", "the stop")
            os.kill(attached.pid, signal.SIGCONT)
            until(lambda: letter_of(attached.pid) != "T", "going on")
        os.kill(attached.pid, signal.SIGINT)
        assert attached.wait(30) == 0


def test_what_went_on_while_we_were_stopped_is_missed(stacklapse: Command, any_python: Interpreter) -> None:
    """It is not known to have been what is seen first afterwards."""
    saved = stacklapse.folder / "stopped.lapse"
    with running([any_python.path, "-u", script(stacklapse)]) as program:
        attached = stacklapse.start("attach", "-o", saved, str(program.pid))
        until_recording(stacklapse)
        os.kill(attached.pid, signal.SIGTSTP)
        until(lambda: letter_of(attached.pid) == "T", "the stop")
        begin = time.monotonic()
        time.sleep(2)
        stopped = time.monotonic() - begin
        os.kill(attached.pid, signal.SIGCONT)
        time.sleep(0.5)
        attached.send_signal(signal.SIGINT)
        attached.communicate(timeout=60)
        assert attached.returncode == 0
    recording = Recording(stacklapse, saved, stacklapse("info", saved))
    duration = float(recording.info["duration"].split()[0])
    assert recording.count("missed") >= 3, "once of each thread"
    assert recording.count("late") <= (duration - stopped) * 1000 + 1
    stacks = recording.stacks()
    missed = sum(stack.microseconds for stack in stacks if stack.frames[-1] == "[missed]")
    assert missed >= 3 * (stopped - 0.002) * 1e6
    assert sum(stack.microseconds for stack in stacks) == pytest.approx(3 * duration * 1e6, rel=0.001)


def test_more_processes_than_the_soft_limit_of_descriptors_allows(stacklapse: Command, any_python: Interpreter) -> None:
    code = """\
import os, time
for _ in range(20):
    if os.fork() == 0: time.sleep(100)
print("ready", flush=True)
time.sleep(100)
"""
    with running([any_python.path, script(stacklapse, code)]) as program:
        until(lambda: len(children_of(program.pid)) == 20, "for its children")
        pids = [str(pid) for pid in children_of(program.pid)]
        path = stacklapse.folder / "many.lapse"
        limited: list[str | os.PathLike[str]] = ["bash", "-c", 'ulimit -S -n 256; exec "$@"', "-", stacklapse.path]
        run = subprocess.run(
            [*limited, "attach", "-q", "-d", "0.5", "-o", path, *pids],
            env=stacklapse.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (run.returncode, run.stderr) == (0, "")
        assert len(Recording(stacklapse, path, Run(0, "", "")).json["processes"]) == 20


def test_descriptors_that_were_closed_are_not_taken_for_its_own(stacklapse: Command, any_python: Interpreter) -> None:
    with running([any_python.path, script(stacklapse)]) as program:
        for closed, code in (("<&-", 0), ("<&- >&-", 1), ("<&- >&- 2>&-", 1)):
            report = stacklapse.folder / "report.txt" if code == 0 else "-"
            run = subprocess.run(
                ["sh", "-c", f'exec "$@" {closed}', "-", stacklapse.path, "attach", "-d", "0.2", "-o", report,
                 str(program.pid)],
                env=stacklapse.environment(), capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
            assert run.returncode == code, run.stderr
            assert run.stdout == ""
            assert stacklapse("view", "last", "-r", "json").exit_code == 0
