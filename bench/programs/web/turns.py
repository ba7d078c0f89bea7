"""Which profiler answers a request: the one that was asked for last, or those of SHOP_TURNS in turns of a tenth of a
second, so that what neighbours take of the machine hits all alike. For each turn: its profiler, how many requests it
began, and the CPU time of the process meanwhile."""

import json
import os
import random
import time

SECONDS = 0.1


class Turns:
    def __init__(self) -> None:
        self.chosen = os.environ.get("SHOP_PROFILER", "plain")
        self._names = [name for name in os.environ.get("SHOP_TURNS", "").split(",") if name]
        self._to_come: list[str] = []
        self._taken: list[tuple[str, int, float]] = []
        self._ends = 0.0
        self._requests = 0
        self._cpu = 0.0

    def profiler(self) -> str:
        """To be called with each request."""
        if self._names and time.perf_counter() >= self._ends:
            self._next()
        self._requests += 1
        return self.chosen

    def _next(self) -> None:
        cpu = time.process_time()
        if self._requests > 0:
            self._taken.append((self.chosen, self._requests, cpu - self._cpu))
        if not self._to_come:
            self._to_come = random.sample(self._names, len(self._names))
        self.chosen = self._to_come.pop()
        self._requests, self._cpu = 0, cpu
        self._ends = time.perf_counter() + SECONDS

    def taken(self) -> bytes:
        """All turns that have ended, and forgets them."""
        taken, self._taken = self._taken, []
        return json.dumps(taken).encode()
