"""Code objects made by exec, run once and freed, so that the next ones lie where they lay.

Function generated_K comes from file generated_K.py and calls leaf_N with N = K modulo 16, and nothing else.

usage: reused_code.py SECONDS
"""

import sys
import time

now = time.perf_counter_ns

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

leaves = {"turns": range(400)}
for number in range(16):
    exec(compile(LEAF.format(leaf=number), f"leaf_{number}.py", "exec"), leaves)

# Sources are parsed once; what is made and freed again and again are the code objects, as marshal gives them.
sources = [
    SOURCE.format(kind=kind, leaf=kind % 16, padding="; ".join(f"x{n} = {n}" for n in range(1 + kind % 7)))
    for kind in range(KINDS)
]


def main(seconds):
    finish = now() + int(seconds * 1e9)
    kind = 0
    while now() < finish:
        code = compile(sources[kind], f"generated_{kind}.py", "exec")
        exec(code, dict(leaves))
        del code
        kind = (kind + 1) % KINDS


main(float(sys.argv[1]))
