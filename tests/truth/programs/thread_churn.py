"""Threads that come and go, each named after the function it runs. Prints how long all of each kind ran, in ns.

usage: thread_churn.py SECONDS
"""

import json
import sys
import threading
import time

now = time.perf_counter_ns
took = {"fleeting": 0, "lasting": 0}
guard = threading.Lock()


def nap(seconds):
    time.sleep(seconds)


def fleeting():
    begin = now()
    nap(0.003)
    with guard:
        took["fleeting"] += now() - begin


def lasting():
    begin = now()
    nap(0.012)
    with guard:
        took["lasting"] += now() - begin


def main(seconds):
    finish = now() + int(seconds * 1e9)
    while now() < finish:
        threads = [threading.Thread(target=function) for function in (fleeting, lasting, fleeting)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(json.dumps(took))


main(float(sys.argv[1]))
