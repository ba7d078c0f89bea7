"""Two functions that alternate in a strict rhythm, one for 27.2 % of each period. A run is made for each of several
phases against the clock's multiples of the interval. Prints for each phase how long both took, in ns.

usage: rhythm.py SECONDS INTERVAL_NS PERIOD_IN_INTERVALS PHASE...
"""

import json
import sys
import time

now = time.perf_counter_ns


def short(end):
    while now() < end:
        pass
    return now()


def long(end):
    while now() < end:
        pass
    return now()


def phase(seconds, period, start):
    took_short = took_long = 0
    beat = start
    finish = start + seconds * 1e9
    end = long(start)
    while end < finish:
        begin = end
        end = short(beat + 0.272 * period)
        took_short += end - begin
        beat += period
        begin = end
        end = long(beat)
        took_long += end - begin
    return {"short": took_short, "long": took_long}


def named(function, name):
    return type(function)(function.__code__.replace(co_name=name, co_qualname=name), globals())


def main(seconds, interval, rhythm, phases):
    took = []
    for number, offset in enumerate(phases):
        begin = now()
        start = begin - begin % interval + 3 * interval + offset * interval
        took.append(named(phase, f"phase_{number}")(seconds, rhythm * interval, start))
    print(json.dumps(took))


main(float(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), [float(offset) for offset in sys.argv[4:]])
