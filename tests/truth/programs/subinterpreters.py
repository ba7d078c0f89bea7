"""Computes in the main interpreter and in a subinterpreter by turns. Prints how long each took, in ns.

usage: subinterpreters.py SECONDS
"""

import json
import os
import sys
import time

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

now = time.perf_counter_ns

# What runs in the subinterpreter has nothing in common with this module: it tells its time through a pipe.
INSIDE = """\
import os
import time

now = time.perf_counter_ns

def guest(begin):
    while now() < begin + 6_000_000:
        pass
    return now() - begin

os.write({pipe}, b"%d\\n" % guest(now()))
"""


def host(end):
    while now() < end:
        pass


def main(seconds):
    took = {"host": 0, "guest": 0}
    other = interpreters.create()
    reading, writing = os.pipe()
    run = getattr(interpreters, "exec", None) or interpreters.run_string
    finish = now() + int(seconds * 1e9)
    while now() < finish:
        run(other, INSIDE.format(pipe=writing))
        took["guest"] += int(os.read(reading, 100))
        begin = now()
        host(begin + 4_000_000)
        took["host"] += now() - begin
    interpreters.destroy(other)
    print(json.dumps(took))


main(float(sys.argv[1]))
