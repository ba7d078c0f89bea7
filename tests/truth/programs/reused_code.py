"""Code objects made by exec, run once and freed, so that the next ones lie where they lay.

Function generated_K comes from file generated_K.py and calls leaf_N with N = K modulo 16, and nothing else.

Prints how long what was made ran, and how long it took to make it, in ns.

usage: reused_code.py SECONDS
"""

import json
import sys

from timing import Times, now

KINDS = 509

SOURCE = """\
def generated_{kind}():
    {padding}
    leaf_{leaf}()

generated_{kind}()
"""

LEAF = """\
def leaf_{leaf}():
    for _ in turns:
        pass
"""

leaves = {"turns": range(1500)}
for number in range(16):
    exec(compile(LEAF.format(leaf=number), f"leaf_{number}.py", "exec"), leaves)

sources = [
    SOURCE.format(kind=kind, leaf=kind % 16, padding="; ".join(f"x{n} = {n}" for n in range(1 + kind % 7)))
    for kind in range(KINDS)
]


def make(kind):
    begin = now()
    code = compile(sources[kind], f"generated_{kind}.py", "exec")
    return code, (begin, now())


def run(code):
    begin = now()
    exec(code, dict(leaves))
    return begin, now()


def main(seconds):
    times = Times("make", "run")
    finish = now() + int(seconds * 1e9)
    kind = 0
    while now() < finish:
        before = now()
        code, making = make(kind)
        between = now()
        running = run(code)
        after = now()
        times.add("make", before, making, between)
        times.add("run", between, running, after)
        del code
        kind = (kind + 1) % KINDS
    print(json.dumps(times.told()))


main(float(sys.argv[1]))
