// The WebAssembly module (report/wasm/door.c) and its memory.

export interface DoorExports {
  memory: WebAssembly.Memory;
  receive(size: number): number;
  scratch(size: number): number;
  open(bytes: number, size: number): number;
  end_ns(): number;
  select_range(begin: number, end: number): void;
  select_mode(mode: number): void;
  select_threads(some: number): number;
  searched_functions(): number;
  select_focus(trail: number, count: number, searched: number): number;
  select_roles(showAll: number, globs: number, hideCount: number, showCount: number): number;
  total(): number;
  searched(): number;
  is_uneven(): number;
  looks_late(): number;
  is_folded(): number;
  standard_error(partNs: number, partSamples: number, wholeNs: number, wholeSamples: number): number;
  call_tree(byProcess: number, byThread: number, inverted: number): number;
  flame_graph(inverted: number): number;
  function_totals(): number;
  line_totals(): number;
  edges(): number;
  kinds(): number;
  thread_summaries(): number;
  chart_frames(): number;
  chart_tasks(frames: number, thread: number): number;
  chart_boxes(
    frames: number,
    thread: number,
    task: number,
    begin: number,
    end: number,
    pixel: number,
    rowsMax: number,
  ): number;
  chart_rows(frames: number, thread: number): number;
  chart_kinds(thread: number, task: number, begin: number, end: number, columns: number): number;
  short_path(fn: number): number;
  package(fn: number): number;
}

/** How much: time in nanoseconds, and samples. */
export interface Amount {
  readonly ns: number;
  readonly samples: number;
}

/** Memory is exhausted: the view that was asked for is too large for this tab. */
export class TooLarge extends Error {
  constructor() {
    super("This view needs more memory than a page may have.");
  }
}

/**
 * The module with views of its memory. A view of a memory that has grown is detached, so the arrays are asked for anew
 * at each use and never kept across a call into the module.
 */
export class Module {
  readonly door: DoorExports;
  #bytes: Uint8Array<ArrayBuffer>;
  #words: Uint32Array<ArrayBuffer>;
  #doubles: Float64Array<ArrayBuffer>;

  private constructor(door: DoorExports) {
    this.door = door;
    this.#bytes = new Uint8Array(door.memory.buffer);
    this.#words = new Uint32Array(door.memory.buffer);
    this.#doubles = new Float64Array(door.memory.buffer);
  }

  static async load(code: BufferSource): Promise<Module> {
    const { instance } = await WebAssembly.instantiate(code, {});
    return new Module(instance.exports as unknown as DoorExports);
  }

  #refresh(): void {
    const buffer = this.door.memory.buffer;
    if (this.#bytes.buffer !== buffer) {
      this.#bytes = new Uint8Array(buffer);
      this.#words = new Uint32Array(buffer);
      this.#doubles = new Float64Array(buffer);
    }
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    this.#refresh();
    return this.#bytes;
  }

  get words(): Uint32Array<ArrayBuffer> {
    this.#refresh();
    return this.#words;
  }

  get doubles(): Float64Array<ArrayBuffer> {
    this.#refresh();
    return this.#doubles;
  }

  /** An unsigned 64-bit number at a word's index. Exact up to 2^53: 104 days in nanoseconds. */
  wide(index: number): number {
    const words = this.words;
    return (words[index] ?? 0) + (words[index + 1] ?? 0) * 4294967296;
  }

  amount(index: number): Amount {
    return { ns: this.wide(index), samples: this.wide(index + 2) };
  }

  /** An address that a view gave back, as the index of its first word. */
  result(address: number): number {
    if (address === 0) {
      throw new TooLarge();
    }
    return address >>> 2;
  }

  /** The NUL-terminated text at an address. */
  textAt(address: number): string {
    const bytes = this.bytes;
    const end = bytes.indexOf(0, address >>> 0);
    return new TextDecoder().decode(bytes.subarray(address >>> 0, end));
  }

  /** Places small arguments in the module's memory. Valid until the next call of the same function. */
  argument(bytes: Uint8Array): number {
    const address = this.door.scratch(Math.max(bytes.length, 1));
    this.result(address);
    this.bytes.set(bytes, address >>> 0);
    return address;
  }
}
