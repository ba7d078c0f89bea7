// Debian's Chromium with a page of a made-up recording in it. Whatever the page says on its console, and every request
// that it makes, is kept.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";

import type { Shape } from "./shapes";
import { made } from "./shapes";

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // CI runs as root.
      "--no-sandbox",
    ],
  });
}

const folder = mkdtempSync(join(tmpdir(), "stacklapse-pages-"));
const written = new Set<Shape>();

export function removePages(): void {
  rmSync(folder, { recursive: true, force: true });
}

/** The address of a shape's page. */
export function pageOf(shape: Shape): string {
  const path = join(folder, `${shape}.html`);
  if (!written.has(shape)) {
    writeFileSync(path, made("page", shape));
    written.add(shape);
  }
  return `file://${path}`;
}

export interface Visit {
  readonly page: Page;
  /** Errors and warnings of the console, and uncaught errors. */
  readonly complaints: string[];
  /** Requests other than for the page itself. */
  readonly requests: string[];
}

export interface VisitOptions {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  readonly hash?: string;
}

export async function visit(browser: Browser, shape: Shape, options: VisitOptions = {}): Promise<Visit> {
  const page = await browser.newPage({
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.dark === true ? "dark" : "light",
  });
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      complaints.push(message.text());
    }
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!request.isNavigationRequest()) {
      requests.push(request.url());
    }
  });
  await page.goto(`${pageOf(shape)}${options.hash === undefined ? "" : `#${options.hash}`}`);
  await ready(page);
  return { page, complaints, requests };
}

export async function ready(page: Page): Promise<void> {
  await page.waitForFunction(() => document.documentElement.dataset["ready"] === "yes");
}
