"""%stacklapse in a Jupyter kernel: what a notebook gets to see of each cell. The last argument is the file that a page
is written to, in its frame, as a notebook shows it."""

import json
import os
import sys
from html.parser import HTMLParser
from pathlib import Path

from jupyter_client.manager import start_new_kernel

folder, frame_file = map(Path, sys.argv[1:])
PATIENCE = 120
NAME = "stacklapse-test"

for variable in ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
    (folder / variable).mkdir()
    os.environ[variable] = str(folder / variable)
os.environ["JUPYTER_PLATFORM_DIRS"] = "1"
os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"

specification = folder / "JUPYTER_DATA_DIR" / "kernels" / NAME
specification.mkdir(parents=True)
(specification / "kernel.json").write_text(
    json.dumps(
        {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": NAME,
            "language": "python",
            "env": {"PYTHONPATH": f"{os.environ['PYTHONPATH']}:{Path(__file__).parent}"},
        }
    )
)


class Answer:
    def __init__(self, code, interrupt=False):
        """`interrupt`: when the cell prints "ready"."""
        # Else what comes soon after an error is not run.
        asked = client.execute(code, stop_on_error=False)
        self.code, self.outputs = code, []
        while True:
            message = client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                break
            if kind in ("stream", "display_data", "execute_result", "error"):
                self.outputs.append((kind, content))
            if interrupt and kind == "stream" and "ready" in content["text"]:
                interrupt = False
                manager.interrupt_kernel()
        reply = client.get_shell_msg(timeout=PATIENCE)
        while reply["parent_header"].get("msg_id") != asked:
            reply = client.get_shell_msg(timeout=PATIENCE)
        self.reply = reply["content"]

    @property
    def kinds(self):
        return [kind for kind, _ in self.outputs]

    def one(self, kind):
        found = [content for each, content in self.outputs if each == kind]
        assert len(found) == 1, (self.code, self.outputs)
        return found[0]

    def said(self, stream):
        return "".join(
            content["text"] for kind, content in self.outputs if kind == "stream" and content["name"] == stream
        )

    def ok(self):
        assert self.reply["status"] == "ok", (
            self.code,
            "\n".join(self.reply.get("traceback", ())),
            self.said("stderr"),
        )
        assert self.said("stderr") == "", self.said("stderr")
        return self

    def failed(self, *names):
        assert self.reply["status"] == "error", self.code
        assert self.reply["ename"] in names, self.reply
        return self


def checked(*statements):
    Answer(
        "\n".join(("from stacklapse.profiler import _started", *statements, "assert not list(_started.values())"))
    ).ok()


def page_of(html):
    """What is in the frame."""
    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes):
            found.append((tag, dict(attributes)))

    Reader().feed(html)
    [(tag, attributes)] = found
    assert tag == "iframe"
    assert attributes["sandbox"] == "allow-scripts"
    return attributes["srcdoc"]


def a_cell_shows_its_page():
    code = (
        "%%stacklapse -i 500us\nfrom time import perf_counter as now\ndef cook():\n    spin(0.2)\n"
        "def clean():\n    spin(0.1)\nbegin = now()\ncook()\ncooked = now()\nclean()\ncleaned = now()\n6 * 7\n"
    )
    answer = Answer(code).ok()
    assert answer.kinds == ["display_data", "execute_result"], answer.kinds
    assert answer.one("execute_result")["data"]["text/plain"] == "42"
    shown = answer.one("display_data")["data"]
    assert set(shown) == {"text/html", "text/plain"}
    number = answer.reply["execution_count"]
    assert f"Cell In[{number}]" in shown["text/plain"]
    assert "cook" in shown["text/plain"]
    assert "\x1b[" not in shown["text/plain"]
    page = page_of(shown["text/html"])
    assert page.startswith("<!doctype html>")
    again = Answer("print(_stacklapse.render('html'), end='')").ok()
    assert again.said("stdout") == page, "what is in the frame is the page, to the last character"
    frame_file.write_text(f"<!doctype html><title>A notebook</title>{shown['text/html']}", encoding="utf-8")
    checked(
        "assert_is_the_cells_own(_stacklapse)",
        "cooking, cleaning = (seconds_in(_stacklapse, name) for name in ('cook', 'clean'))",
        "share, truth = cooking / (cooking + cleaning), (cooked - begin) / (cleaned - begin)",
        "assert abs(share - truth) < 0.1, (share, truth)",
        f"assert Out[{number}] == 42",
        "assert callable(cook)",
    )


