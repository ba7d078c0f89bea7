"""What cannot be looked at is told in one sentence that says what would help, with exit code 1."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.command import Command
from support.interpreters import Interpreter
from support.other_user import NOBODY, open_to_others, run_as_nobody
from support.program import running, until

WAITS = "import time; print('ready', flush=True); time.sleep(1000)"

# A program of two instructions for 32-bit x86: pause(2) again and again.
ELF_32 = (
    bytes.fromhex("7f454c46 01010100 00000000 00000000 02000300 01000000 54800408 34000000 00000000 00000000")
    + bytes.fromhex("34002000 01000000 00000000")
    + bytes.fromhex("01000000 00000000 00800408 00800408 5d000000 5d000000 05000000 00100000")
    + bytes.fromhex("b81d000000cd80ebf7")
)


def assert_sentence(output: str, sentence: str) -> None:
    assert re.fullmatch(r"stacklapse: [^\n]*[^\n.]\n", output), output
    assert sentence in output


@pytest.mark.parametrize("command", ["attach", "dump"])
def test_another_users_process_is_refused_with_what_helps(
    stacklapse: Command, any_python: Interpreter, command: str
) -> None:
    with running([any_python.path, "-c", WAITS]) as program:
        done = run_as_nobody(stacklapse, command, str(program.pid))
        assert (done.returncode, done.stdout) == (1, "")
        assert_sentence(done.stderr, f"not permitted to read the memory of process {program.pid}: ")
        assert "sudo" in done.stderr
        assert "CAP_SYS_PTRACE" in done.stderr or "ptrace_scope" in done.stderr


def test_an_own_process_needs_no_rights(stacklapse: Command, any_python: Interpreter) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs to become another user")
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    if scope.exists() and scope.read_text().strip() != "0":
        pytest.skip("yama forbids it here")
    python = any_python.path.resolve()
    for folder in python.parents:
        if not folder.stat().st_mode & 0o001:
            pytest.skip(f"others cannot go into {folder}")
    with running(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", python, "-c", WAITS]) as own:
        done = run_as_nobody(stacklapse, "dump", str(own.pid))
        assert (done.returncode, done.stderr) == (0, "")
        assert "<module>  <string>:1" in done.stdout
        done = run_as_nobody(stacklapse, "attach", "-d", "0.2", str(own.pid))
        assert (done.returncode, done.stderr) == (0, "")


def test_a_kernel_thread_is_told_to_anybody(stacklapse: Command) -> None:
    if not Path("/proc/2/comm").exists() or Path("/proc/2/comm").read_text() != "kthreadd\n":
        pytest.skip("kernel threads cannot be seen here")
    done = run_as_nobody(stacklapse, "attach", "2")
    assert done.returncode == 1
    assert_sentence(done.stderr, "process 2 is a kernel thread")


@pytest.mark.parametrize("command", ["attach", "dump"])
def test_the_number_of_a_thread_is_told_with_its_process(
    stacklapse: Command, any_python: Interpreter, command: str
) -> None:
    code = f"import threading, time; threading.Thread(target=time.sleep, args=[1000]).start(); {WAITS}"
    with running([any_python.path, "-c", code]) as program:
        [thread] = {int(task.name) for task in Path(f"/proc/{program.pid}/task").iterdir()} - {program.pid}
        run = stacklapse(command, str(thread))
        assert (run.exit_code, run.stdout) == (1, "")
        assert_sentence(run.stderr, f"{thread} is a thread of process {program.pid}, not a process")


def test_a_32_bit_program_is_told(stacklapse: Command) -> None:
    program = stacklapse.folder / "program32"
    program.write_bytes(ELF_32)
    program.chmod(0o755)
    try:
        process = subprocess.Popen([program])
    except OSError as error:
        pytest.skip(f"32-bit programs cannot be run here: {error}")
    try:
        until(lambda: Path(f"/proc/{process.pid}/exe").readlink() == program, "for the 32-bit program")
        if process.poll() is not None:
            pytest.skip("32-bit programs cannot be run here")
        run = stacklapse("attach", str(process.pid))
        assert (run.exit_code, run.stdout) == (1, "")
        assert_sentence(run.stderr, f"process {process.pid} is a 32-bit program; stacklapse reads 64-bit Pythons only")
    finally:
        process.kill()
        process.wait()


def in_namespaces(*command: str | os.PathLike[str]) -> list[str | os.PathLike[str]]:
    """The command as the first process of a PID namespace, with a /proc and mounts of its own."""
    own = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    unshare = ["unshare", *own, "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]
    if shutil.which("unshare") is None or subprocess.run([*unshare, "true"], check=False).returncode != 0:
        pytest.skip("namespaces cannot be made here")
    return [*unshare, *command]


def test_a_process_that_proc_hides_is_told(stacklapse: Command) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs to become another user")
    folder = stacklapse.folder / "nobody"
    folder.mkdir()
    shutil.copy2(stacklapse.path, folder / "stacklapse")
    open_to_others(folder)
    script = (
        f"mount -t proc -o remount,hidepid=2 proc /proc && "
        f"exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups {folder}/stacklapse attach 1"
    )
    shell = f"({script}); echo code $?"
    done = subprocess.run(
        in_namespaces("sh", "-c", shell),
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": "/nonexistent"} | os.environ,
    )
    assert done.stdout == "code 1\n", done.stderr
    assert_sentence(done.stderr, "process 1 is hidden from this user (/proc is mounted with hidepid)")


# The first process of a PID namespace, which may say what number the next process gets.
REUSE = """\
import subprocess, sys, time
stacklapse, python, output = sys.argv[1:]

def start(name, pid):
    code = f"def {name}():\\n while True: pass\\nprint('ready', flush=True)\\n{name}()"
    with open("/proc/sys/kernel/ns_last_pid", "w") as last:
        last.write(str(pid - 1))
    program = subprocess.Popen([python, "-c", code], stdout=subprocess.PIPE)
    program.stdout.readline()
    return program

first = start("first", 200)
assert first.pid == 200, first.pid
attached = subprocess.Popen([stacklapse, "attach", "-q", "-r", "folded", "-o", output, "200"])
time.sleep(1)
# The first is gone and another in its place before anybody can have looked.
first.kill()
first.wait()
second = start("second", 200)
assert second.pid == 200, second.pid
print(attached.wait(timeout=60))
second.kill()
"""


def test_a_number_that_is_used_again_is_another_process(stacklapse: Command, any_python: Interpreter) -> None:
    output = stacklapse.folder / "seen.folded"
    script = stacklapse.folder / "reuse.py"
    script.write_text(REUSE)
    done = subprocess.run(
        in_namespaces(sys.executable, script, stacklapse.path, any_python.path, output),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=stacklapse.environment(),
    )
    if "Permission denied" in done.stderr and "ns_last_pid" in done.stderr:
        pytest.skip("the number of a process cannot be chosen here")
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert "first" in output.read_text()
    assert "second" not in output.read_text()
