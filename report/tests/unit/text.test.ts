import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

import { drawTicks, tickLabel, tickStep } from "../../src/chart/canvas";
import { viewCommand } from "../../src/command";
import { sourceText } from "../../src/engine/payload";
import type { Recording } from "../../src/engine/recording";
import { visible } from "../../src/engine/recording";
import { bytes, count, plural, share, shareWithError, time, timeFormat } from "../../src/format";
import { globsOf, isBroken, matcher } from "../../src/search";
import { blank } from "../../src/state";
import { systemCallName } from "../../src/system_calls";
import { linesOf } from "../../src/view/lines";

describe("times", () => {
  test("of one table have one unit and the decimals that the interval allows", () => {
    const format = timeFormat(2_310_000_000, 1_000_000);
    expect(format.unit).toBe("s");
    expect(format(1_612_000_000)).toBe("1.612");
    expect(timeFormat(2_310_000_000, 100_000)(1_612_300_000)).toBe("1.6123");
    expect(timeFormat(7_200_000_000_000, 1_000_000)(1_612_300_000)).toBe("1.61");
    expect(timeFormat(50_000_000, 1_000_000).unit).toBe("ms");
    expect(timeFormat(50_000_000, 1_000_000)(1_500_000)).toBe("2");
    expect(timeFormat(0, 0)(0)).toBe("0.000");
  });

  test.each([
    [0, "0 ns"],
    [999, "999 ns"],
    [1500, "1.5 µs"],
    [1_500_000, "1.5 ms"],
    [150_000_000, "150 ms"],
    [1_500_000_000, "1.50 s"],
    [100_000_000_000, "100 s"],
    [3_660_000_000_000, "1 h 01 min"],
    [99_960, "100 µs"],
    [999_700_000, "1.00 s"],
    [99_997_000_000, "100 s"],
    [3_599_700_000_000, "1 h 00 min"],
    [7_190_000_000_000, "2 h 00 min"],
  ])("by themselves have three or four digits: %i", (ns, text) => {
    expect(time(ns)).toBe(text);
  });
});

test("shares have a decimal, and none that is not zero is shown as zero", () => {
  expect(share(0.3414)).toBe("34.1 %");
  expect(share(1)).toBe("100 %");
  expect(share(0.0001)).toBe("<0.1 %");
  expect(share(0)).toBe("0.0 %");
  expect(shareWithError(0.341, 0.0121)).toBe("34.1 ± 1.2 %");
  expect(shareWithError(2.5, 0.01)).toBe("250 %");
  expect(shareWithError(0.341, undefined)).toBe("34.1 %");
});

test("counts have commas and plurals", () => {
  expect(count(1234567)).toBe("1,234,567");
  expect(count(999)).toBe("999");
  expect(plural(1, "sample")).toBe("1 sample");
  expect(plural(2, "sample")).toBe("2 samples");
  expect(bytes(1_250_000)).toBe("1.3 MB");
});

describe("a search", () => {
  test("minds case from the first capital on", () => {
    expect(matcher("cook", false)?.("Kitchen.Cook")).toBe(true);
    expect(matcher("Cook", false)?.("kitchen.cook")).toBe(false);
  });

  test("is a regular expression when asked to be, and none when it is not one", () => {
    expect(matcher("^Kit.*ook$", true)?.("Kitchen.cook")).toBe(true);
    expect(matcher("(", true)).toBeUndefined();
    expect(matcher("(", false)?.("f(x)")).toBe(true);
    expect(matcher("", false)).toBeUndefined();
  });

  test("takes a regular expression that escapes what it need not", () => {
    expect(matcher("a\\-b", true)?.("a-b")).toBe(true);
    expect(matcher("\\_init", true)?.("x._init")).toBe(true);
    expect(matcher("A]", true)?.("aA]")).toBe(true);
    expect(matcher("A]", true)?.("aa]")).toBe(false);
  });
});

describe("the words of the filters", () => {
  const files = ["", "/srv/app/a[1].py", "/srv/lib/b.py", "with\0nul", ""];
  const recording = {
    functionCount: files.length,
    fileOf: (fn: number) => fn,
    string: (number: number) => files[number] ?? "",
    function: (fn: number) => ({ name: fn === 4 ? "time.sleep" : "f", kind: fn === 4 ? "native" : "python" }),
  } as unknown as Recording;

  test("are globs, or regular expressions that stand for the files they are found in", () => {
    expect(globsOf(["requests.*", "*/x/*"], recording)).toEqual(["requests.*", "*/x/*"]);
    expect(globsOf(["re:\\.py$"], recording)).toEqual(["/srv/app/a[[]1].py", "/srv/lib/b.py"]);
    expect(globsOf(["re:^time\\.|nul"], recording)).toEqual(["time.sleep"]);
    expect(globsOf(["re:(", "x"], recording)).toEqual(["x"]);
    expect(["re:(", "re:a", "(", "re:"].map(isBroken)).toEqual([true, false, false, true]);
  });
});

