"""Every name of the API does what it says."""

import contextlib
import copy
import errno
import io
import json
import marshal
import os
import pickle
import pstats
import resource
import stat
import sys
import types
import webbrowser
from functools import partial
from pathlib import Path

import stacklapse
import stacklapse.profiler as profiler_module
from stacklapse import (
    ConsoleRenderer,
    HTMLRenderer,
    JSONRenderer,
    Profiler,
    PstatsRenderer,
    Renderer,
    Session,
    SpeedscopeRenderer,
)
from work import assert_adds_up, names, spin

folder = Path(sys.argv[1])


@contextlib.contextmanager
def raises(kind, words):
    caught = []
    try:
        yield caught
    except kind as error:
        assert words in str(error), error
        caught.append(error)
    else:
        raise AssertionError(f"no {kind.__name__}")


def cook():
    spin(0.05)


def record():
    profiler = Profiler()
    assert (profiler.interval, profiler.async_mode, profiler.is_running) == (0.001, "enabled", False)
    assert profiler.last_session is None
    with raises(RuntimeError, "not running"):
        profiler.stop()
    with raises(RuntimeError, "recorded nothing"):
        profiler.output_text()
    profiler.start()
    assert profiler.is_running
    with raises(ValueError, "already running"):
        profiler.start()
    with raises(RuntimeError, "still running"):
        profiler.print()
    cook()
    session = profiler.stop()
    assert not profiler.is_running
    with raises(RuntimeError, "not running"):
        profiler.stop()
    return profiler, session


def check_session(profiler, session):
    assert session is profiler.last_session
    assert 0.05 <= session.duration < 60
    assert 0 < session.sample_count <= session.duration / 0.001 + 2
    assert 0 < session.cpu_time < 5
    assert abs(session.start_time - Path(__file__).stat().st_atime) < 10**9
    assert session.program.startswith(f"Profile at {__file__}:")
    assert session.target_description == session.program
    assert {"record", "cook", "spin"} <= names(session)
    assert "<module>" not in names(session), "frames below the one that started it are trimmed"
    assert_adds_up(session)
    root = session.root_frame()
    assert (root.function, root.parent, root.file_path) == ("record", None, __file__)
    assert root.is_application_code
    cook_frame = next(frame for frame in root.walk() if frame.function == "cook")
    assert cook_frame.parent.function == "record"
    assert cook_frame.line_no == cook.__code__.co_firstlineno
    assert list(cook_frame.lines) == [cook.__code__.co_firstlineno + 1]
    assert cook_frame.time > 0.5 * session.duration
    assert isinstance(root.children, tuple)
    with raises(AttributeError, ""):
        root.time = 1
    document = session.to_json()
    assert document["recording"]["samples"] == session.sample_count


def check_outputs(profiler):
    text = profiler.output_text()
    assert "cook" in text
    assert "\x1b[" not in text
    assert text.isascii()
    assert "└" in profiler.output_text(unicode=True)
    assert "\x1b[" in profiler.output_text(color=True)
    assert len(profiler.output_text(short_mode=True)) < len(text)
    assert "spin" in profiler.output_text(flat=True, flat_time="total")
    assert "cook" in profiler.output_text(timeline=True, show_all=True, time="percent_of_total")
    assert "cook" in profiler.output_text(processor_options={"filter_threshold": 0})
    page = profiler.output_html()
    assert page.startswith("<!")
    profiler.write_html(folder / "page.html")
    assert (folder / "page.html").read_text(encoding="utf-8") == page
    assert stat.S_IMODE((folder / "page.html").stat().st_mode) & 0o077 == 0
    opened = []
    webbrowser.open = opened.append
    temporary = Path(profiler.open_in_browser())
    assert temporary.read_text(encoding="utf-8") == page
    assert stat.S_IMODE(temporary.stat().st_mode) & 0o077 == 0
    there = HTMLRenderer().open_in_browser(profiler.last_session, folder / "there.html")
    assert Path(there).read_text(encoding="utf-8") == page
    assert opened == [temporary.as_uri(), (folder / "there.html").absolute().as_uri()]
    temporary.unlink()
    # What is printed goes to stdout as it is then.
    caught = io.StringIO()
    with contextlib.redirect_stdout(caught):
        profiler.print()
    assert "cook" in caught.getvalue()
    caught = io.StringIO()
    profiler.print(file=caught, unicode=True, color=True)
    assert "\x1b[" in caught.getvalue()
    # It has to be no more of a file than print() wants.
    parts = []
    profiler.print(file=types.SimpleNamespace(write=parts.append))
    assert "cook" in "".join(parts)


def check_renderers(profiler, session):
    assert "spin" in profiler.output(ConsoleRenderer(unicode=True, flat=True))
    assert profiler.output(HTMLRenderer()) == profiler.output_html()
    assert json.loads(profiler.output(JSONRenderer(show_all=True))) == session.to_json()
    assert json.loads(profiler.output(SpeedscopeRenderer()))["$schema"]
    content = profiler.output(PstatsRenderer())
    assert isinstance(content, bytes)
    assert PstatsRenderer.output_is_binary
    assert any(function == "cook" for _, _, function in marshal.loads(content))
    (folder / "cook.pstats").write_bytes(content)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        pstats.Stats(str(folder / "cook.pstats")).print_stats()
    assert "cook" in printed.getvalue()
    assert "cook" in session.render("folded")
    assert "cook" not in profiler.output(ConsoleRenderer(hide=["*api.py", "*work.py"])).split("cook", 2)[0]
    with raises(TypeError, "renderer must be"):
        profiler.output("html")


