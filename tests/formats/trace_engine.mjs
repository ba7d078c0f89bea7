// Opens a trace in the engine of Chromium's DevTools and prints the seconds that each function takes as JSON, over all
// threads; a call within a call of the same function counts once.   node trace_engine.mjs FILE
import { readFileSync } from "node:fs";

// What the engine expects of a browser.
globalThis.window = globalThis;
globalThis.DOMRect = class {
    constructor(x, y, width, height) {
        Object.assign(this, { x, y, width, height });
    }
};
const { Processor } = await import("@paulirish/trace_engine");

const processor = Processor.TraceProcessor.createWithAllHandlers();
await processor.parse(JSON.parse(readFileSync(process.argv[2], "utf8")).traceEvents, {});

const totals = {};
const add = (name, microseconds) => (totals[name] = (totals[name] ?? 0) + microseconds / 1e6);
for (const { threads } of processor.data.Renderer.processes.values()) {
    for (const { entries } of threads.values()) {
        const open = [];
        const depth = new Map();
        // Entries are in order of time, callers before what they call.
        for (const { name, ts, dur } of entries) {
            // Times have three decimals: what is nearer is the same.
            while (open.length > 0 && open.at(-1).end < ts + 0.0005) {
                depth.set(open.at(-1).name, depth.get(open.pop().name) - 1);
            }
            const outer = depth.get(name) ?? 0;
            if (outer === 0) {
                add(name, dur);
            }
            depth.set(name, outer + 1);
            open.push({ name, end: ts + dur });
        }
    }
}
console.log(JSON.stringify(totals));
