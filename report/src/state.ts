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

/** How a part of the state stands in an address. What an address names that cannot be is undefined, and left out. */
interface Word<T> {
  readonly name: string;
  write(value: T): string;
  read(text: string, bounds: Bounds): T | undefined;
}

function flag(name: string): Word<boolean> {
  return { name, write: (value) => (value ? "yes" : "no"), read: (text) => text === "yes" };
}

function choice<T extends string>(name: string, choices: readonly T[]): Word<T> {
  return { name, write: String, read: (text) => choices.find((one) => one === text) };
}

function numbers(name: string, bound: (bounds: Bounds) => number): Word<readonly number[]> {
  return {
    name,
    write: String,
    read: (text, bounds) =>
      text
        .split(",")
        .filter((word) => /^\d+$/u.test(word))
        .map(Number)
        .filter((value) => value < bound(bounds)),
  };
}

/** Empty for null: what a page opens with may be cleared. */
function optional(name: string, bound: (bounds: Bounds) => number): Word<number | null> {
  const list = numbers(name, bound);
  return {
    name,
    write: (value) => String(value ?? ""),
    read: (text, bounds) => (text === "" ? null : list.read(text, bounds)?.[0]),
  };
}

function texts(name: string): Word<readonly string[]> {
  return {
    name,
    write: (value) => value.map((item) => item.replace(/[,%]/gu, encodeURIComponent)).join(","),
    read: (text) =>
      text
        .split(",")
        .filter((word) => word !== "")
        .map((word) => decoded(word) ?? word),
  };
}

/** Undefined where that is no encoded text. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** In the order in which they stand in an address. */
const words: { readonly [K in keyof State]: Word<State[K]> } = {
  view: choice("view", viewNames),
  range: {
    name: "range",
    write: (range) => (range ? range.map(Math.round).join("-") : "all"),
    read: (text, { endNs }) => {
      if (text === "all") {
        return null;
      }
      const match = /^(\d+)-(\d+)$/u.exec(text);
      const [begin, end] = [Number(match?.[1]), Math.min(Number(match?.[2]), endNs)];
      return begin < end ? [begin, end] : undefined;
    },
  },
  threads: numbers("threads", ({ threadCount }) => threadCount),
  mode: choice("mode", modes),
  query: { name: "search", write: String, read: String },
  regex: flag("regex"),
  only: flag("only"),
  showAll: flag("library"),
  hide: texts("hide"),
  show: texts("show"),
  threshold: {
    name: "below",
    write: (value) => String(Number((value * 100).toPrecision(6))),
    read: (text) => {
      const part = Number(text) / 100;
      return Number.isFinite(part) ? Math.min(Math.max(part, 0), 1) : undefined;
    },
  },
  trail: numbers("focus", ({ functionCount }) => functionCount),
  selected: optional("function", ({ functionCount }) => functionCount),
  file: optional("file", ({ stringCount }) => stringCount),
  inverted: flag("inverted"),
  merge: flag("merge"),
  sort: choice("sort", sortKeys),
};

const parts = Object.entries(words) as [keyof State, Word<unknown>][];

/** The part of the address after `#`: what differs from `initial`. */
export function toHash(state: State, initial: State): string {
  return parts
    .filter(([key, word]) => word.write(state[key]) !== word.write(initial[key]))
    .map(([key, word]) => {
      // What is legible in an address stays so.
      const text = encodeURIComponent(word.write(state[key])).replace(/%(2C|2F|3A|40)/gu, decodeURIComponent);
      return `${word.name}=${text}`;
    })
    .join("&");
}

/** What an address may name: anything else in it is left out. */
export interface Bounds {
  readonly functionCount: number;
  readonly threadCount: number;
  readonly stringCount: number;
  readonly endNs: number;
}

export function fromHash(hash: string, initial: State, bounds: Bounds): State {
  let state: State = initial;
  for (const given of hash.replace(/^#/u, "").split("&")) {
    const at = given.indexOf("=");
    const text = decoded(given.slice(at + 1));
    const [key, word] = parts.find(([, { name }]) => at > 0 && name === given.slice(0, at)) ?? [];
    const value = text === undefined ? undefined : word?.read(text, bounds);
    if (key && value !== undefined) {
      state = { ...state, [key]: value };
    }
  }
  return state;
}
