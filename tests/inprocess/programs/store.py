"""What is kept of requests: whole, within its limits, by any number of processes, whatever goes wrong."""

import contextlib
import logging
import math
import os
import resource
import signal
import sqlite3
import stat
import sys
import threading
import time
import traceback
import warnings
from pathlib import Path

from stacklapse import Profiler, Session
from stacklapse._web import index as index_module
from stacklapse._web import store as store_module
from stacklapse._web.folders import FolderError
from stacklapse._web.names import clean_route, make_name, read_name
from stacklapse._web.reports import Reports
from stacklapse._web.store import Store, _Alone
from work import spin

top = Path(sys.argv[1])
told = []


class Told(logging.Handler):
    def emit(self, record):
        told.append(record.getMessage())


logging.getLogger("stacklapse").addHandler(Told())

profiler = Profiler()
profiler.start()
spin(0.02)
SESSION = profiler.stop()


def keep(store, **changes):
    return keep_of(store, SESSION, **changes)


def keep_of(store, session, **changes):
    about = {"method": "GET", "route": "/tea/{id}", "status": 200, "duration": 0.75, "reason": "slow"}
    return store.keep(session, **(about | changes))


def assert_consistent(folder):
    """Files and index agree, nothing is left over, and the database is sound. Only a crash leaves a recording whose
    report was not in its place yet."""
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        names = dict(connection.execute("SELECT name, reason FROM requests"))
    files = {path.name for path in folder.iterdir() if not path.name.startswith("index.sqlite")}
    whole = {name + extension for name in names for extension in (".lapse", ".html")}
    crashed = {f"{name}.html" for name, reason in names.items() if reason == "found"}
    assert whole - crashed <= files <= whole, (files, names)
    for name in names:
        assert b"<html" in Store(folder).report(name)[:200]
    return set(names)


def what_is_kept():
    folder = top / "deep" / "kept"
    os.umask(0)
    store = Store(folder)
    assert store.entries() == []
    assert not folder.exists(), "nothing is made before it is needed"
    name = keep(store, method="POST", status=503, duration=1.25, reason="failed")
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
    assert_consistent(folder)
    assert Session.load(folder / f"{name}.lapse").sample_count == SESSION.sample_count
    assert store.recording(name) == (folder / f"{name}.lapse").read_bytes()
    assert b"<html" in store.report(name)[:200]
    (entry,) = store.entries()
    assert (entry.name, entry.method, entry.route, entry.status) == (name, "POST", "/tea/{id}", 503)
    assert (entry.duration_ns, entry.reason, entry.samples) == (1_250_000_000, "failed", SESSION.sample_count)
    kinds = SESSION.kinds
    assert math.isclose(sum(kinds.values()), SESSION.duration, rel_tol=1e-6)
    assert entry.cpu_ns == SESSION._native.starter_cpu_ns
    assert entry.cpu_ns > 0
    assert math.isclose(entry.wait_ns / 1e9, kinds["gil_wait"] + kinds["lock"] + kinds["call"], abs_tol=1e-6)
    assert entry.bytes == sum(path.stat().st_size for path in folder.glob(f"{name}.*"))
    assert "20200101T000000.000Z-GET-x-200-1ms-00000000" not in str(told)
    for other in ("../" + name, name + "\0", "index", "", "/etc/passwd", "20200101T000000.000Z-GET-x-200-1ms-00000000"):
        assert store.report(other) is None, other
    (folder / "20200101T000000.000Z-GET-x-200-1ms-00000000.html").symlink_to("/etc/passwd")
    assert store.report("20200101T000000.000Z-GET-x-200-1ms-00000000") is None
    assert told == []


