"""Measures figures and prints their tables:  scripts/python bench/run.py [--write] [NAME...]

With --write each table also takes the place of the last one in docs/benchmarks.md, between the marks of its name.
STACKLAPSE_BENCH_PYTHONS=3.11.2-debian,3.15.0-forky limits the interpreters, STACKLAPSE_BENCH_ROUNDS=3 how often runs
with and without a profiler take turns.
"""

from __future__ import annotations

import argparse
import datetime
import re
import signal
from pathlib import Path

import engine
import inside
import outputs
import page
import running
import web_applications
from measure import COMMAND, TOP, machine, warn_if_busy

PAGE = TOP / "docs" / "benchmarks.md"
FIGURES = {
    **engine.FIGURES,
    **inside.FIGURES,
    **outputs.FIGURES,
    **page.FIGURES,
    **running.FIGURES,
    **web_applications.FIGURES,
}


def put(document: Path, name: str, text: str) -> None:
    """Replaces what stands between the marks of that name."""
    content = document.read_text()
    marks = re.compile(rf"(<!-- bench:{name} -->\n).*?(<!-- /bench -->)", re.DOTALL)
    if not marks.search(content):
        raise SystemExit(f"bench: {document} has no place for {name}")
    document.write_text(marks.sub(lambda match: match[1] + text + "\n" + match[2], content))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="keep the tables in docs/benchmarks.md")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(FIGURES)}; all by default")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in FIGURES:
            parser.error(f"there is no figure {name!r}; there are {', '.join(FIGURES)}")
    if not COMMAND.exists():
        parser.error(f"there is no {COMMAND}: `make build` makes it")
    # In a shell's background it is ignored, and so it would be by what is started here and ended with it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in arguments.names or FIGURES:
        warn_if_busy()
        rows = FIGURES[name]()
        taken = f"Taken on {datetime.date.today():%d %B %Y}: {machine()}."
        print(f"## {name}\n\n{rows}\n\n{taken}\n", flush=True)
        if arguments.write:
            put(PAGE, name, f"{rows}\n\n{taken}")


if __name__ == "__main__":
    main()
