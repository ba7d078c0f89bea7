// The `stacklapse view` command that shows in a terminal, or in a new page, what this page shows.
import type { State } from "./state";
import { blank } from "./state";

/** A word as a POSIX shell takes it. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

export function viewCommand(state: State, recording: string | null): string {
  const words = ["-r", "html"];
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
  if (state.threshold !== blank.threshold) {
    words.push("--threshold", String(Number((state.threshold * 100).toPrecision(6))));
  }
  // The recording is named as the command would: already quoted.
  return `stacklapse view ${recording ?? "last"} ${words.map(quoted).join(" ")}`;
}