def waiting_for_a_cpu_is_no_cpu_time():
    """Here, three threads of other processes want the same CPU."""
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cpus)})
    others = [in_child(lambda: spin(30)) for _ in range(3)]
    try:
        profiler = Profiler()
        profiler.start()
        before = time.thread_time_ns()
        spin(0.5)
        used_ns = time.thread_time_ns() - before
        session = profiler.stop()
    finally:
        for other in others:
            os.kill(other, signal.SIGKILL)
            os.waitpid(other, 0)
        os.sched_setaffinity(0, cpus)
    store = Store(top / "busy")
    about = {"method": "GET", "route": "/", "status": 200, "duration": session.duration, "reason": "slow"}
    store.keep(session, **about)
    store.keep(session, **about, in_task=True)
    in_task, alone = store.entries()
    # When it began, however much later it is kept.
    assert {in_task.time_ns, alone.time_ns} == {session._native.start_time_ns}
    assert used_ns <= alone.cpu_ns <= session._native.cpu_ns + session._native.sampler_cpu_ns
    assert in_task.cpu_ns <= session._native.cpu_ns
    kinds = session.kinds
    assert in_task.cpu_ns <= 1e9 * (kinds["python"] + kinds["native"] + kinds["gc"]) + 1


def names_tell_nothing():
    secret = "hunter2"
    routes = {
        "/login?password=hunter2": "/login",
        "/login;jsessionid=hunter2": "/login",
        "/login#hunter2": "/login",
        "/users/4711/orders": "/users/…/orders",
        "/users/ann@example.org": "/users/…",
        "/files/9f86d081884c7d659a2feaa0c55ad015": "/files/…",
        "/api/v1/users/{user_id}": "/api/v1/users/{user_id}",
        "/users/<int:number>": "/users/<int:number>",
        "^articles/(?P<year>[0-9]{4})/$": "^articles/(?P<year>[0-9]{4})/$",
        "": "",
        "/\r\nSet-Cookie: a": "/…",
        "/" + "x" * 5000: "/…",
        "/caf\udce9": "/caf?",
        "/" + "1a" * 200_000: "/…",
    }
    store = Store(top / "names")
    for route, clean in routes.items():
        assert clean_route(route) == clean, (route, clean_route(route))
        name = keep(store, route=route)
        assert name is not None, told
        assert name.isascii(), name
        assert len(name) <= 120, name
        assert "/" not in name, name
    for method, status, duration in (("get\n", 99999, -1.0), ("", -5, math.nan), ("X" * 99, True, math.inf)):
        name = keep(store, method=method, status=status, duration=duration)
        assert "-OTHER-tea_id-000-0ms-" in name, name
    everything = b"".join(path.name.encode() for path in (top / "names").iterdir())
    everything += (top / "names" / "index.sqlite").read_bytes()
    for word in (secret, "4711", "ann", "9f86d081", "Cookie"):
        assert word.encode() not in everything, word
    facts = read_name(make_name(1_773_480_413_589_000_000, "GET", "/users/{id}", 200, 0.7319))
    assert (facts.time_ns, facts.method, facts.route) == (1_773_480_413_589_000_000, "GET", "users_id"), facts
    assert (facts.status, facts.duration_ns) == (200, 731_000_000), facts
    assert read_name("20269999T999999.000Z-GET-x-200-1ms-00000000") is None