def check_flat(session):
    """Of the table of functions: by own time, and by time with what they called."""
    by_self = ConsoleRenderer(flat=True, short_mode=True).render(session)
    by_total = ConsoleRenderer(flat=True, flat_time="total", short_mode=True).render(session)
    assert by_self.lstrip().splitlines()[2].split()[0] == "self", by_self
    assert by_total.lstrip().splitlines()[2].split()[0] == "total", by_total
    assert "cook" in by_total, "it has no time of its own"
    assert session.render("text", flat=True, flat_by_total=True, short=True, unicode=False) == by_total


def check_render(session):
    usual = session.render("text")
    assert session.render("text", hide="*api.py") == session.render("text", hide=["*api.py"]) != usual
    assert session.render("text", flat=True, width=60, percent=True, short=True) != usual
    for kind, words, options in (
        (TypeError, "show must be globs: a str, or several, not 3", {"show": 3}),
        (TypeError, "hide must be globs", {"hide": [b"x"]}),
        (ValueError, "width must be a number of columns from 0 to 10,000, not -5", {"width": -5}),
        (TypeError, "width must be a number of columns, not '80'", {"width": "80"}),
        (ValueError, "threshold must be a number from 0 to 1, not 7.0", {"threshold": 7.0}),
        (ValueError, "flat and timeline", {"flat": True, "timeline": True}),
        (ValueError, "mode must be", {"mode": 3}),
        (TypeError, "colour", {"colour": True}),
    ):
        with raises(kind, words):
            session.render("text", **options)
    with raises(ValueError, "there is no renderer 'postscript'"):
        session.render("postscript")


def check_files_that_cannot_be_written(profiler, session):
    """As by open(): a subclass of OSError with `errno` and `filename`."""
    page = HTMLRenderer()
    for number, kind, path in (
        (errno.ENOENT, FileNotFoundError, str(folder / "nowhere" / "f\udcffile")),
        (errno.ENOENT, FileNotFoundError, ""),
        (errno.EISDIR, IsADirectoryError, str(folder)),
        (errno.ENOSPC, OSError, "/dev/full"),
    ):
        for write in (profiler.save, session.save, profiler.write_html, partial(page.open_in_browser, session)):
            with raises(kind, f"[Errno {number}] {os.strerror(number)}: {path!r}") as caught:
                write(path)
            [error] = caught
            assert (error.errno, error.filename) == (number, path), error
    with raises(FileNotFoundError, "nowhere"):
        session.save(folder / "nowhere" / "file.lapse")


def check_no_descriptors():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, most[1]))
    taken = []
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(2):
            with raises(OSError, "[Errno 24] cannot open /proc/"):
                Profiler().start()
            os.close(taken.pop())
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, most)


def check_files(profiler, session):
    path = folder / "cook.lapse"
    profiler.save(path)
    session.save(str(path) + "2")
    assert path.read_bytes() == Path(str(path) + "2").read_bytes()
    loaded = Session.load(path)
    assert loaded.to_json()["recording"] == session.to_json()["recording"]
    both = Session.combine(loaded, session)
    assert both.sample_count == 2 * session.sample_count
    assert abs(both.duration - 2 * session.duration) < 1e-6
    assert_adds_up(both)
    both.save(path)
    assert Session.load(path).sample_count == both.sample_count
    with raises(FileNotFoundError, "nowhere"):
        Session.load(folder / "nowhere")
    (folder / "text").write_text("no recording\n")
    with raises(ValueError, "text"):
        Session.load(folder / "text")
    check_files_that_cannot_be_written(profiler, session)
    with raises(TypeError, "Session"):
        Session.combine(session, "x")
    with raises(TypeError, "bytes"):
        Session("x")


def check_copies(session):
    for original in (session, Session(session._trace), Session.combine(session, session)):
        for copied in (copy.copy(original), copy.deepcopy(original), pickle.loads(pickle.dumps(original))):
            assert copied.to_json() == original.to_json()
    (folder / "cook.folded").write_text("cook;spin 70\n")
    folded = Session.load(folder / "cook.folded")
    assert pickle.loads(pickle.dumps(folded)).to_json() == folded.to_json()
    # With the text of code that lies in no file.
    given = Session(session._trace)
    given._sources = {"<cell 1>": "cook()"}
    other = Session(session._trace)
    other._sources = {"<cell 1>": "burn()", "<cell 2>": "spin()"}
    for copied in (copy.copy(given), copy.deepcopy(given), pickle.loads(pickle.dumps(given))):
        assert copied._sources == given._sources
    assert Session.combine(given, other)._sources == {"<cell 1>": "cook()", "<cell 2>": "spin()"}


