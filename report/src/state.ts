// What a person has chosen in the page, and how it is kept in the address.
import type { Mode } from "./engine/engine";
import { modes } from "./engine/engine";
import type { PageOptions } from "./engine/payload";

export const viewNames = ["tree", "flame", "time", "functions", "source", "summary"] as const;
export type ViewName = (typeof viewNames)[number];

export const sortKeys = ["self", "total", "samples", "name"] as const;
export type SortKey = (typeof sortKeys)[number];

export interface State {
  readonly view: ViewName;
  /** Nanoseconds since the recording's start; null: all of it. */
  readonly range: readonly [number, number] | null;
  /** Empty: all. */
  readonly threads: readonly number[];
  readonly mode: Mode;
  readonly query: string;
  readonly regex: boolean;
  /** Only samples that have what is searched for. */
  readonly only: boolean;
  readonly showAll: boolean;
  readonly hide: readonly string[];
  readonly show: readonly string[];
  /** In parts of one. */
  readonly threshold: number;
  /** Functions, each looked for in what the one before it called. */
  readonly trail: readonly number[];
  readonly selected: number | null;
  /** The file whose text is shown, as a string of the recording; null: that of the selected function. */
  readonly file: number | null;
  readonly inverted: boolean;
  /** One call tree for all processes. */
  readonly merge: boolean;
  readonly sort: SortKey;
}

export const blank: State = {
  view: "tree",
  range: null,
  threads: [],
  mode: "wall",
  query: "",
  regex: false,
  only: false,
  showAll: false,
  hide: [],
  show: [],
  threshold: 0.005,
  trail: [],
  selected: null,
  file: null,
  inverted: false,
  merge: false,
  sort: "self",
};

/** What a page opens with, before its address is looked at. */
export function initialState(options: PageOptions, bounds: Bounds): State {
  const { endNs } = bounds;
  const whole = options.begin <= 0 && options.end >= endNs;
  const asked: State = {
    ...blank,
    range: whole ? null : [options.begin, Math.min(options.end, endNs)],
    threads: options.threads,
    merge: options.merge,
    mode: modes[options.mode] ?? "wall",
    showAll: options.showAll,
    hide: options.hide,
    show: options.show,
    threshold: options.threshold,
  };
  return fromHash(options.at, asked, bounds);
}

function sameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** The part of the address after `#`: what differs from `initial`. */
export function toHash(state: State, initial: State): string {
  const words: string[] = [];
  const put = (name: string, value: string): void => {
    // What is legible in an address stays so.
    words.push(`${name}=${encodeURIComponent(value).replace(/%(2C|2F|3A|40)/gu, (code) => decodeURIComponent(code))}`);
  };
  const flag = (name: string, value: boolean, usual: boolean): void => {
    if (value !== usual) {
      put(name, value ? "yes" : "no");
    }
  };
  const list = (name: string, value: readonly (string | number)[], usual: readonly (string | number)[]): void => {
    if (!sameList(value, usual)) {
      put(name, value.map((item) => String(item).replace(/[,%]/gu, encodeURIComponent)).join(","));
    }
  };
  if (state.view !== initial.view) {
    put("view", state.view);
  }
  if (!sameList(state.range ?? [], initial.range ?? [])) {
    put("range", state.range ? state.range.map((ns) => Math.round(ns)).join("-") : "all");
  }
  list("threads", state.threads, initial.threads);
  if (state.mode !== initial.mode) {
    put("mode", state.mode);
  }
  if (state.query !== "") {
    put("search", state.query);
  }
  flag("regex", state.regex, initial.regex);
  flag("only", state.only, initial.only);
  flag("library", state.showAll, initial.showAll);
  list("hide", state.hide, initial.hide);
  list("show", state.show, initial.show);
  if (state.threshold !== initial.threshold) {
    put("below", String(Number((state.threshold * 100).toPrecision(6))));
  }
  list("focus", state.trail, initial.trail);
  if (state.selected !== null) {
    put("function", String(state.selected));
  }
  if (state.file !== null) {
    put("file", String(state.file));
  }
  flag("inverted", state.inverted, initial.inverted);
  flag("merge", state.merge, initial.merge);
  if (state.sort !== initial.sort) {
    put("sort", state.sort);
  }
  return words.join("&");
}

/** What an address may name: anything else in it is left out. */
export interface Bounds {
  readonly functionCount: number;
  readonly threadCount: number;
  readonly stringCount: number;
  readonly endNs: number;
}

function parseRange(text: string, endNs: number): readonly [number, number] | null | undefined {
  if (text === "all") {
    return null;
  }
  const match = /^(\d+)-(\d+)$/u.exec(text);
  if (match === null) {
    return undefined;
  }
  const begin = Number(match[1]);
  const end = Math.min(Number(match[2]), endNs);
  return begin < end ? [begin, end] : undefined;
}

function parseNumbers(text: string, bound: number): number[] {
  return text
    .split(",")
    .filter((word) => /^\d+$/u.test(word))
    .map(Number)
    .filter((value) => value < bound);
}

function parseList(text: string): string[] {
  return text
    .split(",")
    .filter((word) => word !== "")
    .map((word) => {
      try {
        return decodeURIComponent(word);
      } catch {
        return word;
      }
    });
}

function oneOf<T extends string>(names: readonly T[], value: string, otherwise: T): T {
  return names.find((name) => name === value) ?? otherwise;
}

export function fromHash(hash: string, initial: State, bounds: Bounds): State {
  let state: State = initial;
  for (const word of hash.replace(/^#/u, "").split("&")) {
    const [name, encoded] = [word.slice(0, Math.max(word.indexOf("="), 0)), word.slice(word.indexOf("=") + 1)];
    let value: string;
    try {
      value = decodeURIComponent(encoded);
    } catch {
      continue;
    }
    switch (name) {
      case "view":
        state = { ...state, view: oneOf(viewNames, value, state.view) };
        break;
      case "range": {
        const range = parseRange(value, bounds.endNs);
        state = range === undefined ? state : { ...state, range };
        break;
      }
      case "threads":
        state = { ...state, threads: parseNumbers(value, bounds.threadCount) };
        break;
      case "mode":
        state = { ...state, mode: oneOf(modes, value, state.mode) };
        break;
      case "search":
        state = { ...state, query: value };
        break;
      case "regex":
        state = { ...state, regex: value === "yes" };
        break;
      case "only":
        state = { ...state, only: value === "yes" };
        break;
      case "library":
        state = { ...state, showAll: value === "yes" };
        break;
      case "hide":
        state = { ...state, hide: parseList(value) };
        break;
      case "show":
        state = { ...state, show: parseList(value) };
        break;
      case "below":
        if (Number.isFinite(Number(value))) {
          state = { ...state, threshold: Math.min(Math.max(Number(value) / 100, 0), 1) };
        }
        break;
      case "focus":
        state = { ...state, trail: parseNumbers(value, bounds.functionCount) };
        break;
      case "function":
        state = { ...state, selected: parseNumbers(value, bounds.functionCount)[0] ?? state.selected };
        break;
      case "file":
        state = { ...state, file: parseNumbers(value, bounds.stringCount)[0] ?? state.file };
        break;
      case "inverted":
        state = { ...state, inverted: value === "yes" };
        break;
      case "merge":
        state = { ...state, merge: value === "yes" };
        break;
      case "sort":
        state = { ...state, sort: oneOf(sortKeys, value, state.sort) };
        break;
      default:
        break;
    }
  }
  return state;
}
