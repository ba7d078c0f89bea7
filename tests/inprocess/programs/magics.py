"""%stacklapse in IPython: what is run, what is shown, and what is left behind."""

import contextlib
import copy
import gc
import io
import json
import linecache
import os
import pickle
import re
import sys
import time
import traceback
import weakref
from pathlib import Path

from cells import assert_is_the_cells_own
from shells import Ran, refused, shell
from stacklapse import Profiler, Session
from stacklapse.profiler import _started
from work import names, seconds_in, spin

folder = Path(os.environ["IPYTHONDIR"])
shell.user_ns |= {"spin": spin, "took": {}, "time": time, "weakref": weakref}

assert "UsageError: Line magic function `%stacklapse` not found" in Ran("%stacklapse 1").err
assert Ran("%load_ext stacklapse").error is None
Ran(
    "def two():\n    begin = time.perf_counter()\n    spin(0.2)\n    took['two'] = time.perf_counter() - begin\n"
    "def one():\n    begin = time.perf_counter()\n    spin(0.1)\n    took['one'] = time.perf_counter() - begin\n"
)


def assert_shares(session):
    took = shell.user_ns["took"]
    whole = seconds_in(session, "one") + seconds_in(session, "two")
    assert abs(seconds_in(session, "two") / whole - took["two"] / sum(took.values())) < 0.1, took
    assert whole > 0.9 * session.duration


def busiest_lines(session, count):
    lines = session.root_frame().lines
    return set(sorted(lines, key=lines.get)[-count:])


def cells_show_where_their_time_went():
    ran = Ran("%%stacklapse -i 500us\nnumber = 42\ntwo()\none()\nnumber + 1\n")
    assert ran.result.result == 43
    assert shell.user_ns["number"] == 42
    number = ran.result.execution_count
    assert f"Out[{number}]: 43" in ran.out
    assert f"Cell In[{number}]" in ran.out
    assert "two" in ran.out
    assert shell.user_ns["_"] == 43
    assert shell.user_ns["Out"][number] == 43
    assert_shares(ran.session)
    assert_is_the_cells_own(ran.session)
    assert ran.session.interval == 0.0005
    # Lines have the numbers of the cell, the magic's own being the first.
    assert busiest_lines(ran.session, 2) == {3, 4}
    again = Ran("%%stacklapse\n\n\ntwo()\n").session
    assert again is not ran.session
    assert busiest_lines(again, 1) == {4}


def lines_show_where_their_time_went():
    ran = Ran("%stacklapse -i 500us two() or one() or 'done'")
    assert ran.result.result == "done"
    assert "Out[" in ran.out
    assert "two() or one() or 'done'" in ran.out
    assert_shares(ran.session)
    assert_is_the_cells_own(ran.session)
    Ran("value = %stacklapse -i 1ms {'$number': '{number}'}")
    assert shell.user_ns["value"] == {"$number": "{number}"}, "braces and dollars are the code's own"
    Ran("%stacklapse made = two")
    assert shell.user_ns["made"] is shell.user_ns["two"]
    assert Ran("%stacklapse -- -number").result.result == -shell.user_ns["number"]
    assert Ran("%stacklapse -5 + 6").result.result == 1
    assert Ran("stacklapse 2 + 3").result.result == 5, "automagic"
    ran = Ran("def within(inner):\n    %stacklapse inner += spin(0.05) or 1\n    return inner\nwithin(1)")
    assert "inner += spin(0.05) or 1" in ran.out
    assert "spin" in names(ran.session)


def names_of_a_function_are_seen_and_changed_as_documented():
    def within(statement, inner=1):
        shell.user_ns |= {"statement": statement, "given": inner}
        ran = Ran(
            "def within(inner):\n    value = get_ipython().run_line_magic('stacklapse', statement)\n"
            "    return value, inner\nwithin(given)"
        )
        return ran.result.result if ran.error is None else type(ran.error)

    assert within("inner + 1") == (2, 1)
    assert within("[each for each in [inner]]") == ([1], 1)
    assert within("inner += 1") == (None, 2 if sys.version_info >= (3, 13) else 1)
    ran = Ran("def within(inner):\n    %stacklapse fresh = inner\n    return fresh\nwithin(1)")
    assert isinstance(ran.error, NameError)
    assert within("[inner for _ in range(2)]") == (([1, 1], 1) if sys.version_info >= (3, 12) else NameError)
    assert within("list(inner for _ in range(2))") is NameError
    assert within("(lambda: inner)()") is NameError


