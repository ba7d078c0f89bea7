"""Computes in the main interpreter and in a subinterpreter by turns. Prints how long each took, in ns.

usage: subinterpreters.py SECONDS
"""

import json
import os
import sys

from timing import Times, now

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

# What runs in the subinterpreter has nothing in common with this module: it tells its time through a pipe.
INSIDE = """\
import os
import time

now = time.perf_counter_ns

def guest():
    begin = last = now()
    while last < begin + 6_000_000:
        last = now()
    return begin, last

before = now()
inside = guest()
os.write({pipe}, b"%d %d %d %d" % (before, *inside, now()))
"""


def host():
    begin = last = now()
    while last < begin + 4_000_000:
        last = now()
    return begin, last


def main(seconds):
    times = Times("host", "guest")
    other = interpreters.create()
    reading, writing = os.pipe()
    run = getattr(interpreters, "exec", None) or interpreters.run_string
    finish = now() + int(seconds * 1e9)
    while now() < finish:
        run(other, INSIDE.format(pipe=writing))
        before, begin, end, after = map(int, os.read(reading, 100).split())
        times.add("guest", before, (begin, end), after)
        before = now()
        inside = host()
        times.add("host", before, inside, now())
    interpreters.destroy(other)
    print(json.dumps(times.told()))


main(float(sys.argv[1]))
