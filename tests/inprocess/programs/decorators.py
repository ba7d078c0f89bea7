"""`stacklapse.profile` before a function of any kind and around a block."""

import asyncio
import contextlib
import functools
import inspect
import io
import json
import sys
import types

import stacklapse
from stacklapse import HTMLRenderer, JSONRenderer
from work import spin


@contextlib.contextmanager
def printed():
    caught, before = io.StringIO(), sys.stderr
    sys.stderr = caught
    try:
        yield caught
    finally:
        sys.stderr = before


@stacklapse.profile
def function(number, *, word="x"):
    """Its documentation."""
    spin(0.03)
    return number, word


@stacklapse.profile(interval=0.0005)
async def coroutine(number):
    await asyncio.sleep(0)
    spin(0.03)
    return number


@stacklapse.profile()
def generator(count):
    received = []
    for number in range(count):
        spin(0.02)
        try:
            received.append((yield number))
        except KeyError:
            received.append("thrown")
    return received


@stacklapse.profile
async def async_generator(count):
    for number in range(count):
        spin(0.02)
        try:
            await asyncio.sleep(0)
            yield number
        except KeyError:
            yield "thrown"


@stacklapse.profile
@types.coroutine
def awaitable_generator(number):
    yield from asyncio.sleep(0).__await__()
    spin(0.03)
    return number


class Kitchen:
    @stacklapse.profile
    def cook(self):
        spin(0.03)
        return self

    @staticmethod
    @stacklapse.profile
    def clean():
        spin(0.03)

    @stacklapse.profile
    @staticmethod
    def peel(number):
        spin(0.03)
        return number

    @stacklapse.profile
    @staticmethod
    async def boil(number):
        await asyncio.sleep(0)
        spin(0.03)
        return number

    @stacklapse.profile
    @classmethod
    def open(cls, number):
        spin(0.03)
        return cls, number

    async def __call__(self, number):
        await asyncio.sleep(0)
        spin(0.03)
        return number


def check_kinds():
    assert function.__name__ == "function"
    assert function.__doc__ == "Its documentation."
    assert inspect.signature(function).parameters.keys() == {"number", "word"}
    assert inspect.iscoroutinefunction(coroutine)
    assert inspect.isgeneratorfunction(generator)
    assert inspect.isasyncgenfunction(async_generator)


def check_function():
    with printed() as report:
        assert function(1, word="y") == (1, "y")
    assert "Function function" in report.getvalue()
    assert "spin" in report.getvalue(), report.getvalue()
    with printed() as report:
        kitchen = Kitchen()
        assert kitchen.cook() is kitchen
        kitchen.clean()
    assert "Kitchen.cook" in report.getvalue()
    assert "Kitchen.clean" in report.getvalue()


def check_methods():
    for kitchen in (Kitchen, Kitchen()):
        with printed() as report:
            assert kitchen.peel(1) == 1
            assert kitchen.open(2) == (Kitchen, 2)
        assert "Function Kitchen.peel" in report.getvalue()
        assert "Function Kitchen.open" in report.getvalue()
        assert report.getvalue().count(" spin ") == 2, report.getvalue()
    assert isinstance(vars(Kitchen)["peel"], staticmethod)
    assert isinstance(vars(Kitchen)["open"], classmethod)


def check_coroutine():
    decorate = stacklapse.profile
    for function in (
        coroutine,
        awaitable_generator,
        Kitchen.boil,
        Kitchen().boil,
        decorate(Kitchen()),
        decorate(functools.partial(Kitchen())),
    ):
        with printed() as report:
            assert asyncio.run(awaiting(function, 7)) == 7
        assert report.getvalue().count(" Function ") == 1, report.getvalue()
        assert "spin" in report.getvalue(), report.getvalue()


async def awaiting(function, number):
    return await function(number)


def check_generator():
    with printed() as report:
        running = generator(3)
        assert not report.getvalue()
        assert next(running) == 0
        assert running.send("a") == 1
        assert running.throw(KeyError()) == 2
        try:
            running.send("b")
        except StopIteration as end:
            assert end.value == ["a", "thrown", "b"]
    assert "generator" in report.getvalue()
    assert "spin" in report.getvalue(), report.getvalue()
    with printed() as report:
        running = generator(3)
        next(running)
        running.close()
    assert "spin" in report.getvalue(), report.getvalue()


async def use_async_generator():
    running = async_generator(2)
    items = [await running.asend(None), await running.athrow(KeyError())]
    async for item in running:
        items.append(item)
    assert items == [0, "thrown", 1]
    running = async_generator(2)
    async for _ in running:
        break
    await running.aclose()


