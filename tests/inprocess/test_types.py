"""What type checkers are told of the package is what is there."""

from __future__ import annotations

import os
import subprocess
import sys

from support.command import Command
from support.documentation import blocks
from support.inside import package_path
from support.interpreters import TOP

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

# What the programs for web frameworks in the documentation go on from, block by block; None: one whose functions have
# no types, as Flask's own documentation writes them.
FLASK = """\
import os

from flask import Flask
from stacklapse.flask import Stacklapse

app = Flask("app")
"""
BEFORE: dict[str, list[str | None]] = {
    "README.md": [FLASK],
    "docs/fastapi.md": [
        "",
        """\
import os

from fastapi import FastAPI
from stacklapse.asgi import ProfilerMiddleware

app = FastAPI()
""",
    ],
    "docs/flask.md": ["", FLASK, None],
    "docs/wsgi-asgi.md": [
        """\
from _typeshed.wsgi import WSGIApplication

app: WSGIApplication
""",
        """\
from starlette.types import ASGIApp

app: ASGIApp
""",
        """\
from _typeshed.wsgi import WSGIApplication
from stacklapse.wsgi import ProfilerMiddleware


class Application:
    wsgi_app: WSGIApplication


app = Application()
""",
    ],
}
STARLETTE = """\
from starlette.applications import Starlette
from starlette.middleware import Middleware
from stacklapse.asgi import ProfilerMiddleware

Starlette(middleware=[Middleware(ProfilerMiddleware, sample=0.1)])
Starlette().add_middleware(ProfilerMiddleware)
Starlette().add_middleware(ProfilerMiddleware, slop="500ms")  # type: ignore[call-arg]
"""
KEYWORDS = """\
from typing import get_type_hints

from stacklapse._web.options import Keywords, Options

assert get_type_hints(Keywords) == get_type_hints(Options)
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
    examples = [block.text for block in blocks(TOP / "docs" / "profiler.md") if block.kind == "python"]
    assert len(examples) >= 5
    (stacklapse.folder / "examples.py").write_text("".join(examples))
    run(stacklapse, "mypy", "--strict", "examples.py")


def test_a_program_that_uses_the_package_is_checked_strictly(stacklapse: Command) -> None:
    (stacklapse.folder / "use.py").write_text(USE)
    run(stacklapse, "mypy", "--strict", "use.py")


def test_what_the_documentation_tells_web_applications_to_write_is_checked_strictly(stacklapse: Command) -> None:
    programs = [stacklapse.folder / "starlette_program.py"]
    programs[0].write_text(STARLETTE)
    for document, before in BEFORE.items():
        examples = [block for block in blocks(TOP / document) if block.kind == "python not-run"]
        for example, start in zip(examples, before, strict=True):
            if start is not None:
                programs.append(stacklapse.folder / f"{example.document.stem.replace('-', '_')}_{example.line}.py")
                programs[-1].write_text(start + example.text)
    run(stacklapse, "mypy", "--strict", *map(str, programs))


def test_the_keywords_of_integrations_are_their_options(stacklapse: Command) -> None:
    (stacklapse.folder / "keywords.py").write_text(KEYWORDS)
    run(stacklapse, "keywords")
