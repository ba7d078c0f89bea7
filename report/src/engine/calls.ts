// Where a call lies in a tree: found again by its path, however often the tree is computed anew.
import type { CallTree } from "./engine";
import { NODE, NONE } from "./layout";

/** Kinds of nodes; those beyond a thread are functions. */
export const PROCESS_KIND = 1;
export const THREAD_KIND = 2;

function childOf(tree: CallTree, node: number, fn: number): number {
  let child = tree.word(node, NODE.firstChild);
  while (child !== NONE && tree.word(child, NODE.subject) !== fn) {
    child = tree.word(child, NODE.nextSibling);
  }
  return child;
}

/**
 * The nodes that functions, each called by the one before it, lead to: one in each thread that did so, or in `thread`
 * alone. A tree that tells no threads apart has at most one.
 */
export function callsAt(tree: CallTree, path: readonly number[], thread?: number): number[] {
  const calls: number[] = [];
  for (let top = 0; top < tree.length && tree.word(top, NODE.kind) <= THREAD_KIND;) {
    const first = tree.word(top, NODE.firstChild);
    if (first !== NONE && tree.word(first, NODE.kind) <= THREAD_KIND) {
      top = first;
      continue;
    }
    if (tree.word(top, NODE.kind) !== THREAD_KIND || thread === undefined || tree.word(top, NODE.subject) === thread) {
      let node = top;
      for (let i = 0; i < path.length && node !== NONE; i++) {
        node = childOf(tree, node, path[i] ?? 0);
      }
      if (node !== NONE) {
        calls.push(node);
      }
    }
    // What comes next is another thread, or the next process.
    top += tree.word(top, NODE.descendants) + 1;
  }
  return calls;
}
