"""Requests that somebody asked for: who may, what becomes of their reports, and of what is worth keeping."""

import io
import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

from keeping import until_all_is_kept
from stacklapse._web import access, core, watch
from stacklapse._web.incoming import Incoming
from stacklapse._web.options import Options
from stacklapse._web.reports import About, Reports
from stacklapse.wsgi import ProfilerMiddleware

top = Path(sys.argv[1])
# Another worker, until its input ends.
OTHER = """
import sys
from pathlib import Path
from stacklapse._web.reports import Reports
print(Reports(Path(sys.argv[1]), 5).reserve("GET other"), flush=True)
sys.stdin.read()
"""
BROWSER = "text/html,*/*;q=0.8"
told = []


class Told(logging.Handler):
    def emit(self, record):
        told.append(record.getMessage())


logging.getLogger("stacklapse").addHandler(Told())


def application(environ, start_response):
    time.sleep(environ.get("seconds", 0))
    if "fails" in environ:
        raise ValueError("burnt")
    start_response(environ.get("status", "200 OK"), environ.get("headers", [("Content-Length", "4")]))
    return [b"page"]


def asked_environ(query="profile"):
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "QUERY_STRING": query,
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost:5000",
        "SERVER_PROTOCOL": "HTTP/1.1",
    }


class Answered:
    def __init__(self, middleware, query="profile", **environ):
        self.status, self.headers = None, {}
        body = middleware(asked_environ(query) | environ, self.start_response)
        self.body = b"".join(body)
        if hasattr(body, "close"):
            body.close()

    def start_response(self, status, headers, exc_info=None):
        self.status, self.headers = int(status[:3]), dict(headers)

    @property
    def is_report(self):
        return b'id="stacklapse-columns"' in self.body

    @property
    def number(self):
        return self.headers["X-Stacklapse-Report"].rpartition("/")[2]


def middleware(folder=None, **options):
    return ProfilerMiddleware(application, debug=True, folder=folder, **options)


def who_may():
    def may(protocol="HTTP/1.1", **headers):
        given = {"host": "localhost:5000"} | {name.replace("_", "-").lower(): value for name, value in headers.items()}
        return access.may(
            Options(debug=True),
            Incoming(
                method="GET",
                path="/",
                root="",
                query="profile",
                header=lambda name: given.get(name.lower()),
                names=lambda: given,
                protocol=protocol,
                peer="127.0.0.1",
                debug=False,
                native=dict,
            ),
        )

    assert may()
    assert may(protocol="HTTP/2")
    assert may(protocol="")
    # As nginx asks what lies behind it, in the name of everybody.
    assert not may(protocol="HTTP/1.0")
    for name in (
        *("Forwarded", "Via", "X_Forwarded", "X_Forwarded_For", "X_Forwarded_Host", "X_Forwarded_Proto"),
        *("X_Forwarded_Port", "X_Forwarded_Server", "X_Original_Forwarded_For", "X_Real_IP", "True_Client_IP"),
        *("X_Client_IP", "X_Cluster_Client_IP", "Fastly_Client_IP", "CF_Connecting_IP", "X_Envoy_External_Address"),
    ):
        assert not may(**{name: "127.0.0.1"}), name
    assert not may(host="rebound.example")

    # A page of another origin, by itself; and a person who follows its link.
    for site in ("cross-site", "same-site"):
        assert not may(sec_fetch_site=site)
        assert not may(sec_fetch_site=site, sec_fetch_mode="cors", sec_fetch_dest="empty")
        assert not may(sec_fetch_site=site, sec_fetch_mode="navigate", sec_fetch_dest="iframe")
        assert may(sec_fetch_site=site, sec_fetch_mode="navigate", sec_fetch_dest="document")
    for site in ("same-origin", "none"):
        assert may(sec_fetch_site=site, sec_fetch_mode="cors", sec_fetch_dest="empty")
    assert may(origin="http://localhost:5000")
    for origin in ("http://evil.example", "http://localhost:3000", "null", "", "http://localhost:5000.evil.example"):
        assert not may(origin=origin), origin
        assert not may(origin=origin, sec_fetch_site="same-origin"), origin


