"""Compiles modules of the standard library to syntax trees, writes them as text again, and so on, for some seconds."""

import ast
import pathlib
import sys
import time

end = time.perf_counter() + float(sys.argv[1])
sources = [path for path in sorted(pathlib.Path(ast.__file__).parent.glob("*.py")) if path.stat().st_size < 60_000]
while time.perf_counter() < end:
    for source in sources:
        ast.unparse(ast.parse(source.read_text(encoding="utf-8", errors="replace")))
        if time.perf_counter() >= end:
            break
