"""Programs in other namespaces, and programs whose files are gone: found by what the kernel still knows of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.command import Command
from support.interpreters import Interpreter
from support.page import source_text
from support.program import children_of, running

WAITS = """\
import threading, time
def inside(last):
    if last: print("ready", flush=True)
    time.sleep(1000)
threading.Thread(target=inside, args=(False,)).start()
time.sleep(0.2)
inside(True)
"""


def base_prefix(python: Interpreter) -> str:
    done = subprocess.run(
        [python.path, "-c", "import sys; print(sys.base_prefix)"], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def libraries(python: Interpreter) -> list[Path]:
    """The shared libpython that it maps, if any."""
    with running([python.path, "-c", "print('ready', flush=True); input()"]) as process:
        maps = Path(f"/proc/{process.pid}/maps").read_text()
    return sorted({Path(path) for path in re.findall(r" (/\S*/libpython3\S*\.so\S*)$", maps, re.MULTILINE)})


@contextmanager
def copy_of(python: Interpreter, folder: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """Its program file and libpython in `folder`, and the environment in which the copy runs."""
    folder.mkdir(exist_ok=True)
    copy = folder / "python-of-ours"
    shutil.copy2(python.path.resolve(), copy)
    for library in libraries(python):
        shutil.copy2(library.resolve(), folder / library.name)
    yield copy, {"PYTHONHOME": base_prefix(python), "LD_LIBRARY_PATH": str(folder)}


def assert_seen(stacklapse: Command, python: Interpreter, pid: int) -> None:
    """By dump and by attach, with the threads under the numbers that we know them by."""
    run = stacklapse("dump", "--json", str(pid))
    assert (run.exit_code, run.stderr) == (0, "")
    [process] = json.loads(run.stdout)["processes"]
    assert process["python"] == python.version_text
    assert {thread["id"] for thread in process["threads"]} == {
        int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()
    }
    for thread in process["threads"]:
        assert "inside" in [frame["function"] for frame in thread["frames"]]
    run = stacklapse("attach", "-d", "0.2", "-r", "folded", "--show-all", str(pid))
    assert (run.exit_code, run.stderr) == (0, "")
    assert run.stdout.count(";inside ") >= 2


@pytest.mark.parametrize("fate", ["deleted", "upgraded"])
def test_an_interpreter_that_is_no_longer_on_disk(stacklapse: Command, python: Interpreter, fate: str) -> None:
    folder = stacklapse.folder / "installed"
    with (
        copy_of(python, folder) as (copy, environment),
        running([copy, "-c", WAITS], environment=environment) as program,
    ):
        for file in list(folder.iterdir()):
            file.unlink()
            if fate == "upgraded":
                file.write_bytes(b"something else by now\n" * 1000)
        assert "(deleted)" in str(Path(f"/proc/{program.pid}/exe").readlink())
        assert_seen(stacklapse, python, program.pid)


SPINS = """\
def inside():
    while True: pass
print("ready", flush=True)
inside()
"""


def test_source_lines_are_of_the_files_that_the_program_finds(stacklapse: Command, any_python: Interpreter) -> None:
    """Of its root as long as it lives, and never of files of ours that lie at the same paths."""
    own = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    unshare = ["unshare", *own, "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*unshare, "true"], check=False).returncode != 0:
        pytest.skip("namespaces cannot be made here")
    folder = stacklapse.folder / "app"
    folder.mkdir()
    script = folder / "program.py"
    script.write_text("print('of another program')\n" * 9)
    theirs = stacklapse.folder / "theirs.py"
    theirs.write_text(SPINS)
    there = f'mount -t tmpfs tmpfs "{folder}" && mkdir "{folder}/deep" && cp "{theirs}" "{script}"'
    setup = f'{there} && exec "{any_python.path}" "{folder}/deep/../{script.name}"'
    with running([*unshare, "sh", "-c", setup]) as program:
        run = stacklapse("attach", "-d", "0.3", str(program.pid))
        assert (run.exit_code, run.stderr) == (0, "")
        assert "line 2: while True: pass" in run.stdout
        assert f" {script.name}:1" in run.stdout, "by the path that leads there in that root"
        run = stacklapse("attach", "-d", "0.3", "-r", "html", str(program.pid))
        assert "while True: pass" in source_text(run.stdout)
        run = stacklapse("attach", "-d", "0.3", "-r", "html", "--source", "none", str(program.pid))
        assert source_text(run.stdout) == ""
    text = stacklapse("view", "last").stdout
    assert "inside" in text
    assert "line 2\n" in text
    assert source_text(stacklapse("view", "last", "-r", "html").stdout) == ""


def test_a_program_in_a_mount_and_pid_namespace_and_a_root_of_its_own(stacklapse: Command, python: Interpreter) -> None:
    """In the root of the program its files lie where there is nothing outside."""
    own = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    unshare = ["unshare", *own, "--pid", "--mount", "--fork", "--kill-child"]
    if shutil.which("unshare") is None or subprocess.run([*unshare, "true"], check=False).returncode != 0:
        pytest.skip("namespaces cannot be made here")
    root = stacklapse.folder / "root"
    root.mkdir()
    with copy_of(python, stacklapse.folder / "image") as (copy, environment):
        home, hidden = environment["PYTHONHOME"], "/media"
        script = stacklapse.folder / "program.py"
        script.write_text(WAITS)
        setup = (
            f'mount --rbind / "{root}" && mount --bind "{copy.parent}" "{root}{hidden}" && '
            f'mount -t proc proc "{root}/proc" && '
            f'PYTHONHOME="{home}" LD_LIBRARY_PATH={hidden} exec chroot "{root}" {hidden}/{copy.name} "{script}"'
        )
        with running([*unshare, "sh", "-c", setup]) as parent:
            [pid] = children_of(parent.pid)
            status = Path(f"/proc/{pid}/status").read_text()
            assert re.search(rf"^NSpid:\t{pid}\t1$", status, re.MULTILINE)
            assert not Path(hidden, copy.name).exists()
            assert_seen(stacklapse, python, pid)
            # The same from within: what is the first process there is told by that number.
            inside = subprocess.run(
                ["nsenter", "--target", str(pid), "--pid", "--mount", "--root", stacklapse.path, "dump", "1"],
                capture_output=True,
                text=True,
                check=False,
            )
            assert (inside.returncode, inside.stderr) == (0, "")
            assert "process 1  " in inside.stdout
            assert "inside" in inside.stdout


ORPHANS = """\
import os, subprocess, time
for _ in range(3):
    subprocess.run(["sh", "-c", "sleep 0.1 &"])
time.sleep(1)
lines = [open(f"/proc/{name}/stat").read() for name in os.listdir("/proc") if name.isdigit()]
states = [line.rpartition(")")[2].split()[:2] for line in lines]
print("zombies", sum(state == "Z" and parent == "1" for state, parent in states))
"""


def test_the_first_process_of_a_container_collects_what_is_left_to_it(
    stacklapse: Command, any_python: Interpreter
) -> None:
    own = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    unshare = ["unshare", *own, "--pid", "--mount-proc", "--fork", "--kill-child"]
    if shutil.which("unshare") is None or subprocess.run([*unshare, "true"], check=False).returncode != 0:
        pytest.skip("namespaces cannot be made here")
    run = subprocess.run(
        [*unshare, stacklapse.path, "--python", any_python.path, "-c", ORPHANS],
        env=stacklapse.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, "zombies 0\n"), run.stderr
