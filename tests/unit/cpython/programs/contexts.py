"""What test_context.c looks at: enters a context with as many variables as its argument says, prints `VARIABLE VALUE`
for each, the addresses of the two, 0 for the value of one that is not set, then a line with a dot, and stays in it."""

import contextvars
import os
import sys

count = int(sys.argv[1])
variables = [contextvars.ContextVar(f"variable {number}") for number in range(count)]
absent = [contextvars.ContextVar(f"absent {number}") for number in range(50)]
values = [object() for _ in variables]


def stay():
    for variable, value in zip(variables, values, strict=True):
        variable.set(value)
    lines = [f"{id(variable):x} {id(value):x}\n" for variable, value in zip(variables, values, strict=True)]
    lines += [f"{id(variable):x} 0\n" for variable in absent]
    os.write(1, ("".join(lines) + ".\n").encode())
    os.read(0, 1)


if count:
    contextvars.Context().run(stay)
else:
    stay()
