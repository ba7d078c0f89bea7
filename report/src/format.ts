// Numbers for people. A table's times share one unit and one number of decimals, so that their points stand in a line.

/** Formats nanoseconds so that what is smaller than half of `stepNs` does not show. */
export interface TimeFormat {
  readonly unit: "s" | "ms" | "µs";
  (ns: number): string;
}

const units = [
  { unit: "s", ns: 1e9, from: 0.1e9 },
  { unit: "ms", ns: 1e6, from: 0.1e6 },
  { unit: "µs", ns: 1e3, from: 0 },
] as const;

/** For times up to `wholeNs` that were taken in steps of `stepNs`. */
export function timeFormat(wholeNs: number, stepNs: number): TimeFormat {
  const { unit, ns: unitNs } = units.find(({ from }) => wholeNs >= from) ?? units[2];
  const wanted = Math.ceil(-Math.log10(Math.max(stepNs, 1) / unitNs));
  // Five digits in front of the point leave no use for three behind it.
  const room = 5 - Math.floor(Math.log10(Math.max(wholeNs / unitNs, 1)));
  const decimals = Math.max(0, Math.min(wanted, room, 4));
  const format = (ns: number): string => (ns / unitNs).toFixed(decimals);
  return Object.assign(format, { unit });
}

/** Units of a single time, with the decimals of what is less than a hundred, and where the next begins. */
const scales = [
  ["ns", 1, 0, 1000],
  ["µs", 1e3, 1, 1000],
  ["ms", 1e6, 1, 1000],
  ["s", 1e9, 2, 3600],
] as const;

/** A single time with its unit. */
export function time(ns: number): string {
  // The first unit in which it is, rounded, less than one of the next.
  for (const [unit, unitNs, decimals, end] of scales) {
    const exact = (ns / unitNs).toFixed(decimals);
    const text = Number(exact) >= 100 ? (ns / unitNs).toFixed(0) : exact;
    if (Number(text) < end) {
      return `${text} ${unit}`;
    }
  }
  const minutes = Math.round(ns / 60e9);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** A share in parts of one, as "34.1 %". */
export function share(part: number): string {
  const percent = part * 100;
  if (percent >= 99.95) {
    return `${percent.toFixed(0)} %`;
  }
  return percent > 0 && percent < 0.05 ? "<0.1 %" : `${percent.toFixed(1)} %`;
}

/**
 * A share with its standard error, where that is known: "34.1 ± 1.2 %". Several threads' share of one clock, above 1, has
 * none.
 */
export function shareWithError(part: number, error: number | undefined): string {
  if (part > 1 || error === undefined) {
    return share(part);
  }
  const decimals = error < 0.0005 ? 2 : 1;
  return `${(part * 100).toFixed(decimals)} ± ${(error * 100).toFixed(decimals)} %`;
}

/** "1,234,567". */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/gu, ",");
}

/** "1 sample", "2 samples". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function bytes(size: number): string {
  if (size >= 1e6) {
    return `${(size / 1e6).toFixed(1)} MB`;
  }
  return size >= 1e3 ? `${(size / 1e3).toFixed(1)} kB` : `${size} bytes`;
}

/** "2026-11-22 21:04:17", in the reader's time zone. */
export function moment(ms: number): string {
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
