"""`stacklapse script.py` does what `python script.py` does: same output, same exit code, same everything that a
program can see of itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.command import Argument, Command
from support.interpreters import Interpreter
from support.other_user import recordings_of_nobody, run_as_nobody

INSPECT = """\
import json, os, signal, sys, threading
print(json.dumps({
    "argv": sys.argv,
    "orig_argv": sys.orig_argv,
    "path": sys.path,
    "executable": sys.executable,
    "prefix": sys.prefix,
    "flags": str(sys.flags),
    "main": sorted(name for name in vars(sys.modules["__main__"])),
    "name": __name__,
    "file": globals().get("__file__"),
    "spec": __spec__ and [__spec__.name, __spec__.origin],
    "loader": type(__loader__).__name__,
    "modules": sorted(sys.modules),
    "threads": threading.active_count(),
    "cwd": os.getcwd(),
    "environment": dict(os.environ),
    "ignored": sorted(s for s in signal.valid_signals() if signal.getsignal(s) == signal.SIG_IGN),
    "handled": sorted(s for s in signal.valid_signals() if callable(signal.getsignal(s))),
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "descriptors": sorted(int(f) for f in os.listdir("/proc/self/fd")),
    "group_is_parents": os.getpgrp() == os.getpgid(os.getppid()),
    "profile": str(sys.getprofile()),
    "trace": str(sys.gettrace()),
    "slack": open("/proc/self/timerslack_ns").read(),
    "limits": open("/proc/self/limits").read(),
    "nice": os.nice(0),
}))
"""


def plain(
    stacklapse: Command, python: Interpreter, arguments: Sequence[Argument], cwd: Path, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """The same without us."""
    return subprocess.run(
        [python.path, *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        env=stacklapse.environment(),
        check=False,
    )


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("way", ["script", "path", "module", "package", "code", "stdin", "folder", "archive"])
def test_the_program_sees_what_it_sees_without_us(
    stacklapse: Command, python: Interpreter, tmp_path: Path, way: str
) -> None:
    folder = tmp_path / "project"
    write(folder / "inspect_me.py", INSPECT)
    write(folder / "pack" / "__main__.py", INSPECT)
    write(folder / "pack" / "__init__.py", "")
    subprocess.run(
        [sys.executable, "-m", "zipfile", "-c", folder / "archive.pyz", folder / "pack" / "__main__.py"], check=True
    )
    ways: dict[str, tuple[list[Argument], str]] = {
        "script": (["inspect_me.py"], ""),
        "path": ([folder / "inspect_me.py"], ""),
        "module": (["-m", "inspect_me"], ""),
        "package": (["-m", "pack"], ""),
        "code": (["-c", INSPECT], ""),
        "stdin": (["-"], INSPECT),
        "folder": (["pack"], ""),
        "archive": (["archive.pyz"], ""),
    }
    arguments, stdin = ways[way]
    program = [*arguments, "--python", "-q", "x y", "", "--", "-o", "z"]
    without = plain(stacklapse, python, program, folder, stdin)
    run = stacklapse("--python", python.path, *program, cwd=folder, stdin=stdin)
    assert run.exit_code == without.returncode == 0, run.stderr
    assert json.loads(run.stdout) == json.loads(without.stdout)


def test_a_name_on_path_is_called_by_that_name(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    """sys.executable and sys.orig_argv are then found as the shell's `python` would have them."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python").symlink_to(any_python.path)
    script = write(tmp_path / "script.py", "import sys; print(sys.executable, sys.orig_argv)")
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    run = stacklapse(script, environment=environment)
    assert run.stdout == f"{folder}/python ['python', '{script}']\n", run.stderr


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("pass", 0),
        ("import sys; sys.exit(3)", 3),
        ("import sys; sys.exit('a reason')", 1),
        ("raise ValueError('wrong')", 1),
        ("import os; os._exit(42)", 42),
        ("import os; os._exit(125)", 125),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", 143),
        ("import os; os.abort()", 134),
        ("import ctypes; ctypes.string_at(0)", 139),
        ("raise KeyboardInterrupt", 130),
        ("import os; os.execv('/bin/sh', ['sh', '-c', 'exit 9'])", 9),
    ],
)
def test_the_exit_code_is_the_programs_and_a_report_is_written(
    stacklapse: Command, any_python: Interpreter, code: str, exit_code: int
) -> None:
    busy = "import time\ntime.sleep(0.2)\n"
    run = stacklapse("--python", any_python.path, "-c", busy + code)
    assert run.exit_code == exit_code
    assert "samples" in run.stderr


