"""Runs tests of the standard library in this process, in which every thread is recorded 10,000 times a second
meanwhile: standard_library.py profiled|plain FOLDER MODULE. Ends with 77 where this Python comes without them."""

import importlib.util
import os
import signal
import sys


def is_there(module):
    try:
        return importlib.util.find_spec(f"test.{module}") is not None and importlib.util.find_spec("test.libregrtest")
    except ImportError:
        return False


def run(module):
    """Runs its tests; what regrtest ends with."""
    from test.libregrtest.main import main

    sys.argv[1:] = ["--verbose", "--timeout", "300", module]
    try:
        main()
    except SystemExit as end:
        return end.code
    return 0


def run_profiled(module):
    from stacklapse import Profiler

    profiler = Profiler(interval=0.0001, threads="all")
    profiler.start()
    code = run(module)
    session = profiler.stop()
    assert session.sample_count > 0
    print(f"{session.sample_count} samples, {session._native.broken} broken, {session._native.missed} missed")
    return code


# Some of the tests start processes that import this file.
if __name__ == "__main__":
    how, folder, tested = sys.argv[1:]
    os.chdir(folder)
    if not is_there(tested):
        sys.exit(77)
    # A shell starts what runs in the background with interrupts ignored, and the tests send some.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(run_profiled(tested) if how == "profiled" else run(tested))
