// What is looked at stays true to the selection, whatever changes it.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { ready, removePages, startBrowser, visit } from "../support/browser";

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(async () => {
  await browser.close();
  removePages();
});

/** Sets the address, and waits until the page has taken it. */
async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate(async (to) => {
    const taken = new Promise((resolve) => {
      window.addEventListener("hashchange", resolve, { once: true });
    });
    location.hash = to;
    await taken;
  }, hash);
}

/** The amounts of the panel, by their names. */
async function measures(page: Page): Promise<Record<string, string>> {
  const all = await page.locator(".panel .measure").evaluateAll((elements) =>
    elements.map((element) => [
      element.querySelector("dt")?.textContent ?? "",
      element.querySelector("dd b")?.textContent ?? "",
    ]),
  );
  return Object.fromEntries(all) as Record<string, string>;
}

describe("the panel", () => {
  test.each(["tree", "flame"])("says what a call takes of what is selected now: %s", async (view) => {
    const { page } = await visit(browser, "pool", { hash: `view=${view}` });
    await page.keyboard.press(view === "tree" ? "Home" : "ArrowDown");
    for (let i = 0; i < 3; i++) {
      await page.keyboard.press("ArrowDown");
    }
    const whole = await measures(page);
    expect(Object.keys(whole)).toContain("here");
    await goTo(page, `view=${view}&range=0-15000000`);
    const part = await measures(page);
    const ms = (text: string | undefined): number => parseFloat(text ?? "0") * (text?.includes("ms") === true ? 1 : 1000);
    expect(ms(part["here"])).toBeGreaterThan(0);
    expect(ms(part["here"])).toBeLessThan(ms(whole["here"]) / 5);
    expect(ms(part["everywhere"] ?? part["here"])).toBeGreaterThanOrEqual(ms(part["here"]));
    if (view === "tree") {
      const row = page.locator("[role=row][aria-selected=true] .number").first();
      expect(parseFloat(part["here"] ?? "")).toBe(parseFloat((await row.textContent()) ?? ""));
    }
    await page.close();
  });

  test("speaks of no call that is not in what is selected", async () => {
    const { page } = await visit(browser, "pool");
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowUp");
    expect(Object.keys(await measures(page))).toContain("here");
    await goTo(page, "search=no-such-name&only=yes");
    expect(await measures(page)).toEqual({ total: "0.000 s", self: "0.000 s" });
    await page.close();
  });

  test("says of a call that is clicked in the timeline what its thread spent in it", async () => {
    const { page } = await visit(browser, "pool", { hash: "view=time" });
    await page.locator(".chart").click({ position: { x: 300, y: 60 } });
    const name = await page.locator(".panel h2").textContent();
    const { here, everywhere } = await measures(page);
    expect(parseFloat(here ?? "")).toBeLessThan(parseFloat(everywhere ?? ""));
    await page.keyboard.press("1");
    const row = page.locator("[role=row][aria-selected=true]");
    expect(await row.locator(".name").textContent()).toBe(name);
    expect(parseFloat((await row.locator(".number").first().textContent()) ?? "")).toBe(parseFloat(here ?? ""));
    await page.close();
  });
});

describe("the call tree", () => {
  test("keeps its active row from the first change of the selection on", async () => {
    const { page } = await visit(browser, "app");
    const active = page.locator("[role=row][aria-selected=true] .name");
    await page.locator(".row .name:not(.lane)").nth(5).click();
    const name = await active.textContent();
    await page.keyboard.press("l");
    expect(await active.textContent()).toBe(name);
    await page.keyboard.press("l");
    expect(await active.textContent()).toBe(name);
    await page.close();
  });
});

describe("an address within the page", () => {
  test("moves the panel to the function that it names", async () => {
    const { page } = await visit(browser, "pool", { hash: "view=functions&function=3" });
    const heading = page.locator(".panel h2");
    const first = await heading.textContent();
    await goTo(page, "view=functions&function=5");
    expect(await heading.textContent()).not.toBe(first);
    expect(await page.locator("[role=option][aria-selected=true] .name").textContent()).toBe(await heading.textContent());
    await page.close();
  });
});

describe("a focus", () => {
  test("leaves lanes only to the threads that are in it, with what they did there", async () => {
    const { page } = await visit(browser, "late", { hash: "view=functions" });
    const chart = page.locator(".chart");
    await page.keyboard.press("3");
    expect(await chart.getAttribute("aria-label")).toContain("2 lanes");
    await page.keyboard.press("4");
    await page.locator(".row", { hasText: "Feeder.fetch" }).click();
    await page.keyboard.press("f");
    await page.keyboard.press("3");
    expect(await chart.getAttribute("aria-label")).toContain("1 lanes");
    await page.close();
  });
});

