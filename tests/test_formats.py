"""Every format, read by the programs that people read it with, on recordings with threads, recursion, 10,000 frames of
depth and hostile names. A reader's totals must be ours."""

from __future__ import annotations

import gzip
import json
import pstats
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from formats import readers
from formats.programs.names import HOSTILE
from support.command import Command, Recording, command_path
from support.inside import run_inside
from support.interpreters import TOP, Interpreter

PROGRAM = Path(__file__).parent / "formats" / "programs" / "everything.py"


@pytest.fixture(scope="module", params=["flat", "deep"])
def recording(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, any_python: Interpreter
) -> Recording:
    """Made once: it is only read."""
    deep = ["--deep"] if request.param == "deep" else []
    stacklapse = Command(command_path(), tmp_path_factory.mktemp("recording"))
    return stacklapse.record(any_python, [PROGRAM, *deep], ["-i", "500us"])


def write(recording: Recording, name: str, tmp_path: Path) -> Path:
    path = tmp_path / name
    done = recording.command("view", recording.path, "-o", path)
    assert done.exit_code == 0, done.stderr
    return path


def our_totals(recording: Recording, *, main_thread: bool = False) -> readers.Totals:
    """Of the functions that share their name with no other, because some readers tell functions by name alone."""
    options = ["--threads", "main"] if main_thread else []
    document = json.loads(recording.view("-r", "json", *options))
    names = Counter(function["name"] for function in document["functions"])
    return {
        function["name"]: function["total_ns"] / 1e9
        for function in document["functions"]
        if names[function["name"]] == 1
    }


def assert_same(theirs: readers.Totals, ours: readers.Totals, *, relative: float = 1e-6) -> None:
    """Of the ten heaviest of our functions whose names every tool shows as they are."""
    plain = [name for name in ours if name.replace(".", "").replace("_", "").isalnum()]
    heaviest = sorted(plain, key=lambda name: -ours[name])[:10]
    assert len(heaviest) == 10
    for name in heaviest:
        assert theirs.get(name) == pytest.approx(ours[name], rel=relative, abs=2e-9), name


def test_pstats_has_our_totals(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, "p.prof", tmp_path)
    assert_same(readers.read_pstats(path), our_totals(recording))


def test_pstats_names_callers(recording: Recording, tmp_path: Path) -> None:
    stats = pstats.Stats(str(write(recording, "p.pstats", tmp_path)))
    entries = {key[2]: value for key, value in stats.stats.items()}  # type: ignore[attr-defined]
    callers = {key[2]: value for key, value in entries["inner"][4].items()}
    assert set(callers) == {"outer"}
    assert callers["outer"][3] == pytest.approx(entries["inner"][3])
    stats.sort_stats("cumulative").print_callers(3)


def test_snakeviz_loads_pstats(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, "p.prof", tmp_path)
    code = "import sys; from snakeviz.stats import table_rows, json_stats; from pstats import Stats; " \
        "s = Stats(sys.argv[1]); assert table_rows(s); assert json_stats(s)"  # fmt: skip
    readers.run(sys.executable, "-c", code, path)


def test_gprof2dot_loads_pstats(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, "p.prof", tmp_path)
    graph = readers.run(sys.executable, "-m", "gprof2dot", "-f", "pstats", path)
    assert "outer" in graph


def test_pprof_has_our_totals(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, "p.pb.gz", tmp_path)
    assert_same(readers.read_pprof(path), our_totals(recording))


# Not of the deep one, whose traces are tens of thousands of rows: that it can be read is tested above.
@pytest.mark.parametrize("recording", ["flat"], indirect=True)
def test_pprof_lists_lines_and_traces(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, "p.pprof", tmp_path)
    go = readers.need("go")
    listing = readers.run(go, "tool", "pprof", "-list=^inner$", "-symbolize=none", path)
    assert "spin(seconds)" in listing
    traces = readers.run(go, "tool", "pprof", "-traces", "-symbolize=none", path)
    assert "thread_id" in traces
    assert "process_id" in traces
    for kind in ("samples", "wall", "cpu"):
        assert "spin" in readers.run(go, "tool", "pprof", "-top", f"-sample_index={kind}", path)


