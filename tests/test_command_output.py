"""Where reports go and how they look there: whole or not at all, with colours where they are wanted, and never in the
way of the program's own output."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest
from support.command import Argument, Command
from support.interpreters import Interpreter
from support.terminal import Terminal

ESCAPE = "\x1b["
PROGRAM: list[Argument] = ["-c", "import time; time.sleep(0.2); print('{\"a\": 1}')"]


@pytest.fixture
def recorded(stacklapse: Command, any_python: Interpreter) -> Command:
    """The command with one recording in its state folder."""
    stacklapse.record(any_python, PROGRAM)
    return stacklapse


def test_the_text_report_goes_to_stderr_and_the_programs_output_to_stdout(
    stacklapse: Command, any_python: Interpreter
) -> None:
    run = stacklapse("--python", any_python.path, *PROGRAM)
    assert json.loads(run.stdout) == {"a": 1}
    assert "samples" in run.stderr
    assert "stacklapse view last" in run.stderr


def test_a_dash_and_other_formats_go_to_stdout_behind_it(stacklapse: Command, any_python: Interpreter) -> None:
    python: list[Argument] = ["--python", any_python.path]
    run = stacklapse(*python, "-o", "-", *PROGRAM)
    first, rest = run.stdout.split("\n", 1)
    assert json.loads(first) == {"a": 1}
    assert "samples" in rest
    assert run.stderr == ""
    run = stacklapse(*python, "-r", "json", *PROGRAM)
    first, rest = run.stdout.split("\n", 1)
    assert json.loads(rest)
    assert run.stderr == ""


@pytest.mark.parametrize("name", ["report.json", "REPORT.JSON", "a.b.json"])
def test_the_extension_names_the_format(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path, name: str
) -> None:
    run = stacklapse("--python", any_python.path, "-o", name, *PROGRAM)
    assert json.loads((tmp_path / name).read_text())
    assert run.stderr.startswith(f"stacklapse: wrote {name}: ")
    assert run.stderr.count("\n") == 1


def test_the_renderer_beats_the_extension(recorded: Command, tmp_path: Path) -> None:
    recorded("view", "-r", "json", "-o", "report.txt")
    assert json.loads((tmp_path / "report.txt").read_text())


def test_functions_are_listed_by_either_time(recorded: Command) -> None:
    for option, title in (("--flat", "self"), ("--flat-total", "total")):
        words = recorded("view", "-o", "-", "-r", "text", option).stdout.split()
        assert title in words
        assert words.index(title) == min(words.index("self"), words.index("total"))


def test_quiet_says_nothing_but_the_report(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> None:
    run = stacklapse("-q", "--python", any_python.path, "-o", "report.txt", *PROGRAM)
    assert run.stderr == ""
    assert "samples" in (tmp_path / "report.txt").read_text()
    run = stacklapse("-q", "--python", any_python.path, *PROGRAM)
    assert "samples" in run.stderr


def test_the_file_is_where_it_was_named_even_if_the_program_goes_elsewhere(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    stacklapse("--python", any_python.path, "-o", "report.txt", "-c", "import os, time; os.chdir('/'); time.sleep(0.1)")
    assert (tmp_path / "report.txt").exists()


def test_what_was_there_stays_until_the_new_report_is_whole(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    report = tmp_path / "report.txt"
    report.write_text("the old one")
    report.chmod(0o640)
    code = f"print(open({str(report)!r}).read())"
    run = stacklapse("--python", any_python.path, "-o", report, "-c", code)
    assert run.stdout == "the old one\n"
    assert "samples" in report.read_text()
    assert report.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.txt", "state"]


def test_a_report_that_cannot_be_written_leaves_the_old_one_and_the_exit_code(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    """The folder goes away while the program runs."""
    folder = tmp_path / "folder"
    folder.mkdir()
    code = f"import os, sys, time; os.rename({str(folder)!r}, {str(folder) + '2'!r}); time.sleep(0.1); sys.exit(3)"
    run = stacklapse("--python", any_python.path, "-o", folder / "report.txt", "-c", code)
    assert run.exit_code == 3
    assert f"cannot write {folder}/report.txt: No such file or directory" in run.stderr
    assert "the recording is kept: stacklapse view last" in run.stderr
    assert stacklapse("view").exit_code == 0


def test_a_full_disk_is_told(recorded: Command, any_python: Interpreter) -> None:
    run = recorded("view", "-r", "json", "-o", "/dev/full")
    assert (run.exit_code, run.stdout) == (1, "")
    assert "No space left on device" in run.stderr
    with Path("/dev/full").open("w") as full:
        for arguments in (["view"], ["info"]):
            done = subprocess.run(
                [recorded.path, *arguments],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                env=recorded.environment(),
                check=False,
            )
            assert done.returncode == 1
            assert "No space left on device" in done.stderr
    run = recorded("--python", any_python.path, "-r", "json", "-o", "/dev/full", "-c", "import sys; sys.exit(4)")
    assert run.exit_code == 4
    assert "No space left on device" in run.stderr


@pytest.mark.parametrize("renderer", ["text", "json", "folded"])
def test_a_reader_who_has_seen_enough_is_no_failure(
    stacklapse: Command, any_python: Interpreter, renderer: str
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        code = "import os, sys, time; time.sleep(0.1); os.close(1); sys.exit(6)"
        done = subprocess.run(
            [stacklapse.path, "--python", any_python.path, "-r", renderer, "-o", "-", "-c", code],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            env=stacklapse.environment(),
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (6, "")


def shell(stacklapse: Command, script: str, *arguments: Argument) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script, stacklapse.path, *arguments],
        capture_output=True,
        text=True,
        env=stacklapse.environment(),
        cwd=stacklapse.folder,
        check=False,
    )


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_a_name_of_standard_output_is_written_to_and_never_replaced(recorded: Command, name: str) -> None:
    (recorded.folder / "link").symlink_to("/dev/stdout")
    plain = recorded("view", "-r", "folded").stdout
    before = {path.name for path in recorded.folder.iterdir()}
    done = shell(recorded, f'echo before > all; "$0" view -r folded -o {name} >> all; echo behind >> all')
    assert done.returncode == 0
    assert (recorded.folder / "all").read_text() == f"before\n{plain}behind\n"
    done = shell(recorded, f'exec 3<> gone 1>&3; rm gone; "$0" view -r folded -o {name}; cat /proc/self/fd/3 >&2')
    assert done.stderr.endswith(plain)
    assert {path.name for path in recorded.folder.iterdir()} == before | {"all"}


def test_standard_output_that_cannot_be_written_to_is_told_before_the_program_starts(
    stacklapse: Command, any_python: Interpreter
) -> None:
    done = shell(
        stacklapse, '"$0" --python "$1" -r json -o /dev/stdout -c "open(\'ran\', \'w\')" 1< /dev/null', any_python.path
    )
    assert done.returncode == 125
    assert done.stderr == "stacklapse: cannot write /dev/stdout: Bad file descriptor\n"
    assert not (stacklapse.folder / "ran").exists()


def test_a_file_that_is_a_mount_point_gets_the_report(recorded: Command) -> None:
    """As with `docker run -v report.json:/report.json`: it can be written to, and not replaced."""
    own = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    unshare = ["unshare", *own, "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*unshare, "true"], check=False).returncode != 0:
        pytest.skip("namespaces cannot be made here")
    inside, outside = recorded.folder / "inside" / "report.json", recorded.folder / "outside.json"
    inside.parent.mkdir()
    inside.touch()
    outside.write_text("old, and longer than nothing" * 10000)
    script = f'mount --bind "{outside}" "{inside}" && exec "{recorded.path}" view -o "{inside}"'
    done = subprocess.run(
        [*unshare, "sh", "-c", script], capture_output=True, text=True, env=recorded.environment(), check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(outside.read_text()) == json.loads(recorded("view", "-r", "json").stdout)
    assert list(inside.parent.iterdir()) == [inside]


def test_view_into_a_closed_pipe_ends_as_others_do(recorded: Command) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{recorded.path} view -r json | head -c 10 >/dev/null; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        env=recorded.environment(),
        check=True,
    )
    assert done.stdout in ("0\n", "141\n")
    assert done.stderr == ""


def test_a_closed_stderr_does_not_matter(stacklapse: Command, any_python: Interpreter) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{stacklapse.path} --python {any_python.path} -c 'print(1)' 2>&-"],
        capture_output=True,
        text=True,
        env=stacklapse.environment(),
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "1\n")


@pytest.mark.parametrize(
    ("environment", "options", "colored"),
    [
        ({}, [], False),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"CLICOLOR_FORCE": "1"}, [], True),
        ({"FORCE_COLOR": "0"}, [], False),
        ({"FORCE_COLOR": ""}, [], False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"FORCE_COLOR": "1", "NO_COLOR": ""}, [], True),
        ({"FORCE_COLOR": "1"}, ["--color=never"], False),
        ({"NO_COLOR": "1"}, ["--color=always"], True),
        ({}, ["--color", "always"], True),
        ({}, ["--color", "auto"], False),
    ],
)
def test_colours_where_there_is_no_terminal(
    recorded: Command, environment: dict[str, str], options: list[str], colored: bool
) -> None:
    run = recorded("view", *options, environment=environment)
    assert (ESCAPE in run.stdout) is colored


@pytest.mark.parametrize(
    ("environment", "options", "colored"),
    [
        ({"TERM": "xterm-256color"}, [], True),
        ({"TERM": "dumb"}, [], False),
        ({"TERM": ""}, [], False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, [], False),
        ({"TERM": "xterm"}, ["--color=never"], False),
        ({"TERM": "dumb"}, ["--color=always"], True),
    ],
)
def test_colours_on_a_terminal(
    recorded: Command, environment: dict[str, str], options: list[str], colored: bool
) -> None:
    with Terminal([recorded.path, "view", *options], recorded.environment() | environment) as terminal:
        assert terminal.wait() == 0
        assert (ESCAPE in terminal.output) is colored


@pytest.mark.parametrize("columns", [50, 80, 200])
def test_the_report_fits_the_terminal(recorded: Command, columns: int) -> None:
    environment = recorded.environment() | {"TERM": "xterm", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
    with Terminal([recorded.path, "view", "--show-all"], environment, columns=columns) as terminal:
        assert terminal.wait() == 0
        assert max(len(line) for line in terminal.lines) <= columns


@pytest.mark.parametrize(("locale", "ascii_only"), [("C", True), ("POSIX", True), ("C.UTF-8", False)])
def test_drawing_characters_follow_the_locale(
    stacklapse: Command, any_python: Interpreter, locale: str, ascii_only: bool
) -> None:
    code = "import time\ndef f(): time.sleep(0.1)\ndef g(): time.sleep(0.1)\nf()\ng()\n"
    stacklapse("--python", any_python.path, "-c", code, environment={"LC_ALL": locale})
    run = stacklapse("view", environment={"LC_ALL": locale})
    assert run.stdout.isascii() is ascii_only
    stacklapse("view", "-o", "report.txt", environment={"LC_ALL": locale})
    assert not (stacklapse.folder / "report.txt").read_text().isascii()


def test_a_new_report_has_the_mode_of_any_file_and_a_recording_is_for_its_user_only(
    recorded: Command, tmp_path: Path
) -> None:
    for mask, mode in ("022", 0o644), ("077", 0o600), ("002", 0o664):
        for name, expected in ("report.html", mode), ("report.lapse", 0o600):
            path = tmp_path / f"{mask}-{name}"
            subprocess.run(
                ["sh", "-c", 'umask "$1"; "$2" view -o "$3"', "sh", mask, recorded.path, path],
                env=recorded.environment(), cwd=tmp_path, check=True,
            )  # fmt: skip
            assert path.stat().st_mode & 0o777 == expected, path
    (tmp_path / "022-report.html").chmod(0o640)
    assert recorded("view", "-o", tmp_path / "022-report.html").exit_code == 0
    assert (tmp_path / "022-report.html").stat().st_mode & 0o777 == 0o640


def test_a_link_to_a_file_that_is_not_there_yet_is_kept(recorded: Command, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "second").symlink_to("reports/new.txt")
    (tmp_path / "first").symlink_to(tmp_path / "second")
    assert recorded("view", "-r", "text", "-o", tmp_path / "first").exit_code == 0
    assert "samples" in (tmp_path / "reports" / "new.txt").read_text()
    assert (tmp_path / "first").is_symlink()
    assert (tmp_path / "second").is_symlink()
    (tmp_path / "nowhere").symlink_to("missing/new.txt")
    run = recorded("view", "-r", "text", "-o", tmp_path / "nowhere")
    assert (run.exit_code, run.stdout) == (1, "")
    assert run.stderr == f"stacklapse: cannot write {tmp_path / 'nowhere'}: No such file or directory\n"


STARTED_FROM_BESIDE = """\
import os, sys, time

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "beside"))
import beside