def a_report_in_place_of_a_page():
    shows = middleware()
    for changes, replaced in (
        ({}, True),
        ({"headers": [("Content-Type", "application/json"), ("Content-Length", "4")]}, True),
        ({"status": "404 Not Found"}, True),
        ({"headers": [("Content-Disposition", 'inline; filename="a"')]}, True),
        ({"headers": [("Content-Disposition", 'attachment; filename="a.zip"')]}, False),
        ({"headers": [("content-disposition", "other")]}, False),
        ({"status": "401 Unauthorized", "headers": [("WWW-Authenticate", "Basic realm=x")]}, False),
        ({"status": "302 Found", "headers": [("Location", "/x")]}, False),
    ):
        answered = Answered(shows, HTTP_ACCEPT=BROWSER, **changes)
        assert answered.is_report == replaced, changes
        assert replaced or answered.body == b"page"
        assert answered.headers["X-Stacklapse-Report"]


def a_file_is_the_servers_to_send():
    """Whose wrapper may be a function that gives back the file, to know it again: uWSGI's."""
    HTML = [("Content-Type", "text/html"), ("Content-Length", "4")]
    SAVED = [*HTML, ("Content-Disposition", "attachment")]

    class Readable:
        def read(self, size=-1):
            return b"page"

    class Lines(Readable):
        def __iter__(self):
            return iter([b"pa", b"ge"])

    class Wrapper(Lines):
        """As most servers have it."""

        def __init__(self, file, size=0):
            self.file = file

    def passed(wrapper, file, headers=HTML, query="profile", accept=BROWSER, **more):
        def sends(environ, start_response):
            start_response("200 OK", headers)
            made.append(environ["wsgi.file_wrapper"](file))
            return made[-1]

        sent, made = {}, []
        environ = asked_environ(query) | {"wsgi.file_wrapper": wrapper, "HTTP_ACCEPT": accept}
        body = ProfilerMiddleware(sends, **more)(environ, lambda status, headers: sent.update(headers))
        return body is made[0], sent

    for wrapper, file, headers, as_it_is in (
        (lambda file: file, Readable(), HTML, True),
        (lambda file: file, Readable(), SAVED, True),
        (lambda file: file, Lines(), SAVED, True),
        (Wrapper, Lines(), SAVED, True),
        # A page that a browser would show.
        (lambda file: file, Lines(), HTML, False),
        (Wrapper, Lines(), HTML, False),
    ):
        same, sent = passed(wrapper, file, headers, debug=True)
        assert same == as_it_is, (wrapper, file, headers)
        assert sent["X-Stacklapse-Report"]
        assert ("Content-Security-Policy" in sent) != as_it_is
    for wrapper in (lambda file: file, Wrapper):
        # Of an API's client, of who does not ask, and where the statistics of each request are printed.
        assert passed(wrapper, Readable(), accept="*/*", debug=True)[0]
        assert passed(wrapper, Readable(), query="", slow=0, folder=top / "files")[0]
        assert passed(wrapper, Readable(), query="", stream=io.StringIO())[0]


def what_a_report_tells(folder):
    shows = middleware(folder, route=lambda environ: "/caf\udce9")
    headers = [
        ("X-Temp-Password", "hunter2"),
        ("X-Signature", "hunter2"),
        ("X-Login-Code", "hunter2"),
        ("Location", "/a/b#access_token=hunter2"),
        ("Link", "</a?hunter2>"),
        ("X-Dish", "soup\udce9"),
    ]
    shown = Answered(shows, "profile&reset=hunter2", HTTP_ACCEPT=BROWSER, headers=headers)
    assert shown.is_report
    assert b"soup" in shown.body
    assert b'<a href="./?reset=hunter2">' in shown.body
    assert shown.body.count(b"hunter2") == 2, "in the link alone, which is there for scripts as well"
    # It has another address, and is kept.
    held = Answered(shows, "", PATH_INFO=f"/_stacklapse/{shown.number}")
    assert held.is_report
    assert b"hunter2" not in held.body
    (listed,) = rows_of(shows)
    assert "/caf?" in listed
    if folder is not None:
        said = (folder / "asked" / f"{shown.number}.json").read_text()
        assert "soup" in said
        assert "hunter2" not in said


