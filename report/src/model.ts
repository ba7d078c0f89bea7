// The page's state, and everything that follows from it. Each selection is handed to the engine once, when it changes;
// a view computes its numbers when it is shown and the selection is another than before.
import { createContext, createEffect, createMemo, createSignal, useContext } from "solid-js";
import type { Accessor } from "solid-js";

import type { CallTree, Edge, Engine, FlameGraph, FunctionTotal, LineTotal, ThreadSummary } from "./engine/engine";
import { NODE, NONE } from "./engine/layout";
import type { Amount } from "./engine/module";
import type { Page, PageOptions, SourceText } from "./engine/payload";
import type { Recording } from "./engine/recording";
import { visible } from "./engine/recording";
import { callsAt } from "./engine/calls";
import type { TimeFormat } from "./format";
import { plural, share, shareWithError, time, timeFormat } from "./format";
import { globsOf, matcher, searchedText } from "./search";
import type { State } from "./state";
import { fromHash, initialState, toHash } from "./state";
import { createRecord } from "./store";

/** What a person looks at: one call in a view, or a function by itself. */
export interface Current {
  readonly function: number;
  /** The functions from the outermost call to this one, where the view knows them. */
  readonly path: readonly number[];
  /** The thread that ran it, where the view tells threads apart. */
  readonly thread?: number | undefined;
}

/** SL_INTERVAL_UNKNOWN. */
const INTERVAL_UNKNOWN = 1;

/** A value that is computed anew only when `version` is another, and only when it is asked for. */
function perVersion<T>(version: Accessor<unknown>, compute: () => T): Accessor<T> {
  let at: unknown;
  let value: T;
  return () => {
    const now = version();
    if (now !== at) {
      value = compute();
      at = now;
    }
    return value;
  };
}

export interface Model {
  readonly engine: Engine;
  readonly recording: Recording;
  readonly source: SourceText;
  readonly options: PageOptions;
  readonly state: State;
  set(change: Partial<State>): void;
  /** Another whenever the samples that are looked at are others. */
  readonly selection: Accessor<unknown>;
  /** The same, and whenever other functions are folded. */
  readonly folded: Accessor<unknown>;
  /** Another whenever something else is searched for. */
  readonly found: Accessor<{ readonly active: boolean; readonly valid: boolean; readonly functions: number }>;
  isFound(fn: number): boolean;
  /** What the one wrote who looks, not a library's. */
  isOwn(fn: number): boolean;
  readonly searched: Accessor<Amount>;
  readonly total: Accessor<Amount>;
  readonly range: Accessor<readonly [number, number]>;
  /** Looks at what lies between the two instants, whichever comes first. */
  selectRange(from: number, to: number): void;
  /** What shares are of: the length of the selected range, and the looks taken in it. */
  readonly whole: Accessor<Amount>;
  share(amount: Amount): number;
  /** The share as text, and how sure it is where that is known. */
  shareWithError(amount: Amount): string;
  /** "2 samples". Empty where folded stacks do not tell. */
  samples(amount: Amount): string;
  readonly time: Accessor<TimeFormat>;
  /** Whether more was recorded than stacks and their times. */
  readonly recorded: boolean;
  /** How often was looked: "every 1 ms". Empty where that is not known. */
  readonly every: string;
  /** Why shares are not to be trusted; empty where they are. */
  readonly doubt: string;
  readonly functionTotals: Accessor<FunctionTotal[]>;
  readonly lineTotals: Accessor<LineTotal[]>;
  readonly edges: Accessor<Edge[]>;
  readonly callTree: Accessor<CallTree>;
  readonly flameGraph: Accessor<FlameGraph>;
  readonly threads: Accessor<ThreadSummary[]>;
  threadName(thread: number): string;
  /** The same, with its process where there are several. */
  threadLabel(thread: number): string;
  readonly current: Accessor<Current | null>;
  /** What the call that a person looks at took of what is selected; undefined where it is no call, or not there now. */
  readonly here: Accessor<{ readonly total: Amount; readonly self: Amount; readonly hidden: Amount } | undefined>;
  look(current: Current): void;
  /** The same before anybody has chosen: the address says nothing of it. */
  suggest(current: Current): void;
  lookAtFunction(fn: number): void;
  focus(fn: number): void;
  unfocus(length: number): void;
  /** Another each time, also when the same is said again. */
  readonly said: Accessor<{ readonly text: string } | undefined>;
  /** Shows a sentence for a moment. */
  say(text: string): void;
  readonly told: Accessor<string>;
  /** A sentence for those who listen: where a key has led. */
  tell(text: string): void;
}

