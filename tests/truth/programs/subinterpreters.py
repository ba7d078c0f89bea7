"""Computes in the main interpreter and in a subinterpreter by turns. Prints how long each took, in ns.

usage: subinterpreters.py SECONDS
"""

import json
import sys
import time

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

now = time.perf_counter_ns

INSIDE = """\
import time

def guest(end):
    while time.perf_counter_ns() < end:
        pass

guest({end})
"""


def host(end):
    while now() < end:
        pass


def main(seconds):
    took = {"host": 0, "guest": 0}
    other = interpreters.create()
    run = getattr(interpreters, "exec", None) or interpreters.run_string
    finish = now() + int(seconds * 1e9)
    while now() < finish:
        begin = now()
        run(other, INSIDE.format(end=begin + 6_000_000))
        between = now()
        host(between + 4_000_000)
        took["guest"] += between - begin
        took["host"] += now() - between
    interpreters.destroy(other)
    print(json.dumps(took))


main(float(sys.argv[1]))
