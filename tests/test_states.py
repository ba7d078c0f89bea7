"""What a thread was doing: told in the report, and one recording seen as wall, CPU or GIL time afterwards."""

from __future__ import annotations

import re

import pytest
from support.command import Command, Recording
from support.interpreters import Interpreter

# Each function does one thing for 0.2 s, on lines that are told apart by number only.
PROGRAM = """\
import gc, hashlib, threading, time

def spin(end):
    while time.perf_counter() < end: pass

def digest(end):
    data = bytes(1 << 24)
    while time.perf_counter() < end:
        hashlib.sha256(data)

def sleep(end):
    time.sleep(max(end - time.perf_counter(), 0))

def lock(end):
    taken = threading.Lock()
    taken.acquire()
    taken.acquire(timeout=max(end - time.perf_counter(), 0))

def collect(end):
    while time.perf_counter() < end:
        gc.collect()

objects = [[] for _ in range(200000)]
for function in spin, digest, sleep, lock, collect:
    function(time.perf_counter() + 0.2)

def compete(): spin(time.perf_counter() + 0.4)
threads = [threading.Thread(target=compete) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""

NAMES = ("spin", "digest", "sleep", "lock", "collect")


def record(stacklapse: Command, python: Interpreter) -> Recording:
    path = stacklapse.folder / "program.py"
    path.write_text(PROGRAM)
    return stacklapse.record(python, [path])


def seconds(recording: Recording, *options: str) -> dict[str, float]:
    """Time of the main thread in each of the functions."""
    found = dict.fromkeys(NAMES, 0.0)
    for stack in recording.stacks("--threads", "main", *options):
        for name in set(NAMES) & set(stack.names):
            found[name] += stack.microseconds / 1e6
    return found


def test_a_recording_is_seen_in_each_mode_afterwards(stacklapse: Command, python: Interpreter) -> None:
    recording = record(stacklapse, python)
    wall, cpu, gil = (seconds(recording, "--mode", mode) for mode in ("wall", "cpu", "gil"))
    for name in NAMES:
        assert wall[name] > 0.15
        assert cpu[name] <= wall[name]
        assert gil[name] <= cpu[name] + 0.05
    # On a CPU, and with the GIL, are those that compute; hashing lets go of it.
    for name in "spin", "collect", "digest":
        assert cpu[name] > 0.6 * wall[name]
    for name in "spin", "collect":
        assert gil[name] > 0.6 * wall[name]
    assert gil["digest"] < 0.4 * wall["digest"]
    for name in "sleep", "lock":
        assert cpu[name] < 0.2 * wall[name]
        assert gil[name] < 0.2 * wall[name]


def test_of_three_that_compete_for_the_gil_two_wait_for_it(stacklapse: Command, python: Interpreter) -> None:
    path = stacklapse.folder / "compete.py"
    path.write_text("""\
import threading, time
ends = []
barrier = threading.Barrier(3, lambda: ends.append(time.perf_counter() + 0.6))
def compete(end):
    begin = time.thread_time()
    while time.perf_counter() < end: pass
    used.append(time.thread_time() - begin)
def begin():
    barrier.wait()
    compete(ends[0])
