"""Reads a web server's access log and says what a person on call wants to know: slow pages, visits, failures.

Without a file it makes up a log, the same one each time, so that it can be tried and profiled anywhere.

usage: main.py [--lines N] [--json FILE] [LOG]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from invented import write_log
from parsing import Entry, parse_lines
from store import Store
from visits import visits_of

from report import render


def pieces(path: Path, count: int) -> list[list[str]]:
    """The log's lines in `count` parts of about the same size."""
    lines = path.read_text().splitlines()
    size = len(lines) // count + 1
    return [lines[start : start + size] for start in range(0, len(lines), size)]


def read_log(path: Path, workers: int = 4) -> list[Entry]:
    with ThreadPoolExecutor(workers, thread_name_prefix="parser") as pool:
        return [entry for part in pool.map(parse_lines, pieces(path, workers)) for entry in part]


def analyse(path: Path) -> dict[str, object]:
    entries = read_log(path)
    with Store() as store:
        store.add(entries)
        return {
            "requests": len(entries),
            "slowest": store.slowest_pages(),
            "failures": store.failures_by_hour(),
            "visits": visits_of(entries),
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", nargs="?", type=Path)
    parser.add_argument("--lines", type=int, default=30_000, help="size of the log that is made up")
    parser.add_argument("--json", type=Path, help="write the findings there as well")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        log = arguments.log
        if log is None:
            log = Path(folder) / "access.log"
            write_log(log, arguments.lines)
        findings = analyse(log)
    print(render(findings))
    if arguments.json:
        arguments.json.write_text(json.dumps(findings, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
