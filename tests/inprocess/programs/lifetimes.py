"""Forks, threads that end, stops elsewhere, exceptions, and Profilers that nobody stops."""

import contextlib
import ctypes
import gc
import multiprocessing
import os
import subprocess
import sys
import threading
import warnings
import weakref

import stacklapse
from stacklapse import Profiler
from stacklapse.session import Parts
from work import assert_adds_up, names, spin

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters


def native_threads():
    return len(os.listdir("/proc/self/task"))


def an_interpreter_in_which_nothing_runs():
    """It comes first in the list in which the first Profiler of a process looks for a thread."""
    created = interpreters.create()
    with Profiler(0.0005) as profiler:
        spin(0.01)
    interpreters.destroy(created)
    assert "spin" in names(profiler.last_session)


def in_child(queue):
    with Profiler() as profiler:
        spin(0.03)
    queue.put("spin" in names(profiler.last_session))


def fork_in_the_middle():
    profiler = Profiler(0.0005)
    profiler.start()
    spin(0.02)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        child = os.fork()
    if child == 0:
        code = 1
        try:
            assert native_threads() == 1
            assert not profiler.is_running
            try:
                profiler.stop()
            except RuntimeError:
                pass
            else:
                raise AssertionError("a recording went on in the child")
            profiler.start()
            spin(0.03)
            session = profiler.stop()
            assert "spin" in names(session)
            assert native_threads() == 1
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
    assert profiler.is_running
    after_fork()
    session = profiler.stop()
    assert {"after_fork", "fork_in_the_middle"} <= names(session)
    assert_adds_up(session)


def after_fork():
    spin(0.03)


def fork_in_c():
    """As servers do that have an interpreter within: only what the child must do is done. From 3.13 on the interpreter
    does not allow that."""
    if sys.version_info >= (3, 13):
        return
    profiler = Profiler(0.0002)
    profiler.start()
    spin(0.02)
    child = ctypes.PyDLL(None).fork()
    if child == 0:
        code = 1
        try:
            ctypes.pythonapi.PyOS_AfterFork_Child()
            assert not profiler.is_running
            profiler.reset()
            for _ in range(2):
                with Profiler() as own:
                    spin(0.03)
                assert "spin" in names(own.last_session)
            assert native_threads() == 1
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
    after_fork()
    assert "after_fork" in names(profiler.stop())


def fork_in_a_block():
    with Profiler() as profiler:
        child = os.fork()
        if child == 0:
            # The block ends in the child, too.
            pass
    if child == 0:
        os._exit(0 if profiler.last_session is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert profiler.last_session is not None


def processes():
    with Profiler(threads="all") as profiler:
        for method in ("fork", "spawn"):
            context = multiprocessing.get_context(method)
            queue = context.Queue()
            process = context.Process(target=in_child, args=(queue,))
            process.start()
            assert queue.get(timeout=60)
            process.join()
            assert process.exitcode == 0
            queue.close()
            queue.join_thread()
        done = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True, check=True)
        assert done.stdout == "42\n"
    assert_threads_lasted(profiler.last_session)


def assert_threads_lasted(session):
    assert session.duration > 0
    assert "processes" in names(session)


def threads_that_end():
    with Profiler(0.0002, threads="all") as profiler:
        for _ in range(100):
            thread = threading.Thread(target=spin, args=(0.001,))
            thread.start()
            thread.join()
        ended = threading.Event()
        daemon = threading.Thread(target=ended.wait, daemon=True)
        daemon.start()
    ended.set()
    daemon.join()
    assert "threads_that_end" in names(profiler.last_session)


def stopped_elsewhere():
    profiler = Profiler()
    profiler.start()
    spin(0.02)
    sessions = []
    thread = threading.Thread(target=lambda: sessions.append(profiler.stop()))
    thread.start()
    thread.join()
    assert "spin" in names(sessions[0])
    assert not profiler.is_running
    # Started in a thread that has ended since.
    thread = threading.Thread(target=profiler.start)
    thread.start()
    thread.join()
    spin(0.01)
    assert profiler.stop() is profiler.last_session