def test_output_and_traceback_are_pythons_own(stacklapse: Command, python: Interpreter, tmp_path: Path) -> None:
    script = write(
        tmp_path / "script.py",
        "import sys\ndef f(n):\n    if n == 0:\n        1 / 0\n    f(n - 1)\n"
        "print('out')\nprint('err', file=sys.stderr)\nf(5)\n",
    )
    without = plain(stacklapse, python, [script], tmp_path)
    run = stacklapse("--python", python.path, script, cwd=tmp_path)
    assert run.stdout == without.stdout
    assert run.stderr.startswith(without.stderr)
    assert run.exit_code == without.returncode == 1


def test_what_is_piped_in_and_out_passes_untouched(stacklapse: Command, any_python: Interpreter) -> None:
    data = os.urandom(1 << 20)
    code = "import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)"
    run = subprocess.run(
        [stacklapse.path, "--python", any_python.path, "-c", code],
        input=data,
        capture_output=True,
        env=stacklapse.environment(),
        check=True,
    )
    assert run.stdout == data


def test_a_descriptor_that_was_passed_to_us_is_passed_on(stacklapse: Command, any_python: Interpreter) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as pipe:
        subprocess.run(
            [stacklapse.path, "--python", any_python.path, "-c", f"import os; os.write({writing}, b'hello')"],
            pass_fds=[writing],
            env=stacklapse.environment(),
            capture_output=True,
            check=True,
        )
        os.close(writing)
        assert pipe.read() == "hello"


def test_pickling_and_spawned_processes_find_main(stacklapse: Command, python: Interpreter, tmp_path: Path) -> None:
    script = write(
        tmp_path / "script.py",
        """\
import multiprocessing, pickle, sys
class Point:
    def __init__(self, x): self.x = x
def double(point): return Point(point.x * 2)
if __name__ == "__main__":
    assert pickle.loads(pickle.dumps(Point(3))).x == 3
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        print([point.x for point in pool.map(double, [Point(1), Point(2)])])
""",
    )
    for method in ("spawn", "fork", "forkserver"):
        run = stacklapse("--python", python.path, script, method)
        assert (run.exit_code, run.stdout) == (0, "[2, 4]\n"), run.stderr


def test_a_daemon_that_the_program_leaves_behind_does_not_hold_us_up(
    stacklapse: Command, any_python: Interpreter
) -> None:
    code = """\
import os, sys, time
if os.fork() == 0:
    os.setsid(); null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3): os.dup2(null, fd)
    time.sleep(60); os._exit(0)
"""
    run = stacklapse("--python", any_python.path, "-c", code, timeout=30)
    assert run.exit_code == 0


def test_the_environments_python_is_taken_and_the_report_says_so(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    environment = tmp_path / "environment"
    subprocess.run([any_python.path, "-m", "venv", "--without-pip", environment], check=True)
    run = stacklapse(
        "-v", "-c", "import sys; print(sys.prefix)", environment={"VIRTUAL_ENV": str(environment), "PATH": "/nowhere"}
    )
    assert run.stdout == f"{environment}\n", run.stderr
    assert f"$VIRTUAL_ENV: {environment}/bin/python" in run.stderr


def test_a_command_that_ends_up_in_python_is_profiled(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    script = write(tmp_path / "tool", f"#!{any_python.path}\nimport sys, time\ntime.sleep(0.2)\nprint(sys.argv)\n")
    script.chmod(0o755)
    run = stacklapse("--", script, "-x", "--", "y")
    assert (run.exit_code, run.stdout) == (0, f"['{script}', '-x', '--', 'y']\n"), run.stderr
    assert "samples" in run.stderr


def test_a_user_other_than_root_can_profile(stacklapse: Command, any_python: Interpreter) -> None:
    run = run_as_nobody(stacklapse, "--python", any_python.path, "-c", "import time; time.sleep(0.3)")
    assert run.returncode == 0, run.stderr
    assert "not profiled" not in run.stderr
    assert "samples" in run.stderr
    assert len(recordings_of_nobody(stacklapse)) == 1


def test_a_program_that_ends_before_the_first_look_has_a_recording_that_says_so(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    """Where in the first ten seconds the look is, is drawn; that it comes in time in all five is next to impossible."""
    reports = []
    for number in range(5):
        path = tmp_path / f"{number}.txt"
        run = stacklapse("-i", "10s", "--python", any_python.path, "-o", path, "-c", "import time; time.sleep(0.1)")
        assert (run.exit_code, run.stderr.count("not profiled")) == (0, 0), run.stderr
        reports.append(path.read_text())
    assert any("before the first look (one every 10 s)" in report for report in reports), reports
    assert not any("only 0 samples" in report for report in reports)