def check_starting_again(profiler):
    before = profiler.last_session.sample_count
    profiler.start()
    cook()
    session = profiler.stop()
    assert session.sample_count > before
    assert_adds_up(session)
    profiler.reset()
    assert profiler.last_session is None
    profiler.start()
    profiler.reset()
    assert not profiler.is_running
    assert profiler.last_session is None


def check_interrupted_start():
    """A signal's handler that raises while a Profiler starts leaves one that can be started."""

    class Interrupting(dict):
        def __setitem__(self, key, value):
            raise KeyboardInterrupt

    profiler = Profiler()
    started, profiler_module._started = profiler_module._started, Interrupting()
    try:
        with raises(KeyboardInterrupt, ""):
            profiler.start()
    finally:
        profiler_module._started = started
    assert not profiler.is_running
    profiler.start()
    with raises(ValueError, "already running"):
        profiler.start()
    assert profiler.is_running
    assert_adds_up(profiler.stop())


def check_context_manager():
    with Profiler(interval=0.0005) as profiler:
        assert profiler.is_running
        cook()
    assert not profiler.is_running
    assert profiler.last_session.root_frame().function == "check_context_manager"
    with raises(ZeroDivisionError, ""), Profiler() as profiler:
        spin(0.01)
        _ = 1 / 0
    assert "spin" in names(profiler.last_session)
    with contextlib.ExitStack() as stack:
        profiler = stack.enter_context(Profiler())
        line = sys._getframe().f_lineno - 1
    assert profiler.last_session.program == f"Profile at {__file__}:{line}"


def check_stem():
    with Profiler(trim_stem=False) as profiler:
        cook()
    assert "<module>" in names(profiler.last_session)

    def inner():
        profiler.start(caller_frame=sys._getframe(1), target_description="supper")
        cook()
        return profiler.stop()

    profiler = Profiler()
    session = inner()
    assert session.root_frame().function == "check_stem"
    assert session.program == "supper"


def check_arguments():
    for wrong in (0, -1, 1e-9, 11, float("nan")):
        with raises(ValueError, "interval must be from 1e-06 to 10.0 seconds"):
            Profiler(interval=wrong)
    for wrong in ("1", None, True):
        with raises(TypeError, "interval must be a number of seconds"):
            Profiler(interval=wrong)
    with raises(ValueError, "async_mode must be 'enabled', 'disabled' or 'strict'"):
        Profiler(async_mode="bogus")
    with raises(ValueError, "threads must be 'scope' or 'all'"):
        Profiler(threads="some")
    with raises(TypeError, "target_description must be a str"):
        Profiler().start(target_description=1)
    with raises(ValueError, "frame of the running stack"):
        try:
            _ = 1 / 0
        except ZeroDivisionError as error:
            inner = error.__traceback__.tb_frame

        def other():
            yield sys._getframe()

        frame = next(iter(generator := other()))
        assert inner is not None
        try:
            Profiler().start(caller_frame=frame)
        finally:
            generator.close()
    with raises(ValueError, "time must be 'seconds' or 'percent_of_total'"):
        ConsoleRenderer(time="minutes")
    with raises(ValueError, "flat and timeline"):
        ConsoleRenderer(flat=True, timeline=True)
    with raises(ValueError, "a processor option must be"):
        ConsoleRenderer(processor_options={"hide_regex": "x"})
    with raises(ValueError, "from 0 to 1"):
        ConsoleRenderer(processor_options={"filter_threshold": 2})
    with raises(TypeError, 'processor_options must be a dict as {"filter_threshold": 0.01}, not 3'):
        ConsoleRenderer(processor_options=3)
    for wrong in (3, [3], None):
        with raises(TypeError, f"show must be globs: a str, or several, not {wrong}"):
            ConsoleRenderer(show=wrong)
    with raises(TypeError, "use one of them, such as ConsoleRenderer()"):
        Renderer()
    with raises(TypeError, "renderer must be"):
        stacklapse.profile(renderer="text")
    with raises(ValueError, "renderer must make text"):
        stacklapse.profile(renderer=PstatsRenderer())
    with raises(TypeError, "target_description must be a str"):
        stacklapse.profile(target_description=3)
    with raises(ValueError, "interval must be"):
        stacklapse.profile(interval=0)
    for mode in ("enabled", "disabled", "strict"):
        with Profiler(0.001, mode, True) as profiler:
            cook()
        assert "cook" in names(profiler.last_session)
    for wrong in (3, "report.txt"):
        with raises(TypeError, f"file must be open for writing text, such as sys.stderr, not {wrong!r}"):
            profiler.print(wrong)
    with raises(TypeError, "pickle"):
        pickle.dumps(profiler.last_session._native)


profiler, session = record()
check_session(profiler, session)
check_outputs(profiler)
check_renderers(profiler, session)
check_flat(session)
check_render(session)
check_files(profiler, session)
check_copies(session)
check_starting_again(profiler)
check_interrupted_start()
check_context_manager()
check_stem()
check_arguments()
check_no_descriptors()
assert stacklapse.__version__
assert all(hasattr(stacklapse, name) for name in stacklapse.__all__)
