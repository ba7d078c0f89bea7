// Every number that the page shows is asked for here. Nothing is computed in TypeScript: src/analysis does it, and what
// comes back is read in place. A result is valid until the same view is asked for again.
import {
  BOX,
  BOXES,
  CALL_TREE,
  EDGE,
  FRAMES,
  FUNCTION_TOTAL,
  KIND_AMOUNT,
  LINE_TOTAL,
  NODE,
  TASK_LANE,
  THREAD_SUMMARY,
} from "./layout";
import type { Amount, Module } from "./module";
import { TooLarge } from "./module";
import { Recording } from "./recording";

export const modes = ["wall", "cpu", "gil"] as const;
export type Mode = (typeof modes)[number];

export const roles = ["own", "library", "machinery"] as const;
export type Role = (typeof roles)[number];

export const kindNames = ["unknown", "python", "native", "gc", "gil", "lock", "call"] as const;
export type Kind = (typeof kindNames)[number];
export const KIND_COUNT = kindNames.length;

/** Rows of equal size in the module's memory. */
class Rows {
  readonly length: number;
  protected readonly module: Module;
  readonly #at: number;
  readonly #size: number;

  constructor(module: Module, at: number, length: number, size: number) {
    this.module = module;
    this.#at = at;
    this.length = length;
    this.#size = size;
  }