export function createModel(page: Page): Model {
  const { engine, options, source } = page;
  const { recording } = engine;
  // Of the whole recording: nothing is selected yet. Whatever is left out later, a thread keeps its name.
  const summaries = new Map(engine.threadSummaries().map((summary) => [summary.thread, summary]));
  const bounds = {
    functionCount: recording.functionCount,
    threadCount: recording.threadCount,
    stringCount: recording.stringCount,
    endNs: recording.endNs,
  };
  const initial = initialState(options, bounds);
  const [state, setState] = createRecord<State>(fromHash(location.hash, initial, bounds));
  const [current, setCurrent] = createSignal<Current | null>(null);
  const [said, setSaid] = createSignal<{ readonly text: string }>();
  const [told, tell] = createSignal("");

  const range = createMemo(() => state.range ?? ([0, recording.endNs] as const));
  const found = createMemo(() => {
    const matches = matcher(state.query, state.regex);
    let functions = 0;
    engine.search((fn) => {
      const match = matches !== undefined && matches(searchedText(recording, fn));
      functions += match ? 1 : 0;
      return match;
    });
    return { active: matches !== undefined, valid: matches !== undefined || state.query === "", functions };
  });
  const roles = createMemo(() => {
    const [hide, show] = [globsOf(state.hide, recording), globsOf(state.show, recording)];
    engine.selectRoles({ showAll: state.showAll, hide, show });
    return {};
  });
  const filter = createMemo(() => {
    const only = state.only && found().active;
    engine.selectFocus(state.trail, only);
    return {};
  });
  const selection = createMemo(() => {
    filter();
    const [begin, end] = range();
    engine.selectRange(begin, end);
    engine.selectThreads(state.threads);
    engine.selectMode(state.mode);
    return {};
  });
  const folded = createMemo(() => {
    selection();
    roles();
    return {};
  });
  const whole = createMemo(() => {
    const ns = range()[1] - range()[0];
    const { looks, samples, durationNs } = recording.facts;
    return { ns, samples: Math.max(1, Math.round((looks || samples) * Math.min(1, ns / Math.max(durationNs, 1)))) };
  });
  const functionTotals = perVersion(selection, () => engine.functionTotals());
  const threads = perVersion(selection, () => engine.threadSummaries());
  const shape = createMemo(() => {
    folded();
    return { inverted: state.inverted, merge: state.merge };
  });
  const callTree = perVersion(shape, () => {
    const seen = threads();
    const many = new Set(seen.map((summary) => recording.threads[summary.thread]?.process)).size > 1;
    return engine.callTree({
      byProcess: many && !state.merge,
      byThread: seen.length > 1 && !(many && state.merge),
      inverted: state.inverted,
    });
  });
  const flameGraph = perVersion(shape, () => engine.flameGraph(state.inverted));
  const threadName = (thread: number): string => {
    const record = recording.threads[thread];
    const summary = summaries.get(thread);
    if (record === undefined) {
      return "thread";
    }
    if (record.scope) {
      return record.name === "" ? "profiled" : visible(record.name);
    }
    if (record.main) {
      return "main thread";
    }
    if (summary !== undefined && summary.name !== NONE) {
      return visible(recording.string(summary.name));
    }
    if (summary !== undefined && summary.firstFunction !== NONE) {
      return recording.function(summary.firstFunction).name;
    }
    return `thread ${record.id}`;
  };

  const recorded = !engine.isFolded();
  const { late, looks, samples } = recording.facts;
  const doubt =
    samples > 0 && engine.looksLate()
      ? `${share(late / (late + looks))} of the looks were late: shares may be far off`
      : "";

  const isOwn = (fn: number): boolean => {
    folded();
    return engine.role(fn) === "own";
  };
  const isMark = (fn: number): boolean => recording.function(fn).kind === "mark";
  const look = (seen: Current): void => {
    setCurrent(seen);
    setState({ selected: seen.function, file: null });
  };
  const lookAtFunction = (fn: number): void => {
    look({ function: fn, path: [] });
  };

  const model: Model = {
    engine,
    recording,
    source,
    options,
    state,
    set: setState,
    selection,
    folded,
    found,
    isOwn,
    isFound: (fn) => found().active && engine.isSearched(fn),
    searched: perVersion(
      createMemo(() => {
        selection();
        found();
        return {};
      }),
      () => engine.searched(),
    ),
    total: perVersion(selection, () => engine.total()),
    range,
    selectRange: (from, to) => {
      const [begin, end] = [Math.round(Math.min(from, to)), Math.round(Math.max(from, to))];
      if (end > begin) {
        setState({ range: begin <= 0 && end >= recording.endNs ? null : [begin, end] });
      }
    },
    whole,
    share: (amount) => (whole().ns > 0 ? amount.ns / whole().ns : 0),
    shareWithError: (amount) =>
      shareWithError(
        model.share(amount),
        recorded && doubt === "" ? engine.standardError(amount, whole()) : undefined,
      ),
    time: createMemo(() => timeFormat(whole().ns, recording.facts.intervalNs)),
    samples: (amount) => (recorded ? plural(amount.samples, "sample") : ""),
    recorded,
    every:
      recording.facts.intervalNs > INTERVAL_UNKNOWN
        ? `every ${time(recording.facts.intervalNs)}${engine.uneven() ? " or more" : ""}`
        : "",
    doubt,
    functionTotals,
    lineTotals: perVersion(selection, () => engine.lineTotals()),
    edges: perVersion(selection, () => engine.edges()),
    callTree,
    flameGraph,
    threads,
    threadName,
    threadLabel: (thread) => {
      const process = recording.processes[recording.threads[thread]?.process ?? 0];
      return process && recording.processes.length > 1 ? `${threadName(thread)} (pid ${process.pid})` : threadName(thread);
    },
    current,
    here: () => {
      const seen = current();
      if (seen === null || seen.path.length === 0) {
        return undefined;
      }
      // In the tree that is shown or, beside a view that has none, in the call tree.
      const tree = state.view === "flame" ? flameGraph().tree : callTree();
      const path = state.inverted ? [...seen.path].reverse() : seen.path;
      const calls = callsAt(tree, path, seen.thread).filter((node) => tree.word(node, NODE.subject) === seen.function);
      const sum = (part: (node: number) => Amount): Amount => ({
        ns: calls.reduce((ns, node) => ns + part(node).ns, 0),
        samples: calls.reduce((samples, node) => samples + part(node).samples, 0),
      });
      return calls.length > 0
        ? {
            total: sum((node) => tree.total(node)),
            self: sum((node) => tree.self(node)),
            hidden: sum((node) => tree.hidden(node)),
          }
        : undefined;
    },
    look,
    suggest: setCurrent,
    lookAtFunction,
    focus: (fn) => {
      if (state.trail.at(-1) !== fn) {
        setState({ trail: [...state.trail, fn] });
      }
    },
    unfocus: (length) => {
      setState({ trail: state.trail.slice(0, Math.max(length, 0)) });
    },
    said,
    say: (text) => {
      setSaid({ text });
    },
    told,
    tell,
  };

  if (state.selected !== null) {
    setCurrent({ function: state.selected, path: [] });
  } else {
    // Until somebody chooses: the heaviest of what he wrote.
    const own = functionTotals().filter((total) => isOwn(total.function) && !isMark(total.function));
    const first = own.reduce<FunctionTotal | undefined>(
      (best, total) => (best === undefined || total.total.ns > best.total.ns ? total : best),
      undefined,
    );
    setCurrent(first ? { function: first.function, path: [] } : null);
  }
  // The address follows the state, and the state an address that is typed in or gone back to.
  let written = location.hash;
  createEffect(() => {
    const hash = toHash({ ...state }, initial);
    if (`#${hash}` !== location.hash && !(hash === "" && location.hash === "")) {
      try {
        history.replaceState(null, "", hash === "" ? location.pathname + location.search : `#${hash}`);
      } catch {
        // A sandboxed frame may not; the page works all the same.
      }
    }
    written = location.hash;
  });
  window.addEventListener("hashchange", () => {
    if (location.hash !== written) {
      setState(fromHash(location.hash, initial, bounds));
      if (state.selected !== null && state.selected !== current()?.function) {
        setCurrent({ function: state.selected, path: [] });
      }
    }
  });
  return model;
}

export const ModelContext = createContext<Model>();

export function useModel(): Model {
  const model = useContext(ModelContext);
  if (model === undefined) {
    throw new Error("no model");
  }
  return model;
}