def spin():
    end = time.perf_counter() + 0.2
    while time.perf_counter() < end:
        str("in main")

spin()
beside.spin(time.perf_counter() + 0.2)
"""
BESIDE = """\
import time

def spin(end):
    while time.perf_counter() < end:
        str("in beside")
"""


def test_paths_are_written_without_the_way_that_led_there(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    """Python takes a script's path as it was typed, and that of a module as sys.path has it."""
    for name, text in (("app/main.py", STARTED_FROM_BESIDE), ("beside/beside.py", BESIDE)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    recorded = tmp_path / "recorded.lapse"
    script = Path("..", "app", "main.py")
    run = stacklapse("--python", any_python.path, "-o", recorded, script, cwd=tmp_path / "beside")
    assert (run.exit_code, run.stdout) == (0, "")
    functions = json.loads(stacklapse("view", recorded, "-r", "json").stdout)["functions"]
    paths = {(function["file"], function["short_path"]) for function in functions if function["name"] == "spin"}
    assert paths == {
        (str(tmp_path / "app" / "main.py"), "main.py"),
        (str(tmp_path / "beside" / "beside.py"), "beside.py"),
    }
    text = stacklapse("view", recorded).stdout
    assert "main.py:6" in text
    assert 'str("in main")' in text or "while time.perf_counter() < end" in text, "the source is found"
    assert "app/" not in text.replace("../app/main.py", "", 1), "but in the command"
    assert "(main.py:9)" in stacklapse("view", recorded, "-r", "folded").stdout


def test_paths_through_links_are_those_that_python_has(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    """`link/..` is not the folder that the link lies in."""
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(Path("elsewhere", "deep"))
    (tmp_path / "main.py").write_text("raise SystemExit('the wrong one')\n")
    (tmp_path / "elsewhere" / "main.py").write_text("print(sum(range(10_000_000)))\n")
    recording = stacklapse.record(any_python, [f"{tmp_path}/link/../main.py"])
    assert f"{tmp_path}/link/../main.py" in {function["file"] for function in recording.json["functions"]}
    assert "print(sum(range(10_000_000)))" in recording.view("-r", "text", "--threshold", "0")


EDITED = """\
import pathlib, sys, time

def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        str("what ran")

spin(2)
here = pathlib.Path(__file__)
here.write_text("# edited\\n" * 20)
here.with_name("generated.py").write_text("def made(spin):\\n    spin(0.3); sum(range(30_000_000))\\n")
sys.path.insert(0, str(here.parent))
import generated
generated.made(spin)
"""


def test_a_file_that_was_edited_while_it_ran_is_not_shown(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path
) -> None:
    program = tmp_path / "edited.py"
    program.write_text(EDITED)
    recording = stacklapse.record(any_python, [program])
    text = recording.view("-r", "text", "--threshold", "0")
    assert "edited.py" in text
    assert "# edited" not in text
    assert "spin(0.3); sum(range(30_000_000))" in text, "written before it was loaded"
    page = recording.view("-r", "html")
    found = re.search(r'id="stacklapse-source"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found
    source = zlib.decompress(base64.b64decode(found.group(1)), wbits=-15)
    assert b"# edited" not in source
    assert b"spin(0.3); sum(range(30_000_000))" in source