def of_a_cell_the_last_expression_only_is_shown():
    before = shell.ast_node_interactivity
    try:
        shell.ast_node_interactivity = "all"
        ran = Ran("%%stacklapse\n'eggs'\n'salt'\n")
        assert "'salt'" in ran.out
        assert "Out[" in ran.out
        assert "'eggs'\n" not in ran.out
        shell.ast_node_interactivity = "last_expr_or_assign"
        assert Ran("%%stacklapse\nlast = 7\n").result.result is None
        assert Ran("last = %stacklapse 7").result.result == 7
    finally:
        shell.ast_node_interactivity = before


def cells_are_shown_with_their_text():
    class Name(str):
        """A cell that another thread adds meanwhile."""

        __slots__ = ()
        __eq__ = str.__eq__

        def __hash__(self):
            linecache.cache.setdefault(f"<cell {len(linecache.cache)}>", (0, None, [], ""))
            return hash(str(self))

    impossible = "<" + 5000 * "x" + ">"
    before = dict(linecache.cache)
    try:
        for number in range(1100):
            linecache.cache[f"<old {number}>"] = (8, None, ["eggs = 1"], "")
        linecache.cache[Name("<named>")] = (8, None, ["eggs = 1"], "")
        linecache.cache[impossible] = (11, None, ["spin(0.05)\n"], impossible)
        shell.user_ns["impossible"] = impossible
        busy = "for _ in range(1_000_000): pass"
        ran = Ran(f"%%stacklapse\n{busy}\nexec(compile('spin(0.05)', impossible, 'exec'))\n")
        assert f"> line 2: {busy}" in ran.out, ran.out
        [cell] = set(ran.session._sources) - {impossible}
        assert ran.session._sources[cell].splitlines()[1] == busy
        assert ran.session._sources[impossible] == "spin(0.05)\n"
    finally:
        linecache.cache.clear()
        linecache.cache.update(before)


def what_cannot_be_shown_does_not_take_the_value():
    class Full(io.StringIO):
        def write(self, text):
            sys.stdout = self.before
            raise OSError(28, "No space left\non device")

    shell.user_ns["Full"] = Full
    ran = Ran("%%stacklapse\nimport sys\nFull.before, sys.stdout = sys.stdout, Full()\n6 * 7\n")
    assert ran.error is None
    assert ran.result.result == 42
    assert ran.err == "stacklapse: cannot show the report: [Errno 28] No space left on device\n"
    assert "Out[" in ran.out
    # A file that was asked for is another matter.
    (folder / "gone").mkdir()
    ran = Ran(f"%%stacklapse -o {folder}/gone/x.html\nimport os\nos.rmdir('{folder}/gone')\n7\n")
    assert type(ran.error).__name__ == "UsageError"
    assert f"cannot write {folder}/gone/x.html" in ran.err


def a_semicolon_keeps_a_value_from_being_shown():
    for code in ("%stacklapse 7;", "%%stacklapse\n7;  # not shown\n"):
        assert Ran(code).result.result is None
    assert Ran("%%stacklapse\n7  # ;\n").result.result == 7


