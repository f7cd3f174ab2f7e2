// A headless Chromium whose pages must stay silent and ask nobody but their server.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";

const { chromium } = createRequire(join(process.env.STRAIT_PLAYWRIGHT, "package.json"))("playwright-core");

/** Starts it. */
export function launch() {
  return chromium.launch({ executablePath: process.env.STRAIT_CHROMIUM, args: ["--no-sandbox"] });
}

/** A page of its own context; `close` fails if anything was wrong on it. `expected` are statuses that are part of the test. */
export async function visit(browser, origin, options = {}, expected = []) {
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin });
  const page = await context.newPage();
  const wrong = [], bodies = [];
  page.on("pageerror", (error) => wrong.push(error.stack));
  page.on("console", (message) => {
    // A server that is still reading its texts says 503 and is asked again.
    const refused = [503, ...expected].some((status) => message.text().includes(`status of ${status}`));
    if (message.type() === "error" && !refused) wrong.push(`${message.text()} ${message.location().url}`);
  });
  page.on("request", (request) => {
    const to = new URL(request.url());
    if (to.origin !== origin && to.protocol !== "blob:" && to.protocol !== "data:") wrong.push(`asks ${to.href}`);
    if (request.method() === "POST") bodies.push({ to: to.pathname, body: request.postDataJSON() });
  });
  const view = async (hash) => { await page.goto(`${origin}/#/${hash}`); await page.locator("h1").waitFor(); };
  /** What was last asked of a path. */
  const asked = (path) => bodies.findLast((sent) => sent.to === path)?.body;
  const close = async () => { await context.close(); assert.deepEqual(wrong, []); };
  return { page, context, view, asked, close };
}

/** Waits until something is so; the message tells what it was instead. */
export async function until(what, is) {
  const end = Date.now() + 20_000;
  for (;;) {
    const value = await is();
    if (value) return value;
    assert.ok(Date.now() < end, `not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

/** Moves a slider. */
export const slide = (page, label, value) => page.getByRole("slider", { name: label }).fill(String(value));

/** The state in the address. */
export const fields = (page) => new URLSearchParams(page.url().split("?")[1] ?? "");

/** Saves a file by its button and gives its contents. */
export async function saved(page, kind) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: `Save as ${kind}` }).click()]);
  assert.ok(download.suggestedFilename().endsWith(`.${kind.toLowerCase()}`));
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
