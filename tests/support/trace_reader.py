"""A second reader of traces, written from docs/trace-format.md alone: what the document does not say, it does not know.

It reads what is whole, up to the first damage; `tests/test_trace_format.py` holds it against the reader in C."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import zstandard

MAGIC = b"\x89LAPSE\r\n"
MARK = b"\xb1\x0c\x8b\x9e"

DEFINITIONS, LOOKS, END = 1, 2, 3

FACTS = (
    "start_time",
    "interval",
    "duration",
    "looks",
    "samples",
    "broken",
    "missed",
    "late",
    "retried",
    "sampler_cpu",
    "cpu",
    "children_cpu",
)


class DamageError(Exception):
    """From here on the trace cannot be read."""


class Content:
    """The bytes of a section, read number by number."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = content
        self.at = 0

    @property
    def left(self) -> int:
        return len(self.content) - self.at

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise DamageError
        self.at += size
        return self.content[self.at - size : self.at]

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def signed(self) -> int:
        code = self.number()
        return -(code + 1) // 2 if code & 1 else code // 2

    def numbers(self, count: int) -> list[int]:
        return [self.number() for _ in range(count)]

    def bits(self, width: int, count: int) -> list[int]:
        packed = int.from_bytes(self.take((width * count + 7) // 8), "little")
        return [packed >> (width * i) & ((1 << width) - 1) for i in range(count)]


class Function(NamedTuple):
    name: str
    file: str
    first_line: int
    kind: int


class Stack(NamedTuple):
    caller: int
    function: int
    line: int


class Situation(NamedTuple):
    stack: int
    state: int


class Run(NamedTuple):
    begin: int
    end: int
    stack: int
    state: int
    samples: int


@dataclass
class Process:
    pid: int
    parent: int
    begin: int
    known: tuple[str, ...] = ("", "", "", "", "")
    root: int = 0
    end: int | None = None
    cpu: int = 0
    status: int = -1


@dataclass
class Thread:
    process: int
    kind: int
    id: int
    name: str
    main: bool
    begin: int
    end: int | None = None
    cpu: int = 0
    stem: int = 0
    runs: list[Run] = field(default_factory=list)


def sections(payload: bytes) -> dict[int, Content]:
    found = {}
    content = Content(payload)
    while content.left:
        section, codec, size = content.numbers(3)
        stored = content.take(content.number() if codec == 1 else size)
        if codec == 1:
            assert size <= 32 * len(stored)
            # What follows the frame is padding.
            stored = zstandard.ZstdDecompressor().decompressobj().decompress(stored)
            assert len(stored) == size
        found[section] = Content(stored)
    return found


def blocks(trace: bytes) -> Iterator[tuple[int, dict[int, Content]]]:
    """Kind and sections of each block, up to the first that is not whole."""
    assert trace[:8] == MAGIC
    assert trace[8] == 1
    assert zlib.crc32(trace[:12]) == int.from_bytes(trace[12:16], "little")
    at = 16
    number = 0
    while len(trace) - at >= 24:
        header = trace[at : at + 24]
        size = int.from_bytes(header[12:16], "little")
        payload = trace[at + 24 : at + 24 + size]
        if (
            header[:4] != MARK
            or zlib.crc32(header[:20]) != int.from_bytes(header[20:], "little")
            or zlib.crc32(payload) != int.from_bytes(header[16:20], "little")
            or int.from_bytes(header[8:12], "little") != number
        ):
            return
        yield header[4], sections(payload)
        at += 24 + size
        number += 1


class Trace:
    def __init__(self, trace: bytes) -> None:
        self.facts: dict[str, int] = {}
        self.description = self.version = self.command = ""
        self.complete = False
        self.strings = [""]
        self.functions = [Function("", "", 0, 0)]
        self.stacks = [Stack(0, 0, 0)]
        self.situations: list[Situation] = []
        self.processes: list[Process] = []
        self.threads: list[Thread] = []
        self.tasks: dict[tuple[int, int], int] = {}
        """Function of the outermost coroutine, by thread and number."""
        self.time = 0
        self.instants: list[int] = []
        self.lengths: list[int] = []
        """The time that each look stands for."""
        for kind, found in blocks(trace):
            self.read_definitions(found)
            if 1 in found:
                self.read_facts(found[1])
            if kind == LOOKS:
                self.read_looks(found)
            if kind == END:
                self.complete = True
                break
        self.finish()

    def read_facts(self, content: Content) -> None:
        self.facts = dict(zip(FACTS, content.numbers(len(FACTS)), strict=True))
        self.description = self.strings[content.number()]
        self.version = self.strings[content.number()]
        self.facts["dropped"] = content.number()
        self.command = self.strings[content.number()] if content.left else ""

    def read_definitions(self, found: dict[int, Content]) -> None:
        if 2 in found:
            self.read_strings(found[2])
        if 3 in found:
            self.read_functions(found[3])
        if 4 in found:
            self.read_stacks(found[4])
        if 5 in found:
            self.read_situations(found[5])
        if 6 in found:
            self.read_events(found[6])

    def read_strings(self, content: Content) -> None:
        first, count = content.numbers(2)
        assert first == len(self.strings)
        self.strings += [content.take(size).decode() for size in content.numbers(count)]

    def read_functions(self, content: Content) -> None:
        first, count = content.numbers(2)
        assert first == len(self.functions)
        columns = []
        for _ in range(2):
            number = 0
            column = []
            for _ in range(count):
                number += content.signed()
                column.append(self.strings[number])
            columns.append(column)
        lines = content.numbers(count)
        kinds = content.numbers(count)
        self.functions += [Function(*record) for record in zip(*columns, lines, kinds, strict=True)]

    def read_stacks(self, content: Content) -> None:
        first, count = content.numbers(2)
        assert first == len(self.stacks)
        for number in range(first, first + count):
            caller = number - 1 - content.number()
            function = content.number()
            line = self.functions[function].first_line + content.signed()
            self.stacks.append(Stack(caller, function, line))

    def read_situations(self, content: Content) -> None:
        first, count = content.numbers(2)
        assert first == len(self.situations)
        stack = 0
        for _ in range(count):
            stack += content.signed()
            self.situations.append(Situation(stack, content.number()))

    def read_events(self, content: Content) -> None:
        while content.left:
            event = Content(content.take(content.number()))
            kind, number = event.numbers(2)
            if kind == 1:
                assert number == len(self.processes)
                pid, parent, begin = event.numbers(3)
                self.processes.append(Process(pid, parent, begin))
            elif kind == 2:
                self.processes[number].known = tuple(self.strings[string] for string in event.numbers(5))
                self.processes[number].root = event.number() if event.left else 0
            elif kind == 3:
                process = self.processes[number]
                process.end, process.cpu = event.numbers(2)
                process.status = event.signed()
            elif kind == 4:
                assert number == len(self.threads)
                process_number, thread_kind, kernels, name, main, begin = event.numbers(6)
                self.threads.append(Thread(process_number, thread_kind, kernels, self.strings[name], main == 1, begin))
            elif kind == 5:
                self.threads[number].name = self.strings[event.number()]
            elif kind == 6:
                self.threads[number].end, self.threads[number].cpu = event.numbers(2)
            elif kind == 7:
                task, function = event.numbers(2)
                self.tasks[number, task] = function
            elif kind == 8:
                self.threads[number].stem = event.number()

    def read_looks(self, found: dict[int, Content]) -> None:
        begin, before, interval, count = found[7].numbers(4)
        assert before == len(self.instants)
        lengths = [interval] * count
        look = 0
        while found[7].left:
            regular, code = found[7].numbers(2)
            look += regular
            lengths[look] = code // 2 if code & 1 else code // 2 * interval
            look += 1
        self.instants += found[8].bits(6, count)
        self.lengths += lengths

        live: dict[int, Situation] = {}
        if 9 in found:
            live_count = found[9].number()
            thread = -1
            numbers = []
            for _ in range(live_count):
                thread += found[9].number() + 1
                numbers.append(thread)
            live = {thread: self.situations[found[9].number()] for thread in numbers}

        changes = [0] * count
        if 10 in found:
            width = found[10].number()
            changes = found[10].bits(width, count) if width > 0 else found[10].numbers(count)
        threads = found.get(11)
        situations = found.get(12, Content())
        following = situations.number() if situations.left else 0
        ends: dict[int, list[int]] = {}
        if 13 in found:
            look = 0
            while found[13].left:
                look += found[13].number()
                ends.setdefault(look, []).append(found[13].number())

        thread = 0
        for look in range(count):
            for ended in ends.get(look, ()):
                del live[ended]
            for _ in range(changes[look]):
                thread += threads.signed() if threads else 0
                code = situations.number()
                situation = code - 1 if code else following
                following = max(following, situation + 1)
                live[thread] = self.situations[situation]
            for number, seen in live.items():
                self.add_sample(self.threads[number], begin, begin + lengths[look], seen)
            begin += lengths[look]
        self.time = begin

    def add_sample(self, thread: Thread, begin: int, end: int, seen: Situation) -> None:
        if thread.runs:
            last = thread.runs[-1]
            if (last.end, last.stack, last.state) == (begin, seen.stack, seen.state):
                thread.runs[-1] = last._replace(end=end, samples=last.samples + 1)
                return
        thread.runs.append(Run(begin, end, seen.stack, seen.state, 1))

    def finish(self) -> None:
        alike: dict[Stack, int] = {}
        first = [0]
        for stack in self.stacks[1:]:
            first.append(alike.setdefault(stack._replace(caller=first[stack.caller]), len(alike) + 1))
        stems = {first[thread.stem] for thread in self.threads} - {0}
        self.stacks = [stack._replace(caller=0) if first[stack.caller] in stems else stack for stack in self.stacks]
        duration = self.facts["duration"] if self.complete else self.time
        self.facts["duration"] = duration
        for process in self.processes:
            process.begin = min(process.begin, duration)
            process.end = duration if process.end is None else max(process.begin, min(process.end, duration))
        for thread in self.threads:
            ended = thread.end is not None
            thread.begin = min(thread.begin, duration)
            end = duration if thread.end is None else max(thread.begin, min(thread.end, duration))
            thread.end = end
            thread.runs = [
                run._replace(begin=max(thread.begin, min(run.begin, end)), end=max(thread.begin, min(run.end, end)))
                for run in thread.runs
            ]
            if ended and thread.runs:
                thread.runs[-1] = thread.runs[-1]._replace(end=end)