describe("the functions", () => {
  test("have the import system, which no folded tree has", async () => {
    const { page } = await visit(browser, "late");
    const names = page.locator(".row .name", { hasText: "_find_and_load" });
    await page.locator(".tree .row").first().waitFor();
    expect(await names.count()).toBe(0);
    await page.keyboard.press("4");
    expect(await names.count()).toBe(1);
    await page.close();
  });
});

describe("the filter of threads", () => {
  test("names threads as before, whatever is left out, and keeps one", async () => {
    const { page } = await visit(browser, "pool");
    await page.getByRole("button", { name: "Filters" }).click();
    const names = page.locator("#filters fieldset .check span");
    const before = await names.allTextContents();
    expect(new Set(before).size).toBe(before.length);
    expect(before[0]).toMatch(/ \(pid \d+\)$/u);
    const boxes = page.locator("#filters fieldset input");
    await boxes.nth(1).uncheck();
    expect(await names.allTextContents()).toEqual(before);
    await page.getByRole("button", { name: "only this" }).nth(2).click();
    expect(await names.allTextContents()).toEqual(before);
    expect(await boxes.nth(2).isDisabled()).toBe(true);
    expect(await page.locator("#filters fieldset input:checked").count()).toBe(1);
    await page.close();
  });

  test("says how many threads it does not list", async () => {
    const { page } = await visit(browser, "threads");
    await page.getByRole("button", { name: "Filters" }).click();
    const listed = await page.locator("#filters fieldset .check").count();
    const all = parseInt((await page.locator("#filters legend").textContent()) ?? "", 10);
    expect(all).toBeGreaterThan(listed);
    expect(await page.locator("#filters fieldset p").textContent()).toBe(`and ${all - listed} more`);
    await page.close();
  });
});

describe("a filter", () => {
  test("that is no regular expression is marked, and not counted", async () => {
    const { page } = await visit(browser, "pool", { hash: "hide=re:(" });
    expect(await page.locator(".badge").count()).toBe(0);
    await page.getByRole("button", { name: "Filters" }).click();
    const field = page.getByLabel("Fold as well");
    expect(await field.getAttribute("aria-invalid")).toBe("true");
    expect(await page.locator("#filters").textContent()).toContain("not a regular expression");
    await field.fill("re:/orders/");
    await page.keyboard.press("Tab");
    expect(await field.getAttribute("aria-invalid")).toBe("false");
    expect(await page.locator(".badge").textContent()).toBe("1");
    await page.close();
  });
});

describe("the source view", () => {
  test("has the chosen file in its address, until another function is looked at", async () => {
    const { page } = await visit(browser, "app", { hash: "view=source" });
    await page.locator(".files button").nth(3).click();
    const file = await page.locator(".pane h2").textContent();
    expect(await page.evaluate(() => location.hash)).toMatch(/file=\d+/u);
    await page.reload();
    await ready(page);
    expect(await page.locator(".pane h2").textContent()).toBe(file);
    await page.keyboard.press("4");
    await page.keyboard.press("End");
    expect(await page.evaluate(() => location.hash)).not.toContain("file=");
    await page.close();
  });
});

describe("what is searched for", () => {
  test("is gone to by keys among the functions", async () => {
    const { page } = await visit(browser, "pool", { hash: "view=functions&search=order" });
    const active = page.locator("[role=option][aria-selected=true]");
    await page.keyboard.press("n");
    const first = await active.getAttribute("aria-posinset");
    await page.keyboard.press("n");
    expect(await active.getAttribute("aria-posinset")).not.toBe(first);
    await page.keyboard.press("N");
    expect(await active.getAttribute("aria-posinset")).toBe(first);
    await page.keyboard.press("Home");
    await page.keyboard.press("N");
    expect(await active.getAttribute("aria-posinset")).toBe(await active.getAttribute("aria-setsize"));
    await page.keyboard.press("n");
    expect(await active.getAttribute("aria-posinset")).toBe("1");
    await page.close();
  });

  test.each(["source", "summary"])("is marked: %s", async (view) => {
    const { page } = await visit(browser, "pool", { hash: `view=${view}&search=order` });
    expect(await page.locator("#view .found").count()).toBeGreaterThan(0);
    await page.keyboard.press("Escape");
    expect(await page.locator("#view .found").count()).toBe(0);
    await page.close();
  });
});

describe("the time of folded frames", () => {
  test("is told in the tree, the flame graph and the panel", async () => {
    const { page } = await visit(browser, "app");
    const row = page.locator(".tree .row", { hasText: /hidden · [\d.]+ ·/u }).first();
    const hidden = /hidden · ([\d.]+) ·/u.exec((await row.textContent()) ?? "")?.[1] ?? "";
    await row.click({ position: { x: 60, y: 10 } });
    expect(parseFloat((await measures(page))["here, hidden"] ?? "")).toBe(parseFloat(hidden));
    await page.close();
  });
});
