"""What is asked for wrongly is told in one sentence that names the right thing, before anything is started."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from support.command import Command
from support.interpreters import TOP, Interpreter

NOT_STARTED = 125
USAGE = 2
FAILED = 1


def options_of(help_text: str) -> set[str]:
    """All options that --help lists at the beginning of a line."""
    found: set[str] = set()
    for line in help_text.splitlines():
        match = re.match(r"  (?:(-\w), )?(--[\w-]+)", line)
        if match:
            found.update(option for option in match.groups() if option)
    return found


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--intervall", "1ms", "x.py"], "there is no option --intervall: did you mean --interval?"),
        (["--time-line", "x.py"], "did you mean --timeline?"),
        (["--showall", "x.py"], "did you mean --show-all?"),
        (["--no-color", "x.py"], "there is no option --no-color: did you mean --color never?"),
        (["-V"], "there is no option -V: did you mean --version or -v?"),
        (["--flat", "--timeline", "x.py"], "--flat and --timeline cannot be had together: a table of functions has no"),
        (["--frobnicate", "x.py"], "there is no option --frobnicate; stacklapse --help lists what there is"),
        (["-i", "10ns", "x.py"], "-i takes a time from 1us to 10s, not '10ns'"),
        (["-i", "fast", "x.py"], "-i takes a time such as 1ms"),
        (["--interval=5x", "x.py"], "--interval does not know the unit 'x'"),
        (["--rate", "0", "x.py"], "--rate takes 0.1 to"),
        (["--rate=1ms", "x.py"], "how many samples a second"),
        (["--threads", "mian", "x.py"], "did you mean main?"),
        (["--color=alwys", "x.py"], "did you mean always?"),
        (["--mode", "CPU", "x.py"], "did you mean cpu?"),
        (["-r", "jason", "x.py"], "did you mean json?"),
        (["-f", "nothing-like-it", "x.py"], "not 'nothing-like-it'"),
        (["--threshold", "200", "x.py"], "0 to 100 percent"),
        (["-o"], "-o needs a value: -o FILE"),
        (["--python"], "--python needs a value: --python PATH"),
        (["-o", "", "x.py"], "-o takes the name of a file"),
        (["--flat=yes", "x.py"], "--flat takes no value"),
        (["-X", "dev", "x.py"], "stacklapse -- python -X"),
        (["-m"], "-m needs the name of a module"),
        (["-c"], "-c needs a program"),
        (["--"], "-- needs a command"),
        ([], "nothing to run"),
        (["-q"], "nothing to run"),
        (["nosuch.py"], "no such file: nosuch.py"),
        (["no/such.py"], "no such file: no/such.py"),
        (["veiw"], "did you mean stacklapse view?"),
        (["-q", "view"], "the sub-command comes before all options: stacklapse view"),
        (["sleep", "1"], "stacklapse -- sleep"),
        (["--", "no-such-command"], "no such command on PATH: no-such-command"),
        (["--", "./no-such-command"], "./no-such-command is not a file that can be executed"),
        (["--python", "no-such-python", "-c", ""], "no such Python on PATH: no-such-python"),
        (["--python", "/no/such/python", "-c", ""], "no such Python: /no/such/python"),
        (["--python", "/tmp", "-c", ""], "there is no bin/python in /tmp"),
        (["-o", "report.xyz", "-c", ""], "-r does: text"),
        (["-o", "no/such/report.txt", "-c", ""], "cannot write no/such/report.txt: No such file or directory"),
        (["-o", ".", "-r", "text", "-c", ""], "cannot write .: it is a directory"),
        (["-o", "nowhere/", "-r", "text", "-c", ""], "cannot write nowhere/: Is a directory"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_one_sentence(stacklapse: Command, arguments: list[str], sentence: str) -> None:
    run = stacklapse(*arguments)
    assert run.exit_code == NOT_STARTED
    assert run.stdout == ""
    assert re.fullmatch(r"stacklapse: [^\n]*[^\n.]\n", run.stderr), run.stderr
    assert sentence in run.stderr
    assert not stacklapse.state.exists()


@pytest.mark.parametrize(
    ("arguments", "exit_code", "sentence"),
    [
        (["view", "-i", "1ms"], USAGE, "-i is not an option of this sub-command"),
        (["view", "--falt"], USAGE, "did you mean --flat?"),
        (["view", "--timeline", "--flat"], USAGE, "--flat and --timeline cannot be had together"),
        (["info", "-V"], USAGE, "there is no option -V: did you mean --version?"),
        (["view"], FAILED, "there is no recording yet"),
        (["view", "3"], FAILED, "there is no recording yet"),
        (["view", "nosuch.lapse"], FAILED, "no such recording: nosuch.lapse"),
        (["view", "/"], FAILED, "/"),
        (["info", "/etc/passwd"], FAILED, "/etc/passwd"),
        (["info", "/dev/null"], FAILED, "/dev/null"),
        (["attach"], USAGE, "which process? stacklapse attach PID"),
        (["attach", "app.py"], USAGE, "attach takes the number of a process, not 'app.py'"),
        (["attach", "-1"], USAGE, "there is no option -1"),
        (["attach", "--", "-1"], USAGE, "not '-1'"),
        (["attach", "4294967297"], USAGE, "not '4294967297'"),
        (["attach", "--python", "python", "1"], USAGE, "--python is not an option of this sub-command"),
        (["attach", "-d", "0", "1"], USAGE, "-d takes a time from 1us to 604800s, not '0'"),
        (["attach", "-o", "no/such/report.txt", "1"], FAILED, "cannot write no/such/report.txt"),
        (
            ["-d", "10s", "x.py"],
            125,
            "-d is not an option of a program that is started, but of stacklapse attach",
        ),
        (
            ["top", "--push", "http://x", "1"],
            USAGE,
            "--push is not an option of this sub-command, but of stacklapse script.py and attach",
        ),
        (["dump"], USAGE, "which process? stacklapse dump PID"),
        (["dump", "app.py"], USAGE, "dump takes the number of a process, not 'app.py'"),
        (["dump", "-i", "1ms", "1"], USAGE, "-i is not an option of this sub-command"),
        (["dump", "--json=yes", "1"], USAGE, "--json takes no value"),
        (["info", "--flat"], USAGE, "--flat is not an option of this sub-command"),
    ],
)
def test_the_other_sub_commands_too(stacklapse: Command, arguments: list[str], exit_code: int, sentence: str) -> None:
    run = stacklapse(*arguments)
    assert (run.exit_code, run.stdout) == (exit_code, "")
    assert re.fullmatch(r"stacklapse: [^\n]*[^\n.]\n", run.stderr), run.stderr
    assert sentence in run.stderr


def test_all_ways_of_writing_an_option_mean_the_same(stacklapse: Command, any_python: Interpreter) -> None:
    python = f"--python={any_python.path}"
    for number, options in enumerate(
        [
            ["-i", "2ms", "-q", "-r", "json"],
            ["-i2ms", "-qrjson"],
            ["-i=2ms", "-q", "-f=json"],
            ["--interval", "2ms", "--quiet", "--format", "json"],
            ["--interval=0.002", "--quiet", "--renderer=json"],
            ["--rate", "500", "-qfjson"],
            ["run", "-i", "2ms", "-r", "json"],
        ]
    ):
        where = 1 if options[0] == "run" else 0
        run = stacklapse(*options[:where], python, *options[where:], "-c", "print('hello')")
        assert run.exit_code == 0, run.stderr
        assert run.stdout.startswith("hello\n{"), options
        assert "interval: 0.002000000 s" in stacklapse("info").stdout, number


def test_help_and_version_go_to_standard_output(stacklapse: Command) -> None:
    for arguments in (["--help"], ["-h"], ["run", "--help"], ["-i", "1ms", "--help"]):
        run = stacklapse(*arguments)
        assert (run.exit_code, run.stderr) == (0, "")
        assert run.stdout.startswith("stacklapse ")
        assert {"--interval", "--output", "-o", "--help"} <= options_of(run.stdout)
        assert max(len(line) for line in run.stdout.splitlines()) <= 110
    for command in ("attach", "dump", "view", "info", "requests", "token"):
        run = stacklapse(command, "--help")
        assert (run.exit_code, run.stderr) == (0, "")
        assert f"stacklapse {command}" in run.stdout
    assert "--interval" not in stacklapse("view", "--help").stdout
    run = stacklapse("--version")
    assert (run.exit_code, run.stderr) == (0, "")
    assert re.fullmatch(r"stacklapse \d+\.\d+\.\d+\n", run.stdout)


def test_help_that_cannot_be_written_is_a_failure(stacklapse: Command) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([stacklapse.path, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "No space left" in done.stderr


def test_the_man_page_has_every_option_sub_command_and_format(stacklapse: Command) -> None:
    page = (TOP / "docs" / "stacklapse.1").read_text()
    named = {f"-{name}" for name in re.findall(r"Fl (\S+)", page)}
    help_text = stacklapse("--help").stdout
    documented = options_of(help_text)
    for command in ("attach", "dump", "view", "diff", "requests", "token"):
        documented |= options_of(stacklapse(command, "--help").stdout)
    assert documented <= named, documented - named
    assert {name for name in named if name.startswith("--")} <= documented | {"--"}
    commands = re.search(r"Sub-commands.*?\n\n", help_text, re.DOTALL)
    formats = re.search(r"Formats\n.*?\n\n", help_text, re.DOTALL)
    assert commands
    assert formats
    for section in (commands, formats):
        for name in re.findall(r"^  (\w+) ", section.group(), re.MULTILINE):
            assert re.search(rf"^\.(It|Ss|Nm).*\b{name}\b", page, re.MULTILINE), f"{name} is not in the man page"


def test_the_man_page_is_in_order() -> None:
    try:
        done = subprocess.run(
            ["mandoc", "-Tlint", "-Wwarning", TOP / "docs" / "stacklapse.1"],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("mandoc is not installed")
    assert (done.returncode, done.stdout) == (0, "")
