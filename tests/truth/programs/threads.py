"""One thread that computes and one that sleeps between two short computations, beside a main thread that waits for
them. Prints how long each part of each thread took, in ns.

usage: threads.py SECONDS
"""

import json
import sys
import threading
import time

from timing import Times, now

times = {name: Times(name) for name in ("compute", "doze", "wake")}


# So much work, not so much time: else a thread that was kept waiting for the GIL would leave the function right after.
def compute():
    begin = now()
    for _ in range(500_000):
        pass
    return begin, now()


def doze():
    begin = now()
    time.sleep(0.004)
    return begin, now()


# Long enough that a stack which changes while it is read, and is read again a little later, makes no difference: on a
# machine that takes 40 us for that, of 100 us at a time the end was seen too seldom.
def wake():
    begin = now()
    for _ in range(30_000):
        pass
    return begin, now()


def repeat(function):
    name = function.__name__
    before = now()
    inside = function()
    times[name].add(name, before, inside, now())


def computer(finish):
    while now() < finish:
        repeat(compute)


def sleeper(finish):
    while now() < finish:
        repeat(doze)
        repeat(wake)


def main(seconds):
    finish = now() + int(seconds * 1e9)
    threads = [threading.Thread(target=function, args=(finish,)) for function in (computer, sleeper)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = {name: part.took[name] for name, part in times.items()}
    print(json.dumps({"took": took, "unclear": sum(part.unclear for part in times.values())}))


main(float(sys.argv[1]))
