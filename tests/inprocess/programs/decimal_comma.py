"""A program whose locale writes numbers with a comma: what is rendered for other programs has a point all the same."""

import json
import locale
import re

from stacklapse import Profiler
from work import spin

locale.setlocale(locale.LC_NUMERIC, "de_DE.UTF-8")
assert locale.str(0.5) == "0,5"

with Profiler() as profiler:
    spin(0.05)
html = profiler.output_html()
view = json.loads(re.search(r'\{"mode":[^<]*?\}', html).group())
assert view["threshold"] == 0.005
for text in (html.partition("<script")[0], profiler.output_text(), profiler.last_session._native.render("markdown")):
    assert re.search(r"\d\.\d", text)
    assert not re.search(r"\d,\d+ (s|ms|%)", text), text[:2000]
assert locale.str(0.5) == "0,5", "the program's own numbers stay as they were"
