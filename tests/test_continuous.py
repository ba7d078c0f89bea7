"""Recordings that follow each other: in a folder, and sent to a server that takes profiles."""

from __future__ import annotations

import gzip
import json
import re
import resource
import signal
import socket
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from formats import readers
from support.command import Argument, Command, Recording, Run
from support.interpreters import Interpreter
from support.profile_server import ProfileServer, profile_server, profile_time, pushed, strings_of
from support.program import running, until

# A part that computes and one that waits, three to one, beside a thread that waits from the first moment on.
PROGRAM = """\
import sys, threading, time

def compute(seconds):
    began = time.perf_counter()
    while time.perf_counter() < began + seconds:
        pass
    took["compute"] += time.perf_counter() - began

def rest(seconds):
    began = time.perf_counter()
    time.sleep(seconds)
    took["rest"] += time.perf_counter() - began

def idle():
    over.wait()

def main(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        compute(0.03)
        rest(0.01)

took = {"compute": 0, "rest": 0}
over = threading.Event()
threading.Thread(target=idle, name="idler", daemon=True).start()
print("ready", flush=True)
main(float(sys.argv[1]))
print("took", took["compute"], took["rest"], time.process_time(), file=sys.stderr)
print("done")
"""
SECRET = "password=hunter2"

# What a profile of this program says: names of functions, files of the library, marks, and the format's own words.
PUBLIC = re.compile(r"|[\w.<>]+|<frozen [\w.]+>|/\S+/lib/python3[\w./-]*\.py|\[[\w ]+\]")


@pytest.fixture
def program(stacklapse: Command) -> Path:
    path = stacklapse.folder / "shop.py"
    path.write_text(PROGRAM)
    return path


@pytest.fixture
def server() -> Iterator[ProfileServer]:
    with profile_server() as server:
        yield server


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.lapse"))


@dataclass(frozen=True)
class Truth:
    """What the program says of itself, in seconds."""

    compute: float
    rest: float
    cpu: float

    @property
    def share(self) -> float:
        return self.compute / (self.compute + self.rest)


def truth(run: Run) -> Truth:
    found = re.search(r"^took (\S+) (\S+) (\S+)$", run.stderr, re.MULTILINE)
    assert found, run.stderr
    return Truth(*map(float, found.groups()))


def run(stacklapse: Command, python: Interpreter, program: Path, *options: Argument, seconds: float = 2.5) -> Run:
    done = stacklapse("--python", python.path, "--every", "1s", *options, program, str(seconds), SECRET)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "ready\ndone\n"
    return done


def test_recordings_follow_each_other_with_nothing_between(
    stacklapse: Command, python: Interpreter, program: Path
) -> None:
    folder = stacklapse.folder / "profiles"
    began = time.time()
    done = run(stacklapse, python, program, "--folder", folder, "-i", "2ms", seconds=3.2)
    ended = time.time()
    recordings = [Recording(stacklapse, path, done) for path in files(folder)]
    assert len(recordings) >= 4  # the first is shorter, by lot
    assert f"kept {len(recordings)} recordings in {folder}" in done.stderr
    assert folder.stat().st_mode & 0o777 == 0o700
    whole = 0.0
    for number, recording in enumerate(recordings):
        assert recording.path.stat().st_mode & 0o777 == 0o600
        assert recording.info["complete"] == "yes"
        assert "shop.py 3.2" in recording.info["command"]
        whole += float(recording.info["duration"].split()[0])
        if number in (0, len(recordings) - 1):
            continue
        # Each tells by itself what runs, with its path as the program's own code, and of the thread that never does.
        functions = {function["name"]: function for function in recording.json["functions"]}
        assert {"main", "compute", "rest", "idle"} <= set(functions)
        assert functions["compute"]["short_path"] == "shop.py"
        assert recording.info["python"]
        threads = {thread["name"] for thread in recording.json["threads"]}
        # Before 3.14 the system knows no names of Python's threads.
        assert ("idler" if python.version >= (3, 14) else "") in threads
    assert 3.2 <= whole <= ended - began
    assert all(0.5 < float(inner.info["duration"].split()[0]) < 2 for inner in recordings[1:-1])

    together = stacklapse("view", *files(folder), "-r", "json")
    assert together.exit_code == 0, together.stderr
    document = json.loads(together.stdout)
    assert len(document["processes"]) == 1
    assert len(document["threads"]) == 2
    assert document["recording"]["duration_ns"] / 1e9 == pytest.approx(whole)
    totals = {function["name"]: function["total_ns"] for function in document["functions"]}
    found = totals["compute"] / (totals["compute"] + totals["rest"])
    assert found == pytest.approx(truth(done).share, abs=0.06)  # five standard errors of 1,500 looks


