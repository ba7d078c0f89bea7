"""A chain of generators, and coroutines that run in turns: who may run below whom is known. Prints how long each leaf
took, in ns.

usage: generators.py SECONDS
"""

import asyncio
import json
import random
import sys
import time

now = time.perf_counter_ns
took = {"first_leaf": 0, "second_leaf": 0, "third_leaf": 0, "fourth_leaf": 0}
turns = random.Random(5)


def spin(name, longest):
    begin = now()
    end = begin + turns.randrange(longest)
    while now() < end:
        pass
    took[name] += now() - begin


def first_leaf():
    spin("first_leaf", 400_000)


def second_leaf():
    spin("second_leaf", 200_000)


def third_leaf():
    spin("third_leaf", 300_000)


def fourth_leaf():
    spin("fourth_leaf", 100_000)


def inner(count):
    for number in range(count):
        first_leaf()
        yield number


def outer(count):
    for number in inner(count):
        second_leaf()
        yield number
    yield from inner(count)


def consume():
    for _ in outer(20):
        pass


async def deepest():
    third_leaf()
    await asyncio.sleep(0)


async def middle():
    await deepest()
    fourth_leaf()


async def task():
    for _ in range(10):
        await middle()


async def together():
    await asyncio.gather(task(), task(), task())


def main(seconds):
    finish = now() + int(seconds * 1e9)
    while now() < finish:
        consume()
        asyncio.run(together())
    print(json.dumps(took))


main(float(sys.argv[1]))
