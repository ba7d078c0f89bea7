"""Recordings: kept, found again, looked into, and safe from each other and from what is no recording."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import time
from pathlib import Path

import pytest
from support.command import Argument, Command
from support.inside import record_inside
from support.interpreters import Interpreter
from support.other_user import run_as_nobody

KEPT = 10


def recordings(stacklapse: Command) -> list[Path]:
    return sorted((stacklapse.state / "stacklapse").glob("*.lapse"))


def test_the_last_ten_stay(stacklapse: Command, any_python: Interpreter) -> None:
    for number in range(KEPT + 3):
        # Long enough to be seen on a busy machine, too.
        run = stacklapse("-q", "--python", any_python.path, "-c", "import time; time.sleep(0.05)", str(number))
        assert run.exit_code == 0, run.stderr
    assert len(recordings(stacklapse)) == KEPT
    for number in range(1, KEPT + 1):
        info = stacklapse("info", str(number)).stdout
        assert f"command: -c 'import time; time.sleep(0.05)' {KEPT + 3 - number}\n" in info
    assert f"they go from 1 (the last) to {KEPT}" in stacklapse("view", str(KEPT + 1)).stderr


def test_many_at_once_do_not_lose_each_other(stacklapse: Command, any_python: Interpreter) -> None:
    """A long one outlives fifteen short ones that start and end beside it, five at a time."""
    environment = stacklapse.environment()

    def start(*program: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [stacklapse.path, "--python", any_python.path, *program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
            env=environment,
        )

    long_one = start("-c", "print('ready', flush=True); input()", "long")
    assert long_one.stdout
    assert long_one.stdout.readline() == "ready\n"
    for _ in range(3):
        for process in [start("-c", "import time; time.sleep(0.05)", "short") for _ in range(5)]:
            _, stderr = process.communicate(timeout=60)
            assert process.returncode == 0
            assert "samples" in stderr
    assert len(recordings(stacklapse)) == KEPT + 1
    assert " short\n" in stacklapse("info", "last").stdout
    _, stderr = long_one.communicate("\n", timeout=60)
    assert long_one.returncode == 0
    assert "samples" in stderr
    assert " long\n" in stacklapse("info", "last").stdout
    assert len(recordings(stacklapse)) == KEPT


def test_a_recording_is_the_users_alone(stacklapse: Command, any_python: Interpreter) -> None:
    stacklapse("--python", any_python.path, "-c", "pass")
    assert (stacklapse.state / "stacklapse").stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in recordings(stacklapse)] == [0o600]


@pytest.mark.parametrize(
    "environment",
    [
        {"XDG_STATE_HOME": "/proc/nowhere"},
        {"XDG_STATE_HOME": "", "HOME": "/proc"},
        {"XDG_STATE_HOME": "", "HOME": ""},
        {"XDG_STATE_HOME": "/proc/nowhere", "TMPDIR": "/proc/nowhere"},
    ],
)
def test_a_home_that_cannot_be_written_to_costs_only_the_keeping(
    stacklapse: Command, any_python: Interpreter, environment: dict[str, str]
) -> None:
    temporary = stacklapse.folder / "temporary"
    temporary.mkdir()
    run = stacklapse(
        "-v",
        "--python",
        any_python.path,
        "-c",
        "import time; time.sleep(0.1)",
        environment={"TMPDIR": str(temporary)} | environment,
    )
    assert run.exit_code == 0
    assert "the recording is not kept: " in run.stderr
    assert "samples" in run.stderr
    assert "view last" not in run.stderr
    assert list(temporary.iterdir()) == []


def test_a_state_folder_on_a_full_disk_costs_only_the_keeping(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    full = tmp_path / "full"
    full.mkdir()
    script = (
        f"mount -t tmpfs -o size=4k tmpfs {full} && head -c 4096 /dev/zero > {full}/filler; mkdir {full}/stacklapse;"
        f"XDG_STATE_HOME={full} exec {stacklapse.path} -v --python {any_python.path} -c 'print(5)'"
    )
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", script],
        capture_output=True,
        text=True,
        env=stacklapse.environment(),
        check=False,
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no mount namespace here: {done.stderr.strip()}")
    assert (done.returncode, done.stdout) == (0, "5\n")
    assert "the recording is not kept: " in done.stderr
    assert "No space left on device" in done.stderr
    assert "samples" in done.stderr


def test_a_recording_saved_elsewhere_is_the_same(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    recording = stacklapse.record(any_python, ["-c", "import time; time.sleep(0.2)"])
    assert recording.path.read_bytes() == recordings(stacklapse)[0].read_bytes()
    assert recording.path.stat().st_mode & 0o777 == 0o600
    assert recording.run.stderr.startswith(f"stacklapse: wrote {recording.path}: ")
    stacklapse("view", recording.path, "-o", "again.lapse")
    assert (tmp_path / "again.lapse").read_bytes() == recording.path.read_bytes()
    assert recording.view("-r", "folded")
    assert f"stacklapse view {recording.path}" in recording.view()


def test_a_recording_that_comes_through_a_pipe_can_be_saved(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    recording = stacklapse.record(any_python, ["-c", "pass"])
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", 'cat "$0" >"$1"', recording.path, pipe]):
        assert stacklapse("view", pipe, "-o", "saved.lapse").exit_code == 0
    assert (tmp_path / "saved.lapse").read_bytes() == recording.path.read_bytes()


def test_info_is_for_people_and_scripts(stacklapse: Command, python: Interpreter) -> None:
    code = "import threading, time; t = threading.Thread(target=time.sleep, args=(0.3,)); t.start(); t.join()"
    recording = stacklapse.record(python, ["-c", code, "two words"], ["-i", "2ms"])
    lines = stacklapse("info", recording.path).stdout.splitlines()
    assert all(re.fullmatch(r"[a-z_]+: .*", line) for line in lines)
    info = dict(line.split(": ", 1) for line in lines)
    assert len(info) == len(lines)

    def seconds(key: str) -> float:
        number, unit = info[key].split()
        assert unit == "s"
        return float(number)

    assert info["python"] == python.version_text
    assert info["command"].startswith("-c 'import threading")
    assert info["command"].endswith(" 'two words'")
    assert info["complete"] == "yes"
    assert info["recording"] == str(recording.path)
    assert int(info["bytes"]) == recording.path.stat().st_size
    assert int(info["threads"]) == 2
    assert int(info["samples"]) >= int(info["looks"]) > 50
    assert int(info["missed"]) + int(info["broken"]) <= 0.1 * int(info["samples"])
    assert int(info["late"]) >= 0
    assert seconds("interval") == 0.002
    assert info["interval_varies"] == "no"
    assert recording.json["recording"]["interval_varies"] is False
    assert recording.json["recording"]["command"] == "", "it is that of the process"
    assert 0.3 <= seconds("duration") < 60
    assert 0 < seconds("cpu_time") < seconds("duration")
    assert 0 < seconds("sampler_cpu") < seconds("duration")
    assert abs(time.time() - time.mktime(time.strptime(info["start"][:19], "%Y-%m-%dT%H:%M:%S")) + time.timezone) < 300


def test_an_interval_that_was_not_kept_is_told_to_vary(stacklapse: Command, any_python: Interpreter) -> None:
    recording = record_inside(stacklapse, any_python, "sparing.py")
    assert "samples every 100 µs or more" in recording.view("-r", "text")
    assert recording.info["interval"] == "0.000100000 s"
    assert recording.info["interval_varies"] == "yes"
    assert recording.json["recording"]["interval_varies"] is True


def test_a_command_with_a_newline_stays_on_its_line(stacklapse: Command, any_python: Interpreter) -> None:
    recording = stacklapse.record(any_python, ["-c", "pass\npass", "a\x1b[2Jb"])
    assert recording.info["command"] == "-c $'pass\\npass' $'a\\x1b[2Jb'"
    assert "\x1b" not in recording.view()


@pytest.mark.parametrize("kept", [0.99, 0.5, 0.1])
def test_a_recording_that_was_cut_off_shows_what_is_there(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path, kept: float
) -> None:
    code = "import time\nend = time.time() + 2.5\nwhile time.time() < end: sum(range(100))"
    whole = stacklapse.record(any_python, ["-c", code]).path.read_bytes()
    cut = tmp_path / "cut.lapse"
    cut.write_bytes(whole[: int(len(whole) * kept)])
    run = stacklapse("view", cut)
    assert run.exit_code == 0, run.stderr
    assert re.fullmatch(r"stacklapse: [^\n]*cut.lapse (is damaged|was cut off)[^\n]*\n", run.stderr)
    assert "complete: no" in stacklapse("info", cut).stdout


def test_damage_anywhere_is_survived_and_told(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    whole = stacklapse.record(any_python, ["-c", "import time; time.sleep(0.3)"]).path.read_bytes()
    damaged = tmp_path / "damaged.lapse"
    for position in range(0, len(whole), max(1, len(whole) // 60)):
        damaged.write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :])
        run = stacklapse("view", damaged)
        assert run.exit_code in (0, 1), (position, run)
        assert run.stderr.startswith("stacklapse: "), (position, run)
        if run.exit_code == 1:
            assert re.fullmatch(r"stacklapse: [^\n]*\n", run.stderr)


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"{}", b"\x7fELF", b"lapse", b"\xff" * 100_000, b"#!/bin/sh\n", b"stacklapse"]
)
def test_a_file_that_is_no_recording_gets_one_sentence(stacklapse: Command, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.lapse"
    path.write_bytes(content)
    for command, *options in (["view"], ["info"], ["view", "-o", "x.json"]):
        run = stacklapse(command, path, *options)
        assert (run.exit_code, run.stdout) == (1, "")
        assert re.fullmatch(r"stacklapse: [^\n]*other.lapse[^\n]*[^.\n]\n", run.stderr)
    assert not (tmp_path / "x.json").exists()


def test_what_is_no_recording_is_not_read_to_its_end(stacklapse: Command, tmp_path: Path) -> None:
    with (tmp_path / "sparse.lapse").open("wb") as sparse:
        sparse.truncate(20 * 2**30)
    endless = tmp_path / "endless"
    os.mkfifo(endless)
    limit = (2**29, 2**29)
    cases: list[tuple[Path, list[Argument] | None]] = [
        (Path("/dev/zero"), None),
        (Path("/dev/urandom"), None),
        (tmp_path / "sparse.lapse", None),
        (endless, ["sh", "-c", 'exec >"$0"; echo "no recording"; exec sleep 60', endless]),
        (endless, ["sh", "-c", 'exec cat /dev/urandom >"$0"', endless]),
    ]
    for path, writer in cases:
        process = subprocess.Popen(writer, stderr=subprocess.DEVNULL) if writer else None
        run = subprocess.run(
            [stacklapse.path, "view", path],
            capture_output=True,
            text=True,
            env=stacklapse.environment(),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limit),
            timeout=50,
            check=False,
        )
        if process:
            process.kill()
            process.wait()
        assert (run.returncode, run.stdout) == (1, ""), run.stderr
        assert re.fullmatch(rf"stacklapse: cannot read {path}: [^\n]*\n", run.stderr)
        assert "memory" not in run.stderr


def test_a_recording_that_may_not_be_read_gets_one_sentence(stacklapse: Command, tmp_path: Path) -> None:
    path = tmp_path / "closed.lapse"
    path.write_bytes(b"")
    path.chmod(0)
    run = run_as_nobody(stacklapse, "view", path)
    assert run.returncode == 1
    assert re.fullmatch(r"stacklapse: [^\n]*closed.lapse: Permission denied\n", run.stderr)


def test_folded_stacks_of_other_tools_can_be_viewed(stacklapse: Command, tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text("main (app.py:3);work (app.py:9) 750\nmain (app.py:4) 250\n")
    run = stacklapse("view", path)
    assert (run.exit_code, run.stderr) == (0, "")
    assert re.search(r"75.0 %.*work", run.stdout)
    assert not re.search(r"samples|missed|pid|Python|wall|CPU", run.stdout)
    info = stacklapse("info", path).stdout
    assert "duration: 0.001000000 s\n" in info
    assert not re.search("^(start|interval|samples|cpu_time|version|bytes):", info, re.MULTILINE)
    stacklapse("view", path, "-o", "again.folded")
    assert sorted((tmp_path / "again.folded").read_text().splitlines()) == sorted(path.read_text().splitlines())
    saved = stacklapse("view", path, "-o", "again.lapse")
    sentence = f"stacklapse: cannot read {path}: it holds folded stacks, which cannot be saved as a recording\n"
    assert (saved.exit_code, saved.stderr) == (1, sentence)
    assert not (tmp_path / "again.lapse").exists()


def test_info_says_nothing_to_the_terminal(stacklapse: Command, any_python: Interpreter) -> None:
    recording = stacklapse.record(any_python, ["-c", "pass", "\x9b2J\u202eé", "two\nlines\x1b"])
    (line,) = re.findall("^command: .*$", stacklapse("info", recording.path).stdout, re.MULTILINE)
    assert line == r"command: -c pass \x9b2J\u202eé $'two\nlines\x1b'"


def test_the_command_in_a_file_names_all_the_recordings_that_are_in_it(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    for _ in range(2):
        stacklapse("-q", "--python", any_python.path, "-c", "import time; time.sleep(0.05)")
    first, second = recordings(stacklapse)
    for names, paths in [("2", "1"), (first, second)], [("1", "missing.lapse", "2"), (second, first)]:
        stacklapse("view", *names, "-o", "both.txt")
        text = (tmp_path / "both.txt").read_text()
        facts = stacklapse("info", *names).stdout
        assert f"\nrecording: {paths[0]}, {paths[1]}\n" in facts
        assert f"again:  stacklapse view {paths[0]} {paths[1]} --show-all" in text
    # What is said in a terminal is read at once, and may be as short as what was typed.
    assert "again:  stacklapse view 2 last --show-all" in stacklapse("view", "2", "last").stdout


def test_times_of_folded_stacks_are_exact_however_few_lines_there_are(stacklapse: Command, tmp_path: Path) -> None:
    path = tmp_path / "two.folded"
    path.write_text("main;work 1050000\nmain;rest 350000\n")
    text = stacklapse("view", path).stdout
    assert re.search(r"^ 1\.40* s +100 % +main$", text, re.MULTILINE), text
    assert re.search(r"^ 1\.050* +75\.0 % +├─ work$", text, re.MULTILINE), text
    assert re.search(r"^ 0\.350* +25\.0 % +└─ rest$", text, re.MULTILINE), text


def test_the_commands_below_a_report_can_be_pasted(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    recorded = stacklapse.record(any_python, ["-c", "import time; time.sleep(0.1)"]).path
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "stacklapse").symlink_to(stacklapse.path)
    environment = stacklapse.environment() | {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}
    for name in ("two words.lapse", "it's.lapse", "-x.lapse", "new\nline.lapse"):
        (tmp_path / name).write_bytes(recorded.read_bytes())
        report = stacklapse("view", "--", name, cwd=tmp_path).stdout
        commands = re.findall(r"(?:again|page):  (stacklapse view .*?)(?= {5} page:|$)", report, re.MULTILINE)
        assert commands, report
        for command in commands:
            run = subprocess.run(
                ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            assert run.returncode == 0, (command, run.stderr)


def test_what_is_said_of_a_file_cannot_steer_the_terminal(stacklapse: Command, tmp_path: Path) -> None:
    for name, shown in (("a\x9b2J\x1b[2J\n\u202eb", r"a\x9b2J\x1b[2J\n\u202eb"), ("é.lapse", "é.lapse")):
        (tmp_path / name).write_bytes(b"no recording")
        run = stacklapse("view", f"./{name}", cwd=tmp_path)
        assert run.exit_code == 1
        assert shown in run.stderr
        assert run.stderr.count("\n") == 1
