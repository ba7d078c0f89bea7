"""Threads that each do one thing until a line comes on stdin.

usage: states.py CPU WAITING COMPUTING WAKING     CPU: the core it pins itself to; how many threads of each kind
"""

import os
import sys
import threading
import time


def wait():
    threading.Event().wait()


def compute():
    while True:
        sum(range(1000))


def wake():
    """Wakes up all the time, so that no look finds it as the one before it did."""
    while True:
        time.sleep(0.0001)


def main():
    os.sched_setaffinity(0, {int(sys.argv[1])})
    for name, count in zip(("wait", "compute", "wake"), sys.argv[2:], strict=True):
        for _ in range(int(count)):
            threading.Thread(target=globals()[name], daemon=True).start()
    print("ready", flush=True)
    sys.stdin.readline()
    os._exit(0)


main()
