"""A program with all that a format may stumble over: threads, recursion, a deep stack, names that are not nice."""

import sys
import threading
import time

from names import HOSTILE


def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def outer(seconds):
    inner(seconds)
    spin(seconds)


def inner(seconds):
    spin(seconds)


def recursive(depth, seconds, on_the_way):
    if depth == 0:
        spin(seconds)
    else:
        recursive(depth - 1, seconds, on_the_way)
        if depth % 5 == 0:
            spin(on_the_way)


def even(depth, seconds):
    return spin(seconds) if depth == 0 else odd(depth - 1, seconds)


def odd(depth, seconds):
    return spin(seconds) if depth == 0 else even(depth - 1, seconds)


def waits():
    time.sleep(0.3)


def call_hostile(name):
    def function():
        spin(0.01)

    file = 'bad "file"\n</script>.py' if "quote" in name else function.__code__.co_filename
    function.__code__ = function.__code__.replace(co_name=name, co_qualname=name, co_filename=file)
    function()


def main():
    sys.setrecursionlimit(20_000)
    threads = [threading.Thread(target=waits, name=f"waits-{n}") for n in range(3)]
    threads.append(threading.Thread(target=outer, args=(0.05,)))
    for thread in threads:
        thread.start()
    outer(0.1)
    recursive(20, 0.1, 0.025)
    even(7, 0.1)
    recursive(10_000, 0.05, 0.001) if "--deep" in sys.argv else recursive(50, 0.05, 0.0125)
    for name in HOSTILE:
        call_hostile(name)
    for thread in threads:
        thread.join()


main()
