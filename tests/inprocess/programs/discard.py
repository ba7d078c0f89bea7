"""A recording that is thrown away leaves nothing behind, and what runs beside it goes on."""

import contextvars
import gc
import os
import threading
import time
from pathlib import Path

from stacklapse import Profiler, _native
from work import assert_adds_up, names, spin


def threads():
    return len(os.listdir("/proc/self/task"))


def mapped_kb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4


def inner():
    spin(0.02)


def outer():
    profiler = Profiler()
    profiler.start()
    inner()
    profiler._discard()
    assert not profiler.is_running
    assert profiler.last_session is None
    spin(0.02)
    # And it can be used again.
    with profiler:
        inner()
    assert "inner" in names(profiler.last_session)


before = contextvars.copy_context()
alone = threads()
with Profiler() as around:
    outer()
    beside = threading.Thread(target=inner)
    beside.start()
    beside.join()
assert {"outer", "inner"} <= names(around.last_session)
assert_adds_up(around.last_session)
# A thread that was joined has left Python, and the kernel perhaps not yet.
patience = time.monotonic() + 20
while threads() != alone and time.monotonic() < patience:
    time.sleep(0.001)
assert threads() == alone, "the native thread is gone after the last one"
assert len(contextvars.copy_context()) == len(before), "the context is as it was"

recording = _native.Recording(1_000_000, "thread")
recording.discard()
recording.start(0)
recording.discard()
recording.discard()
assert not recording.running
try:
    recording.trace()
except RuntimeError as error:
    assert "discarded" in str(error)
else:
    raise AssertionError("there is no trace")

# Of a new thread, and of one with a thread state of its own in the place of another's.
for _ in range(20):
    found = []

    def one(found=found):
        with Profiler(0.0001) as profiler:
            inner()
        found.append(names(profiler.last_session))

    thread = threading.Thread(target=one)
    thread.start()
    thread.join()
    assert "inner" in found[0], found


def many(count):
    for _ in range(count):
        profiler = Profiler()
        profiler.start()
        profiler._discard()


with Profiler(interval=1.0):
    many(500)
    gc.collect()
    size = mapped_kb()
    many(3000)
    gc.collect()
    assert mapped_kb() < size + 1000, (size, mapped_kb())

profiler = Profiler()
profiler.start()
child = os.fork()
if child == 0:
    profiler._discard()
    many(3)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
profiler.reset()
assert profiler.last_session is None
assert threads() == alone
