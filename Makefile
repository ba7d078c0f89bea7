# Everything a person does here, one word each. What is missing on this machine is installed first by
# scripts/requirements (root or sudo), or the one line that installs it is printed.
#
#   make build    the command, at build/stacklapse
#   make demo     builds it and profiles a real program
#   make test     all that must hold before a change lands
#   make truth    whether what is reported is true: programs whose shares and stacks are known by construction
#   make test-long  the standard library's own tests while a Profiler records them; half an hour
#   make fuzz     the fuzz targets, for FUZZ_SECONDS each (an hour by default)
#   make bench    the figures of docs/benchmarks.md, on a quiet machine
#   make lint     style and static checks;  make format  puts the C and Python code in shape
#   make page     the report page, report/dist/report.html, after a change in report/ or src/analysis
#   make clean

.PHONY: build demo test test-long truth fuzz bench lint format page check-page clean

build:
	scripts/requirements build
	test -f build/build.ninja || meson setup build -Dtests=false
	ninja -C build

demo: build
	examples/demo

test:
	scripts/test

test-long:
	scripts/test long

truth:
	scripts/test truth

fuzz:
	scripts/fuzz $${FUZZ_SECONDS:-3600}

bench: build
	scripts/python bench/run.py

lint:
	scripts/lint

format:
	scripts/requirements lint
	clang-format -i $$(git ls-files '*.c' '*.h')
	scripts/python -m ruff format .

page:
	scripts/page

check-page:
	scripts/page --check

clean:
	rm -rf build build-* .venv .node .mypy_cache .ruff_cache .pytest_cache