def test_pprof_names_the_task_that_a_profiler_was_started_in(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    run_inside(stacklapse, any_python, "named.py", tmp_path / "task.lapse")
    path = tmp_path / "task.pprof"
    assert stacklapse("view", tmp_path / "task.lapse", "-o", path).exit_code == 0
    traces = readers.run(readers.need("go"), "tool", "pprof", "-traces", "-symbolize=none", path)
    assert re.search(r"\btask:\s*pays the bill$", traces, re.M)
    assert not re.search(r"\bthread:", traces)


def test_callgrind_has_our_totals(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, "callgrind.out.1", tmp_path)
    assert_same(readers.read_callgrind(path), our_totals(recording))


def test_otlp_has_our_totals(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, "p.otlp", tmp_path)
    assert_same(readers.read_otlp(path), our_totals(recording))


def skip_when_deep(recording: Recording) -> None:
    if "--deep" in recording.info["command"]:
        pytest.skip("speedscope's page does not get 10,000 frames of depth drawn without a graphics card")


def test_speedscope_has_our_totals(recording: Recording, tmp_path: Path) -> None:
    skip_when_deep(recording)
    path = write(recording, "p.speedscope.json", tmp_path)
    # The page shows four digits.
    assert_same(readers.read_speedscope(path), our_totals(recording, main_thread=True), relative=0.01)


def test_chromium_has_our_totals(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, "p.chrome.json", tmp_path)
    assert_same(readers.read_chrome(path), our_totals(recording))


def test_speedscope_has_our_totals_from_a_trace_for_chromium(recording: Recording, tmp_path: Path) -> None:
    skip_when_deep(recording)
    path = write(recording, "p.trace.json", tmp_path)
    assert_same(readers.read_speedscope(path), our_totals(recording, main_thread=True), relative=0.01)


def test_firefox_has_our_totals(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, "p.json.gz", tmp_path)
    theirs = readers.read_firefox(path, tmp_path / "session")
    assert_same(theirs, our_totals(recording, main_thread=True), relative=1e-6)


def test_folded_reads_back(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, "p.folded", tmp_path)
    done = recording.command("view", path, "-r", "json", "-o", "-")
    assert done.exit_code == 0, done.stderr
    ours = our_totals(recording)
    theirs: readers.Totals = defaultdict(float)
    for function in json.loads(done.stdout)["functions"]:
        theirs[function["name"]] += function["total_ns"] / 1e9
    for name in ("outer", "inner", "recursive", "even", "odd", "spin"):
        assert theirs[name] == pytest.approx(ours[name], abs=1e-3), name


@pytest.mark.parametrize("text", ["", "no number\n", "a;b 1\nnot folded\n", "a;b 99999999999999999999\n", "\n\n"])
def test_what_is_no_folded_stack_is_one_sentence(stacklapse: Command, tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.folded"
    path.write_text(text)
    done = stacklapse("view", path)
    assert done.exit_code == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_hostile_names_arrive_whole(recording: Recording, tmp_path: Path) -> None:
    """In the formats that can hold any name; a lone surrogate is written as its escape."""
    wanted = [name.encode("utf-8", "backslashreplace").decode() for name in HOSTILE]
    frames = json.loads(write(recording, "p.speedscope.json", tmp_path).read_text())["shared"]["frames"]
    firefox = json.loads(gzip.decompress(write(recording, "p.json.gz", tmp_path).read_bytes()))
    stats = pstats.Stats(str(write(recording, "p.prof", tmp_path))).stats  # type: ignore[attr-defined]
    for name in wanted:
        # Names are kept up to 8,192 characters.
        begin = name[:8_000]
        assert any(frame["name"].startswith(begin) for frame in frames), name[:40]
        assert any(text.startswith(begin) for text in firefox["shared"]["stringArray"]), name[:40]
        assert any(key[2].startswith(begin) for key in stats), name[:40]


def test_markdown_is_a_tree_and_a_table(recording: Recording, tmp_path: Path) -> None:
    text = write(recording, "p.md", tmp_path).read_text()
    fence = text.splitlines()[0].removesuffix("text")
    assert set(fence) == {"`"}
    assert len(fence) >= 3
    tree, _, table = text.removeprefix(fence + "text\n").partition("\n" + fence + "\n")
    assert "recursive" in tree
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert len(rows) > 5
    for row in rows:
        assert row.replace("\\|", "").count("|") == 7, row


def test_markdown_shows_as_much_as_was_asked_for(stacklapse: Command, tmp_path: Path) -> None:
    path = tmp_path / "stacks.folded"
    path.write_text("main;work 985000\nmain;seldom 15000\n")
    tree, _, _ = stacklapse("view", path, "-r", "markdown").stdout.partition("| self |")
    assert "seldom" not in tree
    tree, _, _ = stacklapse("view", path, "-r", "markdown", "--threshold", "0").stdout.partition("| self |")
    assert "seldom" in tree


@pytest.mark.parametrize("mode", ["cpu", "gil"])
def test_pprof_and_otlp_tell_the_time_that_was_asked_for(
    stacklapse: Command, any_python: Interpreter, mode: str, tmp_path: Path
) -> None:
    code = """\
import hashlib, time
def digest(end):
    while time.perf_counter() < end: hashlib.sha256(data)
def spin(end):
    while time.perf_counter() < end: pass
def sleep(end):
    time.sleep(end - time.perf_counter())
data = bytes(1 << 24)
for function in digest, spin, sleep:
    function(time.perf_counter() + 0.2)
"""
    recording = stacklapse.record(any_python, ["-c", code])
    document = json.loads(recording.view("-r", "json", "--mode", mode))
    ours = {function["name"]: function["total_ns"] / 1e9 for function in document["functions"]}
    whole = {
        function["name"]: function["total_ns"] / 1e9
        for function in json.loads(recording.view("-r", "json"))["functions"]
    }
    pprof, otlp = tmp_path / "p.pprof", tmp_path / "p.otlp"
    for path in pprof, otlp:
        assert stacklapse("view", recording.path, "--mode", mode, "-o", path).exit_code == 0
    for theirs in readers.read_pprof(pprof), readers.read_otlp(otlp, mode, alone=True):
        for name in "digest", "spin", "sleep":
            assert theirs.get(name, 0) == pytest.approx(ours.get(name, 0), rel=1e-6, abs=2e-9), name
        assert theirs["spin"] > 0.6 * whole["spin"]
        assert theirs.get("sleep", 0) < 0.4 * whole["sleep"]
        assert (theirs.get("digest", 0) < 0.4 * whole["digest"]) == (mode == "gil")


def test_the_documentation_lists_what_the_command_lists(stacklapse: Command) -> None:
    """Both by the table of src/render/render.c: every name, and every extension."""
    listed = stacklapse("view", "--help").stdout.partition("\nFormats\n")[2]
    table = [
        [cell.strip() for cell in row.split("|")[1:4]]
        for row in (TOP / "docs" / "formats.md").read_text().splitlines()
        if row.startswith("| `")
    ]
    assert [name.strip("`") for name, _, _ in table] == re.findall(r"^  (\w+) ", listed, re.MULTILINE)
    for name, extensions, _ in table:
        text = re.search(rf"^  {name.strip('`')} .*?(?=^  \w|\Z)", listed, re.MULTILINE | re.DOTALL)
        assert text
        ours = set(re.findall(r"\.[a-z][\w.]*[a-z]", text[0].partition(";")[2]))
        assert set(re.findall(r"`(\.[\w.]+)`", extensions)) == ours, name


@pytest.mark.parametrize("recording", ["flat"], indirect=True)
@pytest.mark.parametrize(
    "renderer",
    ["text", "html", "json", "speedscope", "pstats", "pprof", "firefox", "chrome", "callgrind", "folded", "otlp",
     "markdown"],
)  # fmt: skip
def test_a_full_disk_leaves_the_good_file(recording: Recording, renderer: str, tmp_path: Path) -> None:
    path = tmp_path / "good"
    path.write_text("good")
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 0; trap "" XFSZ; exec "$@"', "-", str(recording.command.path), "view",
         str(recording.path), "-r", renderer, "-o", str(path)],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert path.read_text() == "good"
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith("good")] == ["good"]