def rows_of(shows):
    """Of the list, as text: when, what was asked for, and what came of it."""
    listed = Answered(shows, "", PATH_INFO="/_stacklapse/").body.decode()
    assert '<meta name="viewport"' in listed
    return [" | ".join(re.findall(r">([^<>]+)<", row)) for row in re.findall(r"<tr>.*?</tr>", listed)]


def the_list_tells_when_and_what_came_of_it():
    for folder in (None, top / "listed"):
        shows = middleware(folder)
        Answered(shows, headers=[("status", "none"), ("took", "long")], **{"stacklapse.route": "/dish"})
        going = shows._core._begin_asked(incoming(), sys._getframe())
        moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
        wanted = [rf"{moment} \| GET request \| has not ended yet", rf"{moment} \| GET /dish \| 200, [\d,]+\.\d ms"]
        rows = rows_of(shows)
        assert [re.fullmatch(*pair) is not None for pair in zip(wanted, rows, strict=True)] == [True, True], rows
        shows._core.finish(going, core.Outcome(status=200))


def no_report_is_lost_for_one_that_is_none():
    # What is skipped takes the place of no report, nor does what cannot be recorded.
    shows = middleware(max_profiles=1, max_reports=2)
    first = Answered(shows).number
    going = shows._core._begin_asked(incoming(), sys._getframe())
    skipped = Answered(shows)
    assert skipped.headers["X-Stacklapse-Skipped"] == "1 request is being profiled already"
    assert Answered(shows, "", PATH_INFO=f"/_stacklapse/{first}").is_report
    # The limit of its recording ends its claim, too.
    going.limit("long enough")
    shows._core._limits._max_seconds = 0
    shows._core._limits._hold(going)
    assert Answered(shows).number

    shows = middleware()
    begin_recording, watch.begin_recording = watch.begin_recording, None
    try:
        answered = Answered(shows)
    finally:
        watch.begin_recording = begin_recording
    assert (answered.body, answered.headers) == (b"page", {"Content-Length": "4"})
    assert len(told) == 1, told
    assert "could not be recorded" in told.pop()
    assert shows._core._reports.latest() == []
    assert shows._core._limits._asked == {}


def incoming():
    return Incoming(
        method="GET",
        path="/",
        root="",
        query="profile",
        header=lambda name: None,
        names=list,
        protocol="HTTP/1.1",
        peer="127.0.0.1",
        debug=True,
        native=dict,
    )