def errors_are_told_as_without_it():
    code = "%%stacklapse\ntwo()\ndef fails():\n    raise ValueError('no eggs')\nfails()\n"
    ran = Ran(code)
    assert isinstance(ran.error, ValueError)
    report, _, told = ran.out.partition("-----")
    assert "two" in report
    assert "ValueError: no eggs" in told
    assert "4     raise ValueError('no eggs')" in told
    assert "fails()" in told
    for ours in ("run_cell_magic", "/_ipython/", "interactiveshell.py"):
        assert ours not in told, told
    assert "two" in names(shell.user_ns["_stacklapse"])
    ran = Ran("%stacklapse two() or [][1]")
    assert isinstance(ran.error, IndexError)
    assert "/_ipython/" not in ran.out
    assert "run_line_magic(self" not in ran.out
    ran = Ran("%%stacklapse\n%stacklapse [][1]\n")
    assert isinstance(ran.error, IndexError)
    assert "/_ipython/" not in ran.out.partition("-----")[2]
    cells = [Ran("%%stacklapse\n1 +\n"), Ran("1\n1 +\n")]
    assert all(isinstance(ran.error, SyntaxError) for ran in cells)
    told, plain = (re.sub(r"In ?\[\d+\]", "In[]", ran.out) for ran in cells)
    assert "invalid syntax" in told
    assert told == plain, "as IPython tells that a cell cannot be read"
    for raises in (
        "exec('1 +')",
        "raise ExceptionGroup('many', [ValueError('no eggs')])",
        "try:\n    raise ExceptionGroup('many', [ValueError('no eggs')])\nexcept* ValueError:\n    [][1]",
        "import asyncio; await asyncio.sleep(0)\nraise ExceptionGroup('many', [ValueError('no eggs')])",
    ):
        ran = Ran(f"%%stacklapse\n{raises}\n")
        shown = ran.out + ran.err
        assert type(ran.error).__name__ in shown
        for ours in ("run_cell_magic", "/_ipython/", "stacklapse/ipython.py", "awaited"):
            assert ours not in shown, shown
        frames = [frame.name for frame in traceback.extract_tb(ran.error.__traceback__)]
        assert {"now", "awaited"} & set(frames), "the error itself keeps them"
    # One that is raised again elsewhere is shown as what it then is.
    Ran("try:\n    %stacklapse [][1]\nexcept IndexError as error:\n    kept = error\n")
    ran = Ran("def elsewhere():\n    raise kept\nelsewhere()\n")
    assert "elsewhere" in ran.out


def errors_can_be_kept_and_copied():
    code = "try:\n    %stacklapse two() or [][1]\nexcept IndexError as error:\n    kept = error\n"
    # By itself, since the frames of the error keep a Ran.
    with contextlib.redirect_stdout(io.StringIO()):
        shell.run_cell(code).raise_error()
    session = weakref.ref(shell.user_ns.pop("_stacklapse"))
    shell.user_ns_hidden.pop("_stacklapse")
    gc.collect()
    assert session() is None, "an error that is kept does not keep the recording"
    kept = shell.user_ns["kept"]
    assert "/_ipython/" not in "".join(kept._render_traceback_())
    for copied in (pickle.loads(pickle.dumps(kept)), copy.deepcopy(kept)):
        assert type(copied) is IndexError
        shell.user_ns["copied"] = copied
        ran = Ran("def elsewhere():\n    raise copied\nelsewhere()\n")
        assert "IndexError: list index out of range" in ran.out
        assert "elsewhere" in ran.out
        assert "Unexpected" not in ran.out
    gc.collect()
    gc.disable()
    try:
        Ran("class Burnt(Exception): pass\ndef burn(): raise Burnt")
        Ran("try:\n    %stacklapse burn()\nexcept Burnt as error:\n    kept = weakref.ref(error)\n")
        assert shell.user_ns["kept"]() is None
    finally:
        gc.enable()
    ran = Ran("%%stacklapse\ntwo()\nraise ExceptionGroup('many', [ValueError('no eggs')])\n")
    assert isinstance(ran.error, ExceptionGroup)
    assert "two" in ran.out
    assert "ExceptionGroup: many" in ran.out + ran.err


def interrupts_end_it():
    ran = Ran("%%stacklapse\nimport _thread\ntwo()\n_thread.interrupt_main()\nspin(10)\n")
    assert isinstance(ran.error, KeyboardInterrupt)
    assert "two" in ran.out.partition("KeyboardInterrupt")[0]
    assert isinstance(Ran("%stacklapse raise SystemExit").error, SystemExit)


