// The recording that the page holds: its facts and its tables, read in place from the module's memory.
import { FACTS, FUNCTION, PROCESS, PROFILE, THREAD } from "./layout";
import type { Module } from "./module";

export interface Facts {
  readonly startTimeMs: number;
  readonly intervalNs: number;
  readonly durationNs: number;
  readonly looks: number;
  readonly samples: number;
  readonly broken: number;
  readonly missed: number;
  readonly late: number;
  readonly retried: number;
  readonly samplerCpuNs: number;
  readonly cpuNs: number;
  readonly childrenCpuNs: number;
  readonly description: string;
  readonly version: string;
  readonly traceBytes: number;
  readonly complete: boolean;
  readonly lostBytes: number;
}

export interface FunctionRecord {
  readonly name: string;
  readonly file: string;
  readonly firstLine: number;
  readonly kind: "python" | "native" | "mark";
}

export interface ProcessRecord {
  readonly pid: number;
  readonly command: string;
  readonly python: string;
  readonly executable: string;
  readonly exitStatus: number;
}

export interface ThreadRecord {
  readonly process: number;
  readonly scope: boolean;
  readonly id: number;
  readonly name: string;
  readonly main: boolean;
}

const kinds = ["python", "native", "mark"] as const;

/**
 * Characters that cannot be seen or change the look of the text around them: the text report's (scripts/unicode_ranges.py,
 * which says why each), a test holds the two against each other.
 */
const invisible =
  /[\u034f\u17b4\u17b5\u180b-\u180f\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{NChar}\u115f\u1160\u2800\u3164\uffa0\u{e0000}-\u{e0fff}]/gu;

/** The text with characters that cannot be seen, or that turn the direction of writing, spelt out. */
export function visible(text: string): string {
  return text.replace(invisible, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}

export class Recording {
  readonly facts: Facts;
  readonly functionCount: number;
  readonly threadCount: number;
  readonly stringCount: number;
  readonly processes: readonly ProcessRecord[];
  readonly threads: readonly ThreadRecord[];
  readonly endNs: number;
  readonly #module: Module;
  readonly #at: number;
  readonly #strings = new Map<number, string>();
  readonly #functions = new Map<number, FunctionRecord>();
  readonly #paths = new Map<number, string>();
  readonly #packages = new Map<number, string>();
  readonly #decoder = new TextDecoder();

  /** `address` is what the door's `open` gave back. */
  constructor(module: Module, address: number) {
    this.#module = module;
    this.#at = address >>> 2;
    const wide = (field: number): number => module.wide(this.#at + field);
    this.facts = {
      startTimeMs: wide(FACTS.startTime) / 1e6,
      intervalNs: wide(FACTS.interval),
      durationNs: wide(FACTS.duration),
      looks: wide(FACTS.looks),
      samples: wide(FACTS.samples),
      broken: wide(FACTS.broken),
      missed: wide(FACTS.missed),
      late: wide(FACTS.late),
      retried: wide(FACTS.retried),
      samplerCpuNs: wide(FACTS.samplerCpu),
      cpuNs: wide(FACTS.cpu),
      childrenCpuNs: wide(FACTS.childrenCpu),
      description: this.string(this.#word(FACTS.description)),
      version: this.string(this.#word(FACTS.version)),
      traceBytes: wide(FACTS.traceBytes),
      complete: (this.#word(FACTS.complete) & 0xff) !== 0,
      lostBytes: wide(FACTS.lostBytes),
    };
    this.functionCount = this.#word(PROFILE.functionCount);
    this.threadCount = this.#word(PROFILE.threadCount);
    this.stringCount = this.#word(PROFILE.stringCount);
    this.processes = this.#table(PROFILE.processes, PROFILE.processCount, PROCESS.size, (at) => ({
      pid: this.#module.words[at + PROCESS.pid] ?? 0,
      command: this.string(this.#module.words[at + PROCESS.command] ?? 0),
      python: this.string(this.#module.words[at + PROCESS.python] ?? 0),
      executable: this.string(this.#module.words[at + PROCESS.executable] ?? 0),
      exitStatus: (this.#module.words[at + PROCESS.exitStatus] ?? 0) | 0,
    }));
    this.threads = this.#table(PROFILE.threads, PROFILE.threadCount, THREAD.size, (at) => ({
      process: this.#module.words[at + THREAD.process] ?? 0,
      scope: (this.#module.words[at + THREAD.kind] ?? 0) !== 0,
      id: this.#module.wide(at + THREAD.id),
      name: this.string(this.#module.words[at + THREAD.name] ?? 0),
      main: ((this.#module.words[at + THREAD.main] ?? 0) & 0xff) !== 0,
    }));
    this.endNs = module.door.end_ns();
  }

  #word(field: number): number {
    return this.#module.words[this.#at + field] ?? 0;
  }

  #table<T>(table: number, count: number, size: number, row: (at: number) => T): T[] {
    const at = this.#word(table) >>> 2;
    return Array.from({ length: this.#word(count) }, (_, index) => row(at + index * size));
  }

  /** A string of the recording, as it is: to be shown through `visible`. */
  string(number: number): string {
    let text = this.#strings.get(number);
    if (text === undefined) {
      const offsets = (this.#word(PROFILE.textOffsets) >>> 2) + number;
      const begin = this.#module.words[offsets] ?? 0;
      const end = (this.#module.words[offsets + 1] ?? 1) - 1;
      const base = this.#word(PROFILE.text);
      text = this.#decoder.decode(this.#module.bytes.subarray(base + begin, base + end));
      this.#strings.set(number, text);
    }
    return text;
  }

  /** The number of the string that a function's file is. */
  fileOf(number: number): number {
    return this.#module.words[(this.#word(PROFILE.functions) >>> 2) + number * FUNCTION.size + FUNCTION.file] ?? 0;
  }

  function(number: number): FunctionRecord {
    let record = this.#functions.get(number);
    if (record === undefined) {
      const at = (this.#word(PROFILE.functions) >>> 2) + number * FUNCTION.size;
      const words = this.#module.words;
      record = {
        name: visible(this.string(words[at + FUNCTION.name] ?? 0)) || "(no name)",
        file: visible(this.string(words[at + FUNCTION.file] ?? 0)),
        firstLine: words[at + FUNCTION.firstLine] ?? 0,
        kind: kinds[words[at + FUNCTION.kind] ?? 0] ?? "python",
      };
      this.#functions.set(number, record);
    }
    return record;
  }

  /** The function's file for a person. */
  shortPath(number: number): string {
    let path = this.#paths.get(number);
    if (path === undefined) {
      path = visible(this.#module.textAt(this.#module.door.short_path(number)));
      this.#paths.set(number, path);
    }
    return path;
  }

  /** "app.py:12", empty for what has no file. */
  place(number: number): string {
    const { firstLine } = this.function(number);
    const path = this.shortPath(number);
    return path !== "" && firstLine > 0 ? `${path}:${firstLine}` : path;
  }

  /** The top-level package or module that a function belongs to. */
  package(number: number): string {
    let name = this.#packages.get(number);
    if (name === undefined) {
      const at = this.#module.result(this.#module.door.package(number));
      const begin = this.#module.words[at] ?? 0;
      const size = this.#module.words[at + 1] ?? 0;
      name = visible(this.#decoder.decode(this.#module.bytes.subarray(begin, begin + size)));
      this.#packages.set(number, name);
    }
    return name;
  }
}
