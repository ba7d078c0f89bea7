// Every number of every view, through the WebAssembly module of the built page, against the native build of the same
// code on the same recording.
import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";

import { Engine, kindNames, modes } from "../../src/engine/engine";
import type { Boxes, CallTree, ChartFrames } from "../../src/engine/engine";
import { NODE } from "../../src/engine/layout";
import type { Amount } from "../../src/engine/module";
import { Module } from "../../src/engine/module";
import { openColumns } from "../../src/engine/payload";
import type { Shape } from "../support/shapes";
import { builtModule, made } from "../support/shapes";

type Pair = [number, number];

interface Numbers {
  begin: number;
  end: number;
  mode: number;
  taken: number[];
  searchedFor: number[];
  only: boolean;
  trail: number[];
  showAll: boolean;
  hide: string[];
  byProcess: boolean;
  byThread: boolean;
  inverted: boolean;
  total: Pair;
  searched: Pair;
  tree: unknown[];
  flame: unknown[];
  functions: unknown[];
  lines: unknown[];
  edges: unknown[];
  kinds: unknown[];
  threads: unknown[];
  boxes: [number, ...[number, number, number, number, number][]][];
  columns: number[];
  tasks: unknown[];
}

const module = builtModule();

async function open(shape: Shape): Promise<Engine> {
  const columns = made("columns", shape);
  return openColumns(await Module.load(module), new Uint8Array(deflateRawSync(columns)), columns.length);
}

/** Compares as text, because rows are many; says where the first difference is. */
function same(what: string, got: unknown[], wanted: unknown[]): void {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) {
    const at = got.findIndex((row, index) => JSON.stringify(row) !== JSON.stringify(wanted[index]));
    expect({ what, at, count: got.length, row: got[at] }).toEqual({ what, at, count: wanted.length, row: wanted[at] });
  }
}

const pair = (amount: Amount): Pair => [amount.ns, amount.samples];

const boxRows = (frames: ChartFrames, boxes: Boxes): unknown[] => [
  boxes.rows,
  ...Array.from({ length: boxes.count }, (_, i) => [
    frames.function(boxes.frames[i] ?? 0),
    boxes.row[i],
    boxes.begin[i],
    boxes.end[i],
    boxes.merged[i],
  ]),
];

const rounded = (amounts: Float64Array): number[] => Array.from(amounts, (amount) => Math.floor(amount + 0.5));

function treeRows(tree: CallTree, offset: (node: number) => number): unknown[] {
  const fields = [
    NODE.kind,
    NODE.subject,
    NODE.parent,
    NODE.firstChild,
    NODE.nextSibling,
    NODE.depth,
    NODE.descendants,
    NODE.hiddenFrames,
  ];
  return Array.from({ length: tree.length }, (_, node) => [
    ...fields.map((field) => tree.word(node, field)),
    pair(tree.total(node)),
    pair(tree.self(node)),
    pair(tree.amount(node, NODE.hidden)),
    tree.hiddenFunctions(node)[0] ?? 0,
    offset(node),
  ]);
}

function choose(engine: Engine, wanted: Numbers): void {
  const searched = new Set(wanted.searchedFor);
  engine.selectRange(wanted.begin, wanted.end);
  engine.selectMode(modes[wanted.mode] ?? "wall");
  engine.selectThreads(wanted.taken);
  engine.search((fn) => searched.has(fn));
  engine.selectFocus(wanted.trail, wanted.only);
  engine.selectRoles({ showAll: wanted.showAll, hide: wanted.hide, show: [] });
}

