"""Which option has an effect on which renderer is what docs/profiler.md says."""

import json
import re
import sys
from pathlib import Path

import stacklapse
from stacklapse import ConsoleRenderer, HTMLRenderer, Profiler
from work import spin

NUMBERS = [list(range(50))] * 20

CHANGED = {
    "show_all": {"show_all": True},
    "timeline": {"timeline": True},
    "show": {"show": "*json*"},
    "hide": {"hide": "*options.py"},
    "filter_threshold": {"processor_options": {"filter_threshold": 0.5}},
}


def short():
    spin(0.02)


def libraries():
    for _ in range(30):
        json.dumps(NUMBERS, indent=1)
        spin(0.002)


def told():
    """The options of each renderer that have an effect, as the document's table has them."""
    rows = re.findall(
        r"^\| (`\w+Renderer`.*?) \| (.*?) \|", Path(sys.argv[1]).read_text(encoding="utf-8"), re.MULTILINE
    )
    return {name: set(re.findall(r"`(\w+)`", options)) for names, options in rows for name in re.findall(r"\w+", names)}


with Profiler(0.0005) as profiler:
    short()
    libraries()
effects = told()
assert effects.keys() == {name for name in stacklapse.__all__ if name.endswith("Renderer") and name != "Renderer"}
for name, options in effects.items():
    renderer = getattr(stacklapse, name)
    for option, arguments in CHANGED.items():
        if renderer is HTMLRenderer and option == "filter_threshold":
            continue  # its page is the only one that does not take it
        changed = profiler.output(renderer(**arguments)) != profiler.output(renderer())
        assert changed == (option in options), (name, option)
usual = ConsoleRenderer(processor_options={"filter_threshold": 0.005})
assert profiler.output(usual) == profiler.output(ConsoleRenderer())
