// Builds the page: report/dist/report.html, the template that src/render/html.c fills in. The same sources give the same
// bytes, so that CI can tell whether the page in the repository is up to date.
//
//   node build/page.mjs            builds it
//   node build/page.mjs --check    fails when the one in the repository is another
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";

import { transform } from "lightningcss";
import { minify } from "terser";
import { build } from "vite";
import solid from "vite-plugin-solid";

import { buildModule } from "./module.mjs";

const report = fileURLToPath(new URL("..", import.meta.url));
const target = join(report, "dist", "report.html");

/** The page may weigh no more than this before compression: scripts, style and WebAssembly. */
const BYTES_MAX = 150_000;

/** Properties of objects that only scripts of the page make and read, by these names alone: they get short ones. The first
 * are Solid's own. */
const MANGLED = [
  "observerSlots|observers|sourceSlots|sources|tState|tValue|tOwned|owned|updatedAt|cleanups|comparator|disposed|suspense",
  "functionCount|threadCount|processCount|stringCount|intervalNs|durationNs|childrenCpuNs|samplerCpuNs",
  "firstLine|firstFunction|traceBytes|lostBytes|exitStatus|allRows|coroutine|fileOf|isFound|isOwn|threadName|functionTotals",
  "lineTotals|threadSummaries|chartBoxes|chartKinds|chartRows|chartFrames|chartTasks|standardError|lookAtFunction",
  "selectRange|selectRoles|selectThreads|selectMode|selectFocus|isSearched|hiddenFunctions|flameGraph|callTree|shortPath",
  "threadLabel|unfocus|isFolded|looksLate|shareWithError|endNs|shownNs|openNs|restOpened|expandable|siblings|searching|hovered|startTimeMs",
].join("|");

/** Runs before anything is shown: no flash of the wrong theme, nor of the summary for readers without scripts. */
const early = `(function(){var r=document.documentElement;r.dataset.scripts="yes";try{var t=localStorage.getItem("stacklapse-theme");if(t==="light"||t==="dark")r.dataset.theme=t}catch(e){}})();`;

/** Solid without what asks whether a transition or a hydration is going on: the page begins neither. */
const steadySolid = {
  name: "steady-solid",
  transform: (code, id) =>
    /\/solid-js\/(web\/)?dist\/\w+\.js$/u.test(id)
      ? code.replace(/\b(Transition|sharedConfig\.(context|effects|events|registry))\b(?!\s*=[^=])/gu, "null")
      : undefined,
};

async function bundle() {
  const result = await build({
    root: report,
    configFile: false,
    logLevel: "warn",
    plugins: [steadySolid, solid({ solid: { omitNestedClosingTags: true } })],
    build: {
      write: false,
      target: "es2022",
      modulePreload: false,
      rollupOptions: { input: join(report, "src", "main.tsx"), output: { format: "iife" } },
    },
  });
  const { output } = Array.isArray(result) ? result[0] : result;
  if (output.length !== 1) {
    throw new Error(`the bundle has ${output.length} files instead of one`);
  }
  const { code: style } = transform({
    filename: "style.css",
    code: readFileSync(join(report, "src", "style.css")),
    minify: true,
  });
  // After Vite's own minifier terser still finds 4 %.
  const { code: script } = await minify(output[0].code, {
    ecma: 2022,
    compress: { passes: 3, unsafe: true, unsafe_arrows: true, pure_getters: true },
    mangle: { properties: { regex: new RegExp(`^(${MANGLED})$`) } },
  });
  return { script: script.trim(), style: withShortVariables(style.toString().trim()) };
}

/** The style with short names for its variables, which nothing else knows. */
function withShortVariables(style) {
  const names = [...new Set(style.match(/--[a-z-]+/gu))];
  return style.replace(/--[a-z-]+/gu, (name) => `--${names.indexOf(name).toString(36)}`);
}

function hash(text) {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

async function buildPage() {
  const module = readFileSync(buildModule());
  const { script, style } = await bundle();
  for (const [name, text] of Object.entries({ script, style })) {
    // Neither may end its element, nor look like a mark of the template.
    if (/<\/(script|style)|<!--|\bstyle=|\{\{stacklapse:|\[\[(policy|style|early|module|script)\]\]/u.test(text)) {
      throw new Error(`the ${name} holds a text that the page gives a meaning to`);
    }
  }
  const size = Buffer.byteLength(script) + Buffer.byteLength(style) + module.length;
  console.log(
    `script ${Buffer.byteLength(script)}, style ${Buffer.byteLength(style)}, module ${module.length}: ${size} bytes`,
  );
  if (size >= BYTES_MAX) {
    throw new Error(`script, style and module are ${size} bytes, and may be ${BYTES_MAX}`);
  }
  const policy = [
    "default-src 'none'",
    `script-src ${hash(early)} ${hash(script)} 'wasm-unsafe-eval'`,
    `style-src ${hash(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  // The level is named, because zlib's default may change.
  const parts = { policy, style, early, module: deflateRawSync(module, { level: 9 }).toString("base64"), script };
  const template = readFileSync(join(report, "template.html"), "utf8");
  return template.replace(/\[\[(\w+)\]\]/gu, (_, name) => parts[name]);
}

const page = await buildPage();
if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== page) {
    console.error("report/dist/report.html is not what its sources give: run `make page` and commit it");
    process.exit(1);
  }
} else {
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, page);
  console.log(`${target}: ${Buffer.byteLength(page)} bytes`);
}
