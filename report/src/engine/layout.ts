// Where the fields of src/analysis' structs lie in WebAssembly: offsets in units of 32 bits. report/wasm/door_layout.c
// holds the structs against the same numbers when the module is compiled.

export const AMOUNT = { ns: 0, samples: 2, size: 4 } as const;

export const FACTS = {
  startTime: 0,
  interval: 2,
  duration: 4,
  looks: 6,
  samples: 8,
  broken: 10,
  missed: 12,
  late: 14,
  retried: 16,
  samplerCpu: 18,
  cpu: 20,
  childrenCpu: 22,
  description: 24,
  version: 25,
  traceBytes: 26,
  complete: 28,
  lostBytes: 30,
} as const;

export const PROFILE = {
  text: 36,
  textOffsets: 37,
  stringCount: 38,
  functions: 39,
  functionCount: 40,
  processes: 43,
  processCount: 44,
  threads: 45,
  threadCount: 46,
} as const;

export const FUNCTION = { name: 0, file: 1, firstLine: 2, kind: 3, size: 4 } as const;
export const PROCESS = { pid: 0, command: 2, python: 3, executable: 4, exitStatus: 14, size: 18 } as const;
export const THREAD = { process: 0, kind: 1, id: 2, name: 4, main: 5, size: 14 } as const;

export const NODE = {
  kind: 0,
  subject: 1,
  parent: 2,
  firstChild: 3,
  nextSibling: 4,
  depth: 5,
  descendants: 6,
  hiddenFrames: 7,
  total: 8,
  self: 12,
  hidden: 16,
  firstHidden: 26,
  hiddenCount: 27,
  size: 28,
} as const;

export const CALL_TREE = { nodes: 0, count: 1, hidden: 4 } as const;
export const FUNCTION_TOTAL = { function: 0, self: 2, total: 6, size: 10 } as const;
export const LINE_TOTAL = { function: 0, line: 1, state: 2, self: 4, total: 8, size: 12 } as const;
export const EDGE = { caller: 0, callee: 1, self: 4, total: 8, size: 12 } as const;
export const THREAD_SUMMARY = {
  thread: 0,
  total: 2,
  running: 6,
  idle: 10,
  name: 11,
  firstFunction: 12,
  size: 14,
} as const;
export const KIND_AMOUNT = { kind: 0, call: 1, amount: 2, size: 6 } as const;
export const FRAMES = { callers: 0, functions: 1 } as const;
export const TASK_LANE = { task: 0, coroutine: 1, rows: 2, ns: 4, size: 6 } as const;
export const BOX = { frame: 0, row: 1, begin: 2, end: 4, merged: 6, size: 8 } as const;
export const BOXES = { boxes: 0, count: 1, rows: 3 } as const;

/** SL_NONE: no such function, node, thread. */
export const NONE = 0xffffffff;
