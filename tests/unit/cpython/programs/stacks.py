"""What test_live.c looks at: builds a stack of the kind that its argument names, prints it, and stays in it.

One line for each frame, innermost first: qualified name, file and line, with tabs between them; then a line with a
dot. It goes on when a line arrives on standard input.
"""

import asyncio
import os
import sys

sys.setrecursionlimit(30000)


def write(lines):
    os.write(1, ("".join(line + "\n" for line in [*lines, "."])).encode("utf-8", "backslashreplace"))


def stay():
    lines = []
    frame = sys._getframe(1)
    while frame is not None:
        lines.append(f"{frame.f_code.co_qualname}\t{frame.f_code.co_filename}\t{frame.f_lineno}")
        frame = frame.f_back
    data = "".join(line + "\n" for line in [*lines, "."]).encode("utf-8", "backslashreplace")
    while data:
        data = data[os.write(1, data) :]
    os.read(0, 1)


def plain():
    stay()


def deep(depth=10000):
    if depth:
        return deep(depth - 1)
    return stay()


class Kitchen:
    def __init__(self):
        self.cook()

    def cook(self):
        def inner():
            return [stay() for _ in range(1)]

        return inner()


def instantiate():
    for turn in range(2):
        Kitchen() if turn else None
    Kitchen()


def warm_instantiate():
    class Light:
        def __init__(self, last):
            if last:
                stay()

    for turn in range(100):
        Light(turn == 99)


def generators():
    def numbers():
        yield 1
        stay()
        yield 2

    def outer():
        yield from numbers()

    return sum(number for number in outer())


def deep_generators(depth=300):
    def nest(left):
        if left:
            yield from nest(left - 1)
        else:
            stay()
            yield 1

    return list(nest(depth))


def through_c():
    def key(item):
        if item == 3:
            stay()
        return item

    def highest(item):
        return max([item], key=key)

    return sorted(map(highest, [1, 2, 3]))


def deep_through_c(depth=200):
    class Nest:
        def __init__(self, left):
            self.left = left

        def __len__(self):
            if self.left:
                return len(Nest(self.left - 1))
            stay()
            return 0

    return len(Nest(depth))


def coroutines():
    class Door:
        async def __aenter__(self):
            await asyncio.sleep(0)
            stay()

        async def __aexit__(self, *error):
            pass

    async def numbers():
        async with Door():
            yield 1

    async def main():
        async for _ in numbers():
            pass

    asyncio.run(main())


def other_letters():
    def café():
        def 名前():  # noqa: N802
            def ж𝒻():
                stay()

            ж𝒻()

        名前()

    café()


def made():
    source = "def one():\n\n    two()\ndef two(): stay(\n)\none()\n"
    exec(compile(source, "/srv/made\udcff.py", "exec"), {"stay": stay})


def finalizer():
    class Last:
        def __del__(self):
            stay()

    def leaves():
        last = Last()
        return last is None

    leaves()


def long_lines():
    source = "def far(a):\n" + "    a = a\n" * 30000 + "    stay()\nfar(1)\n"
    exec(compile(source, "<" + "long/" * 200 + ">", "exec"), {"stay": stay})


def subinterpreter():
    script = f"import sys; sys.argv = ['', 'plain']; exec(compile(open({__file__!r}).read(), {__file__!r}, 'exec'))"
    if sys.version_info >= (3, 13):
        import _interpreters as interpreters
    else:
        import _xxsubinterpreters as interpreters
    interpreters.run_string(interpreters.create(), script)


def facts():
    prefixes = []
    for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, sys._stdlib_dir):
        if prefix not in prefixes:
            prefixes.append(prefix)
    write([sys.executable, *prefixes, "", *sys.path])
    os.read(0, 1)


def path_taken_away():
    """As by an interpreter that ends. What lies in the place of sys.path looks like a list of texts, but is none."""

    class Taken:
        __slots__ = ("size", "items")

    taken = Taken()
    taken.size, taken.items = taken, ("wrong", "wrong too")
    executable = sys.executable
    sys.path = taken
    sys.prefix = 5
    write([executable])
    os.read(0, 1)


globals()[sys.argv[1]]()
