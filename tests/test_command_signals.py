"""Signals and job control: the program gets each as it would without us, and the report is written all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.command import Argument, Command, Recording
from support.interpreters import Interpreter
from support.program import children_of, until, until_recording
from support.terminal import Terminal

# Counts the signals it gets, each delivery of them (Python's own handlers may run once for two), and ends soon after
# the first.
COUNTER = """\
import collections, os, select, signal, time
reading, writing = os.pipe()
os.set_blocking(writing, False)
signal.set_wakeup_fd(writing)
for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGWINCH,
               signal.SIGRTMIN + 3):
    signal.signal(number, lambda number, frame: None)
print("ready", flush=True)
select.select([reading], [], [], 60)
time.sleep(0.3)
counts = collections.Counter(os.read(reading, 1000))
names = {number: number.name for number in signal.Signals} | {signal.SIGRTMIN + 3: "SIGRT3"}
print("got", *(f"{names[number]}={n}" for number, n in sorted(counts.items())), flush=True)
"""


@contextmanager
def started(stacklapse: Command, python: Interpreter, code: str) -> Iterator[subprocess.Popen[str]]:
    """The command with a program that has printed its first line, in a process group of their own."""
    process = subprocess.Popen(
        [stacklapse.path, "--python", python.path, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=stacklapse.environment(),
        process_group=0,
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def child_of(process: subprocess.Popen[str]) -> int:
    return children_of(process.pid)[0]


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGWINCH"])
def test_a_signal_sent_to_us_reaches_the_program_once(stacklapse: Command, any_python: Interpreter, name: str) -> None:
    with started(stacklapse, any_python, COUNTER) as process:
        process.send_signal(getattr(signal, name))
        stdout, stderr = process.communicate(timeout=30)
        assert stdout == f"got {name}=1\n"
        assert process.returncode == 0
        assert "samples" in stderr


def test_sigterm_ends_the_program_and_the_report_is_written(stacklapse: Command, any_python: Interpreter) -> None:
    with started(stacklapse, any_python, "import time; print('ready', flush=True); time.sleep(60)") as process:
        process.terminate()
        _, stderr = process.communicate(timeout=30)
        assert process.returncode == 143
        assert "samples" in stderr


def test_a_program_that_outlives_sigterm_is_waited_for(stacklapse: Command, any_python: Interpreter) -> None:
    code = """\
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("cleaning", flush=True), time.sleep(0.5), sys.exit(5)))
print("ready", flush=True)
time.sleep(60)
"""
    with started(stacklapse, any_python, code) as process:
        time.sleep(0.3)  # Python misses a signal that comes between its last look and the system call it sleeps in
        process.terminate()
        stdout, stderr = process.communicate(timeout=30)
        assert (process.returncode, stdout) == (5, "cleaning\n")
        assert "samples" in stderr


def test_what_the_program_sends_its_group_does_not_come_back_to_it(
    stacklapse: Command, any_python: Interpreter
) -> None:
    """A real-time signal, because two of another kind may become one on their way."""
    code = COUNTER.replace('print("ready", flush=True)', 'print("ready", flush=True); os.kill(0, signal.SIGRTMIN + 3)')
    with started(stacklapse, any_python, code) as process:
        stdout, stderr = process.communicate(timeout=30)
        assert stdout == "got SIGRT3=1\n"
        assert "samples" in stderr


def test_killing_us_leaves_the_program_and_the_recording(stacklapse: Command, any_python: Interpreter) -> None:
    with started(stacklapse, any_python, "import time; print('ready', flush=True); time.sleep(60)") as process:
        child = child_of(process)
        until_recording(stacklapse)
        process.kill()
        process.wait()
        assert Path(f"/proc/{child}/cmdline").read_bytes()
        os.kill(child, signal.SIGKILL)
    info = stacklapse("info", "last")
    assert info.exit_code == 0, info.stderr
    assert "complete: no" in info.stdout
    assert "cut off" in info.stderr
    view = stacklapse("view")
    assert view.exit_code == 0
    assert "samples" in view.stdout


def test_killing_the_program_ends_in_a_report(stacklapse: Command, any_python: Interpreter) -> None:
    with started(stacklapse, any_python, "import time; print('ready', flush=True); time.sleep(60)") as process:
        time.sleep(0.3)
        os.kill(child_of(process), signal.SIGKILL)
        _, stderr = process.communicate(timeout=30)
        assert process.returncode == 137
        assert "samples" in stderr


def test_a_report_that_does_not_get_written_can_be_interrupted(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    """Nobody reads the pipe. A signal within a second of the program's end was meant for the program."""
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [stacklapse.path, "--python", any_python.path, "-o", pipe, "-c", "print('ended', flush=True)"],
        stdout=subprocess.PIPE,
        text=True,
        env=stacklapse.environment(),
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "ended\n"
        until(lambda: not children_of(process.pid), "the program's end")
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert process.poll() is None

        def interrupted() -> bool:
            process.send_signal(signal.SIGINT)
            return process.poll() is not None

        until(interrupted, "the end of the second in which a signal is the program's")
        assert process.returncode == 130
    finally:
        process.kill()
        process.wait()
    assert "complete: yes" in stacklapse("info", "last").stdout


