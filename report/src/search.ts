// What is searched for, as a test of a function: its name, its path, or both as the tree shows them.
import type { Recording } from "./engine/recording";

export type Matcher = (text: string) => boolean;

/** Undefined for an empty query, and for a regular expression that is none. Case counts once a capital is typed. */
export function matcher(query: string, regex: boolean): Matcher | undefined {
  if (query === "") {
    return undefined;
  }
  const exact = /\p{Lu}/u.test(query);
  if (regex) {
    try {
      const pattern = new RegExp(query, exact ? "u" : "iu");
      return (text) => pattern.test(text);
    } catch {
      return undefined;
    }
  }
  const wanted = exact ? query : query.toLowerCase();
  return exact ? (text) => text.includes(wanted) : (text) => text.toLowerCase().includes(wanted);
}

/** The text of a function that is searched. */
export function searchedText(recording: Recording, fn: number): string {
  return `${recording.function(fn).name} ${recording.place(fn)}`;
}
