"""What type checkers are told of the package is what is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from support.command import Command
from support.inside import package_path

DOCUMENTS = Path(__file__).resolve().parents[2] / "docs"

USE = """\
import stacklapse


@stacklapse.profile
def plain(number: int) -> str:
    return str(number)


@stacklapse.profile(interval=0.0005)
async def coroutine() -> int:
    return 1


def use() -> str:
    with stacklapse.Profiler(interval=0.001, async_mode="disabled", threads="all") as profiler:
        text: str = plain(1)
    session = profiler.last_session
    assert session is not None
    content: bytes = stacklapse.PstatsRenderer().render(session)
    content = profiler.output(stacklapse.PstatsRenderer())
    text += profiler.output(stacklapse.HTMLRenderer())
    root = session.root_frame()
    return text + str(content) + (root.function if root is not None else "")


def made(profiler: stacklapse.Profiler, renderer: stacklapse.Renderer) -> str | bytes:
    return profiler.output(renderer)


class Kitchen:
    @stacklapse.profile
    @classmethod
    def cook(cls, count: int) -> int:
        return count

    @stacklapse.profile
    @staticmethod
    async def clean(count: int) -> int:
        return count


eggs: int = Kitchen.cook(1)
stacklapse.Profiler(async_mode="bogus")  # type: ignore[arg-type]
"""


def run(command: Command, *arguments: str) -> str:
    package = str(package_path(command))
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=command.folder,
        env=os.environ | {"PYTHONPATH": package, "MYPYPATH": package},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_stubs_of_the_native_module_are_what_it_has(stacklapse: Command) -> None:
    run(stacklapse, "mypy.stubtest", "stacklapse._native")


def test_the_examples_of_the_documentation_are_checked_strictly(stacklapse: Command) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCUMENTS / "profiler.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 5
    (stacklapse.folder / "examples.py").write_text("".join(blocks))
    run(stacklapse, "mypy", "--strict", "examples.py")


def test_a_program_that_uses_the_package_is_checked_strictly(stacklapse: Command) -> None:
    (stacklapse.folder / "use.py").write_text(USE)
    run(stacklapse, "mypy", "--strict", "use.py")
