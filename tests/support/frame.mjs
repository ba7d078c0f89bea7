// What a page shows in a frame that it holds: node frame.mjs ADDRESS WORDS. Ends well once all words are in sight in the
// frame and the page there has drawn itself, and nothing has been complained of. Prints the text in the frame.
import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../../report/package.json", import.meta.url))("playwright-core");

const [address, ...words] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--disable-gpu", "--no-sandbox"] });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(address);
  const frame = page.frames()[1];
  await frame.waitForFunction(() => document.documentElement.dataset.ready === "yes");
  for (const word of words) {
    await frame.getByText(word).first().waitFor();
  }
  // Its keys work as in a window of its own.
  await frame.locator("body").press("2");
  await frame.locator("canvas").first().waitFor();
  const box = await page.locator("iframe").boundingBox();
  if (box.height < 400 || box.width < 1000) {
    complaints.push(`the frame is small: ${box.width} x ${box.height}`);
  }
  console.log(await frame.locator("body").innerText());
  if (complaints.length > 0) {
    throw new Error(complaints.join("\n"));
  }
} finally {
  await browser.close();
}
