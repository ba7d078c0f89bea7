// The `stacklapse view` command that shows in a terminal, or in a new page, what this page shows.
import type { State } from "./state";

/** A word as a POSIX shell takes it. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

export function viewCommand(state: State, recording: string | null): string {
  const words = ["stacklapse", "view", recording ?? "last", "-r", "html"];
  if (state.showAll) {
    words.push("--show-all");
  }
  for (const glob of state.hide) {
    words.push("--hide", glob);
  }
  for (const glob of state.show) {
    words.push("--show", glob);
  }
  if (state.mode !== "wall") {
    words.push("--mode", state.mode);
  }
  return words.map(quoted).join(" ");
}
