// The call tree: who called whom for how long. Only the rows that are in sight exist, so depth and size cost nothing.
import { For, Show, createEffect, createMemo, createSignal, on, onMount } from "solid-js";
import type { JSX } from "solid-js";

import { PROCESS_KIND, THREAD_KIND } from "../engine/calls";
import { NODE } from "../engine/layout";
import type { Amount } from "../engine/module";
import { visible } from "../engine/recording";
import { plural, share, time } from "../format";
import type { Current } from "../model";
import { useModel } from "../model";
import { PRINTED_MAX, ROW_HEIGHT, heat, reveal, spoken, usePrinting, watchSize } from "./parts";
import type { NodeRow, RestRow, Row } from "./rows";
import { rowsOf } from "./rows";

/** Rows beyond the edges that exist all the same, so that scrolling shows no gap. */
const MARGIN_ROWS = 12;
const INDENT = 14;
/** A tree that is deeper than this in sight is shifted to the left. */
const DEEP_LEVELS = 24;
/** Machinery is left out of the tree as if its caller did its work itself (src/analysis/call_tree.h). */
const SELF = "In the function itself, and in the import machinery that it ran, which is not shown";
/** A node with this share of the whole is open from the start. */
const OPEN_SHARE = 0.01;

export function TreeView(): JSX.Element {
  const model = useModel();
  const { recording, state } = model;
  const [toggled, setToggled] = createSignal<ReadonlyMap<number, boolean>>(new Map());
  const [restOpened, setRestOpened] = createSignal<ReadonlySet<number>>(new Set());
  const [top, setTop] = createSignal(0);
  const [height, setHeight] = createSignal(600);
  const [active, setActive] = createSignal(0);
  let body!: HTMLDivElement;

  const tree = createMemo(model.callTree);
  const idle = createMemo(() => {
    model.selection();
    return new Set(model.threads().filter((summary) => summary.idle).map((summary) => summary.thread));
  });
  const rows = createMemo(() =>
    rowsOf(tree(), {
      toggled: toggled(),
      openNs: Math.max(OPEN_SHARE, state.threshold) * model.whole().ns,
      shownNs: state.threshold * model.whole().ns,
      restOpened: restOpened(),
      idle: idle(),
    }),
  );
  const printing = usePrinting();
  const first = createMemo(() => (printing() ? 0 : Math.max(0, Math.floor(top() / ROW_HEIGHT) - MARGIN_ROWS)));
  const last = createMemo(() =>
    printing() ? PRINTED_MAX : Math.min(rows().length, Math.ceil((top() + height()) / ROW_HEIGHT) + MARGIN_ROWS),
  );
  const inSight = createMemo(() => rows().slice(first(), last()));
  /** Levels that are cut off at the left: a deep stack is not pushed out of sight. */
  const cut = createMemo(() => {
    const levels = rows()
      .slice(Math.floor(top() / ROW_HEIGHT), Math.ceil((top() + height()) / ROW_HEIGHT))
      .map((row) => row.level);
    return levels.some((level) => level > DEEP_LEVELS) ? Math.max(0, Math.min(...levels) - 4) : 0;
  });
  /** A row's own indentation. However deep it is, its name stays in sight. */
  const indent = (row: Row): string => `min(50%, ${Math.max(0, row.level - 1 - cut()) * INDENT}px)`;

  onMount(() => {
    // What was chosen in another view is where one is here; else the first function.
    const chosen = state.selected === null ? null : model.current();
    const path = String(chosen?.path ?? "");
    const at = rows().findIndex((row) => {
      const seen = calledIn(row);
      const here =
        seen &&
        (!chosen ||
          (seen.function === chosen.function &&
            (path === "" || path === String(seen.path)) &&
            (chosen.thread ?? seen.thread) === seen.thread));
      if (here && !chosen) {
        model.suggest(seen);
      }
      return here;
    });
    setActive(Math.max(at, 0));
    reveal(body, active());
    watchSize(body, () => {
      setHeight(body.clientHeight);
    });
  });
  // Another tree: the active row is the one that was active, or where that is gone the function that is looked at.
  createEffect(
    on(rows, (now, before) => {
      if (before === undefined) {
        return;
      }
      const key = before[active()]?.key;
      const fn = model.current()?.function;
      const same = now.findIndex((row) => row.key === key);
      const at = same >= 0 ? same : now.findIndex((row) => row.kind === "node" && functionAt(row.node) === fn);
      setActive(at >= 0 ? at : Math.min(active(), Math.max(now.length - 1, 0)));
    }),
  );

  /** Undefined for processes and threads. */
  const functionAt = (node: number): number | undefined =>
    tree().word(node, NODE.kind) > THREAD_KIND ? tree().word(node, NODE.subject) : undefined;

  /** The call that a row shows. */
  const calledIn = (row: Row | undefined): Current | undefined => {
    const now = tree();
    const fn = row?.kind === "node" ? functionAt(row.node) : undefined;
    if (row?.kind !== "node" || fn === undefined) {
      return undefined;
    }
    const nodes = now.path(row.node);
    const path = nodes.filter((at) => now.word(at, NODE.kind) > THREAD_KIND).map((at) => now.word(at, NODE.subject));
    const lane = nodes.find((at) => now.word(at, NODE.kind) === THREAD_KIND);
    return {
      function: fn,
      path: state.inverted ? path.reverse() : path,
      thread: lane === undefined ? undefined : now.word(lane, NODE.subject),
    };
  };
  const look = (row: Row | undefined): void => {
    const seen = calledIn(row);
    if (seen) {
      model.look(seen);
    }
  };
  const go = (index: number): void => {
    const bounded = Math.max(0, Math.min(index, rows().length - 1));
    setActive(bounded);
    reveal(body, bounded);
    look(rows()[bounded]);
  };
  const toggle = (row: NodeRow, open: boolean): void => {
    setToggled(new Map(toggled()).set(row.key, open));
  };
  /** Opens or closes a node and everything below it. */
  const toggleAll = (row: NodeRow, open: boolean): void => {
    const next = new Map(toggled()).set(row.key, open);
    const below = rowsOf(tree(), {
      toggled: new Map(),
      openNs: open ? 0 : Infinity,
      shownNs: 0,
      restOpened: restOpened(),
      idle: new Set(),
    });
    if (open) {
      const from = below.findIndex((other) => other.key === row.key);
      for (const other of below.slice(from + 1)) {
        if (other.level <= row.level) {
          break;
        }
        next.set(other.key, true);
      }
    }
    setToggled(next);
  };
  const openRest = (row: RestRow): void => {
    setRestOpened(new Set(restOpened()).add(row.parent));
  };
  const nextFound = (step: number): void => {
    const all = rows();
    for (let i = 1; i <= all.length; i++) {
      const index = (active() + step * i + all.length * 2) % all.length;
      const row = all[index];
      const fn = row?.kind === "node" ? functionAt(row.node) : undefined;
      if (fn !== undefined && model.isFound(fn)) {
        go(index);
        return;
      }
    }
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey) {
      return;
    }
    const row = rows()[active()];
    const page = Math.max(1, Math.floor(height() / ROW_HEIGHT) - 1);
    switch (event.key) {
      case "ArrowDown":
        go(active() + 1);
        break;
      case "ArrowUp":
        go(active() - 1);
        break;
      case "PageDown":
        go(active() + page);
        break;
      case "PageUp":
        go(active() - page);
        break;
      case "Home":
        go(0);
        break;
      case "End":
        go(rows().length - 1);
        break;
      case "ArrowRight":
        if (row?.kind === "rest") {
          openRest(row);
        } else if (row?.expandable && !row.open) {
          toggle(row, true);
        } else {
          go(active() + 1);
        }
        break;
      case "ArrowLeft":
        if (row?.kind === "node" && row.open) {
          toggle(row, false);
        } else if (row) {
          go(rows().findIndex((other) => other.key === row.parent));
        }
        break;
      case "Enter":
      case " ":
        if (row?.kind === "rest") {
          openRest(row);
        } else if (row?.expandable) {
          toggle(row, !row.open);
        }
        break;
      case "*":
        if (row?.kind === "node") {
          toggleAll(row, true);
        }
        break;
      case "n":
        nextFound(1);
        break;
      case "N":
        nextFound(-1);
        break;
      default:
        return;
    }
    event.preventDefault();
  };

  const nodeName = (node: number): string => {
    const subject = tree().word(node, NODE.subject);
    switch (tree().word(node, NODE.kind)) {
      case PROCESS_KIND: {
        const process = recording.processes[subject];
        return process ? `${visible(process.command) || "process"} (pid ${process.pid})` : "process";
      }
      case THREAD_KIND:
        return model.threadName(subject);
      default:
        return recording.function(subject).name;
    }
  };

  const Node = (props: { row: NodeRow }): JSX.Element => {
    const node = (): number => props.row.node;
    const subject = (): number => tree().word(node(), NODE.subject);
    const isFunction = (): boolean => tree().word(node(), NODE.kind) > THREAD_KIND;
    const hidden = (): number => tree().word(node(), NODE.hiddenFrames);
    const packages = (): string => {
      const names = new Set(tree().hiddenFunctions(node()).map((fn) => recording.package(fn)));
      const shown = [...names].slice(0, 3).join(", ");
      return names.size > 3 ? `${shown}, …` : shown;
    };
    return (
      <>
        <span
          class="caret"
          classList={{ open: props.row.open, leaf: !props.row.expandable }}
          onClick={(event) => {
            event.stopPropagation();
            if (event.altKey) {
              toggleAll(props.row, !props.row.open);
            } else {
              toggle(props.row, !props.row.open);
            }
          }}
        />
        <span
          class="name"
          classList={{
            library: isFunction() && !model.isOwn(subject()),
            mark: isFunction() && recording.function(subject()).kind === "mark",
            lane: !isFunction(),
            found: isFunction() && model.isFound(subject()),
          }}
        >
          {nodeName(node())}
        </span>
        <Show when={isFunction()}>
          <span class="place">{recording.place(subject())}</span>
        </Show>
        <Show when={hidden() > 0}>
          <span
            class="folded"
            title={`Library code is folded: ${packages()}, ${time(tree().hidden(node()).ns)}. Press l to show it.`}
            onClick={(event) => {
              event.stopPropagation();
              model.set({ showAll: true });
            }}
          >
            {[
              `${plural(hidden(), "frame")} hidden`,
              ...(tree().hidden(node()).ns > 0 ? [model.time()(tree().hidden(node()).ns)] : []),
              packages(),
            ].join(" · ")}
          </span>
        </Show>
      </>
    );
  };

  const label = (row: Row): string => {
    if (row.kind === "rest") {
      return row.idle ? plural(row.count, "idle thread") : `${count(row)} more`;
    }
    const total = tree().total(row.node);
    return `${nodeName(row.node)}, ${spoken(model, total)}`;
  };
  const count = (row: RestRow): string => String(row.count);

  return (
    <div class="tree">
      <div class="columns" aria-hidden="true">
        <span class="number">total {model.time().unit}</span>
        <span class="share">share</span>
        <span class="number self" title={SELF}>
          self {model.time().unit}
        </span>
        <span class="text">
          {state.inverted ? "function, and below it its callers" : "function"}
          <Show when={cut() > 0}>
            <span class="deep">{`${cut()} levels to the left`}</span>
          </Show>
        </span>
      </div>
      <div
        ref={body}
        class="rows"
        role={rows().length > 0 ? "treegrid" : "region"}
        aria-label={state.inverted ? "Call tree, inverted" : "Call tree"}
        aria-rowcount={rows().length > 0 ? rows().length : undefined}
        aria-activedescendant={rows().length > 0 ? `row-${active()}` : undefined}
        tabIndex={0}
        onScroll={() => {
          setTop(body.scrollTop);
        }}
        onKeyDown={onKey}
      >
        <div class="sheet" role="presentation" style={{ height: `${rows().length * ROW_HEIGHT}px` }}>
          <For each={inSight()}>
            {(row, at) => (
              <div
                id={`row-${first() + at()}`}
                class="row"
                classList={{ active: first() + at() === active(), rest: row.kind === "rest" }}
                role="row"
                aria-rowindex={first() + at() + 1}
                aria-level={row.level}
                aria-posinset={row.position}
                aria-setsize={row.siblings}
                aria-expanded={row.kind === "node" && row.expandable ? row.open : undefined}
                aria-selected={first() + at() === active()}
                aria-label={label(row)}
                style={{ top: `${(first() + at()) * ROW_HEIGHT}px` }}
                onClick={() => {
                  setActive(first() + at());
                  if (row.kind === "rest") {
                    openRest(row);
                  } else {
                    look(row);
                  }
                }}
                onDblClick={() => {
                  if (row.kind === "node" && row.expandable) {
                    toggle(row, !row.open);
                  }
                }}
              >
                <Show
                  when={row.kind === "node" ? row : undefined}
                  fallback={
                    <>
                      <span class="number" role="gridcell">
                        {model.time()((row as RestRow).ns)}
                      </span>
                      <span class="share" role="gridcell">
                        {share((row as RestRow).ns / Math.max(model.whole().ns, 1))}
                      </span>
                      <span class="number self" role="gridcell" />
                      <span
                        class="text"
                        role="gridcell"
                        style={{ "padding-left": `calc(18px + ${indent(row)})` }}
                      >
                        <span class="folded">
                          {(row as RestRow).idle
                            ? `${plural((row as RestRow).count, "thread")} idle`
                            : `⋯ ${(row as RestRow).count} more`}
                        </span>
                      </span>
                    </>
                  }
                >
                  {(node) => {
                    const total = (): Amount => tree().total(node().node);
                    const part = (): number => model.share(total());
                    const sure = (): string =>
                      [model.shareWithError(total()), model.samples(total())].filter(Boolean).join(", ");
                    return (
                      <>
                        <span class={`number ${heat(part())}`} role="gridcell" title={sure()}>
                          {model.time()(total().ns)}
                        </span>
                        <span class={`share ${heat(part())}`} role="gridcell" title={sure()}>
                          <i class="bar" style={{ width: `${Math.min(100, part() * 100)}%` }} />
                          {share(part())}
                        </span>
                        <span class="number self" role="gridcell">
                          <Show when={tree().wide(node().node, NODE.self) > 0}>
                            {model.time()(tree().wide(node().node, NODE.self))}
                          </Show>
                        </span>
                        <span
                          class="text"
                          role="gridcell"
                          style={{ "padding-left": indent(node()) }}
                        >
                          <Node row={node()} />
                        </span>
                      </>
                    );
                  }}
                </Show>
              </div>
            )}
          </For>
        </div>
        <Show when={rows().length === 0}>
          <p class="nothing">Nothing was sampled in what is selected.</p>
        </Show>
      </div>
    </div>
  );
}
