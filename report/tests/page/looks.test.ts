// What is on the page can be seen, whatever the size of the window.
import type { Browser, Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { ready, removePages, startBrowser, visit } from "../support/browser";
import { made } from "../support/shapes";

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(async () => {
  await browser.close();
  removePages();
});

describe("the summary", () => {
  test.each([
    [1280, 500],
    [640, 400],
    [375, 667],
  ])("has every section within the width of the window: %i × %i", async (width, height) => {
    const { page } = await visit(browser, "pool", { width, height, hash: "view=summary" });
    const sections = page.locator(".summary section");
    expect(await sections.count()).toBeGreaterThan(3);
    for (const section of await sections.all()) {
      await section.scrollIntoViewIfNeeded();
      const box = await section.boundingBox();
      expect(box?.x).toBeGreaterThanOrEqual(0);
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
    }
    expect(await page.locator(".summary").evaluate((element) => element.scrollLeft)).toBe(0);
    await page.close();
  });
});

describe("what is said for a moment", () => {
  /** Lets the moment pass. */
  const pass = async (said: Locator): Promise<void> =>
    said.evaluate((element) => {
      element.getAnimations().forEach((animation) => {
        animation.finish();
      });
    });

  test("is seen each time, also when the same is said again", async () => {
    const { page } = await visit(browser, "pool");
    const said = page.locator(".said p");
    await page.keyboard.press("c");
    for (const [key, text] of [
      ["c", /stack/u],
      ["c", /stack/u],
      ["m", /Mode: cpu/u],
    ] as const) {
      await said.waitFor({ state: "visible" });
      await pass(said);
      await said.waitFor({ state: "hidden" });
      await page.keyboard.press(key);
      await said.filter({ hasText: text }).waitFor({ state: "visible" });
    }
    await page.close();
  });
});

describe("a recording that is in no file", () => {
  test("is named by no command", async () => {
    const page = await browser.newPage();
    const content = made("page", "pool").toString().replace('"recording":"last"', '"recording":null');
    await page.route("http://application.test/", async (route) => route.fulfill({ body: content, contentType: "text/html" }));
    await page.goto("http://application.test/");
    await ready(page);
    expect(await page.getByRole("button", { name: "Copy command" }).count()).toBe(0);
    await page.keyboard.press("v");
    expect(await page.locator(".said").textContent()).toBe("This recording is in no file that a command could show again.");
    await page.close();
  });
});

describe("in a narrow window", () => {
  test.each([375, 640, 850])("the filters are within it: %i", async (width) => {
    const { page } = await visit(browser, "pool", { width, height: 700 });
    await page.getByRole("button", { name: "Filters" }).click();
    const box = await page.locator("#filters").boundingBox();
    expect(box?.x).toBeGreaterThanOrEqual(0);
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
    await page.close();
  });

  test("the chosen tab is in sight, and the share of what is searched for", async () => {
    const { page } = await visit(browser, "pool", { width: 375, height: 667, hash: "view=summary&search=order" });
    for (const element of [page.getByRole("tab", { selected: true }), page.locator(".matches")]) {
      const box = await element.boundingBox();
      expect(box?.x).toBeGreaterThanOrEqual(0);
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(375);
    }
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
    await page.close();
  });
});

describe("the toolbar", () => {
  test("is not higher when something is filtered", async () => {
    const { page } = await visit(browser, "pool");
    const height = async (): Promise<number | undefined> => (await page.locator(".toolbar").boundingBox())?.height;
    const before = await height();
    await page.getByRole("button", { name: "Filters" }).click();
    await page.getByRole("button", { name: "only this" }).first().click();
    expect(await page.locator(".badge").count()).toBe(1);
    expect(await height()).toBe(before);
    await page.close();
  });
});

describe("in print", () => {
  test.each(["tree", "functions"])("all rows are there, and no panel: %s", async (view) => {
    const { page } = await visit(browser, "app", { hash: `view=${view}&below=0` });
    const rows = page.locator(".row");
    const inSight = await rows.count();
    await page.emulateMedia({ media: "print" });
    await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
    const all = view === "tree" ? page.getByRole("treegrid") : page.getByRole("listbox");
    const name = view === "tree" ? await all.getAttribute("aria-rowcount") : await all.getAttribute("aria-label");
    expect(await rows.count()).toBe(parseInt(name ?? "", 10));
    expect(await rows.count()).toBeGreaterThan(inSight);
    expect(await rows.last().isVisible()).toBe(true);
    expect(await page.locator(".panel").isVisible()).toBe(false);
    const [first, second] = [await rows.nth(0).boundingBox(), await rows.nth(1).boundingBox()];
    expect(second?.y).toBe((first?.y ?? 0) + (first?.height ?? 0));
    await page.emulateMedia({ media: "screen" });
    await page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
    await rows.nth(inSight).waitFor({ state: "detached" });
    await page.close();
  });

  test.each(["flame", "time"])("a chart is as wide as the paper: %s", async (view) => {
    const { page } = await visit(browser, "app", { hash: `view=${view}` });
    await page.emulateMedia({ media: "print" });
    // A page is laid out for paper without a word to its scripts: the width is looked at before any of them runs.
    const width = await page.locator(".chart").evaluate((chart: HTMLElement) => {
      chart.style.width = "500px";
      return chart.querySelector("canvas")?.getBoundingClientRect().width;
    });
    expect(width).toBe(500);
    await page.close();
  });
});
