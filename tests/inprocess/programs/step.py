"""Runs in step with the interval: 0.3 ms of one function, 0.8 ms of another, and again. Says what it took of each."""

import json
import sys
import time

from stacklapse import Profiler


now = time.perf_counter


def parse(end):
    begin = last = now()
    while last < end:
        last = now()
    return last - begin


def compute(end):
    begin = last = now()
    while last < end:
        last = now()
    return last - begin


def main(seconds):
    took = {"parse": 0.0, "compute": 0.0}
    unclear = 0.0
    end = now() + seconds
    while (begin := now()) < end:
        parsing = parse(begin + 0.0003)
        computing = compute(begin + 0.0011)
        took["parse"] += parsing
        took["compute"] += computing
        # Something else had the CPU between the two.
        edges = now() - begin - parsing - computing
        unclear += edges if edges > 20e-6 else 0
    return {"took": took, "unclear": unclear}


with Profiler(interval=float(sys.argv[3])) as profiler:
    told = main(float(sys.argv[2]))
profiler.save(sys.argv[1])
print(json.dumps(told))
