"""Runs for SECONDS at a stack of changing depth, then tells the time and ends at once.

usage: last_word.py SECONDS
"""

import os
import sys
import time


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


finish = time.perf_counter() + float(sys.argv[1])
while time.perf_counter() < finish:
    fib(12)
os.write(1, b"%d\n" % time.clock_gettime_ns(time.CLOCK_MONOTONIC))
os._exit(0)
