// Compiles src/analysis and the door to it (report/wasm) to WebAssembly: report/build/out/analysis.wasm. Takes Debian's
// clang, lld and binaryen. The linker and the optimiser are called by themselves, because clang would run whatever
// wasm-opt it finds, or none, and the result must depend on the sources alone.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const report = fileURLToPath(new URL("..", import.meta.url));
const source = join(report, "..", "src");
const folder = join(report, "build", "out");
export const modulePath = join(folder, "analysis.wasm");

const compile = [
  "--target=wasm32",
  "-std=gnu17",
  "-Oz",
  "-flto",
  "-mbulk-memory",
  "-msign-ext",
  "-mnontrapping-fptoint",
  "-ffreestanding",
  "-fvisibility=hidden",
  "-DNDEBUG",
  "-Wall",
  "-Wextra",
  "-Werror",
  // Nothing that depends on where the project lies.
  `-ffile-prefix-map=${join(report, "..")}=.`,
  `-I${join(report, "wasm")}`,
  `-isystem${join(report, "wasm", "include")}`,
  `-I${source}`,
];
// Nothing lies below 1024, so that the optimiser may put offsets into loads and stores: 3 % of the module.
const link = ["--no-entry", "--strip-all", "--gc-sections", "--lto-O2", "-z", "stack-size=65536", "--global-base=1024"];
const features = ["bulk-memory", "sign-ext", "nontrapping-float-to-int", "mutable-globals"];
const optimise = ["-Oz", "--converge", "--low-memory-unused", ...features.map((name) => `--enable-${name}`)];

function sources() {
  const analysis = readdirSync(join(source, "analysis"))
    .filter((name) => name.endsWith(".c"))
    .sort()
    .map((name) => join(source, "analysis", name));
  const door = ["door.c", "door_layout.c", "memory.c"].map((name) => join(report, "wasm", name));
  return [...analysis, join(source, "base", "arena.c"), join(source, "render", "columns_read.c"), ...door];
}

function run(command, parameters) {
  execFileSync(command, parameters, { stdio: "inherit" });
}

export function buildModule() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const objects = sources().map((path) => {
    const object = join(folder, `${basename(path, ".c")}.o`);
    run("clang", [...compile, "-c", "-o", object, path]);
    return object;
  });
  const linked = join(folder, "linked.wasm");
  run("wasm-ld", [...link, "-o", linked, ...objects]);
  run("wasm-opt", [...optimise, "-o", modulePath, linked]);
  return modulePath;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`${buildModule()}: ${statSync(modulePath).size} bytes`);
}
