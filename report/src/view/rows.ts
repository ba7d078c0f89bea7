// The rows of the call tree as they lie under each other: which nodes are open, what is too small to be shown.
import type { CallTree } from "../engine/engine";
import { THREAD_KIND } from "../engine/calls";
import { NODE, NONE } from "../engine/layout";

export interface NodeRow {
  readonly kind: "node";
  readonly key: number;
  readonly node: number;
  readonly level: number;
  readonly parent: number;
  readonly open: boolean;
  readonly expandable: boolean;
  readonly position: number;
  readonly siblings: number;
}

/** What was left out below a node: too small, or threads that only waited. */
export interface RestRow {
  readonly kind: "rest";
  readonly key: number;
  readonly level: number;
  readonly parent: number;
  readonly count: number;
  readonly ns: number;
  readonly idle: boolean;
  readonly position: number;
  readonly siblings: number;
}

export type Row = NodeRow | RestRow;

export interface RowOptions {
  /** What a person opened or closed, by key. */
  readonly toggled: ReadonlyMap<number, boolean>;
  /** A node that takes this long is open unless it was closed. */
  readonly openNs: number;
  /** A node that takes less is only counted, unless its parent's rest was opened. */
  readonly shownNs: number;
  readonly restOpened: ReadonlySet<number>;
  /** Threads that only waited. */
  readonly idle: ReadonlySet<number>;
}

/** A node's identity, which holds while the tree is computed anew: made of the path to it. 53 bits. */
export function keyOf(parentKey: number, kind: number, subject: number): number {
  let low = (parentKey % 4294967296) ^ Math.imul(subject + 1, 0x9e3779b1) ^ Math.imul(kind + 1, 0x85ebca6b);
  low = Math.imul(low ^ (low >>> 15), 0x2c1b3c6d);
  let high = Math.floor(parentKey / 4294967296) ^ Math.imul(subject + 1, 0xc2b2ae35) ^ Math.imul(low, 0x27d4eb2f);
  high = Math.imul(high ^ (high >>> 13), 0x297a2d39);
  return ((high ^ (high >>> 16)) & 0x1fffff) * 4294967296 + ((low ^ (low >>> 12)) >>> 0);
}

interface Children {
  readonly shown: number[];
  readonly rest: number;
  readonly restNs: number;
  readonly idle: number;
  readonly idleNs: number;
}

function childrenOf(tree: CallTree, node: number, options: RowOptions, all: boolean): Children {
  const shown: number[] = [];
  let [rest, restNs, idle, idleNs] = [0, 0, 0, 0];
  let child = tree.word(node, NODE.firstChild);
  for (; child !== NONE; child = tree.word(child, NODE.nextSibling)) {
    const ns = tree.wide(child, NODE.total);
    if (all) {
      shown.push(child);
    } else if (tree.word(child, NODE.kind) === THREAD_KIND && options.idle.has(tree.word(child, NODE.subject))) {
      idle++;
      idleNs += ns;
    } else if (ns < options.shownNs) {
      rest++;
      restNs += ns;
    } else {
      shown.push(child);
    }
  }
  return { shown, rest, restNs, idle, idleNs };
}

/** The rows of the whole tree, without its root. */
export function rowsOf(tree: CallTree, options: RowOptions): Row[] {
  const rows: Row[] = [];
  const waiting: { node: number; key: number; level: number; position: number; siblings: number; parent: number }[] = [];

  const enter = (node: number, key: number, level: number): RestRow[] => {
    const children = childrenOf(tree, node, options, options.restOpened.has(key));
    const rests = (children.rest > 0 ? 1 : 0) + (children.idle > 0 ? 1 : 0);
    const siblings = children.shown.length + rests;
    for (let i = children.shown.length - 1; i >= 0; i--) {
      const child = children.shown[i] ?? 0;
      const childKey = keyOf(key, tree.word(child, NODE.kind), tree.word(child, NODE.subject));
      waiting.push({ node: child, key: childKey, level, position: i + 1, siblings, parent: key });
    }
    const rest: RestRow[] = [];
    const add = (count: number, ns: number, idle: boolean): void => {
      if (count > 0) {
        const position = children.shown.length + rest.length + 1;
        const restKey = keyOf(key, idle ? 8 : 9, 0);
        rest.push({ kind: "rest", key: restKey, level, parent: key, count, ns, idle, position, siblings });
      }
    };
    add(children.idle, children.idleNs, true);
    add(children.rest, children.restNs, false);
    return rest;
  };

  // What is left out below a node comes after all that is shown of it: it waits here, by depth, until then.
  const later: { level: number; rows: RestRow[] }[] = [{ level: 1, rows: enter(0, 1, 1) }];
  for (;;) {
    const next = waiting.pop();
    for (let last = later.at(-1); last !== undefined && last.level > (next?.level ?? 0); last = later.at(-1)) {
      rows.push(...last.rows);
      later.pop();
    }
    if (next === undefined) {
      return rows;
    }
    const { node, key, level, position, siblings, parent } = next;
    const expandable = tree.word(node, NODE.firstChild) !== NONE;
    const open = expandable && (options.toggled.get(key) ?? tree.wide(node, NODE.total) >= options.openNs);
    rows.push({ kind: "node", key, node, level, parent, open, expandable, position, siblings });
    if (open) {
      later.push({ level: level + 1, rows: enter(node, key, level + 1) });
    }
  }
}
