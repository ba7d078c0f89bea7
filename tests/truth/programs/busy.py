"""Three functions that compute, in turns of uneven length. Prints how long each of them took, in ns.

usage: busy.py SECONDS
"""

import json
import random
import sys
import time

now = time.perf_counter_ns


def brisk(end):
    while now() < end:
        pass
    return now()


def calm(end):
    while now() < end:
        pass
    return now()


def rare(end):
    while now() < end:
        pass
    return now()


def main(seconds):
    took = {"brisk": 0, "calm": 0, "rare": 0}
    turns = random.Random(11)
    finish = now() + int(seconds * 1e9)
    while now() < finish:
        for function, share in ((brisk, 6), (calm, 3), (rare, 1)):
            begin = now()
            took[function.__name__] += function(begin + turns.randrange(share * 600_000)) - begin
    print(json.dumps(took))


main(float(sys.argv[1]))
