"""What test_session_turn_live.c records: does what its argument names, of which the shares are known by construction.

It prints a line for each thread and process that is to be known, of a word and an id; then a line with a dot.
"""

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path


def tell(*lines):
    os.write(1, "".join(line + "\n" for line in lines).encode())


def spend(seconds):
    """CPU time: of a busy machine's clock, others take some."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def three_quarters():
    spend(0.003)


def one_quarter():
    spend(0.001)


parent = int(sys.argv[2]) if len(sys.argv) > 2 else os.getppid()


def watched():
    """Whoever started it is there still: it does not outlive a test."""
    return os.getppid() == parent


def work_on():
    while watched():
        three_quarters()
        one_quarter()


def name_thread(name):
    Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text(name)


never = threading.Lock()
never.acquire()


def wait_for_ever():
    never.acquire()


def wait(ready):
    name_thread("waits")
    ready.release()
    wait_for_ever()


def sleep_often(ready):
    name_thread("sleeps")
    ready.release()
    while watched():
        time.sleep(0.002)


def start(function):
    ready = threading.Semaphore(0)
    thread = threading.Thread(target=function, args=(ready,), daemon=True)
    thread.start()
    ready.acquire()
    return thread.native_id


def threads():
    waits = start(wait)
    sleeps = start(sleep_often)
    command = [sys.executable, __file__, "child", str(os.getpid())]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    tell(f"waits {waits}", f"sleeps {sleeps}", f"child {child.pid}", ".")
    work_on()


def child():
    while watched():
        time.sleep(0.005)
        spend(0.0005)


def queue():
    """More threads than are asked one by one (src/sampler/quiet.h)."""
    tell(*[f"waits {start(wait)}" for _ in range(40)], ".")
    work_on()


def tasks():
    async def serve():
        while watched():
            spend(0.002)
            await asyncio.sleep(0)

    async def main():
        await asyncio.gather(serve(), serve())

    tell(".")
    asyncio.run(main())


def executes():
    tell(".")
    end = time.monotonic() + 0.4
    while time.monotonic() < end:
        three_quarters()
    os.execv(sys.executable, [sys.executable, __file__, "executed"])


def executed():
    while watched():
        one_quarter()


BURN = "import sys, time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass"


def children():
    """Two that are recorded and two that are not, one after the other; then tells what the kernel says of it."""
    tell(".")
    os.read(0, 1)
    for _ in range(2):
        subprocess.run([sys.executable, "-S", "-c", BURN], stdin=subprocess.DEVNULL)
        subprocess.run(["/bin/sh", "-c", "i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done"], stdin=subprocess.DEVNULL)
        spend(0.1)
    times = os.times()
    tell(f"own {int((times.user + times.system) * 1e6)}")
    tell(f"children {int((times.children_user + times.children_system) * 1e6)}", ".")
    os.read(0, 1)


globals()[sys.argv[1]]()
