"""A program that is attached to over and over, while either side is killed at random moments, goes on unmoved.

STACKLAPSE_ATTACH_ROUNDS=1000 does it as often as docs/benchmarks.md promises (bench/run.py endurance).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

from support.command import Command
from support.interpreters import Interpreter
from support.program import running

ROUNDS = int(os.environ.get("STACKLAPSE_ATTACH_ROUNDS", "24"))

# Threads compute the same thing again and again until the input ends, and say if it ever comes out otherwise.
PROGRAM = """\
import hashlib, sys, threading, time
done, counts, wrong = [], [], []
def chain(depth, text):
    return chain(depth - 1, hashlib.sha256(text).digest()) if depth else text.hex()
def work():
    expected, count = chain(40, b"seed"), 0
    while not done:
        count += 1
        if chain(40, b"seed") != expected:
            wrong.append(count)
    counts.append(count)
threads = [threading.Thread(target=work) for _ in range(2)] + [threading.Thread(target=time.sleep, args=[0.1])]
for thread in threads: thread.start()
print("ready", flush=True)
sys.stdin.read()
done.append(1)
for thread in threads: thread.join()
print("worked" if min(counts) else "idle", "wrong" if wrong else "right")
"""


def descriptors(pid: int) -> list[str]:
    return sorted(f"{link.name} {link.readlink()}" for link in Path(f"/proc/{pid}/fd").iterdir())


def check_recordings(stacklapse: Command) -> None:
    """Each that is there opens. Of one whose recorder was killed before it wrote its first bytes there is nothing."""
    folder = stacklapse.state / "stacklapse"
    for file in folder.iterdir() if folder.exists() else ():
        assert file.suffix == ".lapse"
        if file.stat().st_size > 0:
            info = stacklapse("info", file)
            assert info.exit_code == 0, info.stderr
        file.unlink()


def start_attach(stacklapse: Command, pid: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [stacklapse.path, "attach", "-o", stacklapse.folder / "report.txt", str(pid)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=stacklapse.environment(),
    )


def test_a_program_does_not_notice_however_often(stacklapse: Command, any_python: Interpreter) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    print("seed", seed)
    script = stacklapse.folder / "chain.py"
    script.write_text(PROGRAM)
    with running([any_python.path, script]) as program:
        before = descriptors(program.pid)
        for number in range(ROUNDS):
            attached = start_attach(stacklapse, program.pid)
            time.sleep(chance.uniform(0, 0.06))
            ending = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)[number % 3]
            attached.send_signal(ending)
            attached.communicate(timeout=60)
            assert "TracerPid:\t0\n" in Path(f"/proc/{program.pid}/status").read_text()
            check_recordings(stacklapse)
        assert descriptors(program.pid) == before
        leftover = {path.name for path in stacklapse.folder.iterdir()} - {"chain.py", "state", "report.txt"}
        assert not leftover
        stdout, stderr = program.communicate(timeout=60)
        assert (program.returncode, stdout, stderr) == (0, "worked right\n", "")


def test_a_program_that_is_killed_at_any_moment_leaves_what_was_recorded(
    stacklapse: Command, any_python: Interpreter
) -> None:
    chance = random.Random()
    script = stacklapse.folder / "chain.py"
    script.write_text(PROGRAM)
    for _ in range(max(1, ROUNDS // 4)):
        with running([any_python.path, script]) as program:
            attached = start_attach(stacklapse, program.pid)
            time.sleep(chance.uniform(0, 0.06))
            program.kill()
            program.wait()
            stdout, stderr = attached.communicate(timeout=60)
            assert stdout == ""
            assert len(stderr.splitlines()) == 1, stderr
            if attached.returncode == 0:
                assert "wrote " in stderr
            else:
                assert attached.returncode == 1
                assert str(program.pid) in stderr or "not a single sample" in stderr
            check_recordings(stacklapse)