  word(row: number, field: number): number {
    return this.module.words[this.#at + row * this.#size + field] ?? 0;
  }

  wide(row: number, field: number): number {
    return this.module.wide(this.#at + row * this.#size + field);
  }

  amount(row: number, field: number): Amount {
    return this.module.amount(this.#at + row * this.#size + field);
  }
}

/** A call tree, by node number: node 0 is the root, parents come before their children. It has no lines. */
export class CallTree extends Rows {
  readonly #hidden: number;

  constructor(module: Module, at: number) {
    const words = module.words;
    super(module, (words[at + CALL_TREE.nodes] ?? 0) >>> 2, words[at + CALL_TREE.count] ?? 0, NODE.size);
    this.#hidden = (words[at + CALL_TREE.hidden] ?? 0) >>> 2;
  }

  total(node: number): Amount {
    return this.amount(node, NODE.total);
  }

  self(node: number): Amount {
    return this.amount(node, NODE.self);
  }

  /** What the frames took that are folded into a node: neither its self time nor a child's. */
  hidden(node: number): Amount {
    return this.amount(node, NODE.hidden);
  }

  /** The distinct functions that are folded into a node, heaviest first. */
  hiddenFunctions(node: number): number[] {
    const first = this.#hidden + this.word(node, NODE.firstHidden);
    return Array.from(this.module.words.subarray(first, first + this.word(node, NODE.hiddenCount)));
  }

  /** From the outermost call to the node, without the root. */
  path(node: number): number[] {
    const path: number[] = [];
    for (let at = node; at !== 0; at = this.word(at, NODE.parent)) {
      path.push(at);
    }
    return path.reverse();
  }
}

export interface FlameGraph {
  readonly tree: CallTree;
  /** The time that lies left of a node. */
  readonly offset: (node: number) => number;
}

export interface FunctionTotal {
  readonly function: number;
  readonly self: Amount;
  readonly total: Amount;
}

export interface LineTotal {
  readonly function: number;
  readonly line: number;
  readonly state: number;
  readonly self: Amount;
  readonly total: Amount;
}

export interface Edge {
  readonly caller: number;
  readonly callee: number;
  readonly self: Amount;
  readonly total: Amount;
}

export interface KindAmount {
  readonly kind: Kind;
  readonly call: number;
  readonly amount: Amount;
}

export interface ThreadSummary {
  readonly thread: number;
  readonly total: Amount;
  readonly running: Amount;
  readonly idle: boolean;
  readonly name: number;
  readonly firstFunction: number;
}

/** A task of a thread, whose lane begins with its coroutine; that is 0 when several tasks are counted as one. */
export interface TaskLane {
  readonly task: number;
  readonly coroutine: number;
  readonly rows: number;
  readonly ns: number;
}

/** The frames that the chart shows, by frame number. */
export class ChartFrames {
  readonly address: number;
  readonly #module: Module;

  constructor(module: Module, address: number) {
    this.#module = module;
    this.address = address;
  }

  #word(table: number, frame: number): number {
    const words = this.#module.words;
    return words[((words[(this.address >>> 2) + table] ?? 0) >>> 2) + frame] ?? 0;
  }

  function(frame: number): number {
    return this.#word(FRAMES.functions, frame);
  }

  /** The functions from the outermost call to the frame. */
  path(frame: number): number[] {
    const path: number[] = [];
    for (let at = frame; at !== 0; at = this.#word(FRAMES.callers, at)) {
      path.push(this.function(at));
    }
    return path.reverse();
  }
}

/** Boxes of one thread, copied: other threads are asked for before they are drawn. */
export interface Boxes {
  readonly count: number;
  /** One more than the highest row there is, shown or not. */
  readonly rows: number;
  readonly frames: Uint32Array;
  readonly row: Uint32Array;
  readonly merged: Uint32Array;
  readonly begin: Float64Array;
  readonly end: Float64Array;
}

export interface RolesOptions {
  readonly showAll: boolean;
  readonly hide: readonly string[];
  readonly show: readonly string[];
}

export class Engine {
  readonly recording: Recording;
  readonly #module: Module;
  #roles: Uint8Array = new Uint8Array();

  private constructor(module: Module, recording: Recording) {
    this.#module = module;
    this.recording = recording;
  }

  /** Opens the columns that `fill` writes into the module's memory. */
  static async open(
    module: Module,
    size: number,
    fill: (bytes: () => Uint8Array, address: number) => Promise<void>,
  ): Promise<Engine> {
    const address = module.door.receive(Math.max(size, 1));
    module.result(address);
    await fill(() => module.bytes, address >>> 0);
    const opened = module.door.open(address, size);
    if (opened === 0) {
      throw new Error("The recording in this page is damaged.");
    }
    return new Engine(module, new Recording(module, opened));
  }

  selectRange(beginNs: number, endNs: number): void {
    this.#module.door.select_range(beginNs, endNs);
  }

  selectMode(mode: Mode): void {
    this.#module.door.select_mode(modes.indexOf(mode));
  }

  /** All threads when `threads` is empty. */
  selectThreads(threads: readonly number[]): void {
    const address = this.#module.door.select_threads(threads.length > 0 ? 1 : 0) >>> 0;
    const mask = this.#module.bytes.subarray(address, address + this.recording.threadCount);
    mask.fill(0);
    for (const thread of threads) {
      if (thread < mask.length) {
        mask[thread] = 1;
      }
    }
  }

  /** Says for each function whether it is searched for. Takes effect with the next `selectFocus`. */
  search(matches: (fn: number) => boolean): void {
    const address = this.#module.door.searched_functions() >>> 0;
    for (let fn = 1; fn < this.recording.functionCount; fn++) {
      const found = matches(fn) ? 1 : 0;
      this.#module.bytes[address + fn] = found;
    }
  }

  isSearched(fn: number): boolean {
    return this.#module.bytes[(this.#module.door.searched_functions() >>> 0) + fn] === 1;
  }

  selectFocus(trail: readonly number[], onlySearched: boolean): void {
    const address = this.#module.argument(new Uint8Array(Uint32Array.from(trail).buffer));
    if (this.#module.door.select_focus(address, trail.length, onlySearched ? 1 : 0) === 0) {
      throw new TooLarge();
    }
  }

  selectRoles(options: RolesOptions): void {
    const globs = [...options.hide, ...options.show].map((glob) => `${glob}\0`).join("");
    const address = this.#module.argument(new TextEncoder().encode(globs));
    const given = this.#module.door.select_roles(
      options.showAll ? 1 : 0,
      address,
      options.hide.length,
      options.show.length,
    );
    this.#module.result(given);
    this.#roles = this.#module.bytes.slice(given >>> 0, (given >>> 0) + this.recording.functionCount);
  }

  role(fn: number): Role {
    return roles[this.#roles[fn] ?? 0] ?? "own";
  }

  total(): Amount {
    return this.#module.amount(this.#module.result(this.#module.door.total()));
  }

  searched(): Amount {
    return this.#module.amount(this.#module.result(this.#module.door.searched()));
  }

  /** Slots became longer the longer the recording lasted. */
  uneven(): boolean {
    return this.#module.door.is_uneven() !== 0;
  }

  /** So many looks were late that no standard error says how sure a share is. */
  looksLate(): boolean {
    return this.#module.door.looks_late() !== 0;
  }

  /** Read from folded stacks, which tell of stacks and times only: not of looks, or of when it was. */
  isFolded(): boolean {
    return this.#module.door.is_folded() !== 0;
  }

  /** In parts of one. */
  standardError(part: Amount, whole: Amount): number {
    return this.#module.door.standard_error(part.ns, part.samples, whole.ns, whole.samples);
  }

  callTree(options: { byProcess: boolean; byThread: boolean; inverted: boolean }): CallTree {
    const { byProcess, byThread, inverted } = options;
    const address = this.#module.door.call_tree(byProcess ? 1 : 0, byThread ? 1 : 0, inverted ? 1 : 0);
    return new CallTree(this.#module, this.#module.result(address));
  }

  flameGraph(inverted: boolean): FlameGraph {
    const module = this.#module;
    const at = module.result(module.door.flame_graph(inverted ? 1 : 0));
    const tree = new CallTree(module, (module.words[at] ?? 0) >>> 2);
    const offsets = (module.words[at + 1] ?? 0) >>> 2;
    return { tree, offset: (node) => module.wide(offsets + node * 2) };
  }

  #array<T>(address: number, size: number, row: (rows: Rows, index: number) => T): T[] {
    const at = this.#module.result(address);
    const words = this.#module.words;
    const rows = new Rows(this.#module, (words[at] ?? 0) >>> 2, words[at + 1] ?? 0, size);
    return Array.from({ length: rows.length }, (_, index) => row(rows, index));
  }

  functionTotals(): FunctionTotal[] {
    return this.#array(this.#module.door.function_totals(), FUNCTION_TOTAL.size, (rows, index) => ({
      function: rows.word(index, FUNCTION_TOTAL.function),
      self: rows.amount(index, FUNCTION_TOTAL.self),
      total: rows.amount(index, FUNCTION_TOTAL.total),
    }));
  }