def raced():
    """Two threads that start or stop the same object: one of them succeeds."""
    for action, error in ((Profiler.start, ValueError), (Profiler.stop, RuntimeError)):
        profiler, outcomes, barrier = Profiler(), [], threading.Barrier(4)
        if action is Profiler.stop:
            profiler.start()

        def attempt(action=action, error=error, profiler=profiler, outcomes=outcomes, barrier=barrier):
            barrier.wait()
            try:
                action(profiler)
                outcomes.append(True)
            except error:
                outcomes.append(False)

        threads = [threading.Thread(target=attempt) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == [False, False, False, True]
        profiler.reset()


class Starting(dict):
    """What of a Profiler runs, which another thread starts or stops when it is about to run."""

    def __init__(self, profiler):
        super().__init__()
        self.profiler = profiler
        self.actions = [Profiler.stop, Profiler.start]
        self.refused = 0

    def setdefault(self, key, recording):
        found = super().setdefault(key, recording)
        while self.actions:
            try:
                self.actions.pop()(self.profiler)
            except (ValueError, RuntimeError):
                self.refused += 1
        return found


def started_or_stopped_meanwhile():
    profiler = Profiler()
    profiler._running = starting = Starting(profiler)
    profiler.start()
    assert starting.refused == 2
    assert profiler.is_running
    spin(0.01)
    assert "spin" in names(profiler.stop())


class Stopping(dict):
    """What of a Profiler runs, which another thread stops as soon as somebody has looked whether anything does."""

    def get(self, key):
        found = super().get(key)
        self.clear()
        return found


class Resetting(Parts):
    """What a Profiler recorded, which another thread forgets as soon as it is there."""

    def __init__(self, profiler):
        super().__init__()
        self.profiler = profiler

    def add(self, trace):
        super().add(trace)
        self.profiler.reset()


def stopped_or_reset_meanwhile():
    with Profiler() as profiler:
        profiler._running = Stopping(profiler._running)
    try:
        with stacklapse.profile() as profiler:
            profiler._running = Stopping(profiler._running)
            raise LookupError
    except LookupError:
        pass
    profiler._running = {}
    profiler._parts = Resetting(profiler)
    profiler.start()
    spin(0.02)
    assert "spin" in names(profiler.stop())
    assert profiler.last_session is None


def stopped_by_many_threads():
    profiler, errors, ended = Profiler(), [], threading.Event()

    def end(action):
        while not ended.is_set():
            with contextlib.suppress(RuntimeError):
                action()

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=end, args=(action,)) for action in (profiler.stop, profiler.reset)]
    for thread in threads:
        thread.start()
    for _ in range(1000):
        try:
            with profiler:
                pass
        except Exception as error:
            errors.append(error)
    ended.set()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)
    assert not errors, errors
    profiler.reset()


def dropped_while_running():
    profiler = Profiler()
    profiler.start()
    spin(0.005)
    reference = weakref.ref(profiler)
    del profiler
    gc.collect()
    assert reference() is None
    assert native_threads() == 1


def an_exception_in_between():
    profiler = Profiler()
    profiler.start()
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        spin(0.01)
    assert "spin" in names(profiler.stop())


def code_that_is_gone():
    """Functions that were deleted before anybody asked for their names keep them."""
    with Profiler(0.0002) as profiler:
        space = {"spin": spin}
        exec("def short_lived():\n    spin(0.05)\nshort_lived()", space)
        space.clear()
        gc.collect()
    assert "short_lived" in names(profiler.last_session)


def subinterpreters():
    with Profiler(0.0005, threads="all") as profiler:
        created = interpreters.create()
        interpreters.run_string(created, "import time\nend = time.time() + 0.05\nwhile time.time() < end: pass")
        interpreters.destroy(created)
        spin(0.01)
    assert "subinterpreters" in names(profiler.last_session)


if __name__ == "__main__":
    for check in (
        an_interpreter_in_which_nothing_runs,
        fork_in_the_middle,
        fork_in_c,
        fork_in_a_block,
        processes,
        threads_that_end,
        stopped_elsewhere,
        raced,
        started_or_stopped_meanwhile,
        stopped_or_reset_meanwhile,
        stopped_by_many_threads,
        dropped_while_running,
        an_exception_in_between,
        code_that_is_gone,
        subinterpreters,
    ):
        check()
        print(check.__name__, flush=True)
