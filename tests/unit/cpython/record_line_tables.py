"""Prints line tables of the running interpreter, with what it says itself of their lines, as lines of line_tables.h.

    for python in python3.11 python3.15; do $python record_line_tables.py; done

Each program stands for what a table can hold: several lines in one expression, steps back, jumps of many lines,
instructions without a line, functions that are longer than a short entry can tell, columns beyond a byte.
"""

import sys
from types import CodeType

PROGRAMS = {
    "straight": """
def f(a, b):
    c = a + b
    return c
""",
    "one_expression_on_many_lines": """
def f(g):
    return g(
        1,
        g(
            2,
        ),
    )
""",
    "steps_back": """
def f(xs):
    for x in xs:
        while x:
            x -= 1
    return [
        x
        for x in xs
        if x
    ]
""",
    "far_lines": "def f(a):\n    a()\n" + "\n" * 300 + "    a()\n" + "\n" * 5000 + "    return a\n",
    "no_line": """
def f(a):
    try:
        with a:
            a()
    except ValueError as error:
        raise a from error
    finally:
        a()
""",
    "wide_columns": "def f(a):\n    return " + "a + " * 60 + "a(" + "a, " * 20 + "a)\n",
    "generator": """
async def f(a):
    async with a as b:
        async for c in b:
            yield await c
""",
}


def function_code(module: CodeType) -> CodeType:
    return next(constant for constant in module.co_consts if isinstance(constant, CodeType))


def main() -> None:
    version = "{}.{}.{}".format(*sys.version_info[:3])
    for name, source in PROGRAMS.items():
        code = function_code(compile(source, name, "exec"))
        lines = [0] * (len(code.co_code) // 2)
        for start, end, line in code.co_lines():
            for unit in range(start // 2, end // 2):
                lines[unit] = line or 0
        runs: list[list[int]] = []
        for unit, line in enumerate(lines):
            if runs and runs[-1][1] == line:
                runs[-1][0] = unit + 1
            else:
                runs.append([unit + 1, line])
        table = ", ".join(map(str, code.co_linetable))
        spans = ", ".join(f"{{{end}, {line}}}" for end, line in runs)
        print(
            f'{{"{version} {name}", {code.co_firstlineno}, {len(lines)}, {len(code.co_linetable)}, '
            f"(const uint8_t[]){{{table}}}, {len(runs)}, (const struct sl_line_span[]){{{spans}}}}},"
        )


main()
