// The made-up recordings of tests/report, from the program that makes them, and the page as it was built.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inflateRawSync } from "node:zlib";

const top = fileURLToPath(new URL("../../..", import.meta.url));

/** `STACKLAPSE_BUILD`, else what `make build` leaves. */
const build = process.env["STACKLAPSE_BUILD"] ?? join(top, "build");

export type Shape =
  | "empty"
  | "tiny"
  | "app"
  | "large"
  | "deep"
  | "threads"
  | "pool"
  | "tasks"
  | "hostile"
  | "late"
  | "folded";

export function made(what: "page" | "columns" | "numbers", shape: Shape): Buffer {
  const program = join(build, "tests", "report", "report_shapes");
  if (!existsSync(program)) {
    throw new Error(`${program} is not there: run \`make build\``);
  }
  return execFileSync(program, [what, shape], { maxBuffer: 1 << 30 });
}

/** The WebAssembly module out of the built page. */
export function builtModule(): Uint8Array<ArrayBuffer> {
  const page = readFileSync(join(top, "report", "dist", "report.html"), "utf8");
  const found = /id="stacklapse-module">([^<]*)</u.exec(page);
  if (!found?.[1]) {
    throw new Error("the built page has no module");
  }
  return new Uint8Array(inflateRawSync(Buffer.from(found[1], "base64")));
}
