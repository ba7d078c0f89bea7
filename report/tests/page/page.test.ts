import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { pageOf, ready, removePages, startBrowser, visit } from "../support/browser";
import type { Shape } from "../support/shapes";
import { made } from "../support/shapes";

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(async () => {
  await browser.close();
  removePages();
});

const views = ["tree", "flame", "time", "functions", "source", "summary"] as const;
const labels = ["Call tree", "Flame graph", "Timeline", "Functions", "Source", "Summary"] as const;

const hash = async (page: Page): Promise<string> => page.evaluate(() => decodeURIComponent(location.hash));

/** How many colours a canvas has: one means that nothing was drawn. */
async function coloursOf(page: Page, selector: string): Promise<number> {
  return page.locator(selector).evaluate(async (canvas: HTMLCanvasElement) => {
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const pixels = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    const colours = new Set<number>();
    for (let at = 0; at < pixels.length; at += 4) {
      colours.add(((pixels[at] ?? 0) << 16) | ((pixels[at + 1] ?? 0) << 8) | (pixels[at + 2] ?? 0));
    }
    return colours.size;
  });
}

describe.each(["empty", "tiny", "pool", "threads", "tasks", "deep", "hostile", "late", "folded"] as const)("the page of the shape %s", (shape) => {
  test("shows every view without a complaint and without a request", async () => {
    const { page, complaints, requests } = await visit(browser, shape);
    for (const [index, label] of labels.entries()) {
      await page.keyboard.press(String(index + 1));
      expect(await page.getByRole("tab", { selected: true }).textContent()).toBe(label);
      await page.waitForTimeout(60);
    }
    expect(complaints).toEqual([]);
    expect(requests).toEqual([]);
    expect(await page.locator("[role=alert]").count()).toBe(0);
    await page.close();
  });
});