used = []
threads = [threading.Thread(target=begin) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sum(used))
""")
    recording = stacklapse.record(python, [path])

    def held(*options: str) -> float:
        return sum(stack.microseconds for stack in recording.stacks(*options) if "compete" in stack.names)

    # One at a time has it: whoever computes. While it changes hands nobody has, which on a busy machine takes long.
    assert 0.9 * float(recording.run.stdout) < held("--mode", "gil") / 1e6 < 1.1 * held() / 1e6 / 3


HOT_LINES = (
    r"▸ line 12: time\.sleep\(max\(.*  \[sleep\]$",
    r"▸ line 17: taken\.acquire\(timeout.*  \[lock\]$",
    r"▸ line 21: gc\.collect\(\)  \[GC\]$",
    r"▸ line 4: .*  \[GIL\]$",
)


def test_the_report_says_what_a_hot_line_waits_for(stacklapse: Command, python: Interpreter) -> None:
    """A word is what the line did for most of the time; where other programs take the cores, threads that compete for
    the GIL may mostly have waited for one of these: then once more."""
    for attempt in range(3):
        text = record(stacklapse, python).view("-r", "text", "--threshold", "0")
        missing = [line for line in HOT_LINES if not re.search(line, text, re.MULTILINE)]
        assert not missing or attempt < 2, (missing, text)
        assert not re.search(r"▸ line 9: .*\[", text), text
        if not missing:
            return


def test_every_format_takes_the_mode(stacklapse: Command, any_python: Interpreter) -> None:
    recording = record(stacklapse, any_python)
    help_text = stacklapse("view", "--help").stdout
    formats = re.findall(r"^  (\w+) +for ", help_text, re.MULTILINE)
    assert {"text", "html", "json", "folded", "speedscope", "pprof"} <= set(formats)
    for name in formats:
        outputs = {}
        for mode in "wall", "cpu", "gil":
            path = stacklapse.folder / f"{name}-{mode}"
            run = stacklapse("view", recording.path, "-r", name, "--mode", mode, "-o", path, "--no-open")
            assert run.exit_code == 0, run.stderr
            outputs[mode] = path.read_bytes()
        assert len(set(outputs.values())) == 3, name
        assert outputs["cpu"] or name == "pstats"


def test_the_program_is_recorded_and_shown_in_a_mode(stacklapse: Command, any_python: Interpreter) -> None:
    """`run` takes the option, too; the head of the report says so, and what was recorded is all of it."""
    path = stacklapse.folder / "program.py"
    path.write_text(PROGRAM)
    run = stacklapse("--python", any_python.path, "--mode", "cpu", path)
    assert "only time on a CPU or ready for one\n" in run.stderr
    assert not re.search(r"\bsleep\b", run.stderr)
    assert re.search(r"\bspin\b", run.stderr)
    assert "[sleep]" in stacklapse("view", "last").stdout


def test_cpu_time_is_the_kernels_count(stacklapse: Command, python: Interpreter) -> None:
    """The program says by itself, from the kernel's counter, what it has used."""
    code = """\
import time
end = time.process_time() + 0.3
while time.process_time() < end: pass
time.sleep(0.2)
print(time.process_time())
"""
    recording = stacklapse.record(python, ["-c", code])
    used = float(recording.run.stdout)
    counted = float(recording.info["cpu_time"].split()[0])
    # Its end comes on top.
    assert used <= counted + 0.005
    assert counted < used + 0.15
    [process] = recording.json["processes"]
    assert process["cpu_ns"] / 1e9 == pytest.approx(counted, abs=1e-6)


# Hundreds of threads that wait, of which a few wake up once in a while: so rarely that they are taken for waiting, and
# so briefly that what is missed at the begin of each run would show.
MANY = """\
import hashlib, threading, time

took = {"spins": 0.0, "digests": 0.0}
data = bytes(1 << 24)
end = time.perf_counter() + 2.6

def spins():
    begin = time.perf_counter()
    while time.perf_counter() < begin + 0.003: pass
    took["spins"] += time.perf_counter() - begin

def digests():
    begin = time.perf_counter()
    hashlib.sha256(data)
    hashlib.sha256(data)
    took["digests"] += time.perf_counter() - begin

def wakes(function, number):
    time.sleep(0.6 + number / 30)
    while time.perf_counter() < end:
        function()
        time.sleep(0.9)

for _ in range(400):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
threads = [threading.Thread(target=wakes, args=(spins, number)) for number in range(30)]
threads += [threading.Thread(target=wakes, args=(digests, number)) for number in range(0, 30, 5)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(took["spins"], took["digests"])
"""


def test_of_many_threads_that_wait_those_that_wake_up_are_seen(stacklapse: Command, python: Interpreter) -> None:
    path = stacklapse.folder / "many.py"
    path.write_text(MANY)
    recording = stacklapse.record(python, [path])
    for name, took in zip(("spins", "digests"), recording.run.stdout.split(), strict=True):
        seen = sum(stack.microseconds for stack in recording.stacks() if name in stack.names) / 1e6
        assert seen == pytest.approx(float(took), rel=0.3), name
