"""Computes at the bottom of a recursion, at a depth that changes from turn to turn. Prints how long it stayed at each
depth, in ns.

usage: recursion.py SECONDS DEPTH...
"""

import json
import sys
import time

now = time.perf_counter_ns


def bottom(end):
    while now() < end:
        pass


def descend(levels, end):
    if levels > 1:
        descend(levels - 1, end)
    else:
        bottom(end)


def main(seconds, depths):
    sys.setrecursionlimit(max(depths) + 1000)
    took = dict.fromkeys(depths, 0)
    finish = now() + int(seconds * 1e9)
    while now() < finish:
        for turn, depth in enumerate(depths):
            begin = now()
            descend(depth, begin + 3_000_000 + turn * 2_000_000)
            took[depth] += now() - begin
    print(json.dumps(took))


main(float(sys.argv[1]), [int(depth) for depth in sys.argv[2:]])
