"""Runs tests of the standard library in this process, in which every thread is recorded 10,000 times a second
meanwhile: standard_library.py profiled|plain FOLDER MODULE. Ends with 77 where this Python comes without them."""

import importlib.util
import os
import signal
import sys

how, folder, module = sys.argv[1:]
os.chdir(folder)
try:
    there = importlib.util.find_spec(f"test.{module}") is not None and importlib.util.find_spec("test.libregrtest")
except ImportError:
    there = False
if not there:
    sys.exit(77)

# A shell starts what runs in the background with interrupts ignored, and the tests send some.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv[1:] = ["--timeout", "900", module]
profiler = None
if how == "profiled":
    from stacklapse import Profiler

    profiler = Profiler(interval=0.0001, threads="all")
    profiler.start()

from test.libregrtest.main import main  # noqa: E402

code = 0
try:
    main()
except SystemExit as end:
    code = end.code
if profiler is not None:
    session = profiler.stop()
    assert session.sample_count > 0
    print(f"{session.sample_count} samples, {session._native.broken} broken, {session._native.missed} missed")
sys.exit(code)
