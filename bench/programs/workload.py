"""Fixed amounts of work for the benchmarks. Prints how long it took, waits for a line on stdin, ends.

usage: workload.py CPU NAME AMOUNT     CPU: the core it pins itself to, or - for any
"""

import json
import os
import sys
import time


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def short_calls(amount):
    for _ in range(amount):
        fib(18)


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def moved(self, other):
        return Point(self.x + other.x, self.y + other.y)

    def length(self):
        return self.x * self.x + self.y * self.y


def methods(amount):
    step = Point(1, 2)
    for _ in range(amount):
        point = Point(0, 0)
        for _ in range(2000):
            point = point.moved(step)
            point.length()


def loop(amount):
    total = 0
    for _ in range(amount):
        for number in range(60_000):
            total += number * number
    return total


def descend(levels, rest):
    if levels > 0:
        return descend(levels - 1, rest) + 1
    return rest()


def recursion(amount, depth=300):
    """Up and down a recursion, all the time: the stack is never the same for longer than a call."""
    for _ in range(amount):
        for _ in range(60):
            descend(depth, int)


def steady(amount, depth=30):
    """Calls at the end of a stack of that depth."""

    def leaf():
        for _ in range(amount):
            fib(16)
        return 0

    return descend(depth - 4, leaf)


WORK = {"short_calls": short_calls, "methods": methods, "loop": loop, "recursion": recursion, "steady": steady}


def main():
    core, name, amount = sys.argv[1:4]
    if core != "-":
        os.sched_setaffinity(0, {int(core)})
    work = WORK[name]
    work(1)
    begin, cpu_begin = time.perf_counter(), time.process_time()
    work(int(amount))
    took, cpu_took = time.perf_counter() - begin, time.process_time() - cpu_begin
    print(json.dumps({"seconds": took, "cpu_seconds": cpu_took, "pid": os.getpid()}), flush=True)
    sys.stdin.readline()


main()
