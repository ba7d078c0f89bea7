// Opens a file in speedscope's own page and prints its table of functions as JSON: {profile: {name: {self, total}}},
// with times in the page's own words.   node speedscope.mjs FILE
import { readFileSync, writeFileSync, mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const file = process.argv[2];
const release = join(dirname(createRequire(import.meta.url).resolve("speedscope/package.json")), "dist", "release");
const script = join(mkdtempSync(join(tmpdir(), "speedscope-")), "profile.js");
const content = readFileSync(file).toString("base64");
writeFileSync(script, `speedscope.loadFileFromBase64(${JSON.stringify(basename(file))}, ${JSON.stringify(content)})`);

const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--use-gl=swiftshader", "--allow-file-access-from-files",
        "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
    const page = await browser.newPage({ viewport: { width: 1600, height: 3000 } });
    page.on("pageerror", (error) => { throw error; });
    const parameters = `#localProfilePath=${encodeURIComponent(script)}&view=sandwich`;
    await page.goto(pathToFileURL(join(release, "index.html")).href + parameters);
    await page.waitForSelector("table tr td", { state: "attached", timeout: 240_000 });
    const rows = await page.$$eval("table tr", (all) => all.map((row) =>
        [...row.querySelectorAll("td")].map((cell) => cell.textContent)).filter((cells) => cells.length >= 3));
    console.log(JSON.stringify(rows));
} finally {
    await browser.close();
}
