"""Threads that come and go, beside others that wait all the time. Prints how long all of each kind ran, in ns.

usage: thread_churn.py SECONDS OTHERS
"""

import json
import sys
import threading
import time

from timing import Times, now

times = Times("fleeting", "lasting")
guard = threading.Lock()


def nap(seconds):
    time.sleep(seconds)


def fleeting():
    begin = now()
    nap(0.003)
    return begin, now()


def lasting():
    begin = now()
    nap(0.012)
    return begin, now()


def run(function):
    before = now()
    inside = function()
    after = now()
    with guard:
        times.add(function.__name__, before, inside, after)


def main(seconds, others):
    for _ in range(others):
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    finish = now() + int(seconds * 1e9)
    while now() < finish:
        threads = [threading.Thread(target=run, args=(function,)) for function in (fleeting, lasting, fleeting)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(json.dumps(times.told()))


main(float(sys.argv[1]), int(sys.argv[2]))
