// The `stacklapse view` command that makes a page which shows what this one shows.
import { isPattern } from "./search";
import type { State } from "./state";
import { blank, toHash } from "./state";

/** A word as a POSIX shell takes it. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** What has an option of its own is told by it; the rest by `--at`, as the address has it. `source`: of the page. */
export function viewCommand(state: State, recording: string, source: string): string {
  const words = ["-r", "html"];
  let told: State = blank;
  if (state.showAll) {
    words.push("--show-all");
    told = { ...told, showAll: true };
  }
  for (const name of ["hide", "show"] as const) {
    if (!state[name].some(isPattern)) {
      words.push(...state[name].flatMap((glob) => [`--${name}`, glob]));
      told = { ...told, [name]: state[name] };
    }
  }
  if (state.mode !== "wall") {
    words.push("--mode", state.mode);
    told = { ...told, mode: state.mode };
  }
  if (state.threshold !== blank.threshold) {
    words.push("--threshold", String(Number((state.threshold * 100).toPrecision(6))));
    told = { ...told, threshold: state.threshold };
  }
  if (source !== "app") {
    words.push("--source", source);
  }
  const rest = toHash(state, told);
  if (rest !== "") {
    words.push("--at", rest);
  }
  // The recording is named as the command would: already quoted.
  return `stacklapse view ${recording} ${words.map(quoted).join(" ")}`;
}