describe("hostile names", () => {
  test("are text, and change nothing", async () => {
    const { page, complaints } = await visit(browser, "hostile", { hash: "library=yes&below=0" });
    expect(await page.title()).not.toBe("broken");
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.locator("body > script").count()).toBeLessThanOrEqual(5);
    await page.keyboard.press("4");
    const names = await page.locator(".functions .row .name").allTextContents();
    for (const name of [
      "</script><script>document.title='broken'</script>",
      "<module>",
      "<lambda>",
      "\"double\" 'single' `back` ${x}",
      "line\\u2028separator\\u2029paragraph",
      "\\u202eedirrevo\\u202c \\u2066isolated\\u2069",
      "zero\\u200bwidth\\ufeff",
      "{{stacklapse:columns}}",
      "__proto__",
      "nul\\u0000inside",
      "n".repeat(10_000),
    ]) {
      expect(names, name.slice(0, 60)).toContain(name);
    }
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("of nobody are told as such", async () => {
    const { page } = await visit(browser, "hostile", { hash: "library=yes&below=0" });
    await page.locator(".tree .row .name", { hasText: "(no name)" }).waitFor();
    await page.close();
  });

  test("of processes turn no direction", async () => {
    const { page } = await visit(browser, "hostile");
    await page.locator(".tree .row .name", { hasText: "\\u202egnp.exe\\U000e0041 (pid 4712)" }).waitFor();
    await page.close();
  });

  test("do not make the page wider than the window", async () => {
    for (const width of [390, 1600]) {
      const { page } = await visit(browser, "hostile", { width });
      for (const view of views) {
        await page.evaluate((name) => (location.hash = `view=${name}`), view);
        await page.locator(".row, canvas, table, .nothing").first().waitFor();
        expect(await page.evaluate(() => document.documentElement.scrollWidth), `${view} at ${width}`).toBeLessThanOrEqual(width);
      }
      await page.close();
    }
  });
});

describe("long lines of source text", () => {
  test("scroll where they are, and do not make the page wider", async () => {
    for (const view of ["tree", "source"]) {
      const { page } = await visit(browser, "app", { hash: `view=${view}`, width: 1400 });
      await page.locator("table.code td.source").first().waitFor();
      await page.evaluate(() => {
        for (const cell of document.querySelectorAll("table.code td.source")) {
          cell.textContent = "long ".repeat(100);
        }
      });
      expect(await page.evaluate(() => document.documentElement.scrollWidth), view).toBeLessThanOrEqual(1400);
      await page.close();
    }
  });
});

describe("from view to view", () => {
  test("nothing that stays moves", async () => {
    const { page } = await visit(browser, "pool", { width: 1600 });
    const places = async (): Promise<unknown> =>
      page.evaluate(() =>
        [...document.querySelectorAll("header *, [role=tab], .search > *, .filters > button")]
          .map((element) => element.getBoundingClientRect())
          .map(({ x, y, width, height }) => [x, y, width, height]),
      );
    const first = await places();
    for (const index of views.keys()) {
      await page.keyboard.press(String(index + 1));
      expect(await places(), views[index]).toEqual(first);
    }
    await page.close();
  });

  test("the panel has something to say from the start, and the address nothing", async () => {
    const { page } = await visit(browser, "pool");
    const row = page.locator("[role=row][aria-selected=true] .name");
    expect(await page.locator(".panel h2").textContent()).toBe(await row.textContent());
    expect(await hash(page)).toBe("");
    await page.close();
  });
});

describe("the call tree", () => {
  test("has a tree for each process, or one for all", async () => {
    const { page } = await visit(browser, "pool");
    const processes = page.getByRole("row", { name: /\(pid \d+\)/u });
    expect(await processes.count()).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Filters" }).click();
    await page.getByLabel("One call tree for all processes").check();
    expect(await hash(page)).toBe("#merge=yes");
    expect(await processes.count()).toBe(0);
    expect(await page.getByRole("row").count()).toBeGreaterThan(1);
    await page.close();
  });

  test("is walked, opened and closed by keys alone", async () => {
    const { page } = await visit(browser, "pool");
    const active = page.locator("[role=row][aria-selected=true]");
    const label = async (): Promise<string | null> => active.getAttribute("aria-label");
    await page.keyboard.press("Home");
    const first = await label();
    expect(await active.getAttribute("aria-expanded")).toBe("true");
    await page.keyboard.press("ArrowDown");
    expect(await label()).not.toBe(first);
    expect(await active.getAttribute("aria-level")).toBe("2");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    expect(await label()).toBe(first);
    const rows = Number(await page.getByRole("treegrid").getAttribute("aria-rowcount"));
    await page.keyboard.press("ArrowLeft");
    expect(await active.getAttribute("aria-expanded")).toBe("false");
    expect(Number(await page.getByRole("treegrid").getAttribute("aria-rowcount"))).toBeLessThan(rows);
    await page.keyboard.press("ArrowRight");
    expect(Number(await page.getByRole("treegrid").getAttribute("aria-rowcount"))).toBe(rows);
    await page.keyboard.press("End");
    expect(await active.getAttribute("aria-rowindex")).toBe(String(rows));
    await page.close();
  });

  test("opens a stack 10,000 frames deep, and goes to its end", async () => {
    const { page, complaints } = await visit(browser, "deep");
    await page.keyboard.press("Home");
    await page.keyboard.press("*");
    await page.keyboard.press("End");
    const active = page.locator("[role=row][aria-selected=true]");
    expect(Number(await active.getAttribute("aria-level"))).toBe(10_000);
    expect(await active.locator(".name").isVisible()).toBe(true);
    expect(await page.locator(".row").count()).toBeLessThan(120);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("says nothing was sampled where nothing was", async () => {
    const { page } = await visit(browser, "empty");
    expect(await page.locator("#view .nothing").textContent()).toContain("Nothing was sampled");
    await page.close();
  });

  test("folds idle threads into one row that opens", async () => {
    const { page } = await visit(browser, "threads");
    await page.keyboard.press("End");
    const idle = page.locator(".row.rest", { hasText: "threads idle" });
    expect(await idle.textContent()).toMatch(/198 threads idle/u);
    const rows = Number(await page.getByRole("treegrid").getAttribute("aria-rowcount"));
    await idle.click();
    expect(Number(await page.getByRole("treegrid").getAttribute("aria-rowcount"))).toBeGreaterThan(rows + 100);
    await page.close();
  });
});

describe("the charts", () => {
  test.each(["flame", "time"])("draw: %s", async (view) => {
    const { page } = await visit(browser, "pool", { hash: `view=${view}` });
    expect(await coloursOf(page, "#view canvas")).toBeGreaterThan(10);
    expect(await coloursOf(page, ".strip canvas")).toBeGreaterThan(4);
    await page.close();
  });

  test("the flame graph is walked by keys, and says where one is", async () => {
    const { page } = await visit(browser, "pool", { hash: "view=flame" });
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    expect(await page.locator(".told").textContent()).toMatch(/level 2$/u);
    const name = await page.locator(".panel h2").textContent();
    await page.keyboard.press("ArrowUp");
    expect(await page.locator(".told").textContent()).toMatch(/level 1$/u);
    await page.keyboard.press("ArrowDown");
    expect(await page.locator(".panel h2").textContent()).toBe(name);
    await page.keyboard.press("Enter");
    expect(await page.locator(".chart-bar").textContent()).toContain("in sight");
    await page.keyboard.press("0");
    expect(await page.locator(".chart-bar").textContent()).not.toContain("in sight");
    await page.close();
  });

  test("the wheel zooms, and a double click zooms to a box", async () => {
    for (const view of ["flame", "time"]) {
      const { page } = await visit(browser, "pool", { hash: `view=${view}` });
      await page.mouse.move(300, 300);
      await page.mouse.wheel(0, -300);
      await page.getByRole("button", { name: "Show all" }).click();
      await page.getByRole("button", { name: "Show all" }).waitFor({ state: "hidden" });
      await page.close();
    }
  });

  test("what lies under the pointer is told beside it", async () => {
    const { page } = await visit(browser, "pool", { hash: "view=flame" });
    await page.mouse.move(60, 186);
    expect(await page.locator(".tooltip").textContent()).toMatch(/%/u);
    await page.close();
  });

  test("the tasks of an event loop have lanes of their own, below their thread's", async () => {
    const { page } = await visit(browser, "tasks", { hash: "view=time" });
    const chart = page.locator(".chart");
    expect(await chart.getAttribute("aria-label")).toContain("6 lanes");
    const box = await chart.boundingBox();
    const [left, top, height] = [box?.x ?? 0, box?.y ?? 0, box?.height ?? 0];
    const width = await chart.evaluate((element) => element.clientWidth);
    // In the middle of each task's first turn, from the top of the chart to the bottom, as it is and scrolled to the end.
    const tips = new Set<string>();
    for (const scrolled of [0, 10_000]) {
      await chart.evaluate((element, to) => {
        element.scrollTop = to;
      }, scrolled);
      await page.waitForTimeout(200);
      for (let y = 40; y < height - 10; y += 12) {
        for (let task = 0; task < 5; task++) {
          await page.mouse.move(left + (width * (task * 20 + 10)) / 600, top + y);
          const shown = page.locator(".tooltip");
          tips.add((await shown.count()) > 0 ? ((await shown.textContent()) ?? "") : "");
        }
      }
    }
    const seen = [...tips].join("\n");
    for (const name of ["1: Shop.serve", "2: Shop.serve", "3: Shop.serve", "4: Shop.tidy", "5: Shop.tidy"]) {
      expect(seen).toContain(`task ${name}`);
    }
    expect(seen).toContain("main thread");
    await page.close();
  });

  test("a range that is dragged in the timeline is followed by all views", async () => {
    const { page } = await visit(browser, "pool", { hash: "view=time" });
    const box = await page.locator(".chart").boundingBox();
    const [left, top] = [box?.x ?? 0, (box?.y ?? 0) + 100];
    const width = await page.locator(".chart").evaluate((element) => element.clientWidth);
    await page.mouse.move(left + width * 0.25, top);
    await page.mouse.down();
    await page.mouse.move(left + width * 0.5, top + 4);
    await page.mouse.move(left + width * 0.75, top);
    await page.mouse.up();
    const range = /range=(\d+)-(\d+)/u.exec(await hash(page));
    expect(Number(range?.[1]) / 150e6).toBeCloseTo(0.25, 1);
    expect(Number(range?.[2]) / 150e6).toBeCloseTo(0.75, 1);
    await page.keyboard.press("6");
    expect(await page.locator(".summary").textContent()).toMatch(/\b(59\d|60\d) samples in what is selected/u);
    await page.keyboard.press("r");
    expect(await hash(page)).not.toContain("range");
    expect(await page.locator(".summary").textContent()).toContain("1,200 samples in what is selected");
    await page.close();
  });

  test("the strip at the top chooses a range by keys", async () => {
    const { page } = await visit(browser, "pool");
    await page.locator(".strip").focus();
    await page.keyboard.press("Shift+ArrowLeft");
    expect(await hash(page)).toContain("range=0-147000000");
    await page.keyboard.press("ArrowRight");
    expect(await hash(page)).toContain("range=3000000-150000000");
    await page.close();
  });
});

describe("search", () => {
  test("marks what matches and says its share; `only` leaves out the rest", async () => {
    const { page } = await visit(browser, "pool");
    await page.keyboard.press("/");
    await page.keyboard.type("order");
    expect(await page.locator(".matches").textContent()).toMatch(/^matches \d+\.\d %$/u);
    await page.keyboard.press("Enter");
    await page.keyboard.press("n");
    const found = page.locator("[role=row][aria-selected=true] .name.found");
    expect((await found.count()) === 1).toBe(true);
    const before = await page.locator(".row").first().getAttribute("aria-label");
    await page.keyboard.press("o");
    expect(await page.locator(".row").first().getAttribute("aria-label")).not.toBe(before);
    expect(await hash(page)).toContain("search=order&only=yes");
    await page.keyboard.press("Escape");
    expect(await hash(page)).not.toContain("search");
    await page.close();
  });

  test("says when a regular expression is none", async () => {
    const { page } = await visit(browser, "pool", { hash: "search=(&regex=yes" });
    expect(await page.locator(".matches").textContent()).toBe("not a regular expression");
    await page.close();
  });
});

describe("the selection", () => {
  test("focuses on a function and digs deeper, with a trail back", async () => {
    const { page } = await visit(browser, "pool", { hash: "view=functions&sort=total" });
    await page.keyboard.press("ArrowDown");
    const first = (await page.locator(".panel h2").textContent()) ?? "";
    await page.keyboard.press("f");
    expect(await page.locator(".trail").textContent()).toContain(first);
    await page.keyboard.press("1");
    expect(await page.locator(".tree .row .name").nth(2).textContent()).toBe(first);
    await page.keyboard.press("4");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("f");
    expect(await page.locator(".trail .name").count()).toBe(2);
    await page.keyboard.press("u");
    expect(await page.locator(".trail .name").count()).toBe(1);
    await page.getByRole("button", { name: "Everything" }).click();
    expect(await page.locator(".trail").count()).toBe(0);
    await page.close();
  });

  test("is in the address, and survives a reload", async () => {
    const { page } = await visit(browser, "pool");
    await page.keyboard.press("2");
    await page.keyboard.press("i");
    await page.keyboard.press("l");
    await page.keyboard.press("m");
    await page.keyboard.press("ArrowDown");
    const address = await hash(page);
    expect(address).toMatch(/view=flame&mode=cpu&library=yes&function=\d+&inverted=yes/u);
    const name = await page.locator(".panel h2").textContent();
    await page.reload();
    await ready(page);
    expect(await hash(page)).toBe(address);
    expect(await page.locator(".panel h2").textContent()).toBe(name);
    expect(await page.getByRole("tab", { selected: true }).textContent()).toBe("Flame graph");
    await page.close();
  });

  test("of threads, mode and folding is in the filters", async () => {
    const { page } = await visit(browser, "pool");
    await page.getByRole("button", { name: "Filters" }).click();
    await page.getByRole("button", { name: "only this" }).first().click();
    expect(await hash(page)).toContain("threads=0");
    await page.getByLabel("Time counted").selectOption("cpu");
    expect(await hash(page)).toContain("mode=cpu");
    await page.getByLabel("Fold as well").fill("*/orders/*");
    await page.keyboard.press("Tab");
    expect(await hash(page)).toContain("hide=*/orders/*");
    await page.getByLabel("Fold as well").fill("re:/(orders|shop)/[a-z]+\\.py$");
    await page.keyboard.press("Tab");
    expect(await hash(page)).toContain("hide=re:/(orders|shop)/[a-z]+\\.py$");
    expect(await page.locator(".tree .row .name:not(.library):not(.lane):not(.mark)").count()).toBe(0);
    await page.keyboard.press("Escape");
    expect(await page.locator("#filters").count()).toBe(0);
    await page.close();
  });

  test("is copied: the stack, and the command", async () => {
    const { page } = await visit(browser, "pool");
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("c");
    await page.locator(".said p", { hasText: "Copied the stack" }).waitFor();
    expect(await page.evaluate(async () => navigator.clipboard.readText())).toMatch(/^\S+ {2}\S+:\d+/u);
    await page.keyboard.press("l");
    await page.keyboard.press("2");
    await page.keyboard.press("v");
    const command = /stacklapse view last -r html --show-all --at 'view=flame&function=\d+'/u;
    await page.locator(".said p", { hasText: command }).waitFor();
    await page.close();
  });
});

describe("how sure shares are", () => {
  /** What the head says, and the shares that the functions, the panel and the summary tell with their errors, if at all. */
  const told = async (shape: Shape): Promise<[string, string]> => {
    const { page } = await visit(browser, shape, { hash: "view=functions" });
    const titles = await page.locator(".row [title]").evaluateAll((cells) => cells.map((cell) => cell.getAttribute("title")));
    const panel = await page.locator(".panel .measure").allTextContents();
    await page.keyboard.press("6");
    const summary = await page.locator(".summary").textContent();
    const head = await page.locator(".facts").textContent();
    await page.close();
    expect(titles.join()).toMatch(/%/u);
    expect(panel.join()).toMatch(/%/u);
    return [head ?? "", [...titles, ...panel, summary].join("\n")];
  };

  test("is told", async () => {
    const [head, shares] = await told("pool");
    expect(head).toMatch(/CPU1,200 samples every 1\.0 ms/u);
    expect(head).not.toContain("late");
    expect(shares).toMatch(/ ± /u);
  });

  test("is not told where looks were late, which the head says", async () => {
    const [head, shares] = await told("late");
    expect(head).toContain("40.0 % of the looks were late: shares may be far off");
    expect(shares).not.toContain("±");
    expect(shares).toContain("40.0 % of the looks were late");
  });

  test("is not told of folded stacks, nor what they do not tell", async () => {
    const [head, shares] = await told("folded");
    expect(head).toMatch(/^345 µs$/u);
    expect(shares).not.toMatch(/±|sample/u);
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(pageOf("folded"));
    const facts = await page.locator("#plain p").first().textContent();
    expect(facts).toBe("0.000 s.");
    await context.close();
  });
});

describe("light and dark", () => {
  test("follow the system, are switched, and are remembered", async () => {
    const { page } = await visit(browser, "tiny", { dark: true });
    const background = async (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(await background()).toBe("rgb(23, 24, 27)");
    await page.keyboard.press("t");
    expect(await background()).toBe("rgb(255, 255, 255)");
    await page.reload();
    await ready(page);
    expect(await background()).toBe("rgb(255, 255, 255)");
    await page.emulateMedia({ colorScheme: "light" });
    expect(await background()).toBe("rgb(255, 255, 255)");
    await page.close();
  });
});

describe("elsewhere", () => {
  test("the page works in a sandboxed iframe, as a notebook has it", async () => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.evaluate((content) => {
      const frame = document.createElement("iframe");
      frame.setAttribute("sandbox", "allow-scripts");
      frame.width = "900";
      frame.height = "600";
      frame.srcdoc = content;
      document.body.append(frame);
    }, made("page", "pool").toString());
    const frame = page.frameLocator("iframe");
    await frame.getByRole("tab", { name: "Flame graph" }).click();
    await frame.locator("#view canvas").waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  // As Jenkins serves the artifacts of a build, and as a stricter site would.
  test.each(["sandbox; default-src 'none'; img-src 'self'; style-src 'self';", "default-src 'none'"])(
    "under a policy that allows no script the facts are shown: %s",
    async (policy) => {
      const page = await browser.newPage();
      await page.route("http://artifacts.test/**", async (route) =>
        route.fulfill({
          body: made("page", "pool"),
          headers: { "content-type": "text/html", "content-security-policy": policy },
        }),
      );
      await page.goto("http://artifacts.test/report.html");
      expect(await page.locator("#plain table").isVisible()).toBe(true);
      expect(await page.locator("#plain td").first().textContent()).toMatch(/^\d+\.\d{3} s$/u);
      await page.close();
    },
  );

  test("the facts and the heaviest functions are there without scripts", async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(pageOf("pool"));
    expect(await page.locator("#plain table").isVisible()).toBe(true);
    expect(await page.locator("#plain").textContent()).toMatch(/1,?200 samples/u);
    await context.close();
  });

  test("the keys are shown by one of them", async () => {
    const { page } = await visit(browser, "tiny");
    await page.keyboard.press("?");
    expect(await page.getByRole("dialog").isVisible()).toBe(true);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.close();
  });
});
