"""Functions that take turns on the same place of the stack, of which each only ever calls its own leaf. Prints how long
a leaf took on average, in ns.

usage: pairs.py SECONDS LEAF_NS

Allowed below `main`: red > red_leaf, green > green_leaf > green_twig, blue > blue_leaf.
"""

import json
import sys
import time

now = time.perf_counter_ns


def red_leaf(turns):
    for _ in turns:
        pass


def green_twig(turns):
    for _ in turns:
        pass


def green_leaf(turns):
    green_twig(turns)


def blue_leaf(turns):
    for _ in turns:
        pass


def red(turns):
    red_leaf(turns)


def green(turns):
    green_leaf(turns)


def blue(turns):
    blue_leaf(turns)


def measure(turns):
    """The quickest of several tries: whatever else the machine does only makes it slower."""
    tries = []
    for _ in range(100):
        begin = now()
        for _ in range(10):
            red_leaf(turns)
        tries.append((now() - begin) / 10)
    return min(tries)


def main(seconds, leaf_ns):
    count = 0
    while measure(range(count)) < leaf_ns and count < 100_000:
        count += 1 + count // 8
    turns = range(count)
    finish = now() + int(seconds * 1e9)
    while now() < finish:
        for _ in range(50):
            red(turns)
            green(turns)
            blue(turns)
    print(json.dumps({"leaf_ns": measure(turns)}))


main(float(sys.argv[1]), float(sys.argv[2]))