def check_async_generator():
    with printed() as report:
        asyncio.run(use_async_generator())
    assert report.getvalue().count(" Function ") == 2, report.getvalue()
    assert "spin" in report.getvalue(), report.getvalue()


def check_block():
    with printed() as report, stacklapse.profile():
        spin(0.03)
    assert "Block at" in report.getvalue()
    with printed() as report, stacklapse.profile(renderer=JSONRenderer(), target_description="lunch"):
        spin(0.03)
    assert '"lunch"' in report.getvalue()
    with printed() as report, contextlib.ExitStack() as stack:
        stack.enter_context(stacklapse.profile(renderer=JSONRenderer()))
        line = sys._getframe().f_lineno - 1
    assert json.loads(report.getvalue())["recording"]["description"] == f"Block at {__file__}:{line}"
    block = stacklapse.profile()
    with printed(), block:
        spin(0.001)
        try:
            with block:
                raise AssertionError("it ran twice at a time")
        except RuntimeError as error:
            assert "brackets" in str(error)


def check_nesting():
    @stacklapse.profile
    def down(levels):
        spin(0.01)
        return down(levels - 1) if levels else "bottom"

    with printed() as report:
        assert down(3) == "bottom"
    assert report.getvalue().count(" Function check_nesting.") == 4, report.getvalue()

    @stacklapse.profile
    def fails():
        spin(0.01)
        raise LookupError

    with printed() as report:
        try:
            fails()
        except LookupError:
            pass
    assert "fails" in report.getvalue()


class Sessions(JSONRenderer):
    """Keeps what is to be printed."""

    def __init__(self):
        super().__init__()
        self.all = []

    def render(self, session):
        self.all.append(session)
        return ""


def outermost(session):
    """What the tree begins with. Nothing of it is the Profiler's own code."""
    document = session.to_json()
    functions = document["functions"]
    ours = {sys.modules[name].__file__ for name in ("stacklapse.profiler", "stacklapse.context_manager")}
    assert not ours & {function["file"] for function in functions}, functions
    nodes = document["tree"]
    assert sum(node["self_ns"] for node in nodes) == document["selection"]["total_ns"]
    calls = [node for node in nodes if node["kind"] == "function"]
    names = {functions[node["function"]]["name"] for node in calls if nodes[node["parent"]]["kind"] != "function"}
    return names - {"[missed]"}  # before the native thread had a CPU


def check_nothing_of_ours_is_told():
    sessions = Sessions()
    decorate = stacklapse.profile(interval=0.0005, renderer=sessions)

    async def coroutines():
        await decorate(coroutine.__wrapped__)(1)
        async for _ in decorate(async_generator.__wrapped__)(2):
            spin(0.01)

    def generators():
        for _ in decorate(generator.__wrapped__)(2):
            spin(0.01)

    def short():
        for _ in range(50):
            decorate(len)("")

    for program, root in (
        (lambda: decorate(function.__wrapped__)(1), {"function", "[profiler]"}),
        (lambda: asyncio.run(coroutines()), {"coroutine", "check_nothing_of_ours_is_told.<locals>.coroutines"}),
        (generators, {"check_nothing_of_ours_is_told.<locals>.generators"}),
        (short, {"[profiler]"}),
    ):
        sessions.all.clear()
        with printed(), stacklapse.Profiler(0.0002) as outer:
            program()
        for session in sessions.all:
            assert outermost(session) & root, (outermost(session), root)
        assert outermost(outer.last_session) == {"check_nothing_of_ours_is_told"}
    for _ in range(50):
        with stacklapse.Profiler() as profiler:
            pass
        assert outermost(profiler.last_session) <= {"check_nothing_of_ours_is_told"}


class Broken(io.StringIO):
    def write(self, text):
        raise LookupError(text)


def check_what_cannot_be_printed():
    @stacklapse.profile(renderer=HTMLRenderer())
    def größe():
        return "result"

    closed = io.StringIO()
    closed.close()
    for file in (None, closed, Broken(), types.SimpleNamespace()):
        with contextlib.redirect_stderr(file):
            assert größe() == "result"
            assert function(1) == (1, "x")
    for encoding, name in (("ascii", b"gr\\xf6\\xdfe"), ("utf-8", "größe".encode())):
        content = io.BytesIO()
        with contextlib.redirect_stderr(io.TextIOWrapper(content, encoding)):
            assert größe() == "result"
            sys.stderr.flush()
            assert name in content.getvalue()


check_kinds()
check_function()
check_methods()
check_coroutine()
check_generator()
check_async_generator()
check_block()
check_nesting()
check_nothing_of_ours_is_told()
check_what_cannot_be_printed()
