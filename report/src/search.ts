// What is searched for, as a test of a function: its name, its path, or both as the tree shows them. And which files a
// regular expression among the globs of the filters means.
import type { Recording } from "./engine/recording";

export type Matcher = (text: string) => boolean;

/** Undefined for an empty query, and for a regular expression that is none. Case counts once a capital is typed. */
export function matcher(query: string, regex: boolean): Matcher | undefined {
  if (query === "") {
    return undefined;
  }
  const exact = /\p{Lu}/u.test(query);
  if (regex) {
    // What is needless to escape is an error to `u`, and was meant all the same.
    for (const unicode of ["u", ""]) {
      try {
        const pattern = new RegExp(query, exact ? unicode : `i${unicode}`);
        return (text) => pattern.test(text);
      } catch {
        // The next, or none.
      }
    }
    return undefined;
  }
  const wanted = exact ? query : query.toLowerCase();
  return exact ? (text) => text.includes(wanted) : (text) => text.toLowerCase().includes(wanted);
}

/** The text of a function that is searched. */
export function searchedText(recording: Recording, fn: number): string {
  return `${recording.function(fn).name} ${recording.place(fn)}`;
}

const PATTERN = "re:";

/** Whether a word of the filters is a regular expression, not a glob. */
export function isPattern(word: string): boolean {
  return word.startsWith(PATTERN);
}

function patternOf(word: string): Matcher | undefined {
  return matcher(word.slice(PATTERN.length), true);
}

/** Whether a word means to be a regular expression and is none. */
export function isBroken(word: string): boolean {
  return isPattern(word) && patternOf(word) === undefined;
}

/**
 * The words as globs. The engine knows no regular expressions: one is replaced by the paths of the files, and the names
 * of the functions without one, in which it is found. What is no regular expression means nothing.
 */
export function globsOf(words: readonly string[], recording: Recording): string[] {
  return words.flatMap((word) => {
    const matches = isPattern(word) ? patternOf(word) : undefined;
    if (!isPattern(word) || matches === undefined) {
      return isPattern(word) ? [] : [word];
    }
    const found = new Set<string>();
    for (let fn = 1; fn < recording.functionCount; fn++) {
      const { name, kind } = recording.function(fn);
      const subject = kind === "python" ? recording.string(recording.fileOf(fn)) : name;
      // Globs are handed over with a NUL behind each.
      if (matches(subject) && !subject.includes("\0")) {
        found.add(subject);
      }
    }
    return [...found].map((subject) => subject.replace(/[*?[]/gu, "[$&]"));
  });
}
