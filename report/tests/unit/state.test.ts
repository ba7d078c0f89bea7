import { describe, expect, test } from "vitest";

import type { State } from "../../src/state";
import { blank, fromHash, initialState, toHash } from "../../src/state";

const bounds = { functionCount: 100, threadCount: 5, stringCount: 50, endNs: 9_000_000_000 };

const chosen: State = {
  view: "flame",
  range: [1_000_000_000, 2_500_000_001],
  threads: [1, 3],
  mode: "cpu",
  query: "a&b=c #%/x,\u2028 ünï",
  regex: true,
  only: true,
  showAll: true,
  hide: ["requests.*", "a,b", "100%"],
  show: ["*/app/*"],
  threshold: 0.0125,
  trail: [5, 7],
  selected: 42,
  file: 7,
  inverted: true,
  merge: true,
  sort: "name",
};

describe("the address", () => {
  test("is empty for what a page opens with", () => {
    expect(toHash(blank, blank)).toBe("");
    expect(fromHash("", blank, bounds)).toEqual(blank);
  });

  test("gives back every choice", () => {
    expect(fromHash(`#${toHash(chosen, blank)}`, blank, bounds)).toEqual(chosen);
  });

  test("gives back what differs from a page that opens with choices", () => {
    expect(fromHash(toHash(blank, chosen), chosen, bounds)).toEqual(blank);
  });

  test("says that what the page opened with was cleared", () => {
    expect(toHash({ ...blank, view: "flame" }, { ...blank, view: "flame", query: "load", file: 7 })).toBe("search=&file=");
  });

  test("is legible", () => {
    expect(toHash({ ...blank, view: "time", range: [0, 5], threads: [0, 2] }, blank)).toBe(
      "view=time&range=0-5&threads=0,2",
    );
  });

  test.each([
    ["view=nonsense", {}],
    ["range=5-2", {}],
    ["range=-1-2", {}],
    ["range=1e5-2e5", {}],
    ["range=0-99999999999999", { range: [0, 9_000_000_000] }],
    ["threads=1,77,x,-1", { threads: [1] }],
    ["focus=100,99", { trail: [99] }],
    ["function=4294967295", {}],
    ["file=50", {}],
    ["mode=%", {}],
    ["below=x", {}],
    ["below=1000", { threshold: 1 }],
    ["__proto__=x&constructor=y", {}],
    ["=&&=&view", {}],
  ])("leaves out what cannot be: %s", (hash, difference) => {
    expect(fromHash(hash, blank, bounds)).toEqual({ ...blank, ...difference });
  });
});

test("a page opens with what the command was asked for", () => {
  const options = {
    mode: 2,
    begin: 0,
    end: 9_000_000_000,
    threshold: 0.02,
    showAll: true,
    show: ["x"],
    hide: ["y"],
    threads: [1],
    merge: true,
    source: "app",
    recording: null,
    at: "",
    title: "",
    link: "",
    about: [],
  };
  expect(initialState(options, bounds)).toEqual({
    ...blank,
    mode: "gil",
    threshold: 0.02,
    showAll: true,
    show: ["x"],
    hide: ["y"],
    threads: [1],
    merge: true,
  });
  expect(initialState({ ...options, begin: 5 }, bounds).range).toEqual([5, 9_000_000_000]);
  const asked = initialState({ ...options, at: "view=flame&search=load&mode=wall" }, bounds);
  expect([asked.view, asked.query, asked.mode, asked.threshold]).toEqual(["flame", "load", "wall", 0.02]);
});
