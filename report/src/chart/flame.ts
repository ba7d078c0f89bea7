// Drawing a flame graph, and finding what lies under a point of it.
import type { FlameGraph } from "../engine/engine";
import { NODE, NONE } from "../engine/layout";
import type { Surface } from "./canvas";
import { Labels } from "./canvas";

export const FLAME_ROW = 20;

export interface FlameLook {
  /** The span of time that fills the width. */
  readonly begin: number;
  readonly end: number;
  /** Pixels that are scrolled out at the top. */
  readonly top: number;
  colour(fn: number): string;
  label(fn: number): string;
  found(fn: number): boolean;
  readonly searching: boolean;
  readonly selected: number;
  readonly hovered: number;
  readonly ink: {
    readonly text: string;
    readonly background: string;
    readonly found: string;
    readonly accent: string;
    readonly merged: string;
  };
}

/** Nodes are drawn from this many pixels on; narrower ones are one grey box with their neighbours. */
const NARROWEST = 1;

export function drawFlame(surface: Surface, flame: FlameGraph, look: FlameLook): void {
  const { context, width, height } = surface;
  const { tree } = flame;
  const scale = width / Math.max(look.end - look.begin, 1);
  context.globalAlpha = 1;
  context.fillStyle = look.ink.background;
  context.fillRect(0, 0, width, height);
  const labels = new Labels(context);
  context.textBaseline = "middle";
  // What was merged last in each row: from where to where, in pixels.
  const merged = new Map<number, [number, number]>();
  const flush = (row: number): void => {
    const span = merged.get(row);
    if (span) {
      context.globalAlpha = look.searching ? 0.4 : 1;
      context.fillStyle = look.ink.merged;
      context.fillRect(span[0], row * FLAME_ROW - look.top, Math.max(span[1] - span[0], 0.5), FLAME_ROW - 1);
      merged.delete(row);
    }
  };
  for (let node = 1; node < tree.length;) {
    const total = tree.wide(node, NODE.total);
    const offset = flame.offset(node);
    const descendants = tree.word(node, NODE.descendants);
    if (offset + total <= look.begin || offset >= look.end) {
      node += descendants + 1;
      continue;
    }
    const row = tree.word(node, NODE.depth) - 1;
    const y = row * FLAME_ROW - look.top;
    const left = Math.max((offset - look.begin) * scale, -1);
    const right = Math.min((offset + total - look.begin) * scale, width + 1);
    if (y >= height) {
      // All that it calls lies below as well.
      node += descendants + 1;
      continue;
    }
    if (right - left < NARROWEST) {
      const span = merged.get(row);
      if (span && left - span[1] < NARROWEST) {
        span[1] = right;
      } else {
        flush(row);
        merged.set(row, [left, right]);
      }
      node += descendants + 1;
      continue;
    }
    if (y > -FLAME_ROW) {
      const fn = tree.word(node, NODE.subject);
      const found = look.found(fn);
      context.globalAlpha = look.searching && !found ? 0.4 : 1;
      context.fillStyle = look.colour(fn);
      context.fillRect(left, y, Math.max(right - left - 0.75, 0.75), FLAME_ROW - 1);
      if (found) {
        context.fillStyle = look.ink.found;
        context.fillRect(left, y + FLAME_ROW - 4, right - left - 0.75, 3);
      }
      context.fillStyle = look.ink.text;
      labels.draw(look.label(fn), Math.max(left, 0) + 5, right - 3, y + FLAME_ROW / 2);
      if (node === look.selected || node === look.hovered) {
        context.globalAlpha = 1;
        context.strokeStyle = node === look.selected ? look.ink.accent : look.ink.text;
        context.lineWidth = node === look.selected ? 2 : 1;
        context.strokeRect(left + 1, y + 1, right - left - 2.75, FLAME_ROW - 3);
      }
    }
    node++;
  }
  for (const row of [...merged.keys()]) {
    flush(row);
  }
  context.globalAlpha = 1;
}

/** The node at a row and an instant, -1 when there is none. Linear in the siblings on the way down. */
export function flameNodeAt(flame: FlameGraph, row: number, at: number): number {
  const { tree } = flame;
  let node = 0;
  for (let depth = 0; depth <= row; depth++) {
    let child = tree.word(node, NODE.firstChild);
    while (child !== NONE && !(at >= flame.offset(child) && at < flame.offset(child) + tree.wide(child, NODE.total))) {
      child = tree.word(child, NODE.nextSibling);
    }
    if (child === NONE) {
      return -1;
    }
    node = child;
  }
  return node;
}

/** The number of rows. */
export function flameRows(flame: FlameGraph): number {
  let rows = 0;
  for (let node = 1; node < flame.tree.length; node++) {
    rows = Math.max(rows, flame.tree.word(node, NODE.depth));
  }
  return rows;
}
