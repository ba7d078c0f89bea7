"""Two functions that alternate in a strict rhythm, one for 27.2 % of each period. A run is made for each of several
phases against the clock's multiples of the interval. Prints how long both took in each, in ns.

usage: rhythm.py SECONDS INTERVAL_NS PERIOD_IN_INTERVALS PHASE...
"""

import json
import sys

from timing import Times, now


def short(end):
    begin = last = now()
    while last < end:
        last = now()
    return begin, last


def long(end):
    begin = last = now()
    while last < end:
        last = now()
    return begin, last


def phase(seconds, period, beat):
    times = Times("short", "long")
    long(beat)
    finish = beat + seconds * 1e9
    while beat < finish:
        before = now()
        inside_short = short(beat + 0.272 * period)
        between = now()
        inside_long = long(beat + period)
        after = now()
        times.add("short", before, inside_short, between)
        times.add("long", between, inside_long, after)
        # Beats that were missed, because something else had the CPU, are left out.
        beat += max(1, (after - beat) // period) * period
    return times.told()


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
