"""Runs in step with the interval: 0.3 ms of one function, 0.8 ms of another, and again. Says what it took of each."""

import json
import sys
import time

from stacklapse import Profiler


def parse(end):
    while time.perf_counter() < end:
        pass


def compute(end):
    while time.perf_counter() < end:
        pass


def main(seconds):
    took = {"parse": 0.0, "compute": 0.0}
    end = time.perf_counter() + seconds
    while (now := time.perf_counter()) < end:
        parse(now + 0.0003)
        middle = time.perf_counter()
        compute(middle + 0.0008)
        took["parse"] += middle - now
        took["compute"] += time.perf_counter() - middle
    return took


with Profiler(interval=float(sys.argv[3])) as profiler:
    took = main(float(sys.argv[2]))
profiler.save(sys.argv[1])
print(json.dumps(took))
