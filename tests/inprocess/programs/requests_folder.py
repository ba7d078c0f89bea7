"""Keeps six requests, whose routes, statuses and times are known, in the folder that is named."""

import sys

from stacklapse import Profiler
from stacklapse._web.store import Store
from work import spin

REQUESTS = [
    ("GET", "/", 200, 0.012, "sampled"),
    ("GET", "/users/{id}", 200, 0.7319, "slow"),
    ("POST", "/orders", 500, 1.25, "failed"),
    ("GET", "/users/{id}", 404, 0.003, "failed"),
    ("PUT", "/orders/{number}", 200, 2.5, "slow"),
    ("GET", "/reports/\x1b[31mevil\u202e\x07", 503, 3.0, "slow"),
]


def brew():
    spin(0.03)


store = Store(sys.argv[1])
for method, route, status, duration, reason in REQUESTS:
    profiler = Profiler()
    with profiler:
        brew()
    name = store.keep(
        profiler.last_session, method=method, route=route, status=status, duration=duration, reason=reason
    )
    assert name is not None
    print(name)
