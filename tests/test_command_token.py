"""`stacklapse token` makes what the web integrations let in."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest
from support.command import Command
from support.inside import package_path
from support.interpreters import Interpreter

SECRET = "correct horse battery staple ü"
CHECK = """
import os, sys
from stacklapse._web.tokens import valid
secret = os.environb[b"SECRET"]
print(*(valid(secret, sys.argv[1], float(now)) for now in sys.argv[2:]))
"""


def token(stacklapse: Command, *arguments: str, secret: str | None = SECRET) -> str:
    run = stacklapse("token", *arguments, environment={} if secret is None else {"STACKLAPSE_SECRET": secret})
    assert (run.exit_code, run.stderr) == (0, "")
    assert re.fullmatch(r"sl1\.[1-9]\d+\.[A-Za-z0-9_-]{43}\n", run.stdout), run.stdout
    return run.stdout.strip()


def valid(stacklapse: Command, python: Interpreter, made: str, *moments: float, secret: str = SECRET) -> list[bool]:
    done = subprocess.run(
        [python.path, "-c", CHECK, made, *map(str, moments)],
        env=stacklapse.environment() | {"PYTHONPATH": str(package_path(stacklapse)), "SECRET": secret},
        capture_output=True,
        text=True,
        check=True,
    )
    return [word == "True" for word in done.stdout.split()]


def test_a_token_is_good_until_it_ends(stacklapse: Command, python: Interpreter) -> None:
    before = time.time()
    made = token(stacklapse, "--ttl", "90s")
    after = time.time()
    expires = int(made.split(".")[1])
    assert before + 90 <= expires <= after + 91
    assert valid(stacklapse, python, made, expires - 0.1, expires, expires + 1) == [True, False, False]
    assert valid(stacklapse, python, made, after, secret="another secret of that length") == [False]


def test_ten_minutes_unless_told_otherwise(stacklapse: Command) -> None:
    now = time.time()
    for arguments, seconds in (((), 600), (("--ttl=10m",), 600), (("--ttl", "2h"), 7200), (("--ttl", "30"), 30)):
        expires = int(token(stacklapse, *arguments).split(".")[1])
        assert seconds <= expires - now <= seconds + 60, arguments


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_the_secret_from_a_file_is_without_the_end_of_its_line(
    stacklapse: Command, any_python: Interpreter, tmp_path: Path, end: str
) -> None:
    path = tmp_path / "secret"
    path.write_bytes((SECRET + end).encode())
    made = token(stacklapse, "--secret-file", str(path), secret="what is in the file goes first")
    assert valid(stacklapse, any_python, made, time.time()) == [True]


def test_long_secrets_too(stacklapse: Command, any_python: Interpreter) -> None:
    for size in (16, 63, 64, 65, 5000):
        secret = "s" * size
        assert valid(stacklapse, any_python, token(stacklapse, secret=secret), time.time(), secret=secret) == [True]


def test_what_is_wrong_is_told_without_the_secret(stacklapse: Command, tmp_path: Path) -> None:
    (tmp_path / "short").write_text("fifteen bytes..\n")
    (tmp_path / "empty").write_text("")
    (tmp_path / "long").write_bytes(b"x" * 65537)
    for arguments, environment, exit_code, words in [
        ([], {}, 2, "--secret-file, or set STACKLAPSE_SECRET"),
        ([], {"STACKLAPSE_SECRET": "sesame"}, 2, "at least 16 bytes"),
        (["--secret-file", "short"], {}, 2, "at least 16 bytes"),
        (["--secret-file", "empty"], {}, 2, "at least 16 bytes"),
        (["--secret-file", "long"], {}, 2, "longer than 65536 bytes"),
        (["--secret-file", "/dev/zero"], {}, 2, "longer than 65536 bytes"),
        (["--secret-file", "nowhere"], {}, 1, "nowhere: No such file or directory"),
        (["--secret-file", "/"], {}, 1, "Is a directory"),
        (["--secret-file", ""], {}, 2, "--secret-file takes"),
        (["sesame sesame sesame"], {"STACKLAPSE_SECRET": SECRET}, 2, "nothing to name"),
        (["--ttl", "0s"], {"STACKLAPSE_SECRET": SECRET}, 2, "--ttl takes a time from 1s to 604800s"),
        (["--ttl", "9999h"], {"STACKLAPSE_SECRET": SECRET}, 2, "--ttl takes a time from 1s to 604800s"),
        (["--ttl", "soon"], {"STACKLAPSE_SECRET": SECRET}, 2, "--ttl takes a time"),
        (["--flat"], {"STACKLAPSE_SECRET": SECRET}, 2, "not an option of this sub-command"),
    ]:
        run = stacklapse("token", *arguments, environment=environment, cwd=tmp_path)
        assert (run.exit_code, run.stdout) == (exit_code, ""), (arguments, run)
        assert re.fullmatch(r"stacklapse: [^\n]*[^\n.]\n", run.stderr), run.stderr
        assert words in run.stderr, arguments
        assert "fifteen" not in run.stderr
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [stacklapse.path, "token"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=stacklapse.environment() | {"STACKLAPSE_SECRET": SECRET},
            check=False,
        )
    assert done.returncode == 1
    assert b"No space left" in done.stderr
