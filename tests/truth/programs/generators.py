"""A chain of generators, and coroutines that run in turns: who may run below whom is known. Prints how long each leaf
took, in ns.

usage: generators.py SECONDS
"""

import asyncio
import json
import random
import sys

from timing import Times, now, spin

times = Times("first_leaf", "second_leaf", "third_leaf", "fourth_leaf")
turns = random.Random(5)


def first_leaf():
    return spin(turns.randrange(1_600_000))


def second_leaf():
    return spin(turns.randrange(800_000))


def third_leaf():
    return spin(turns.randrange(1_200_000))


def fourth_leaf():
    return spin(turns.randrange(400_000))


def inner(count):
    for number in range(count):
        before = now()
        inside = first_leaf()
        times.add("first_leaf", before, inside, now())
        yield number


def outer(count):
    for number in inner(count):
        before = now()
        inside = second_leaf()
        times.add("second_leaf", before, inside, now())
        yield number
    yield from inner(count)


def consume():
    for _ in outer(20):
        pass


async def deepest():
    before = now()
    inside = third_leaf()
    times.add("third_leaf", before, inside, now())
    await asyncio.sleep(0)


async def middle():
    await deepest()
    before = now()
    inside = fourth_leaf()
    times.add("fourth_leaf", before, inside, now())


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
    print(json.dumps(times.told()))


main(float(sys.argv[1]))