def test_the_oldest_recordings_go_and_nothing_else(stacklapse: Command, any_python: Interpreter, program: Path) -> None:
    folder = stacklapse.folder / "profiles"
    folder.mkdir()
    others = [folder / "mine.lapse", folder / "2026-notes.txt", folder / "2020-01-01T000000.000000000Z-1.lapse.txt"]
    for other in others:
        other.write_text("mine")
    old = folder / "2020-01-01T000000.000000000Z-1.lapse"
    old.write_text("old")
    run(stacklapse, any_python, program, "--folder", folder, "--keep", "2", seconds=2.5)
    assert not old.exists()
    assert all(other.read_text() == "mine" for other in others)
    kept = [path for path in files(folder) if path not in others]
    # The one that is made is not counted until it ends.
    assert len(kept) == 2
    for path in kept:
        assert Recording(stacklapse, path, Run(0, "", "")).info["complete"] == "yes"


def test_what_is_recorded_is_there_when_the_profiler_is_killed(
    stacklapse: Command, any_python: Interpreter, program: Path
) -> None:
    folder = stacklapse.folder / "profiles"
    with running([any_python.path, program, "60"]) as process:
        attached = stacklapse.start("attach", str(process.pid), "--folder", folder, "--every", "60s")
        until(lambda: any(path.stat().st_size > 200 for path in files(folder)), "the first second")
        attached.kill()
        attached.communicate()
        assert process.poll() is None
    (path,) = files(folder)
    recording = Recording(stacklapse, path, Run(0, "", ""))
    assert recording.info["complete"] == "no"
    assert recording.count("samples") > 0
    assert "compute" in {function["name"] for function in recording.json["functions"]}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_them_in_order(
    stacklapse: Command, any_python: Interpreter, program: Path, server: ProfileServer, number: signal.Signals
) -> None:
    folder = stacklapse.folder / "profiles"
    with running([any_python.path, program, "60"]) as process:
        attached = stacklapse.start(
            "attach", str(process.pid), "--folder", folder, "--push", server.address, "--every", "1s"
        )
        until(lambda: len(server.requests) >= 2, "two recordings")
        attached.send_signal(number)
        _, errors = attached.communicate(timeout=60)
        assert attached.returncode == 0, errors
        assert process.poll() is None
    kept = files(folder)
    assert errors == (
        f"stacklapse: kept {len(kept)} recordings in {folder}\n"
        f"stacklapse: sent {len(kept)} recordings to {server.address}\n"
    )
    assert len(server.requests) == len(kept) >= 3
    assert all(pushed(request)[0].labels["service_name"] == "shop" for request in server.requests)
    assert all(Recording(stacklapse, path, Run(0, "", "")).info["complete"] == "yes" for path in kept)


def test_pyroscope_gets_wall_and_cpu_time(
    stacklapse: Command, any_python: Interpreter, program: Path, server: ProfileServer, tmp_path: Path
) -> None:
    done = run(
        stacklapse, any_python, program, "--push", server.address + "/", "--tag", "region=eu", "--tag", "node=a b"
    )
    assert f"sent {len(server.requests)} recordings to {server.address}/\n" in done.stderr
    assert len(server.requests) >= 3
    totals: defaultdict[tuple[str, str], float] = defaultdict(float)
    ids = set()
    names: set[str] = set()
    own = {str(program)}
    for request in server.requests:
        assert request.path == "/push.v1.PusherService/Push"
        assert request.headers["content-type"] == "application/proto"
        assert request.headers["connect-protocol-version"] == "1"
        series = pushed(request)
        # A last recording of a moment may have seen nothing but a wait.
        assert [one.labels["__name__"] for one in series] in (["wall", "process_cpu"], ["wall"])
        for one in series:
            assert one.labels == {
                "__name__": one.labels["__name__"], "service_name": "shop", "region": "eu", "node": "a b",
            }  # fmt: skip
            assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one.id)
            ids.add(one.id)
            path = tmp_path / "profile.pb.gz"
            path.write_bytes(one.profile)
            for name, seconds in readers.read_pprof(path).items():
                totals[one.labels["__name__"], name] += seconds
            # It leaves the machine: what is no name of a function or file is not in it.
            strings = strings_of(one.profile)
            others = {text for text in strings if not PUBLIC.fullmatch(text)} - own
            assert not others
            names |= strings
    assert len(ids) >= 2 * len(server.requests) - 1
    assert {"compute", "main", str(program)} <= names
    found = totals["wall", "compute"] / (totals["wall", "compute"] + totals["wall", "rest"])
    assert found == pytest.approx(truth(done).share, abs=0.13)  # five standard errors of 250 looks
    assert totals["wall", "idle"] >= 1.8
    assert totals["process_cpu", "compute"] == pytest.approx(totals["wall", "compute"], rel=0.2)
    assert totals["process_cpu", "rest"] < 0.3
    assert totals["process_cpu", "idle"] < 0.1


