// Lines of source text, with what each took.
import { visible } from "../engine/recording";

/** What a line took. Lines of several functions may be one: a lambda in a call. */
export interface LineTime {
  self: number;
  total: number;
}

export interface SourceLine {
  readonly number: number;
  /** Undefined where the page has no text. */
  readonly text: string | undefined;
  readonly time: LineTime | undefined;
  /** A function that is searched for begins here. */
  readonly found: boolean;
  /** Lines were left out before this one. */
  readonly gap: boolean;
}

/** The lines of these numbers, in order. */
export function linesOf(
  numbers: Iterable<number>,
  text: ReadonlyMap<number, string> | undefined,
  times: ReadonlyMap<number, LineTime>,
  found: ReadonlySet<number>,
): SourceLine[] {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  return sorted.map((number, index) => ({
    number,
    text: text?.get(number)?.split("\t").map(visible).join("\t"),
    time: times.get(number),
    found: found.has(number),
    // Where there is no text, numbers are all there is: they stand close.
    gap: text !== undefined && index > 0 && number !== (sorted[index - 1] ?? 0) + 1,
  }));
}

/** Counts an amount for a line. */
export function addTime(times: Map<number, LineTime>, line: number, self: number, total: number): void {
  const before = times.get(line);
  if (before === undefined) {
    times.set(line, { self, total });
  } else {
    before.self += self;
    before.total = Math.max(before.total, total);
  }
}
