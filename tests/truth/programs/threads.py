"""One thread that computes and one that sleeps between two short computations, beside a main thread that waits for
them. Prints how long each part of each thread took, in ns.

usage: threads.py SECONDS
"""

import json
import sys
import threading
import time

now = time.perf_counter_ns
took = {"compute": 0, "doze": 0, "wake": 0}


def compute(end):
    while now() < end:
        pass


def doze():
    time.sleep(0.004)


def wake():
    end = now() + 1_000_000
    while now() < end:
        pass


def computer(finish):
    while now() < finish:
        begin = now()
        compute(begin + 10_000_000)
        took["compute"] += now() - begin


def sleeper(finish):
    while now() < finish:
        begin = now()
        doze()
        between = now()
        wake()
        took["doze"] += between - begin
        took["wake"] += now() - between


def main(seconds):
    finish = now() + int(seconds * 1e9)
    threads = [threading.Thread(target=function, args=(finish,)) for function in (computer, sleeper)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(took))


main(float(sys.argv[1]))
