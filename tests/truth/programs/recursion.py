"""Computes at the bottom of a recursion, at a depth that changes from turn to turn. Prints how long it computed at
each depth, in ns.

usage: recursion.py SECONDS DEPTH...
"""

import json
import sys
import time

now = time.perf_counter_ns


def bottom(duration):
    begin = now()
    while now() < begin + duration:
        pass
    return now() - begin


def descend(levels, duration):
    if levels > 1:
        return descend(levels - 1, duration)
    return bottom(duration)


def main(seconds, depths):
    sys.setrecursionlimit(max(depths) + 1000)
    took = dict.fromkeys(depths, 0)
    finish = now() + int(seconds * 1e9)
    while now() < finish:
        for turn, depth in enumerate(depths):
            took[depth] += descend(depth, 3_000_000 + turn * 2_000_000 + depth * 5_000)
    print(json.dumps(took))


main(float(sys.argv[1]), [int(depth) for depth in sys.argv[2:]])
