// Text can be read: a contrast of 4.5 to 1 or more (WCAG 2.2, 1.4.3), also where colours lie on each other.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

import { Palette, ink } from "../../src/colours";
import type { Role } from "../../src/engine/engine";
import type { Recording } from "../../src/engine/recording";

type Colour = readonly [number, number, number];

const LEAST = 4.5;

function fromHex(text: string): Colour {
  const value = parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 0xff, value & 0xff];
}

function fromHsl(text: string): Colour {
  const [hue, saturation, lightness] = (text.match(/\d+/gu) ?? []).map(Number) as [number, number, number];
  const [s, l] = [saturation / 100, lightness / 100];
  const channel = (n: number): number => {
    const k = (n + hue / 30) % 12;
    return 255 * (l - s * Math.min(l, 1 - l) * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [channel(0), channel(8), channel(4)];
}

function contrast(a: Colour, b: Colour): number {
  const [darker, lighter] = [a, b]
    .map((colour) => {
      const [red, green, blue] = colour.map((value) =>
        value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
      ) as [number, number, number];
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    })
    .sort((x, y) => x - y) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

describe.each([false, true])("in the charts, dark %s", (dark) => {
  test.each(["own", "library"] as const)("labels of %s code", (role: Role) => {
    const recording = {
      function: (fn: number) => ({ name: `f${fn}`, file: `/srv/app/${fn}.py`, firstLine: 1, kind: "python" }),
      package: (fn: number) => `package${fn}`,
    } as unknown as Recording;
    const palette = new Palette(recording, () => role, dark);
    const text = fromHex(ink(dark).text);
    for (let fn = 0; fn < 3000; fn++) {
      expect(contrast(text, fromHsl(palette.of(fn))), palette.of(fn)).toBeGreaterThanOrEqual(LEAST);
    }
  });
});

const style = readFileSync(new URL("../../src/style.css", import.meta.url), "utf8");

/** The variables of a theme, and the opacity that a rule gives. */
function variable(theme: string, name: string): string {
  const rules = style.slice(style.indexOf(`${theme} {`));
  return new RegExp(`--${name}: ([^;]+);`, "u").exec(rules)?.[1] ?? "";
}

function opacity(selector: string): number {
  return Number(new RegExp(`\\${selector} \\{\\s+opacity: ([\\d.]+);`, "u").exec(style)?.[1] ?? 1);
}

describe.each([":root", ':root[data-theme="dark"]'])("in the rows of %s", (theme) => {
  const over = (name: string, below: Colour, part = 1): Colour => {
    const [red, green, blue, percent] = (variable(theme, name).match(/[\d.]+/gu) ?? []).map(Number) as [number, number, number, number];
    const alpha = (percent / 100) * part;
    const above = [red, green, blue] as const;
    return [0, 1, 2].map((i) => (above[i] ?? 0) * alpha + (below[i] ?? 0) * (1 - alpha)) as unknown as Colour;
  };
  const background = fromHex(variable(theme, "background"));

  test.each(["dim", "hot", "warm", "mild"])("shares that are %s, over their bars", (name) => {
    const text = fromHex(variable(theme, name));
    for (const row of [
      over("bar", background),
      over("bar", over("hover", background), opacity(".row:hover .bar")),
      over("bar", over("accent-soft", background), opacity(".row.active .bar")),
    ]) {
      expect(contrast(text, row)).toBeGreaterThanOrEqual(LEAST);
    }
  });
});
