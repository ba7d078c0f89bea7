"""For programs here and in tests/web/programs."""

import threading


def until_all_is_kept():
    """Requests are kept in a thread that ends when there are no more."""
    for thread in threading.enumerate():
        if thread.name == "stacklapse-keep":
            thread.join()
