"""The json and folded outputs say what docs/json.md says they say."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.command import Command, Recording
from support.interpreters import TOP, Interpreter

PROGRAM = """\
import json, threading, time

def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        json.dumps(list(range(300)))

def worker():
    spin(0.2)

def dig(depth):
    if depth:
        return dig(depth - 1)
    spin(0.2)

def main():
    thread = threading.Thread(target=worker)
    thread.start()
    dig(50)
    thread.join()

main()
"""

AMOUNTS = ("total", "self", "hidden")


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads((TOP / "docs" / "json.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture
def recording(stacklapse: Command, any_python: Interpreter, tmp_path: Path) -> Recording:
    (tmp_path / "program.py").write_text(PROGRAM)
    return stacklapse.record(any_python, ["program.py"])


@pytest.mark.parametrize("options", [[], ["--show-all"], ["--timeline"], ["--hide", "*"]], ids=" ".join)
def test_a_report_is_as_its_schema_says_and_adds_up(
    recording: Recording, validator: jsonschema.Draft202012Validator, options: list[str]
) -> None:
    report: dict[str, Any] = json.loads(recording.view("-r", "json", *options))
    validator.validate(report)
    tree = report["tree"]
    for unit in ("ns", "samples"):
        left = [node[f"total_{unit}"] - node[f"self_{unit}"] - node[f"hidden_{unit}"] for node in tree]
        for node in tree[1:]:
            left[node["parent"]] -= node[f"total_{unit}"]
        assert not any(left)
        assert tree[0][f"total_{unit}"] == report["selection"][f"total_{unit}"]
        assert sum(function[f"self_{unit}"] for function in report["functions"]) == tree[0][f"total_{unit}"]
        assert sum(thread[f"total_{unit}"] for thread in report["threads"]) == tree[0][f"total_{unit}"]
    for number, node in enumerate(tree[1:], start=1):
        assert node["parent"] < number
        assert node["depth"] == tree[node["parent"]]["depth"] + 1
        assert all(function < len(report["functions"]) for function in node["hidden_functions"])
    assert report["recording"]["samples"] == report["selection"]["total_samples"]
    names = [report["functions"][node["function"]]["name"] for node in tree if node["kind"] == "function"]
    if "--hide" in options:
        assert "dig" not in names
    else:
        assert names.count("dig") == 51
        assert "worker" in names


def test_the_example_in_the_documentation_prints_the_tree(
    recording: Recording, any_python: Interpreter, tmp_path: Path
) -> None:
    (tmp_path / "report.json").write_text(recording.view("-r", "json"))
    example = re.search(r"```python\n(.*?)```", (TOP / "docs" / "json.md").read_text(), re.DOTALL)
    assert example is not None
    run = subprocess.run([any_python.path, "-c", example[1]], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert re.search(r"^ +0\.\d{3} s +main$", run.stdout, re.MULTILINE)


def test_folded_stacks_add_up_to_the_same_time(recording: Recording) -> None:
    report = json.loads(recording.view("-r", "json"))
    stacks = recording.stacks()
    whole = sum(stack.microseconds for stack in stacks)
    assert abs(whole - report["selection"]["total_ns"] / 1000) <= 1
    dug = [stack for stack in stacks if stack.names.count("dig") == 51]
    assert dug
    assert all(stack.names[0].startswith("main thread") for stack in dug)
    assert any(frame.startswith("dig (program.py:") for frame in dug[0].frames)
