// Whoever cannot see the page, or uses no mouse, can read it: axe has nothing to say of any view.
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { pageOf, ready, removePages, startBrowser } from "../support/browser";
import type { Shape } from "../support/shapes";

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(async () => {
  await browser.close();
  removePages();
});

const views = ["tree", "flame", "time", "functions", "source", "summary"] as const;

describe("axe finds nothing wrong", () => {
  const cases: [Shape, string, boolean, number][] = [
    ...views.map((view): [Shape, string, boolean, number] => ["pool", `view=${view}&function=3`, false, 1280]),
    ...views.map((view): [Shape, string, boolean, number] => ["pool", `view=${view}&search=order`, true, 1280]),
    ["empty", "", false, 1280],
    ["threads", "focus=3&range=0-1000000000", false, 390],
    ["hostile", "view=source", true, 390],
  ];
  test.each(cases)("%s #%s dark %s at %i", async (shape, at, dark, width) => {
    const context = await browser.newContext({
      viewport: { width, height: 800 },
      colorScheme: dark ? "dark" : "light",
    });
    const page = await context.newPage();
    await page.goto(`${pageOf(shape)}#${at}`);
    await ready(page);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 160))])).toEqual([]);
    await context.close();
  });
});
