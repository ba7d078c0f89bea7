"""The names, parameters and defaults that pyinstrument 5.1 has, in its order; more may follow, by name. Where they
differ, docs/from-pyinstrument.md says so, and the value here is ours."""

import inspect
import sys
from pathlib import Path

import stacklapse

document = Path(sys.argv[1]).read_text(encoding="utf-8")

NEEDED = inspect.Parameter.empty
TEXT = {
    "unicode": False,
    "color": False,
    "show_all": False,
    "timeline": False,
    "time": "seconds",
    "flat": False,
    "flat_time": "self",
    "short_mode": False,
    "processor_options": None,
}
OF_ANY_RENDERER = {"show_all": False, "timeline": False, "processor_options": None}
SIGNATURES = {
    "Profiler": {"interval": 0.001, "async_mode": "enabled", "use_timing_thread": None},
    "Profiler.start": {"caller_frame": None, "target_description": None},
    "Profiler.stop": {},
    "Profiler.reset": {},
    "Profiler.print": {"file": None, **TEXT, "unicode": None, "color": None},
    "Profiler.output_text": TEXT,
    "Profiler.output_html": {"resample_interval": None},
    "Profiler.write_html": {"path": NEEDED, "timeline": False, "show_all": False, "resample_interval": None},
    "Profiler.open_in_browser": {"timeline": False, "resample_interval": None},
    "Profiler.output": {"renderer": NEEDED},
    "Profiler.__enter__": {},
    "profile": {
        "interval": 0.001,
        "async_mode": "enabled",
        "use_timing_thread": None,
        "renderer": None,
        "target_description": None,
    },
    "Session.load": {"filename": NEEDED},
    "Session.save": {"filename": NEEDED},
    "Session.combine": {"sessions": NEEDED},
    "Session.to_json": {},
    "Session.root_frame": {"trim_stem": True},
    "ConsoleRenderer": {
        **OF_ANY_RENDERER,
        **{name: TEXT[name] for name in ("unicode", "color", "flat", "time", "flat_time", "short_mode")},
    },
    "HTMLRenderer": {"resample_interval": None, "show_all": False, "timeline": False},
    "JSONRenderer": OF_ANY_RENDERER,
    "SpeedscopeRenderer": OF_ANY_RENDERER,
    "PstatsRenderer": OF_ANY_RENDERER,
}
# Which may be given by position, where not all may.
BY_POSITION = {"Profiler.print": ["file"], "HTMLRenderer": [], "profile": []}
ATTRIBUTES = {
    "Profiler": ("interval", "async_mode", "is_running", "last_session"),
    "Session": ("duration", "sample_count", "cpu_time", "start_time", "program", "target_description"),
}
# Where ours is not theirs, and the words with which the page says so.
DIFFERENT = (
    "`print(file=sys.stdout)`",
    '`async_mode="disabled"` by default',
    "`combine(a, b)`",
    "`to_json(include_",
    "0.005 by default and not 0.01",
)


def named(path):
    value = stacklapse
    for name in path.split("."):
        value = getattr(value, name)
    return value


for path, parameters in SIGNATURES.items():
    ours = [
        parameter
        for parameter in inspect.signature(named(path)).parameters.values()
        if parameter.name != "self" and parameter.kind is not inspect.Parameter.POSITIONAL_ONLY
    ]
    told = {parameter.name: parameter.default for parameter in ours[: len(parameters)]}
    assert told == parameters, (path, told)
    assert list(told) == list(parameters), (path, told)
    by_position = [one.name for one in ours if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    if path != "Session.combine":
        assert by_position == BY_POSITION.get(path, list(parameters)), (path, by_position)
    for more in ours[len(parameters) :]:
        assert more.kind is inspect.Parameter.KEYWORD_ONLY, (path, more)
        assert more.default is not NEEDED, (path, more)
for name, attributes in ATTRIBUTES.items():
    for attribute in attributes:
        assert isinstance(getattr(named(name), attribute), property), (name, attribute)
for words in DIFFERENT:
    assert words in document, words