def test_nohup_reaches_the_program(stacklapse: Command, any_python: Interpreter) -> None:
    done = subprocess.run(
        ["nohup", stacklapse.path, "--python", any_python.path, "-c",
         "import signal; print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)"],
        capture_output=True, text=True, env=stacklapse.environment(), stdin=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    assert done.stdout == "True\n"


def test_a_stop_of_the_program_alone_does_not_stop_us(stacklapse: Command, any_python: Interpreter) -> None:
    code = "import sys, time; print('ready', flush=True); sys.stdin.readline(); sys.exit(4)"
    with started(stacklapse, any_python, code) as process:
        child = child_of(process)
        os.kill(child, signal.SIGSTOP)
        time.sleep(0.3)
        assert Path(f"/proc/{process.pid}/stat").read_text().split()[2] != "T"
        os.kill(child, signal.SIGCONT)
        _, stderr = process.communicate("\n", timeout=30)
        assert process.returncode == 4
        assert "samples" in stderr


# --- at a terminal --------------------------------------------------------------------------------------------------


def shell(stacklapse: Command) -> Terminal:
    """An interactive shell with job control."""
    environment = stacklapse.environment() | {
        "PS1": "shell> ",
        "PYTHON_COLORS": "0",
        "TERM": "xterm",
        "HISTFILE": "",
        "INPUTRC": "/dev/null",
    }
    terminal = Terminal(["/bin/bash", "--norc", "--noprofile", "--noediting", "-i"], environment)
    terminal.expect("shell> ")
    return terminal


def line(stacklapse: Command, python: Interpreter, script: Path, *options: str) -> str:
    return " ".join([str(stacklapse.path), "--python", str(python.path), *options, str(script)]) + "\n"


def test_ctrl_c_is_seen_once_and_the_report_follows(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(COUNTER)
    with shell(stacklapse) as terminal:
        terminal.press(line(stacklapse, any_python, script))
        terminal.expect("ready")
        terminal.press("\x03")
        terminal.expect("got SIGINT=1\r\n")
        terminal.expect("samples")
        terminal.expect("shell> ")


def test_ctrl_c_is_not_passed_on_a_second_time(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    """We are held for a moment, so that what we would pass on comes when the program has long had its own."""
    script = tmp_path / "script.py"
    script.write_text(COUNTER)
    environment = stacklapse.environment() | {"TERM": "xterm"}
    with Terminal([stacklapse.path, "--python", any_python.path, script], environment) as terminal:
        terminal.expect("ready")
        os.kill(terminal.pid, signal.SIGSTOP)
        terminal.press("\x03")
        time.sleep(0.1)
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.expect("got SIGINT=1\r\n")
        assert terminal.wait() == 0


def test_a_traceback_of_ctrl_c_is_pythons_and_the_exit_code_too(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    with shell(stacklapse) as terminal:
        terminal.press(line(stacklapse, any_python, script))
        terminal.expect("ready")
        time.sleep(0.2)
        terminal.press("\x03")
        terminal.expect(r'File "[^"]*script.py", line 3, in <module>')
        terminal.expect("KeyboardInterrupt")
        terminal.expect("samples")
        terminal.expect("shell> ")
        terminal.press("echo code=$?\n")
        terminal.expect("code=130")


@pytest.mark.parametrize("by_key", [True, False])
def test_only_ctrl_c_ends_us_by_the_signal(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path, by_key: bool
) -> None:
    """A shell's loop ends with it, and whoever starts us with other signals in mind gets a plain exit code."""
    script = tmp_path / "script.py"
    script.write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    environment = stacklapse.environment() | {"TERM": "xterm"}
    with Terminal([stacklapse.path, "--python", any_python.path, script], environment) as terminal:
        terminal.expect("ready")
        time.sleep(0.2)
        if by_key:
            terminal.press("\x03")
        else:
            os.kill(terminal.pid, signal.SIGINT)
        assert terminal.wait() == 130
        assert terminal.killed_by == (signal.SIGINT if by_key else None)
        assert "samples" in terminal.output


def test_ctrl_c_ends_the_loop_of_a_shell(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    with shell(stacklapse) as terminal:
        terminal.press(f"for round in 1 2 3; do {line(stacklapse, any_python, script).rstrip()}; done\n")
        terminal.expect("ready")
        time.sleep(0.2)
        terminal.press("\x03")
        terminal.expect("samples")
        terminal.expect("shell> ")
        terminal.press("echo code=$?\n")
        terminal.expect("code=130")
    assert terminal.output.count("ready") == 1


def test_ctrl_c_while_a_report_is_written_ends_us_by_the_signal(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    arguments: list[Argument] = [stacklapse.path, "--python", any_python.path, "-o", pipe, "-c"]
    with Terminal([*arguments, "print('ended', flush=True)"], stacklapse.environment()) as terminal:
        terminal.expect("ended")
        time.sleep(1.5)
        terminal.press("\x03")
        assert terminal.wait() == 130
        assert terminal.killed_by == signal.SIGINT


def test_a_second_ctrl_c_does_not_cost_the_report(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import time\ntry:\n    print('ready', flush=True)\n    time.sleep(60)\nexcept KeyboardInterrupt:\n"
        "    print('cleaning', flush=True)\n    time.sleep(60)\n"
    )
    with shell(stacklapse) as terminal:
        terminal.press(line(stacklapse, any_python, script))
        terminal.expect("ready")
        time.sleep(0.2)
        terminal.press("\x03")
        terminal.expect("cleaning")
        time.sleep(0.2)
        terminal.press("\x03\x03")
        terminal.expect("KeyboardInterrupt")
        terminal.expect("samples")


def test_ctrl_z_stops_both_and_fg_goes_on(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('ready', flush=True)\nprint('read', input(), flush=True)\n")
    with shell(stacklapse) as terminal:
        for _ in range(2):
            terminal.press(line(stacklapse, any_python, script))
            terminal.expect("ready")
            time.sleep(0.3)
            for _ in range(2):
                terminal.press("\x1a")
                terminal.expect("Stopped")
                terminal.expect("shell> ")
                terminal.press("ps -wwo stat=,args= -t $(tty) | grep [s]cript.py | cut -c1 | tr -d '\\n'; echo .\n")
                terminal.expect(r"TT\.")
                terminal.expect("shell> ")
                terminal.press("fg\n")
                terminal.expect("script.py")
                time.sleep(0.3)
            terminal.press("hello\n")
            terminal.expect("read hello")
            terminal.expect("samples")
            terminal.expect("shell> ")


WORKS = "import time\nprint('ready', flush=True)\nwhile time.process_time() < 1: pass\nprint('done', flush=True)\n"


def run_with_a_stop(stacklapse: Command, python: Interpreter, seconds: float, *options: str) -> float:
    """Stops a program by Ctrl-Z and lets it go on, to its end. How long it was stopped."""
    script = stacklapse.folder / "script.py"
    script.write_text(WORKS)
    with shell(stacklapse) as terminal:
        terminal.press(line(stacklapse, python, script, *options))
        terminal.expect("ready")
        terminal.press("\x1a")
        terminal.expect("shell> ")
        begin = time.monotonic()
        time.sleep(seconds)
        stopped = time.monotonic() - begin
        terminal.press("fg\n")
        terminal.expect("done")
        terminal.expect("samples|kept")
        terminal.expect("shell> ")
    return stopped


def test_time_in_which_all_were_stopped_is_waited_and_no_look_late(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    saved = tmp_path / "stopped.lapse"
    stopped = run_with_a_stop(stacklapse, any_python, 2, "-o", str(saved))
    recording = Recording(stacklapse, saved, stacklapse("info", saved))
    went_on = float(recording.info["duration"].split()[0]) - stopped
    assert recording.count("late") <= went_on * 1000 + 1
    assert sum(stack.microseconds for stack in recording.stacks("--mode", "cpu")) <= (went_on + 0.01) * 1e6
    assert sum(stack.microseconds for stack in recording.stacks()) >= stopped * 1e6


def test_time_in_which_all_were_stopped_beyond_the_end_of_a_recording_is_waited(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    folder = tmp_path / "recordings"
    stopped = run_with_a_stop(stacklapse, any_python, 3, "--folder", str(folder), "--every", "1s")
    recordings = [Recording(stacklapse, path, stacklapse("info", path)) for path in sorted(folder.glob("*.lapse"))]
    went_on = sum(float(recording.info["duration"].split()[0]) for recording in recordings) - stopped
    cpu = sum(stack.microseconds for recording in recordings for stack in recording.stacks("--mode", "cpu"))
    assert cpu <= (went_on + 0.1) * 1e6
    assert sum(recording.count("late") for recording in recordings) <= went_on * 100 + 1
    assert sum(stack.microseconds for recording in recordings for stack in recording.stacks()) >= stopped * 1e6


def test_a_program_in_the_background_that_reads_stops_and_goes_on_in_the_foreground(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('read', input(), flush=True)\n")
    with shell(stacklapse) as terminal:
        terminal.press(line(stacklapse, any_python, script).rstrip() + " &\n")
        terminal.expect(r"\[1\] \d+")
        # The shell tells of it before its next prompt.
        terminal.press_until("\n", "Stopped")
        terminal.press("fg\n")
        terminal.expect("script.py")
        time.sleep(0.3)
        terminal.press("hello\n")
        terminal.expect("read hello")
        terminal.expect("samples")


def test_a_program_that_handles_ctrl_z_itself_is_stopped_with(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os, signal\n"
        "def stop(*_):\n    print('saving', flush=True)\n    os.kill(os.getpid(), signal.SIGSTOP)\n"
        "    print('back', flush=True)\n"
        "signal.signal(signal.SIGTSTP, stop)\nprint('ready', flush=True)\nprint('read', input(), flush=True)\n"
    )
    with shell(stacklapse) as terminal:
        terminal.press(line(stacklapse, any_python, script))
        terminal.expect("ready")
        time.sleep(0.2)
        terminal.press("\x1a")
        terminal.expect("saving")
        terminal.expect("Stopped")
        terminal.press("fg\n")
        terminal.expect("back")
        terminal.press("x\n")
        terminal.expect("read x")
        terminal.expect("samples")


def test_a_closed_terminal_leaves_a_recording(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    with Terminal([stacklapse.path, "--python", any_python.path, script], stacklapse.environment()) as terminal:
        terminal.expect("ready")
        time.sleep(0.3)
    recordings = stacklapse.state / "stacklapse"
    recording = until(lambda: next(recordings.glob("*.lapse"), None), "a recording")
    assert stacklapse("info", recording).exit_code == 0


def test_the_program_has_the_terminal(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys\n"
        "print([os.isatty(i) for i in range(3)], os.tcgetpgrp(0) == os.getpgrp(), os.get_terminal_size(), flush=True)\n"
        "print('read', input('prompt? '))\n"
    )
    with Terminal([stacklapse.path, "--python", any_python.path, script], stacklapse.environment()) as terminal:
        terminal.expect(r"\[True, True, True\] True os.terminal_size\(columns=100, lines=24\)")
        terminal.expect(r"prompt\? ")
        terminal.press("yes\n")
        terminal.expect("read yes")
        assert terminal.wait() == 0


def limited(stacklapse: Command, kilobytes: int, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command where no file may be larger than this."""
    return subprocess.run(
        ["bash", "-c", f'ulimit -f {kilobytes}; exec "$0" "$@"', stacklapse.path, *arguments],
        capture_output=True,
        text=True,
        env=stacklapse.environment(),
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("kilobytes", [0, 1])
def test_a_limit_on_the_size_of_files_does_not_end_us(
    stacklapse: Command, any_python: Interpreter, kilobytes: int
) -> None:
    code = "import time; time.sleep(0.2); print('done')"
    run = limited(stacklapse, kilobytes, "--python", any_python.path, "-c", code)
    assert (run.returncode, run.stdout) == (0, "done\n"), run.stderr
    assert "File too large" in run.stderr


def test_a_report_that_is_larger_than_files_may_be_is_told(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    recording = stacklapse.record(any_python, ["-c", "import time; time.sleep(0.2)"]).path
    run = limited(stacklapse, 0, "view", recording, "-o", tmp_path / "report.json")
    assert run.returncode == 1
    assert "File too large" in run.stderr
    assert not (tmp_path / "report.json").exists()


def test_the_program_is_ended_by_a_limit_on_the_size_of_files_as_without_us(stacklapse: Command) -> None:
    masks = ["grep", "^Sig[BIC]", "/proc/self/status"]
    alone = subprocess.run(masks, capture_output=True, text=True, check=True)
    assert stacklapse("-q", "--", *masks).stdout == alone.stdout