def nobody_waits_for_a_report_that_does_not_come():
    """Whose worker has died, or which could not be written."""
    reports = Reports(top / "waiting", 5)
    number = reports.reserve("GET request")
    assert reports.get(number).session is None
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER, top / "waiting"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    others = other.stdout.readline().strip()
    assert reports.get(others).session is None, "it is still there"
    assert len(reports.latest()) == 2
    other.stdin.close()
    patience = time.monotonic() + 20
    # Also while nobody has waited for the process.
    while reports.get(others) is not None and time.monotonic() < patience:
        time.sleep(0.01)
    assert reports.get(others) is None
    assert other.wait() == 0
    other.stdout.close()
    assert reports.get(others) is None
    assert [(name, report.about.title) for name, report in reports.latest()] == [(number, "GET request")]
    # A process of that number that began at another time, and one of another container.
    path = top / "waiting" / "asked" / f"{number}.json"
    said = json.loads(path.read_text())
    pid, started, namespace = said["worker"]
    path.write_text(json.dumps(said | {"worker": [pid, started + 1, namespace]}))
    assert reports.get(number) is None
    path.write_text(json.dumps(said | {"worker": [pid, started + 1, namespace + 1]}))
    assert reports.get(number).session is None
    # What it had ended before is there.
    path.with_suffix(".lapse").write_bytes(recorded()._trace)
    path.write_text(json.dumps(said | {"worker": [pid, started + 1, namespace]}))
    assert reports.get(number).session is not None

    # What a machine that stopped has left of it takes no other away.
    other = reports.reserve("GET other")
    for left in ("", "{}", "[]", '{"title": "a", "facts": [], "worker": 1}'):
        (top / "waiting" / "asked" / f"{other}.json").write_text(left)
        assert reports.get(other) is None
        assert [name for name, _ in reports.latest()] == [number]
    # The clock was put back: what is reserved now is not the oldest.
    for name in (number, other):
        os.utime(top / "waiting" / "asked" / f"{name}.json", (time.time() + 3600,) * 2)
    reports = Reports(top / "waiting", 2)
    newest = reports.reserve("GET newest")
    assert reports.get(newest) is not None
    assert len(list((top / "waiting" / "asked").glob("*.json"))) == 2

    number = reports.reserve("GET request")
    try:
        reports.put(number, About("GET /"), Broken())
    except RuntimeError:
        assert reports.get(number) is None
    else:
        raise AssertionError("it was written")


class Stops:
    """In place of watch.stopped: waits in another thread than the first until it may go on."""

    def __init__(self):
        self.stopped, self.reached, self.may = watch.stopped, threading.Event(), threading.Event()

    def __enter__(self):
        watch.stopped = self
        return self

    def __exit__(self, *ignored):
        watch.stopped = self.stopped

    def __call__(self, recording):
        if threading.current_thread().name == "limits":
            self.reached.set()
            assert self.may.wait(60)
        return self.stopped(recording)


def a_request_may_end_while_a_limit_ends_its_recording():
    shows = middleware(top / "both", slow=0)
    shows._core._limits._max_seconds = 0
    for asks in (True, False):
        if asks:
            going = shows._core._begin_asked(incoming(), sys._getframe())
            ends = threading.Thread(target=shows._core.finish, args=(going, core.Outcome(status=200)))
        else:
            going = shows._watches.begin("GET", sys._getframe())
            ends = threading.Thread(target=going.end, args=(200, None, ""))
        with Stops() as stops:
            limits = threading.Thread(target=shows._core._limits._hold, args=(going,), name="limits")
            limits.start()
            assert stops.reached.wait(60)
            ends.start()
            # Long enough for what does not wait.
            ends.join(0.5)
            stops.may.set()
            for thread in (limits, ends):
                thread.join()
    ((_, report),) = shows._core._reports.latest()
    assert report.session is not None
    assert len(kept_by(shows)) == 2


def a_recording_that_cannot_be_stopped_is_waited_for_by_nobody():
    def fails(recording):
        recording.discard()
        raise RuntimeError("cannot be stopped")

    shows = middleware(top / "stops", max_profiles=1)
    stopped, watch.stopped = watch.stopped, fails
    try:
        for _ in range(2):
            # Here none is counted for ever, either.
            number = Answered(shows).number
            assert Answered(shows, "", PATH_INFO=f"/_stacklapse/{number}").status == 404
    finally:
        watch.stopped = stopped
    assert "could not be ended" in told.pop()
    # In a forked child there is no recording; it takes nothing from its parent.
    going = shows._core._begin_asked(incoming(), sys._getframe())
    child = os.fork()
    if child == 0:
        try:
            shows._core.finish(going, core.Outcome(status=200))
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert Answered(shows, "", PATH_INFO=f"/_stacklapse/{going.number}").status == 202
    shows._core.finish(going, core.Outcome(status=200))
    assert Answered(shows, "", PATH_INFO=f"/_stacklapse/{going.number}").status == 200


class Broken:
    @property
    def _trace(self):
        raise RuntimeError("no room")


def recorded():
    shows = middleware()
    number = Answered(shows).number
    return shows._core._reports.get(number).session