def test_a_collector_gets_the_signal_of_opentelemetry(
    stacklapse: Command, any_python: Interpreter, program: Path, server: ProfileServer, tmp_path: Path
) -> None:
    options = [
        "--push",
        server.address,
        "--push-as",
        "otlp",
        "--service",
        "the shop",
        "--tag",
        "deployment.environment=test",
    ]
    done = run(stacklapse, any_python, program, *options)
    seconds: defaultdict[str, float] = defaultdict(float)
    for request in server.requests:
        assert request.path == "/v1development/profiles"
        assert request.headers["content-type"] == "application/x-protobuf"
        assert request.headers["content-encoding"] == "gzip"
        body = gzip.decompress(request.body)
        assert b"hunter2" not in body
        path = tmp_path / "profile.otlp"
        path.write_bytes(body)
        for name, part in readers.read_otlp(path).items():
            seconds[name] += part
        code = (
            "import sys\n"
            "from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import *\n"
            "request = ExportProfilesServiceRequest.FromString(open(sys.argv[1], 'rb').read())\n"
            "(resource,) = request.resource_profiles\n"
            "for pair in resource.resource.attributes: print(pair.key, '=', pair.value.string_value)\n"
        )
        said = readers.run(sys.executable, "-c", code, path).splitlines()
        assert "service.name = the shop" in said
        assert "deployment.environment = test" in said
        assert "process.runtime.name = cpython" in said
    found = seconds["compute"] / (seconds["compute"] + seconds["rest"])
    assert found == pytest.approx(truth(done).share, abs=0.13)


def test_a_profile_alone_goes_to_exactly_the_address(
    stacklapse: Command, any_python: Interpreter, program: Path, server: ProfileServer, tmp_path: Path
) -> None:
    run(stacklapse, any_python, program, "--push", f"{server.address}/take/it?key=1", "--push-as", "pprof", seconds=1.2)
    names: set[str] = set()
    for request in server.requests:
        assert request.path == "/take/it?key=1"
        path = tmp_path / "profile.pb.gz"
        path.write_bytes(request.body)
        names |= readers.read_pprof(path).keys()
    assert {"compute", "rest", "idle"} <= names


def test_what_a_server_cannot_take_now_is_sent_again(
    stacklapse: Command, any_python: Interpreter, program: Path, server: ProfileServer
) -> None:
    server.statuses += [503, 429]
    done = run(stacklapse, any_python, program, "--push", server.address, seconds=3.2)
    assert done.stderr.count("it is tried again") == 1
    assert "HTTP 503" in done.stderr
    # Three attempts at the first one, with the same bytes, and then the others in their order.
    bodies = [request.body for request in server.requests]
    assert bodies[0] == bodies[1] == bodies[2]
    times = [profile_time(pushed(request)[0].profile) for request in server.requests]
    assert times == sorted(times)
    sent = re.search(r"sent (\d+) recordings", done.stderr)
    assert sent
    assert len(set(bodies)) == int(sent[1]) == len(bodies) - 2 >= 3
    assert "could not be sent" not in done.stderr