  lineTotals(): LineTotal[] {
    return this.#array(this.#module.door.line_totals(), LINE_TOTAL.size, (rows, index) => ({
      function: rows.word(index, LINE_TOTAL.function),
      line: rows.word(index, LINE_TOTAL.line),
      state: rows.word(index, LINE_TOTAL.state),
      self: rows.amount(index, LINE_TOTAL.self),
      total: rows.amount(index, LINE_TOTAL.total),
    }));
  }

  edges(): Edge[] {
    return this.#array(this.#module.door.edges(), EDGE.size, (rows, index) => ({
      caller: rows.word(index, EDGE.caller),
      callee: rows.word(index, EDGE.callee),
      self: rows.amount(index, EDGE.self),
      total: rows.amount(index, EDGE.total),
    }));
  }

  kinds(): KindAmount[] {
    return this.#array(this.#module.door.kinds(), KIND_AMOUNT.size, (rows, index) => ({
      kind: kindNames[rows.word(index, KIND_AMOUNT.kind)] ?? "unknown",
      call: rows.word(index, KIND_AMOUNT.call) | 0,
      amount: rows.amount(index, KIND_AMOUNT.amount),
    }));
  }

  threadSummaries(): ThreadSummary[] {
    return this.#array(this.#module.door.thread_summaries(), THREAD_SUMMARY.size, (rows, index) => ({
      thread: rows.word(index, THREAD_SUMMARY.thread),
      total: rows.amount(index, THREAD_SUMMARY.total),
      running: rows.amount(index, THREAD_SUMMARY.running),
      idle: (rows.word(index, THREAD_SUMMARY.idle) & 0xff) !== 0,
      name: rows.word(index, THREAD_SUMMARY.name),
      firstFunction: rows.word(index, THREAD_SUMMARY.firstFunction),
    }));
  }

  chartFrames(): ChartFrames {
    const address = this.#module.door.chart_frames();
    this.#module.result(address);
    return new ChartFrames(this.#module, address >>> 0);
  }

  /** The longest first. */
  chartTasks(frames: ChartFrames, thread: number): TaskLane[] {
    return this.#array(this.#module.door.chart_tasks(frames.address, thread), TASK_LANE.size, (rows, index) => ({
      task: rows.word(index, TASK_LANE.task),
      coroutine: rows.word(index, TASK_LANE.coroutine),
      rows: rows.word(index, TASK_LANE.rows),
      ns: rows.wide(index, TASK_LANE.ns),
    }));
  }

  /** Of one task of the thread, or of all that it did: 0. */
  chartBoxes(
    frames: ChartFrames,
    thread: number,
    task: number,
    beginNs: number,
    endNs: number,
    pixelNs: number,
    rowsMax: number,
  ): Boxes {
    const module = this.#module;
    const at = module.result(module.door.chart_boxes(frames.address, thread, task, beginNs, endNs, pixelNs, rowsMax));
    const words = module.words;
    const count = words[at + BOXES.count] ?? 0;
    const first = (words[at + BOXES.boxes] ?? 0) >>> 2;
    const boxes = {
      count,
      rows: words[at + BOXES.rows] ?? 0,
      frames: new Uint32Array(count),
      row: new Uint32Array(count),
      merged: new Uint32Array(count),
      begin: new Float64Array(count),
      end: new Float64Array(count),
    };
    for (let index = 0; index < count; index++) {
      const box = first + index * BOX.size;
      boxes.frames[index] = words[box + BOX.frame] ?? 0;
      boxes.row[index] = words[box + BOX.row] ?? 0;
      boxes.merged[index] = words[box + BOX.merged] ?? 0;
      boxes.begin[index] = module.wide(box + BOX.begin);
      boxes.end[index] = module.wide(box + BOX.end);
    }
    return boxes;
  }

  /** The most levels that a thread's calls ever have. */
  chartRows(frames: ChartFrames, thread: number): number {
    return this.#module.door.chart_rows(frames.address, thread);
  }

  /** Time by kind in `columns` parts of the span: of a thread or task, or with undefined of all threads that are selected. */
  chartKinds(
    thread: number | undefined,
    task: number,
    beginNs: number,
    endNs: number,
    columns: number,
  ): Float64Array {
    const address = this.#module.door.chart_kinds(thread ?? 0xffffffff, task, beginNs, endNs, columns);
    const at = this.#module.result(address) >>> 1;
    return this.#module.doubles.slice(at, at + columns * KIND_COUNT);
  }
}
