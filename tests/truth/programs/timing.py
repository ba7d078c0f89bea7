"""How long the parts of a program took, as the program itself sees it."""

import time

now = time.perf_counter_ns

# Entering and leaving a function takes less than this, unless something else has the CPU, or the GIL, meanwhile.
EDGE_NS = 10_000


class Times:
    def __init__(self, *names):
        self.took = dict.fromkeys(names, 0)
        self.unclear = 0

    def add(self, name, before, inside, after):
        """`inside`: the first and the last thing that the part saw on the clock; `before` and `after`: its caller. What
        passed between the two belongs to neither for sure: nothing as a rule, and else it is unclear."""
        begin, end = inside
        self.took[name] += end - begin
        edges = after - before - (end - begin)
        if edges > EDGE_NS:
            self.unclear += edges

    def told(self):
        return {"took": self.took, "unclear": self.unclear}


def spin(duration):
    """Computes for so long, in ns."""
    begin = last = now()
    while last < begin + duration:
        last = now()
    return begin, last
