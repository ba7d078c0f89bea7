"""Threads that ask a session of folded stacks for its trace at once, which is made when it is first asked for."""

import threading

from stacklapse import _native

THREADS = 4
folded = b"".join(b"main;f%d;g%d %d\n" % (i, i % 7, i + 1) for i in range(20000))


def ask(session, barrier, traces):
    barrier.wait()
    traces.append(session.trace)


for _ in range(5):
    session, barrier, traces = _native.Session(folded), threading.Barrier(THREADS), []
    threads = [threading.Thread(target=ask, args=(session, barrier, traces)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(traces) == THREADS
    assert all(trace is session.trace for trace in traces)
