import { deflateRawSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";

import type { CallTree, Engine } from "../../src/engine/engine";
import { NODE } from "../../src/engine/layout";
import { Module } from "../../src/engine/module";
import { openColumns } from "../../src/engine/payload";
import type { RowOptions } from "../../src/view/rows";
import { keyOf, rowsOf } from "../../src/view/rows";
import { builtModule, made } from "../support/shapes";

const everything: RowOptions = {
  toggled: new Map(),
  openNs: 0,
  shownNs: 0,
  restOpened: new Set(),
  idle: new Set(),
};

let engine: Engine;
let tree: CallTree;

beforeAll(async () => {
  const columns = made("columns", "pool");
  engine = await openColumns(await Module.load(builtModule()), new Uint8Array(deflateRawSync(columns)), columns.length);
  engine.selectRoles({ showAll: true, hide: [], show: [] });
  tree = engine.callTree({ byProcess: true, byThread: true, inverted: false });
});

describe("rows", () => {
  test("are the nodes in order when everything is open", () => {
    const rows = rowsOf(tree, everything);
    expect(rows.map((row) => (row.kind === "node" ? row.node : -1))).toEqual(
      Array.from({ length: tree.length - 1 }, (_, i) => i + 1),
    );
    expect(rows.map((row) => row.level)).toEqual(
      Array.from({ length: tree.length - 1 }, (_, i) => tree.word(i + 1, NODE.depth)),
    );
  });

  test("have keys of their own that hold when the tree is computed anew", () => {
    const keys = rowsOf(tree, everything).map((row) => row.key);
    expect(new Set(keys).size).toBe(keys.length);
    tree = engine.callTree({ byProcess: true, byThread: true, inverted: false });
    expect(rowsOf(tree, everything).map((row) => row.key)).toEqual(keys);
    expect(Number.isSafeInteger(keyOf(1, 3, 0xffffffff))).toBe(true);
  });

  test("below a closed node are not there", () => {
    const first = rowsOf(tree, everything)[0];
    const rows = rowsOf(tree, { ...everything, toggled: new Map([[first?.key ?? 0, false]]) });
    expect(rows[1]?.level).toBe(1);
    expect(rows.length).toBe(tree.length - 1 - tree.word(1, NODE.descendants));
  });

  test("count what is too small, at the end of its parent, and lose no time", () => {
    const shownNs = tree.wide(0, NODE.total) / 50;
    const rows = rowsOf(tree, { ...everything, shownNs });
    const rests = rows.filter((row) => row.kind === "rest");
    expect(rests.length).toBeGreaterThan(0);
    for (const row of rows) {
      if (row.kind === "node") {
        expect(tree.wide(row.node, NODE.total)).toBeGreaterThanOrEqual(shownNs);
        if (row.open) {
          const below = rows.filter((other) => other.parent === row.key);
          const sum = below.reduce((ns, other) => ns + (other.kind === "node" ? tree.wide(other.node, NODE.total) : other.ns), 0);
          expect(sum).toBeLessThanOrEqual(tree.wide(row.node, NODE.total));
          expect(below.map((other) => other.position)).toEqual(below.map((_, i) => i + 1));
          expect(below.every((other) => other.siblings === below.length)).toBe(true);
          expect(below.findIndex((other) => other.kind === "rest")).toBeOneOf([-1, below.length - 1]);
        }
      }
    }
  });

  test("of a rest that was opened are all there", () => {
    const shownNs = tree.wide(0, NODE.total) / 50;
    const rest = rowsOf(tree, { ...everything, shownNs }).find((row) => row.kind === "rest");
    const rows = rowsOf(tree, { ...everything, shownNs, restOpened: new Set([rest?.parent ?? 0]) });
    expect(rows.some((row) => row.key === rest?.key)).toBe(false);
  });

  test("stand under each other in one list for a stack 10,000 frames deep", async () => {
    const columns = made("columns", "deep");
    const deep = await openColumns(await Module.load(builtModule()), new Uint8Array(deflateRawSync(columns)), columns.length);
    deep.selectRoles({ showAll: false, hide: [], show: [] });
    const rows = rowsOf(deep.callTree({ byProcess: false, byThread: false, inverted: false }), everything);
    expect(rows.length).toBe(10_000);
    expect(rows.at(-1)?.level).toBe(10_000);
  });
});