def what_awaits_is_waited_for():
    Ran("import asyncio\nasync def cook():\n    spin(0.05)\n    await asyncio.sleep(0.2)\n    return 'eggs'\n")
    ran = Ran("%%stacklapse -i 500us\nasked = cook()\ndish = await asked\ndish.upper()\n")
    assert ran.result.result == "EGGS"
    assert shell.user_ns["dish"] == "eggs"
    assert_is_the_cells_own(ran.session, awaits=True)
    assert {"cook", "spin", "[await]"} <= names(ran.session)
    assert seconds_in(ran.session, "[await]") > 0.15
    assert Ran("%%stacklapse\nawait cook()\nawait cook();\n").result.result is None
    ran = Ran("%stacklapse await cook()")
    assert ran.result.result == "eggs"
    assert_is_the_cells_own(ran.session, awaits=True)
    Ran("first, second = %stacklapse await asyncio.gather(cook(), cook())")
    assert shell.user_ns["second"] == "eggs"
    assert Ran("'ä', %stacklapse\n").error is not None
    text = "a\x0c\x0b\x1c\x1d\x1e\x85\u2028\u2029b"
    # IPython itself does not find the magic behind some of these, from Python 3.12 on.
    call = "get_ipython().run_line_magic('stacklapse', 'await cook()')"
    before, after = f"text = '{text}'\r\nnumber = 1\r", f"; '{text}'\n"
    for transform in shell.input_transformers_post:
        lines = transform([before, call + after])
    assert "".join(lines).startswith(f"{before}await get_ipython().")
    assert "".join(lines).endswith(f".awaited('await cook()'){after}")
    ran = Ran("if True:\n    'ä'; number = 7\n    %stacklapse await cook()\n    %stacklapse two()\n")
    assert "two" in names(ran.session)
    ran = Ran("%%stacklapse\nawait cook()\nawait asyncio.sleep(0)\n[][1]\n")
    assert isinstance(ran.error, IndexError)
    assert "cook" in ran.out.partition("-----")[0]
    for ours in ("awaited", "/_ipython/"):
        assert ours not in ran.out, ran.out
    # A magic that is called by hand waits in a loop of its own where none runs, and cannot where one does.
    assert shell.run_cell_magic("stacklapse", "", "await cook()\n") == "eggs"
    ran = Ran("async def outer():\n    get_ipython().run_line_magic('stacklapse', 'await cook()')\nawait outer()")
    assert type(ran.error).__name__ == "UsageError"
    assert "an event loop runs already" in ran.err
    Ran("%autoawait off")
    assert isinstance(Ran("%%stacklapse\nawait cook()\n").error, SyntaxError)
    Ran("%autoawait on")


def magics_within_work():
    ran = Ran("%%stacklapse\n%timeit -n 2 -r 2 two()\n!echo from a shell\nwords = !echo a b\n")
    assert ran.error is None
    assert "2 loops" in ran.out
    assert shell.user_ns["words"] == ["a b"]
    assert "two" in names(ran.session)
    ran = Ran("%%time\n%%stacklapse\ntwo()\n11\n")
    assert "Wall time" in ran.out
    assert ran.result.result == 11
    assert_is_the_cells_own(ran.session)
    ran = Ran("%%stacklapse\none()\n%stacklapse two()\n")
    assert "two()" in ran.out
    assert {"one", "two"} <= names(ran.session), "the outer one is the last"
    Ran("%%capture caught\n%%stacklapse\ntwo()\n")
    assert "two" in shell.user_ns["caught"].stdout


def other_profilers_go_on():
    Ran("from stacklapse import Profiler\nprofiler = Profiler()\nprofiler.start()")
    session = Ran("%%stacklapse\ntwo()\n").session
    Ran("profiler.stop()\nprofiler.start()")
    both = Ran("%%stacklapse\none()\nprofiler.stop()\n").session
    outer = shell.user_ns["profiler"].last_session
    assert {"one", "two"} <= names(outer)
    assert not {"_begin_or_end", "now"} & names(outer)
    assert "two" in names(session)
    assert "one" not in names(session)
    assert "one" in names(both)


def every_thread_is_recorded_if_asked_for():
    code = "import threading\nother = threading.Thread(target=two)\nother.start()\nother.join()\n"
    assert "two" in names(Ran("%%stacklapse --threads all\n" + code).session)
    assert "two" not in names(Ran("%%stacklapse\n" + code).session)


def options_have_their_effect():
    code = "\nimport json\nfor _ in range(2000): json.dumps(list(range(2000)))\n"
    assert "JSONEncoder" not in Ran("%%stacklapse" + code).out
    assert "JSONEncoder" in Ran("%%stacklapse --show-all" + code).out
    code = "\ntwo()\none()\ntwo()\n"
    assert Ran("%%stacklapse --timeline" + code).out.count("two") == 1 + Ran("%%stacklapse" + code).out.count("two")
    ran = Ran(f"%stacklapse -o '{folder}/with blank.html' -r json two()")
    assert "saved the report to" in ran.out
    assert "──" not in ran.out
    assert json.loads((folder / "with blank.html").read_text())["format"]
    for name, begin in (("page.html", b"<!doctype html>"), ("kitchen.pstats", b""), ("k.speedscope.json", b"{")):
        Ran(f"%stacklapse --output={folder}/{name} two()")
        assert (folder / name).read_bytes().startswith(begin), name
    session = Ran(f"%stacklapse -o{folder}/kitchen.lapse two()").session
    assert Session.load(folder / "kitchen.lapse").duration == session.duration
    helped = Ran("%%stacklapse --help\nran = True\n")
    assert "--interval TIME" in helped.out
    assert not shell.user_ns.get("ran")
    assert "--interval TIME" in shell.find_line_magic("stacklapse").__doc__
    os.environ["BROWSER"] = "true"
    assert "saved the report to /" in Ran("%stacklapse -r html two()").out


