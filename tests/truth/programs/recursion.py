"""Computes at the bottom of a recursion, at a depth that changes from turn to turn. Prints how long it computed at
each depth, in ns.

usage: recursion.py SECONDS DEPTH...
"""

import json
import sys

from timing import Times, now


def bottom(duration):
    begin = last = now()
    while last < begin + duration:
        last = now()
    return begin, last


def descend(levels, duration):
    if levels > 1:
        return descend(levels - 1, duration)
    before = now()
    inside = bottom(duration)
    return before, inside, now()


def main(seconds, depths):
    sys.setrecursionlimit(max(depths) + 1000)
    times = Times(*depths)
    finish = now() + int(seconds * 1e9)
    while now() < finish:
        for turn, depth in enumerate(depths):
            times.add(depth, *descend(depth, 3_000_000 + turn * 2_000_000 + depth * 5_000))
    print(json.dumps(times.told()))


main(float(sys.argv[1]), [int(depth) for depth in sys.argv[2:]])
