"""Fixed amounts of work, profiled from inside the process. Prints one line of JSON.

usage: inside.py work PROFILER CORES NAME AMOUNT              how long the work takes
       inside.py turns CORES NAME SECONDS TURNS PROFILER...   in turns, in one process, of work that takes so long
       inside.py starts COUNT                                 what starting and stopping costs
       inside.py memory SAMPLES INTERVAL NAME                 what an amount of samples takes
       inside.py alone TURNS NAME                             what as much of the program takes without a Profiler
PROFILER: plain, plain again, cProfile, pyinstrument, or an interval of ours in seconds. CORES: 1 when the sampler
shares the program's core, 2 when it has one to itself.
"""

import contextlib
import io
import json
import os
import sys
import time
from pathlib import Path


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def short_calls(amount):
    for _ in range(amount):
        fib(18)


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def moved(self, other):
        return Point(self.x + other.x, self.y + other.y)

    @property
    def length(self):
        return self.x * self.x + self.y * self.y


def methods(amount):
    step = Point(1, 2)
    for _ in range(amount):
        point = Point(0, 0)
        for _ in range(2000):
            point = point.moved(step)
            _ = point.length


def loop(amount):
    total = 0
    for _ in range(amount):
        for number in range(60_000):
            total += number * number
    return total


def sympy(amount):
    import sympy
    from sympy.core.cache import clear_cache

    x = sympy.Symbol("x")
    integrands = (x * sympy.exp(x), sympy.sin(x) ** 2, 1 / (x**2 + 1), x**2 * sympy.sin(x) * sympy.exp(x))
    for _ in range(amount):
        # All of them: some take a hundred times as long as others.
        for integrand in integrands:
            clear_cache()
            sympy.integrate(integrand, x)


def django(amount):
    import django.template

    engine = django.template.Engine()
    template = engine.from_string(
        "{% for row in rows %}<tr class='{% cycle 'a' 'b' %}'>{% for cell in row.cells %}"
        "<td>{{ cell|upper|default:'-' }}{% if forloop.last %}!{% endif %}</td>{% endfor %}</tr>{% endfor %}"
    )
    rows = [{"cells": [f"cell {number}", "", "<b>"]} for number in range(50)]
    for _ in range(amount):
        template.render(django.template.Context({"rows": rows}))


def json_work(amount):
    document = {"rows": [{"id": number, "name": f"name {number}", "tags": ["a", "b"]} for number in range(50)]}
    for _ in range(amount):
        json.loads(json.dumps(document, indent=1))


WORK = {
    "short calls": short_calls, "methods": methods, "loop": loop, "sympy": sympy, "django": django, "json": json_work,
}  # fmt: skip


@contextlib.contextmanager
def profiled(profiler, cores):
    """The program on the first core. With two cores, threads that the profiler started are on the second."""
    os.sched_setaffinity(0, {0} if cores == 1 else {0, 1})
    before = set(os.listdir("/proc/self/task"))
    if profiler.startswith("plain"):
        context = contextlib.nullcontext()
    elif profiler == "cProfile":
        import cProfile

        context = cProfile.Profile()
    elif profiler == "pyinstrument":
        import pyinstrument

        context = pyinstrument.Profiler(interval=0.001)
    else:
        import stacklapse

        context = stacklapse.Profiler(interval=float(profiler))
    with context:
        if cores == 2:
            for thread in set(os.listdir("/proc/self/task")) - before:
                os.sched_setaffinity(int(thread), {1})
        os.sched_setaffinity(0, {0})
        yield


def seconds_of(profiler, cores, name, amount):
    """CPU time, which other programs on the machine do not add to: of the thread that works, and with one core for both
    also of the sampler."""
    clock = time.process_time if cores == 1 else time.thread_time
    with profiled(profiler, cores):
        begin = clock()
        WORK[name](amount)
        return clock() - begin


def time_work(profiler, cores, name, amount):
    WORK[name](1)
    return {"seconds": seconds_of(profiler, int(cores), name, int(amount))}


def amount_for(cores, name, seconds):
    """The fastest of several, since a machine that is busy is never faster."""
    WORK[name](1)
    amount = 1
    while (took := min(seconds_of("plain", cores, name, amount) for _ in range(3))) < seconds / 2:
        amount *= 2
    return max(1, round(amount * seconds / took))


def time_turns(cores, name, seconds, turns, *profilers):
    """Whoever comes first in a turn comes last in the next."""
    amount = amount_for(int(cores), name, float(seconds))
    took = {profiler: [] for profiler in profilers}
    for turn in range(int(turns)):
        first = turn % len(profilers)
        for profiler in profilers[first:] + profilers[:first]:
            took[profiler].append(seconds_of(profiler, int(cores), name, amount))
    return {"amount": amount, "took": took}


def time_starts(count):
    from stacklapse import Profiler

    def cycles(count):
        took = []
        for _ in range(count):
            profiler = Profiler()
            begin = time.perf_counter()
            profiler.start()
            profiler.stop()
            took.append(time.perf_counter() - begin)
        return took

    cycles(10)
    first = cycles(int(count) // 10)
    with Profiler():
        cycles(10)
        further = cycles(int(count))
    return {"first": first, "further": further}


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


# What part of a measurement is over when it begins to count: what a program takes once is not what it grows by.
MEMORY_BEGIN = 0.01


def warm_up(name):
    for _ in range(20):
        WORK[name](1)


def measure_memory(samples, interval, name):
    from stacklapse import Profiler

    warm_up(name)
    profiler = Profiler(interval=float(interval))
    profiler.start()
    [recording] = profiler._running.values()
    before, turns = None, 0
    while (taken := recording.progress()[1]) < int(samples):
        WORK[name](1)
        turns += 1
        if before is None and taken > int(samples) * MEMORY_BEGIN:
            before = resident()
    grown = resident() - before
    session = profiler.stop()
    return {"samples": session.sample_count, "trace": len(session._native.trace), "grown": grown, "turns": turns}


def measure_alone(turns, name):
    warm_up(name)
    turns = int(turns)
    begin = max(1, int(turns * MEMORY_BEGIN))
    for _ in range(begin):
        WORK[name](1)
    before = resident()
    for _ in range(turns - begin):
        WORK[name](1)
    return {"grown": resident() - before}


def main():
    # What other packages print to stdout is not ours.
    measures = {
        "work": time_work,
        "turns": time_turns,
        "starts": time_starts,
        "memory": measure_memory,
        "alone": measure_alone,
    }
    with contextlib.redirect_stdout(io.StringIO()):
        said = measures[sys.argv[1]](*sys.argv[2:])
    print(json.dumps(said))


main()
