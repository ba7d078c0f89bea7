// The colours of the charts. Own code is warm, libraries are cool and pale, so that what a person can change stands out;
// within both each file or package has its own hue.
import type { Kind, Role } from "./engine/engine";
import type { FunctionRecord, Recording } from "./engine/recording";

function hash(text: string): number {
  let value = 2166136261;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 16777619);
  }
  value ^= value >>> 15;
  return (Math.imul(value, 0x2c1b3c6d) >>> 8) / 16777216;
}

function hsl(hue: number, saturation: number, lightness: number): string {
  return `hsl(${hue.toFixed(0)} ${saturation.toFixed(0)}% ${lightness.toFixed(0)}%)`;
}

function colourOf(record: FunctionRecord, role: Role, group: string, dark: boolean): string {
  const place = hash(group);
  const shade = hash(record.name) * 6 - 3;
  if (record.kind === "mark") {
    return hsl(50, 4, (dark ? 30 : 84) + shade / 2);
  }
  if (record.kind === "native") {
    return dark ? hsl(275 + place * 45, 22, 38 + shade) : hsl(275 + place * 45, 34, 83 + shade);
  }
  if (role === "own") {
    return dark ? hsl(16 + place * 34, 48, 28 + shade) : hsl(16 + place * 34, 82, 77 + shade);
  }
  return dark ? hsl(170 + place * 75, 22, 33 + shade) : hsl(170 + place * 75, 36, 83 + shade);
}

/** The middle of each family of colours, for a legend. */
export function roleColours(dark: boolean): readonly (readonly [string, string])[] {
  return dark
    ? [
        ["own code", hsl(33, 48, 28)],
        ["libraries", hsl(205, 22, 33)],
      ]
    : [
        ["own code", hsl(33, 82, 77)],
        ["libraries", hsl(205, 36, 83)],
      ];
}

/** The colour of a function's box, remembered. */
export class Palette {
  readonly #recording: Recording;
  readonly #role: (fn: number) => Role;
  readonly #dark: boolean;
  readonly #colours = new Map<number, string>();

  constructor(recording: Recording, role: (fn: number) => Role, dark: boolean) {
    this.#recording = recording;
    this.#role = role;
    this.#dark = dark;
  }

  of(fn: number): string {
    let colour = this.#colours.get(fn);
    if (colour === undefined) {
      const record = this.#recording.function(fn);
      const role = this.#role(fn);
      const group = role === "own" ? record.file : this.#recording.package(fn);
      colour = colourOf(record, role, group, this.#dark);
      this.#colours.set(fn, colour);
    }
    return colour;
  }
}

/** What the canvases are drawn with besides. */
export interface Ink {
  readonly text: string;
  readonly dim: string;
  readonly line: string;
  readonly background: string;
  readonly panel: string;
  readonly accent: string;
  readonly found: string;
  readonly range: string;
  readonly merged: string;
}

export function ink(dark: boolean): Ink {
  return dark
    ? {
        text: "#eceae5",
        dim: "#a6a49d",
        line: "#2f3237",
        background: "#17181b",
        panel: "#1f2125",
        accent: "#6cc7c0",
        found: "#f3d15b",
        range: "rgb(108 199 192 / 16%)",
        merged: "#41444a",
      }
    : {
        text: "#22211d",
        dim: "#63615a",
        line: "#e5e3dd",
        background: "#ffffff",
        panel: "#f7f6f3",
        accent: "#0d6b68",
        found: "#a3480d",
        range: "rgb(13 107 104 / 11%)",
        merged: "#cfcdc6",
      };
}

const light: Readonly<Record<Kind, string>> = {
  python: "#4a86b8",
  native: "#3a9d8c",
  gc: "#8f6fc0",
  gil: "#d2722e",
  lock: "#cfa52c",
  call: "#d5d3cb",
  unknown: "#a9b4bd",
};

const dark: Readonly<Record<Kind, string>> = {
  python: "#5b97c9",
  native: "#45a796",
  gc: "#a386d3",
  gil: "#dd8546",
  lock: "#cfae48",
  call: "#3f4147",
  unknown: "#5f6a73",
};

export function kindColour(kind: Kind, isDark: boolean): string {
  return (isDark ? dark : light)[kind];
}

/** What a kind is called. */
export const kindText: Readonly<Record<Kind, string>> = {
  python: "running Python",
  native: "running native code without the GIL",
  gc: "collecting garbage",
  gil: "waiting for the GIL",
  lock: "waiting for a lock",
  call: "waiting in a system call",
  unknown: "not known",
};