def test_what_waits_is_sent_though_it_is_kept_no_more(
    stacklapse: Command, any_python: Interpreter, program: Path, server: ProfileServer
) -> None:
    server.statuses += [503]  # whose Retry-After is a second
    folder = stacklapse.folder / "profiles"
    done = run(
        stacklapse, any_python, program, "--push", server.address, "--folder", folder, "--keep", "1", seconds=3.2
    )
    sent = re.search(r"sent (\d+) recordings", done.stderr)
    assert sent
    assert f"made {sent[1]} recordings, of which the last 1 are kept in {folder}" in done.stderr
    assert len(files(folder)) == 1
    assert int(sent[1]) == len(server.requests) - 1 >= 3


def test_a_server_that_never_answers_does_not_hold_up_the_end_for_long(
    stacklapse: Command, any_python: Interpreter, program: Path
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        began = time.monotonic()
        done = run(
            stacklapse, any_python, program, "--push", f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=1.5
        )
        assert time.monotonic() - began < 60  # a moment, 5 s of grace, and what a busy machine takes
        quiet = run(stacklapse, any_python, program, "-q", "--push", f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert "stacklapse: sending what waits, for 5 s at most; Ctrl-C ends that\n" in done.stderr
    assert "recordings could not be sent: " in done.stderr
    assert "sending what waits" not in quiet.stderr
    assert "could not be sent: " in quiet.stderr


def test_what_a_server_refuses_is_counted(
    stacklapse: Command, any_python: Interpreter, program: Path, server: ProfileServer
) -> None:
    server.statuses += [400]
    with running([any_python.path, program, "60"]) as process:
        attached = stacklapse.start("attach", str(process.pid), "--push", server.address, "--every", "1s", "-d", "2.8s")
        _, errors = attached.communicate(timeout=60)
    assert attached.returncode == 1
    assert f"stacklapse: sent {len(server.requests) - 1} recording" in errors
    assert "stacklapse: 1 recording could not be sent: " in errors
    assert "HTTP 400" in errors


def test_no_server_changes_nothing_for_the_program(stacklapse: Command, any_python: Interpreter, program: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://me:geheim@127.0.0.1:{nobody.getsockname()[1]}"
        done = run(stacklapse, any_python, program, "--push", address, seconds=1.5)
    assert done.stderr.count("it is tried again") == 1
    assert re.search(r"stacklapse: \d recordings could not be sent: cannot send to http://127", done.stderr)
    assert "geheim" not in done.stderr
    assert "sent " not in done.stderr.replace("could not be sent", "").replace("cannot send", "")


def test_headers_of_the_environment_are_sent(
    stacklapse: Command, any_python: Interpreter, program: Path, server: ProfileServer
) -> None:
    server.statuses += [401]
    done = stacklapse(
        "--python", any_python.path, "--every", "1s", "--push", server.address, program, "1.2",
        environment={
            "STACKLAPSE_PUSH_HEADERS": "Authorization=Bearer a=b/c,X-Scope-OrgID=shop",
            "OTEL_SERVICE_NAME": "from the environment",
        },
    )  # fmt: skip
    assert "HTTP 401" in done.stderr
    assert "a=b/c" not in done.stderr
    for request in server.requests:
        assert request.headers["authorization"] == "Bearer a=b/c"
        assert request.headers["x-scope-orgid"] == "shop"
        assert pushed(request)[0].labels["service_name"] == "from the environment"


def test_a_folder_that_is_full_is_told_and_looking_goes_on(
    stacklapse: Command, any_python: Interpreter, program: Path, server: ProfileServer
) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    folder = stacklapse.folder / "profiles"
    with running([any_python.path, program, "60"]) as process:
        options = ["--folder", str(folder), "--every", "1s", "-d", "2.8s", "-i", "1ms"]
        attached = stacklapse.start("attach", str(process.pid), *options, "--push", server.address, limit=limit)
        _, errors = attached.communicate(timeout=60)
        assert process.poll() is None
    assert attached.returncode == 1
    assert errors.count("looking goes on") == 1
    assert not server.requests  # half of a recording would be half of a program
    assert re.search(r"stacklapse: [34] recordings could not be sent: there was no room for them", errors)
    assert re.search(r"stacklapse: [34] recordings could not be kept whole: .*File too large", errors)


def test_several_are_shown_as_one_without_those_that_cannot_be_read(
    stacklapse: Command, any_python: Interpreter, program: Path
) -> None:
    folder = stacklapse.folder / "profiles"
    run(stacklapse, any_python, program, "--folder", folder, seconds=1.5)
    empty = folder / "2000-01-01T000000.000000000Z-1.lapse"
    empty.touch()
    whole = files(folder)
    assert len(whole) >= 3
    for command in ("view", "info"):
        done = stacklapse(command, *whole)
        assert done.exit_code == 1
        assert str(empty) in done.stderr
        assert "shop.py" in done.stdout
    empty.unlink()
    assert stacklapse("info", *files(folder)).exit_code == 0


def test_children_are_in_each_recording(stacklapse: Command, any_python: Interpreter, program: Path) -> None:
    parent = stacklapse.folder / "parent.py"
    parent.write_text(
        "import subprocess, sys\n"
        f"subprocess.run([sys.executable, {str(program)!r}, sys.argv[1]], check=True)\n"
    )  # fmt: skip
    folder = stacklapse.folder / "profiles"
    done = run(stacklapse, any_python, parent, "--children", "--folder", folder, seconds=3.2)
    recordings = [Recording(stacklapse, path, Run(0, "", "")) for path in files(folder)]
    for recording in recordings[1:-1]:
        assert len(recording.json["processes"]) == 2
        assert recording.json["processes"][1]["parent_pid"] == recording.json["processes"][0]["pid"]
        assert "compute" in {function["name"] for function in recording.json["functions"]}
    cpu = sum(float(recording.info["cpu_time"].split()[0]) for recording in recordings)
    children = sum(float(recording.info["children_cpu_time"].split()[0]) for recording in recordings)
    assert cpu == pytest.approx(truth(done).cpu, abs=0.3)  # beside the start and end of two Pythons
    assert children < 0.1  # the child's own time is told as its own


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--every", "5s"], "--every goes with --push or --folder"),
        (["--keep", "5", "--push", "http://x"], "--keep goes with --folder"),
        (["--tag", "a=b", "--folder", "f"], "--tag goes with --push"),
        (["--service", "a", "--folder", "f"], "--service goes with --push"),
        (["--push-as", "otlp", "--folder", "f"], "--push-as goes with --push"),
        (["--push", "localhost:4040"], "--push takes the address of a server"),
        (["--push", "ftp://x"], "--push takes the address of a server"),
        (["--push", "http://x/?a=b"], "--push takes an address without a query"),
        (["--push", "http://a b"], "has a space or control character"),
        (["--push", "http://x", "--tag", "=b"], "--tag takes NAME=TEXT"),
        (["--push", "http://x", "--tag", "service_name=b"], "--tag takes NAME=TEXT"),
        (["--push", "http://x", "--service", "caf\udce9"], "--service takes a name"),
        (["--push", "http://x", "--push-as", "pprof", "--service", "a"], "--service goes with --push-as pyroscope"),
        (["--push", "http://x", "--push-as", "pprof", "--tag", "a=b"], "--tag goes with --push-as pyroscope"),
        (["--push", "http://x", "--tag", "a=1", "--tag", "a=2"], "--tag names a twice"),
        (["--folder", "f", "-o", "x.html"], "there is no report for -o"),
        (["--folder", "f", "-r", "html"], "there is no report for -r"),
        (["--push", "http://x", "--hide", "secret/*"], "with --push there is no report for --hide"),
        (["--push", "http://x", "--show", "lib/*"], "there is no report for --show"),
        (["--push", "http://x", "--mode", "cpu"], "there is no report for --mode"),
        (["--folder", "f", "--flat"], "with --folder there is no report for --flat"),
        (["--folder", "f", "--flat-total"], "there is no report for --flat-total"),
        (["--folder", "f", "--timeline"], "there is no report for --timeline"),
        (["--folder", "f", "--threshold", "0"], "there is no report for --threshold"),
        (["--folder", "f", "--every", "1ms"], "--every takes a time from 1s to 3600s"),
        (["--folder", "f", "--every", "1s", "-i", "2s"], "--every must be longer than the time between two looks"),
        (["--push", "http://x", "--push-as", "otpl"], "did you mean otlp?"),
    ],
)
def test_what_does_not_go_together_is_told(stacklapse: Command, options: list[str], sentence: str) -> None:
    done = stacklapse(*options, "-c", "print('ran')")
    assert done.exit_code == 125
    assert sentence in done.stderr
    assert done.stdout == ""
    assert not list(stacklapse.folder.iterdir())
