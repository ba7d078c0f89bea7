"""Three functions that compute, in turns of uneven length. Prints how long each of them took, in ns.

usage: busy.py SECONDS
"""

import json
import random
import sys

from timing import Times, now


def brisk(duration):
    begin = last = now()
    while last < begin + duration:
        last = now()
    return begin, last


def calm(duration):
    begin = last = now()
    while last < begin + duration:
        last = now()
    return begin, last


def rare(duration):
    begin = last = now()
    while last < begin + duration:
        last = now()
    return begin, last


def main(seconds):
    times = Times("brisk", "calm", "rare")
    turns = random.Random(11)
    finish = now() + int(seconds * 1e9)
    while now() < finish:
        for function, share in ((brisk, 6), (calm, 3), (rare, 1)):
            duration = turns.randrange(share * 600_000)
            before = now()
            inside = function(duration)
            times.add(function.__name__, before, inside, now())
    print(json.dumps(times.told()))


main(float(sys.argv[1]))
