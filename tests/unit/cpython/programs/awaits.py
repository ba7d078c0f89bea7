"""What test_await.c looks at: makes a coroutine that is in the state or waits in the way that its argument names, and
prints its address. Then a line for each frame on the way to what it waits for, the outermost first: qualified name,
file and line with tabs between them; then a line with a dot. Then it stays as it is."""

import asyncio
import os
import sys
import types

frames = []


def here():
    """Notes the frame that calls this as the next one on the way."""
    frames.append(sys._getframe(1))


@types.coroutine
def stop_here():
    here()
    yield


async def end():
    here()
    await stop_here()


async def middle():
    here()
    await end()


async def coroutines():
    here()
    await middle()


@types.coroutine
def delegate():
    here()
    yield from end().__await__()


async def generators():
    here()
    await delegate()


async def numbers():
    here()
    yield 1
    await end()
    yield 2


async def async_for():
    here()
    async for _ in numbers():
        pass


async def next_of():
    here()
    generator = numbers()
    await anext(generator)
    await anext(generator, None)


async def answers():
    here()
    try:
        yield 1
    except ValueError:
        await end()


async def throws():
    here()
    generator = answers()
    await generator.asend(None)
    await generator.athrow(ValueError())


class Manager:
    async def __aenter__(self):
        here()
        await end()

    async def __aexit__(self, *error):
        pass


async def async_with():
    here()
    async with Manager():
        pass


class Awaitable:
    def __await__(self):
        here()
        yield from end().__await__()


async def own_awaitable():
    here()
    await Awaitable()


async def many_locals():
    here()
    a = b = c = d = e = f = g = h = i = j = k = l = m = n = o = p = q = r = s = t = 1
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, await end(), [1, 2, 3, await end()]]


async def with_a_generator_as_local():
    here()
    for _ in (x for x in range(3)):
        await end()


async def yields():
    # A generator that has yielded awaits nothing, although one that it loops over lies on its stack.
    here()
    await looping()


@types.coroutine
def looping():
    here()
    for _ in (x for x in range(3)):
        yield


async def deep(depth=300):
    here()
    if depth:
        await deep(depth - 1)
    else:
        await end()


async def in_a_task():
    here()
    await asyncio.sleep(3600)


async def awaits_a_task(task):
    here()
    await task


def write(coroutine):
    lines = [f"{id(coroutine):x}"]
    lines += [f"{frame.f_code.co_qualname}\t{frame.f_code.co_filename}\t{frame.f_lineno}" for frame in frames]
    os.write(1, ("\n".join([*lines, "."]) + "\n").encode())
    os.read(0, 1)


async def tasks():
    inner = asyncio.create_task(in_a_task())
    root = awaits_a_task(inner)
    outer = asyncio.create_task(root)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    # The one that is awaited was started first; the frame of sleep() is not ours to note.
    frames.sort(key=lambda frame: frame.f_code is in_a_task.__code__)
    assert outer
    write(root)


async def runs():
    write(coroutine)


scene = sys.argv[1]
if scene == "tasks":
    asyncio.run(tasks())
elif scene == "runs":
    coroutine = runs()
    try:
        coroutine.send(None)
    except StopIteration:
        pass
elif scene == "created":
    write(middle())
else:
    coroutine = globals()[scene]()
    coroutine.send(None)
    write(coroutine)