def what_is_wrong_is_told_in_one_sentence():
    run = " ran = True"
    long = 300 * "x"
    homeless = "cannot write ~nobody-here/x.html: there is no home directory ~nobody-here"
    for line, said in (
        ("-i soon" + run, "-i takes a time such as 1ms, 500us or 0.001, not 'soon'"),
        ("--interval=1parsec" + run, "--interval takes a time such as 1ms, 500us or 0.001, not '1parsec'"),
        ("-i 11s" + run, "-i takes a time from 1us to 10s, not '11s'"),
        ("-i", "-i needs a value"),
        ("--intervall 1ms" + run, "there is no option --intervall: did you mean --interval?"),
        ("-x" + run, "there is no option -x; %stacklapse -h lists what there is"),
        ("--threads most" + run, "--threads takes all or scope, not 'most'"),
        ("-r pprof" + run, "pprof cannot be shown here; write it to a file with -o"),
        (f"-o {folder}/none/x.html" + run, f"cannot write {folder}/none/x.html: there is no directory {folder}/none"),
        ("-o ~nobody-here/x.html" + run, homeless),
        (f"-o {folder}/{long}.html" + run, f"cannot write {folder}/{long}.html: File name too long"),
        (f"-o {folder}/{long}/x.html" + run, f"cannot write {folder}/{long}/x.html: File name too long"),
        ("-o ~nobody-here/x.html await f()", homeless),
        ("-o /dev/null/x.html" + run, "cannot write /dev/null/x.html: there is no directory /dev/null"),
        (f"-r text -o {folder}" + run, f"cannot write {folder}: it is a directory"),
    ):
        assert refused("%stacklapse " + line) == said
    assert "-r takes text, " in refused("%stacklapse -r txt ran = True")
    assert "does not say which format" in refused(f"%stacklapse -o {folder}/x.unknown ran = True")
    assert "STATEMENT" in refused("%stacklapse")
    assert "takes options only" in refused("%%stacklapse two()\nran = True\n")


def a_profiler_that_cannot_start_is_told_in_one_sentence():
    def start(self, frame, description):
        raise OSError("this process may not read its own memory")

    before, Profiler.start = Profiler.start, start
    try:
        assert refused("%%stacklapse\nran = True\n") == "this process may not read its own memory"
    finally:
        Profiler.start = before


def it_can_be_taken_away_again():
    count = len(shell.input_transformers_post)
    assert Ran("%reload_ext stacklapse").error is None
    assert len(shell.input_transformers_post) == count
    assert Ran("%stacklapse 3").result.result == 3
    Ran("%unload_ext stacklapse")
    assert len(shell.input_transformers_post) == count - 1
    assert "not found" in Ran("%stacklapse 3").err
    assert "not found" in Ran("%%stacklapse\n3\n").err
    assert "showtraceback" not in vars(shell)


for check in (
    cells_show_where_their_time_went,
    lines_show_where_their_time_went,
    names_of_a_function_are_seen_and_changed_as_documented,
    of_a_cell_the_last_expression_only_is_shown,
    cells_are_shown_with_their_text,
    what_cannot_be_shown_does_not_take_the_value,
    a_semicolon_keeps_a_value_from_being_shown,
    errors_are_told_as_without_it,
    errors_can_be_kept_and_copied,
    interrupts_end_it,
    what_awaits_is_waited_for,
    magics_within_work,
    other_profilers_go_on,
    every_thread_is_recorded_if_asked_for,
    options_have_their_effect,
    what_is_wrong_is_told_in_one_sentence,
    a_profiler_that_cannot_start_is_told_in_one_sentence,
    it_can_be_taken_away_again,
):
    try:
        check()
    except BaseException:
        print("in", check.__name__)
        raise
    assert not list(_started.values()), check.__name__