def what_awaits_runs_in_the_kernels_loop():
    Answer(
        "import asyncio\nloop = asyncio.get_running_loop()\nticks = 0\nasync def tick():\n    global ticks\n"
        "    while True:\n        ticks += 1\n        await asyncio.sleep(0.01)\nticking = loop.create_task(tick())\n"
        "async def cook():\n    spin(0.1)\n    await asyncio.sleep(0.3)\n"
        "    return asyncio.get_running_loop() is loop\n"
    )
    answer = Answer("%%stacklapse\nbefore = ticks\nsame = await cook()\nticks > before, same\n").ok()
    assert answer.one("execute_result")["data"]["text/plain"] == "(True, True)"
    checked(
        "assert_is_the_cells_own(_stacklapse, awaits=True)",
        "assert {'cook', 'spin', '[await]'} <= names(_stacklapse)",
        "assert 'tick' not in names(_stacklapse)",
        "assert seconds_in(_stacklapse, '[await]') > 0.2",
    )
    answer = Answer("%stacklapse await cook()").ok()
    assert answer.one("execute_result")["data"]["text/plain"] == "True"
    checked("assert_is_the_cells_own(_stacklapse, awaits=True)")
    Answer("%%stacklapse\nasync with asyncio.timeout(10):\n    [number async for number in aiter_of(3)]\n")
    answer = Answer("def within():\n    get_ipython().run_line_magic('stacklapse', 'await cook()')\nwithin()")
    answer.failed("UsageError")
    assert "an event loop runs already" in answer.said("stderr")
    answer = Answer("%%stacklapse\nawait cook()\nraise KeyError('salt')\n").failed("KeyError")
    assert answer.kinds == ["display_data", "error"]
    assert "awaited" not in "".join(answer.reply["traceback"])
    checked("ticking.cancel()", "assert 'cook' in names(_stacklapse)")


def errors_are_told_as_without_it():
    answer = Answer("%%stacklapse\nspin(0.05)\n\n\nraise ValueError('no eggs')\n").failed("ValueError")
    assert answer.kinds == ["display_data", "error"]
    told = "".join(answer.reply["traceback"])
    assert "no eggs" in told
    assert "5" in told
    for ours in ("run_cell_magic", "/_ipython/", "interactiveshell.py"):
        assert ours not in told, told
    answer = Answer("%%stacklapse -i soon\nran = True\n").failed("UsageError")
    assert answer.kinds == ["stream"]
    assert answer.said("stderr").strip() == "UsageError: -i takes a time such as 1ms, 500us or 0.001, not 'soon'"
    checked("assert 'ran' not in globals()", "assert 'spin' in names(_stacklapse)")


def interrupts_end_it():
    spinning = "%%stacklapse\nspin(0.05)\nprint('ready', flush=True)\nspin(600)\n"
    answer = Answer(spinning, interrupt=True).failed("KeyboardInterrupt")
    assert answer.kinds[-2:] == ["display_data", "error"]
    checked("assert 'spin' in names(_stacklapse)")
    # Kernels cancel what awaits when they are interrupted, but may lose the interrupt, with or without a magic.
    awaiting = "%%stacklapse\nloop.call_later(0.2, asyncio.current_task().cancel)\nawait asyncio.sleep(600)\n"
    answer = Answer(awaiting).failed("CancelledError")
    assert answer.kinds == ["display_data", "error"]
    checked("assert 0 < _stacklapse.duration < 500")


def what_is_asked_for_is_shown():
    answer = Answer("%stacklapse -r text spin(0.05)").ok()
    assert set(answer.kinds) == {"stream"}
    assert "spin" in answer.said("stdout")
    file = folder / "cell.html"
    answer = Answer(f"%%stacklapse -o {file}\ndef fry():\n    spin(0.05)\nfry()\n").ok()
    assert set(answer.kinds) == {"stream"}
    assert answer.said("stdout") == f"stacklapse: saved the report to {file}\n"
    assert file.read_text().startswith("<!doctype html>")
    answer = Answer("%%capture caught\n%%stacklapse\nspin(0.05)\n").ok()
    assert answer.kinds == []
    checked("assert 'text/html' in caught.outputs[0].data")


manager, client = start_new_kernel(kernel_name=NAME, startup_timeout=PATIENCE, cwd=str(folder))
try:
    Answer("%load_ext stacklapse\nfrom cells import *\nfrom work import names, seconds_in, spin").ok()
    for check in (
        a_cell_shows_its_page,
        what_awaits_runs_in_the_kernels_loop,
        errors_are_told_as_without_it,
        interrupts_end_it,
        what_is_asked_for_is_shown,
    ):
        try:
            check()
        except BaseException:
            print("in", check.__name__)
            raise
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