describe.each(["empty", "tiny", "pool", "tasks", "hostile", "late", "folded"] as const)("of the shape %s", (shape) => {
  test("every view has the native build's numbers in every selection", async () => {
    const engine = await open(shape);
    const all = JSON.parse(made("numbers", shape).toString()) as Numbers[];
    expect(all.length).toBeGreaterThan(10);
    for (const wanted of all) {
      choose(engine, wanted);
      expect(pair(engine.total())).toEqual(wanted.total);
      expect(pair(engine.searched())).toEqual(wanted.searched);
      same(
        "tree",
        treeRows(engine.callTree(wanted), () => 0),
        wanted.tree,
      );
      const flame = engine.flameGraph(wanted.inverted);
      same("flame", treeRows(flame.tree, flame.offset), wanted.flame);
      same(
        "functions",
        engine.functionTotals().map((row) => [row.function, pair(row.self), pair(row.total)]),
        wanted.functions,
      );
      same(
        "lines",
        engine.lineTotals().map((row) => [row.function, row.line, row.state, pair(row.self), pair(row.total)]),
        wanted.lines,
      );
      same(
        "edges",
        engine.edges().map((row) => [row.caller, row.callee, pair(row.self), pair(row.total)]),
        wanted.edges,
      );
      same(
        "kinds",
        engine.kinds().map((row) => [kindNames.indexOf(row.kind), row.call, pair(row.amount)]),
        wanted.kinds,
      );
      same(
        "threads",
        engine
          .threadSummaries()
          .map((row) => [row.thread, pair(row.total), pair(row.running), row.idle ? 1 : 0, row.name, row.firstFunction]),
        wanted.threads,
      );
    }
  });

  test("the chart has the native build's boxes and columns", async () => {
    const engine = await open(shape);
    const endNs = engine.recording.endNs;
    for (const wanted of JSON.parse(made("numbers", shape).toString()) as Numbers[]) {
      choose(engine, wanted);
      const frames = engine.chartFrames();
      let at = 0;
      for (let thread = 0; thread < Math.min(3, engine.recording.threadCount); thread++) {
        for (const zoom of [1, 64]) {
          const span = Math.floor(endNs / zoom);
          const boxes = engine.chartBoxes(frames, thread, 0, 0, span, Math.floor(span / 500), 30);
          same("boxes", boxRows(frames, boxes), wanted.boxes[at++] ?? []);
        }
      }
      same("columns", rounded(engine.chartKinds(undefined, 0, 0, endNs, 40)), wanted.columns);
      const tasks = engine.recording.threadCount > 0 ? engine.chartTasks(frames, 0) : [];
      same(
        "tasks",
        tasks.map(({ task, coroutine, rows, ns }) => [
          task,
          coroutine,
          rows,
          ns,
          boxRows(frames, engine.chartBoxes(frames, 0, task, 0, endNs, Math.floor(endNs / 500), 30)),
          rounded(engine.chartKinds(0, task, 0, endNs, 10)),
        ]),
        wanted.tasks,
      );
    }
  });
});

test("an amount's standard error is that of a share", async () => {
  const engine = await open("tiny");
  expect(engine.standardError({ ns: 25, samples: 25 }, { ns: 100, samples: 100 })).toBeCloseTo(
    Math.sqrt((0.25 * 0.75) / 100),
    12,
  );
});

test("whether looks were late, or none was told of, is told", async () => {
  const told = async (shape: Shape): Promise<boolean[]> => {
    const engine = await open(shape);
    return [engine.looksLate(), engine.isFolded()];
  };
  expect(await told("tiny")).toEqual([false, false]);
  expect(await told("late")).toEqual([true, false]);
  expect(await told("folded")).toEqual([false, true]);
});

test("columns that are damaged are refused", async () => {
  const columns = made("columns", "pool");
  for (let size = 0; size < columns.length; size += 499) {
    const part = columns.subarray(0, size);
    await expect(
      openColumns(await Module.load(module), new Uint8Array(deflateRawSync(part)), size),
    ).rejects.toThrow("damaged");
  }
  const changed = Buffer.from(columns);
  for (let at = 0; at < changed.length; at += 401) {
    changed[at] = (changed[at] ?? 0) ^ 0xff;
    // Whatever comes of it, it must end: opened or refused.
    await openColumns(await Module.load(module), new Uint8Array(deflateRawSync(changed)), changed.length).catch(
      () => undefined,
    );
  }
});