def the_oldest_go_first():
    store = Store(top / "few", max_files=3)
    names = [keep(store, duration=0.0) for _ in range(7)]
    assert assert_consistent(top / "few") == set(names[-3:])
    assert [entry.name for entry in store.entries(2)] == [names[-1], names[-2]]
    size = store.entries(1)[0].bytes
    store = Store(top / "small", max_bytes=round(2.5 * size))
    names = [keep(store, duration=0.0) for _ in range(5)]
    assert assert_consistent(top / "small") == set(names[-2:])
    # What would fill the folder alone does not cost all others.
    assert keep(Store(top / "small", max_bytes=size // 2)) is None
    assert assert_consistent(top / "small") == set(names[-2:])
    assert "max_bytes" in told.pop()


def what_takes_longest_is_not_the_first_to_go():
    """It began before all that were kept meanwhile."""
    folder = top / "longest"
    store = Store(folder, max_files=3)
    profiler = Profiler()
    with profiler:
        spin(0.01)
    for _ in range(3):
        assert keep_of(store, profiler.last_session)
    longest = keep(store, duration=60.0)
    assert longest in assert_consistent(folder)
    assert longest == store.entries()[-1].name
    assert len(store.entries()) == 3
    # Of files without an index, the oldest are those of the earliest names.
    (folder / "index.sqlite").unlink()
    last = keep_of(Store(folder, max_files=3), profiler.last_session)
    kept = assert_consistent(folder)
    assert last in kept
    assert longest not in kept
    assert len(kept) == 3


def an_index_that_is_removed_is_made_anew():
    folder = top / "removed"
    store = Store(folder)
    names = {keep(store), keep(store)}
    (folder / "index.sqlite").unlink()
    names.add(keep(store))
    assert assert_consistent(folder) == names


def a_fork_does_not_wait_for_ever():
    """Nor does its child wait for who is not there."""
    folder = top / "forked"
    store = Store(folder)
    inside, leave = threading.Event(), threading.Event()

    def stuck():
        with store_module._alone:
            inside.set()
            assert leave.wait(60)

    thread = threading.Thread(target=stuck)
    thread.start()
    assert inside.wait(60)
    patience, _Alone._PATIENCE_SECONDS = _Alone._PATIENCE_SECONDS, 0.1
    child = in_child(lambda: 0 if keep(store) and len(assert_consistent(folder)) == 1 else 1)
    _Alone._PATIENCE_SECONDS = patience
    wait_for([child])
    leave.set()
    thread.join()
    assert keep(store)
    assert len(assert_consistent(folder)) == 2
    assert told == []


def in_child(work):
    with warnings.catch_warnings():
        # Whoever forks with threads is told not to; servers do it all the same.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = work() or 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


def wait_for(pids):
    for pid in pids:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def many_at_once():
    folder = top / "many"
    store = Store(folder, max_files=1000)

    def thread():
        assert all([keep(store) for _ in range(3)]), told

    def process():
        threads = [threading.Thread(target=thread) for _ in range(3)]
        for one in threads:
            one.start()
        # While threads of this process keep requests, its fork must be able to as well.
        wait_for([in_child(lambda: 0 if keep(store) else 1) for _ in range(2)])
        for one in threads:
            one.join()
        assert told == []

    wait_for([in_child(process) for _ in range(3)])
    assert len(assert_consistent(folder)) == 3 * (3 * 3 + 2)


def a_crash_anywhere():
    """A process that dies at any point leaves a folder in which the next one finds everything that was finished."""

    class Dying:
        """Ends the process in place of the call of that number."""

        def __init__(self, call, number):
            self.call, self.number = call, number

        def __call__(self, *arguments, **options):
            self.number -= 1
            if self.number < 0:
                os._exit(7)
            return self.call(*arguments, **options)

    points = [(os, "rename", 0), (os, "rename", 1), (os, "unlink", 0), (os, "unlink", 1), (os, "open", 0)]
    points += [(os, "open", 1), (os, "mkdir", 0), (index_module.Index, "surplus", 0), (index_module.Index, "add", 0)]
    points += [(index_module, "_created", 0), (sqlite3, "connect", 0)]
    for module, name, number in points:
        for kept in (0, 2):
            folder = top / f"crash-{name}-{number}-{kept}"
            store = Store(folder, max_files=2)
            before = [keep(store) for _ in range(kept)]

            def die(module=module, name=name, number=number, store=store):
                call = getattr(module, name)
                dying = Dying(call, number)
                setattr(module, name, dying if module is not index_module.Index else lambda *rest: dying(*rest))
                keep(store)
                os._exit(8)

            code = os.waitstatus_to_exitcode(os.waitpid(in_child(die), 0)[1])
            assert code in (7, 8), code
            assert code == 7 or name in ("unlink", "mkdir"), (name, number)
            # As if it were some time ago.
            for path in folder.glob(".unfinished-*"):
                os.utime(path, (0, 0))
            last = keep(Store(folder, max_files=2))
            assert told == [], (name, number, kept, told)
            names = assert_consistent(folder)
            assert last in names
            assert len(names) in ((1, 2) if kept == 0 else (2,)), names
            assert kept == 0 or before[0] not in names, "the oldest goes first"
    # What it had finished is found again, with all that its name tells.
    folder = top / "found"
    name = keep(Store(folder), status=404, duration=0.5)
    (folder / "index.sqlite").unlink()
    keep(Store(folder))
    (entry,) = [entry for entry in Store(folder).entries() if entry.name == name]
    assert (entry.status, entry.duration_ns, entry.cpu_ns, entry.reason) == (404, 500_000_000, None, "found"), entry
    # And what belongs to somebody else is left alone.
    (folder / "notes.html").write_text("mine")
    keep(Store(folder, max_files=1))
    assert (folder / "notes.html").exists()
    assert told == []


def refused(folder, words, **options):
    assert keep(Store(folder, **options)) is None, folder
    assert len(told) == 1, told
    assert words in told.pop(), words


def nothing_can_be_kept():
    """And the request goes on all the same."""
    refused("/proc/stacklapse/requests", "/proc")
    (top / "file").write_text("")
    refused(top / "file", "no folder")
    refused(top / "file" / "below", "")
    open_to_all = top / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o755)
    keep(Store(open_to_all))
    assert stat.S_IMODE(open_to_all.stat().st_mode) == 0o700, "an empty one is taken over"
    assert told == []
    open_to_all.chmod(0o750)
    refused(open_to_all, "chmod 700")
    assert open_to_all.stat().st_mode & 0o777 == 0o750

    # The same for the reports that were asked for, whichever comes first.
    asked_first = top / "asked-first"
    asked_first.mkdir()
    asked_first.chmod(0o755)
    Reports(asked_first, 5).reserve("GET request")
    assert keep(Store(asked_first)) is not None, told
    try:
        Reports(open_to_all, 5).reserve("GET request")
    except FolderError as error:
        assert "chmod 700" in str(error)
    else:
        raise AssertionError("a folder that others may enter was used")
    assert not (open_to_all / "asked").exists()

    folder = top / "foreign"
    keep(Store(folder))
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 2")
    refused(folder, "version")
    (folder / "index.sqlite").unlink()
    (folder / "index.sqlite").symlink_to(top / "elsewhere")
    refused(folder, "")
    assert not (top / "elsewhere").exists()

    # A full disk: no file may become larger than this.
    folder = top / "full"
    store = Store(folder)
    keep(store)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (0, 1000, 30_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            refused(folder, "")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert len(assert_consistent(folder)) == 1
    # Told once, not at each request.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    for _ in range(5):
        assert keep(store) is None
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(told) == 1, told
    told.clear()
    assert keep(store) is not None, "and it goes on when there is room again"

    class Broken:
        def __getattr__(self, name):
            raise RuntimeError("broken")

    about = {"method": "GET", "route": "/", "status": 200, "duration": 0.1, "reason": "slow"}
    assert Store(top / "broken").keep(Broken(), **about) is None
    assert "broken" in told.pop()


def a_damaged_index():
    for number, damage in enumerate((b"", b"no database at all", None)):
        folder = top / f"damaged-{number}"
        name = keep(Store(folder))
        index = folder / "index.sqlite"
        content = bytearray(index.read_bytes())
        if damage is None:
            content[4096:] = os.urandom(len(content) - 4096)
            damage = bytes(content)
        index.write_bytes(damage)
        store = Store(folder)
        last = keep(store)
        assert {entry.name for entry in store.entries()} == {name, last}, (damage[:20], told)
        assert not damage or "damaged" in told.pop()
        (folder / "index.sqlite.damaged").unlink(missing_ok=True)
        assert assert_consistent(folder) == {name, last}
    assert told == []


what_is_kept()
waiting_for_a_cpu_is_no_cpu_time()
names_tell_nothing()
the_oldest_go_first()
what_takes_longest_is_not_the_first_to_go()
an_index_that_is_removed_is_made_anew()
a_fork_does_not_wait_for_ever()
many_at_once()
a_crash_anywhere()
nothing_can_be_kept()
a_damaged_index()
print("ok")
