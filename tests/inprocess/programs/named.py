"""What is known of the task that a Profiler was started in. Writes PPROF for whoever reads its labels.

usage: named.py PPROF
"""

import asyncio
import sys
from pathlib import Path

from stacklapse import Profiler, Session
from work import spin


def names(session):
    return [thread["name"] for thread in session.to_json()["threads"]]


class Nameless(asyncio.Task):
    def get_name(self):
        raise RuntimeError("has none")


class Foreign(asyncio.Task):
    @property
    def get_coro(self):
        raise AttributeError("somebody's own kind of task")


async def profile():
    with Profiler(0.0005) as profiler:
        spin(0.02)
        await asyncio.sleep(0.01)
    return profiler.last_session


async def main():
    loop = asyncio.get_running_loop()
    first = await asyncio.create_task(profile(), name="pays the bill")
    same = await asyncio.create_task(profile(), name="pays the bill")
    other = await asyncio.create_task(profile(), name="b\u00fc\udc80rste")
    nameless = await Nameless(profile(), loop=loop)
    assert names(first) == ["pays the bill"], names(first)
    assert names(other) == ["b\u00fc\\udc80rste"], names(other)
    assert names(nameless) == [""], names(nameless)
    foreign = await Foreign(profile(), loop=loop, name="foreign")
    assert names(foreign) == ["foreign"], names(foreign)
    assert names(Session.combine(first, same)) == ["pays the bill"]
    renamed = await asyncio.create_task(profile(), name="eats")
    assert names(Session.combine(first, renamed)) == [""]
    first.save(Path(sys.argv[1]))


asyncio.run(main())

with Profiler(0.0005) as outside:
    spin(0.02)
assert names(outside.last_session) == [""]
