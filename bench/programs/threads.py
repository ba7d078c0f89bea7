"""As many threads as the first argument says; as many of them as the second says compute, the others sleep. Says
its pid, and ends with its input."""

import os
import sys
import threading
import time

done = threading.Event()


def compute() -> None:
    while not done.is_set():
        sum(range(200))


def idle() -> None:
    while not done.is_set():
        time.sleep(3600)


count, busy = int(sys.argv[1]), int(sys.argv[2])
# Those that compute come last: they would keep the others from starting.
for number in range(count):
    threading.Thread(target=idle if number < count - busy else compute, daemon=True).start()
time.sleep(1)
print(os.getpid(), flush=True)
sys.stdin.read()
