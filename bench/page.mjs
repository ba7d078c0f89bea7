// How fast report pages are in headless Chromium: prints, as JSON, for each page the milliseconds until it is interactive,
// and until it has answered a search, a change of the range, and a zoom, in its slowest view.   node bench/page.mjs PAGE...
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const { chromium } = createRequire(new URL("../report/package.json", import.meta.url))("playwright-core");

const ROUNDS = 5;
const VIEWS = ["tree", "flame", "time", "functions", "source", "summary"];

const middle = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** In the page: the time from an input to the frame that shows what comes of it. */
async function answers({ view, rounds }) {
  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const took = async (act) => {
    await painted();
    const begin = performance.now();
    act();
    await painted();
    return performance.now() - begin;
  };
  const press = (selector, key, shiftKey = false) =>
    document
      .querySelector(selector)
      ?.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }));
  const search = document.getElementById("search");
  const write = (text) => {
    search.value = text;
    search.dispatchEvent(new InputEvent("input", { bubbles: true }));
  };
  location.hash = `view=${view}`;
  await painted();
  await painted();
  const times = { search: [], range: [], zoom: [] };
  press(".strip", "ArrowLeft", true);
  for (let round = 0; round < rounds; round++) {
    times.search.push(await took(() => write(round % 2 === 0 ? "order" : "unparse")));
    write("");
    times.range.push(await took(() => press(".strip", round % 2 === 0 ? "ArrowRight" : "ArrowLeft")));
    if (view === "flame" || view === "time") {
      times.zoom.push(await took(() => press("#view [tabindex='0']", "w")));
    }
  }
  return times;
}

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--disable-gpu", "--no-sandbox", "--disable-background-networking", "--disable-component-update"],
});
const results = [];
for (const path of process.argv.slice(2)) {
  const ready = [];
  let page;
  for (let round = 0; round < ROUNDS; round++) {
    await page?.close();
    page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
    await page.goto(pathToFileURL(resolve(path)).href);
    await page.waitForFunction(() => document.documentElement.dataset.ready === "yes");
    ready.push(await page.evaluate(() => performance.getEntriesByName("stacklapse-ready")[0].startTime));
  }
  const slowest = { search: 0, range: 0, zoom: 0 };
  for (const view of VIEWS) {
    const times = await page.evaluate(answers, { view, rounds: ROUNDS });
    for (const [what, taken] of Object.entries(times)) {
      slowest[what] = Math.max(slowest[what], taken.length > 0 ? middle(taken) : 0);
    }
  }
  await page.close();
  results.push({ ready: middle(ready), ...slowest });
}
await browser.close();
console.log(JSON.stringify(results));
