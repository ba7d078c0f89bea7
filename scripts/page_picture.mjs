// Makes docs/images/page-light.png and page-dark.png: the report page of the demo, in Chromium.
//
// usage: make build && scripts/requirements browser && scripts/node_packages && node scripts/page_picture.mjs
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const { chromium } = createRequire(new URL("../report/package.json", import.meta.url))("playwright-core");

const top = fileURLToPath(new URL("..", import.meta.url));
const command = process.env["STACKLAPSE_COMMAND"] ?? join(top, "build", "stacklapse");
const folder = mkdtempSync(join(tmpdir(), "stacklapse-picture-"));
try {
  const path = join(folder, "report.html");
  // Debian's interpreter: what somebody else's imports at every start is no part of the picture.
  execFileSync(command, ["-q", "-o", path, "examples/access_log/main.py"], {
    cwd: top,
    env: { ...process.env, XDG_STATE_HOME: folder, PATH: "/usr/bin:/bin" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--disable-gpu", "--no-sandbox"] });
  for (const colorScheme of ["light", "dark"]) {
    const page = await browser.newPage({ viewport: { width: 1440, height: 800 }, colorScheme });
    await page.goto(pathToFileURL(path).href);
    await page.waitForFunction(() => document.documentElement.dataset.ready === "yes");
    await page.locator(".tree").getByText("line", { exact: true }).click();
    await page.screenshot({ path: join(top, "docs", "images", `page-${colorScheme}.png`) });
  }
  await browser.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