def web_sockets_are_passed_through():
    """Under gunicorn Flask-Sock ends one with StopIteration, under Werkzeug with ConnectionError."""
    keeps = middleware(top / "sockets", slow=0)
    for name in ("websocket", "WebSocket"):
        try:
            Answered(keeps, fails=True, HTTP_UPGRADE=name)
        except ValueError:
            assert keeps._core._reports.latest() == []
    assert kept_by(keeps) == []
    # Another upgrade that is offered changes nothing.
    assert Answered(keeps, HTTP_UPGRADE="h2c").number
    assert len(kept_by(keeps)) == 1


def kept_by(keeps):
    until_all_is_kept()
    return keeps._core._store.entries()


def worth_keeping_is_what_was_asked_for_as_well():
    keeps = middleware(top / "kept", slow=0.5, max_profiles=1)
    fast, slow = Answered(keeps), Answered(keeps, seconds=0.6, HTTP_ACCEPT=BROWSER)
    assert fast.number
    assert slow.is_report
    try:
        Answered(keeps, fails=True)
    except ValueError:
        assert len(keeps._core._reports.latest()) == 3
    going = keeps._core._begin_asked(incoming(), sys._getframe())
    skipped = Answered(keeps, seconds=0.6, **{"stacklapse.route": "/skipped"})
    assert "X-Stacklapse-Skipped" in skipped.headers
    keeps._core.finish(going, core.Outcome(status=200))
    kept = [(entry.route, entry.status, entry.reason) for entry in reversed(kept_by(keeps))]
    going_itself = ("", 200, "slow")
    assert kept == [("", 200, "slow"), ("", 500, "failed"), going_itself, ("/skipped", 200, "slow")], kept
    # Reports and what is kept have the request's name, and none of our own frames in sight.
    for entry in keeps._core._store.entries():
        page = keeps._core._store.report(entry.name).decode()
        assert f"<h1>GET {entry.route or 'request'}</h1>" in page
        assert '"hide": ["stacklapse"]' in page or '"hide":["stacklapse"]' in page
    sampled = middleware(top / "sampled", sample=1.0)
    assert Answered(sampled).number
    assert [entry.reason for entry in kept_by(sampled)] == ["sampled"]


def what_cannot_be_kept_is_recorded_all_the_same():
    shows = middleware(top / "not-kept", slow=0.5)
    for error, words in ((RuntimeError("no memory"), "cannot be kept"), (SystemExit(1), "")):
        shows._core._watches = Refusing(error)
        try:
            assert Answered(shows).number
        except SystemExit:
            assert words == ""
        else:
            assert words in told.pop()
        assert shows._core._limits._asked == {}
    assert len(shows._core._reports.latest()) == 2


def the_collector_may_end_a_request_anywhere():
    """Also in the midst of what is done for another one, in the same thread."""
    shows = middleware(max_reports=1)
    going = shows._core._begin_asked(incoming(), sys._getframe())
    with shows._core._limits._lock, shows._core._reports._lock:
        shows._core.finish(going, core.Outcome(status=200))
    assert shows._core._limits._asked == {}
    assert Answered(shows, "", PATH_INFO=f"/_stacklapse/{going.number}").is_report


class Refusing:
    def __init__(self, error):
        self.error = error

    def begin(self, method, caller):
        raise self.error


who_may()
a_report_in_place_of_a_page()
a_file_is_the_servers_to_send()
what_a_report_tells(None)
what_a_report_tells(top / "told")
the_list_tells_when_and_what_came_of_it()
no_report_is_lost_for_one_that_is_none()
nobody_waits_for_a_report_that_does_not_come()
a_request_may_end_while_a_limit_ends_its_recording()
a_recording_that_cannot_be_stopped_is_waited_for_by_nobody()
web_sockets_are_passed_through()
worth_keeping_is_what_was_asked_for_as_well()
what_cannot_be_kept_is_recorded_all_the_same()
the_collector_may_end_a_request_anywhere()
assert told == [], told
print("ok")