describe("names", () => {
  test("show what cannot be seen", () => {
    expect(visible("a\u202eb\u0000c\u2028d\u200be")).toBe("a\\u202eb\\u0000c\\u2028d\\u200be");
    expect(visible("a\u{e0041}b")).toBe("a\\U000e0041b");
    expect(visible("名前.<locals>.🐍")).toBe("名前.<locals>.🐍");
  });
});

test("what the text report spells out is spelt out in the page", () => {
  const header = readFileSync(new URL("../../../src/render/text_unicode_ranges.h", import.meta.url), "utf8");
  const table = /escaped_ranges\[\] = \{(.*?)\};/su.exec(header)?.[1] ?? "";
  const ranges = [...table.matchAll(/\{0x(\w+), 0x(\w+)\}/gu)].map((range) => [1, 2].map((i) => parseInt(range[i] ?? "", 16)));
  expect(ranges.length).toBeGreaterThan(20);
  const different: string[] = [];
  for (let code = 0x80; code < 0x110000; code++) {
    const character = String.fromCodePoint(code);
    // A character that this Node knows nothing of yet may have become any of them.
    if (!/\p{Cn}/u.test(character) || /\p{NChar}/u.test(character)) {
      const wanted = ranges.some(([first = 0, last = 0]) => code >= first && code <= last);
      if ((visible(character) !== character) !== wanted) {
        different.push(code.toString(16));
      }
    }
  }
  expect(different).toEqual([]);
});

describe("the command that shows a page again", () => {
  test("names what differs from its defaults, quoted for a shell", () => {
    expect(viewCommand(blank, "last", "app")).toBe("stacklapse view last -r html");
    expect(viewCommand({ ...blank, view: "time", range: [5, 9], hide: ["re:a$"] }, "last", "none")).toBe(
      "stacklapse view last -r html --source none --at 'view=time&range=5-9&hide=re:a%24'",
    );
    expect(
      viewCommand({ ...blank, showAll: true, hide: ["a b*", "it's"], show: ["x/*"], mode: "gil", threshold: 0.02 }, "'my file.lapse'", "app"),
    ).toBe(
      `stacklapse view 'my file.lapse' -r html --show-all --hide 'a b*' --hide 'it'\\''s' --show 'x/*' --mode gil --threshold 2`,
    );
  });
});

test("source text comes in pieces of lines", () => {
  const piece = (file: number, line: number, text: string): number[] => [
    file,
    line,
    ...[text.length],
    ...new TextEncoder().encode(text),
  ];
  const files = sourceText(Uint8Array.from([...piece(3, 10, "a\nb\n"), ...piece(3, 1, "x"), ...piece(4, 2, "y\r\nz\r\n")]));
  expect([...(files.get(3) ?? [])]).toEqual([
    [10, "a"],
    [11, "b"],
    [1, "x"],
  ]);
  expect([...(files.get(4) ?? [])]).toEqual([
    [2, "y"],
    [3, "z"],
  ]);
});

test("lines of source show what turns their direction, and keep their tabs", () => {
  const [line] = linesOf([1], new Map([[1, "\tif a:  # \u202e}\u2066 if admin"]]), new Map(), new Set());
  expect(line?.text).toBe("\tif a:  # \\u202e}\\u2066 if admin");
});

test("ticks of an axis are round numbers", () => {
  expect(tickStep(10e9, 10)).toBe(1e9);
  expect(tickStep(7e9, 10)).toBe(1e9);
  expect(tickStep(23e9, 10)).toBe(5e9);
  expect(tickLabel(1.5e9, 0.5e9, 10e9)).toBe("1.5 s");
  expect(tickLabel(2e9, 1e9, 10e9)).toBe("2 s");
});

test("an axis has no label that its edge would cut", () => {
  const drawn: [string, number][] = [];
  const context = {
    fillRect: () => undefined,
    measureText: (text: string) => ({ width: text.length * 6 }),
    fillText: (text: string, x: number) => drawn.push([text, x]),
  } as unknown as CanvasRenderingContext2D;
  const look = { pixels: 130, height: 16, line: "", dim: "" };
  drawTicks({ context, width: 1000, height: 16 }, { begin: 0, end: 2.05e9, whole: 2.05e9 }, look);
  expect(drawn.map(([text]) => text)).toEqual(["0.0 s", "0.5 s", "1.0 s", "1.5 s"]);
  drawn.length = 0;
  drawTicks({ context, width: 1000, height: 16 }, { begin: 0.7e9, end: 2.6e9, whole: 3e9 }, look);
  expect(drawn.map(([text]) => text)).toEqual(["1.0 s", "1.5 s", "2.0 s", "2.5 s"]);
});

test("system calls have names", () => {
  expect(systemCallName(230)).toBe("sleep");
  expect(systemCallName(9999)).toBe("system call 9999");
  expect(systemCallName(-1)).toBe("system call");
});
