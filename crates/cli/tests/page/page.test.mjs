// The page in a browser: `STRAIT_PAGE_WHOLE`, `_PLAIN`, `_DOCUMENTS`, `_LOCKED` are servers with everything, with models only
// (an autoencoder and a language model), with document models only, and with the API key `secret`.

import assert from "node:assert/strict";
import { launch, until, visit } from "./browser.mjs";
import * as views from "./views.mjs";

const { STRAIT_PAGE_WHOLE: whole, STRAIT_PAGE_PLAIN: plain, STRAIT_PAGE_DOCUMENTS: alone, STRAIT_PAGE_LOCKED: locked } = process.env;
const NAMES = [
  "reconstruct", "sample", "vary", "interpolate", "steer", "documents", "map", "search", "groups", "copies", "teach", "score", "audit", "train",
  "info",
];
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const browser = await launch();
const only = process.argv[2];

async function test(name, origin, work, options = {}, expected = []) {
  if (!origin || (only && !name.includes(only))) return;
  const visitor = await visit(browser, origin, options, expected);
  try {
    await work(visitor);
    await visitor.close();
  } catch (error) {
    console.error(`FAILED: ${name}`);
    throw error;
  }
  console.log(`ok: ${name}`);
}

/** A view that has loaded: nothing is asked any more. */
async function settled(page) {
  await page.waitForLoadState("networkidle");
  await until("rest", async () => (await page.locator("[aria-busy]").count()) === 0);
}

for (const name of NAMES) await test(`every control of ${name}`, whole, views[name], {}, ["sample", "documents"].includes(name) ? [422] : []);

await test("a keyboard alone reaches everything", whole, async ({ page, view }) => {
  await view("info");
  await page.locator("body").press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1");
  await page.getByRole("link", { name: "Steer", exact: true }).focus();
  await page.keyboard.press("Enter");
  await until("the view", async () => (await page.locator("h1").textContent()) === "Steer");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1", "the heading is read out");
  const slider = page.getByRole("slider").first();
  await slider.focus();
  await page.keyboard.press("ArrowRight");
  await until("the slider's value", async () => (await slider.getAttribute("aria-valuetext")) === "+0.1");

  await view("map");
  await page.locator("canvas").focus();
  for (const key of ["ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown", "+", "-", "0"]) await page.keyboard.press(key);
  await page.keyboard.press("Enter");
  await until("a place is read", async () => page.url().includes("at=") && (await page.locator(".said-here .reading").count()) === 1);
  await page.keyboard.press(" ");
  for (let i = 0; i < 6; i += 1) await page.keyboard.press("ArrowRight");
  await page.keyboard.press(" ");
  await until("a way", async () => (await page.locator(".said-here ol.way > li").count()) === 9);
  // The map's edge moves the map.
  const before = page.url();
  for (let i = 0; i < 60; i += 1) await page.keyboard.press("ArrowLeft");
  await until("the map moved", () => page.url() !== before);
});

await test("every control has a name, every view a heading", whole, async ({ page, view }) => {
  for (const name of NAMES) {
    await view(name);
    await settled(page);
    await page.locator("details").evaluateAll((all) => all.forEach((one) => { one.open = true; }));
    const nameless = await page.locator("input, select, textarea, button, a, canvas, svg[role], iframe, [role=group]").evaluateAll((all) => all.filter((one) => {
      const labels = one.labels ? [...one.labels].map((label) => label.textContent).join("") : "";
      return !(labels + (one.getAttribute("aria-label") ?? "") + (one.title ?? "") + one.textContent).trim();
    }).map((one) => one.outerHTML));
    assert.deepEqual(nameless, [], name);
    assert.equal(await page.locator("h1").count(), 1);
    assert.equal(await page.locator("nav [aria-current=page]").count(), 1);
  }
});

await test("in Chinese", whole, async ({ page, view }) => {
  await view("info");
  await page.getByLabel("Language").selectOption({ label: "中文" });
  assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-Hans");
  for (const name of NAMES) {
    await view(name);
    await settled(page);
    const words = await page.locator("h1, .about, nav a, label, button").allTextContents();
    assert.match(await page.locator("h1").textContent(), /[一-鿿]/);
    for (const word of words) assert.doesNotMatch(word, /^\w+(\.\w+)+$/, `${name}: ${word}`);
  }
  await page.getByLabel("语言").selectOption("en");
  assert.equal(await page.locator("h1").textContent(), "Model");
});

await test("a browser that speaks Chinese is answered in it", whole, async ({ page, view }) => {
  await view("sample");
  assert.equal(await page.locator("h1").textContent(), "采样");
}, { locale: "zh-CN" });

await test("dark as the system is, or as one likes", whole, async ({ page, view }) => {
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await view("map");
  assert.equal(await paper(), "rgb(21, 23, 26)");
  await page.getByLabel("Appearance").selectOption({ label: "Light" });
  assert.equal(await paper(), "rgb(255, 255, 255)");
  await page.reload();
  await page.locator("h1").waitFor();
  assert.equal(await paper(), "rgb(255, 255, 255)");
  await page.getByLabel("Appearance").selectOption({ label: "As the system" });
  assert.equal(await paper(), "rgb(21, 23, 26)");
}, { colorScheme: "dark" });

await test("at the width of a telephone", whole, async ({ page, view }) => {
  for (const name of NAMES) {
    await view(name);
    await settled(page);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} is too wide`);
  }
  await view("map");
  const canvas = page.locator("canvas");
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  await page.touchscreen.tap(box.x + 12, box.y + 12);
  await until("a place is read", async () => (await page.locator(".said-here .reading").count()) === 1);
  await page.getByRole("link", { name: "Train" }).tap();
  await until("the view", async () => (await page.locator("h1").textContent()) === "Trainings");
}, PHONE);

await test("what a server does not have is said with the flag that gives it", plain, async ({ page, view }) => {
  for (const [name, flag] of [["documents", "--document DIR"], ["map", "--texts"], ["search", "--texts"], ["groups", "--texts"], ["copies", "--texts"], ["audit", "--texts"], ["train", "--runs"], ["steer", "--directions"]]) {
    await view(name);
    await until(flag, async () => (await page.locator(".hint").textContent()).includes(flag));
  }
  await page.getByLabel("Model").selectOption({ label: "language" });
  await until("a language model", async () => (await page.locator(".hint").textContent()).includes("language model"));
  await page.getByRole("link", { name: "Sample" }).click();
  await until("its samples", async () => (await page.locator("ol.texts > li").count()) === 8 && page.url().includes("model=language"));
  await view("nonsense?x=%00&n=abc");
  assert.equal(await page.locator("h1").textContent(), "Reconstruct");
});

await test("every control of generate", plain, async (visitor) => {
  await visitor.page.goto(`${plain}/#/?model=pairs`);
  await views.generate(visitor);
});

await test("generate in Chinese, in the dark, at the width of a telephone", plain, async ({ page, view }) => {
  await view("generate?model=pairs&source=old+fox+sits&n=2");
  await page.locator("table.attention").waitFor();
  assert.equal(await page.locator("h1").textContent(), "生成");
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "too wide");
  const colours = await page.locator("table.attention tbody td").evaluateAll((all) => new Set(all.map((cell) => getComputedStyle(cell).backgroundColor)).size);
  assert.ok(colours > 1, "cells differ");
  const nameless = await page.locator("input, select, textarea, button, a, [role=group]").evaluateAll((all) => all.filter((one) => !([...(one.labels ?? [])].map((label) => label.textContent).join("") + (one.getAttribute("aria-label") ?? "") + one.textContent).trim()).length);
  assert.equal(nameless, 0);
}, { ...PHONE, locale: "zh-CN", colorScheme: "dark" });

await test("document models alone", alone, async ({ page, view }) => {
  await page.goto(`${alone}/`);
  await until("their view", async () => (await page.locator("h1").textContent()) === "Documents");
  await until("a text that goes on", async () => (await page.locator("ol.texts > li").count()) > 0);
  await view("reconstruct");
  assert.match(await page.locator(".hint").textContent(), /strait serve -m DIR/);
  await view("info");
  assert.match(await page.locator("dl.facts").textContent(), /Plan4 numbers/);
  await view("train");
  assert.match(await page.locator(".hint").textContent(), /--runs/);
});

await test("a key is asked for and kept", locked, async ({ page, view }) => {
  await view("sample?n=2");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await until("a refusal", async () => (await page.getByRole("alert").textContent()).includes("API key"));
  await page.reload();
  for (const key of ["wrong", "secret"]) {
    await dialog.getByLabel("API key").fill(key);
    await dialog.getByRole("button", { name: "Use it" }).click();
    await until("the dialog to close", async () => key === "wrong" || (await dialog.count()) === 0);
    await until("another try", async () => key !== "wrong" || (await dialog.getByLabel("API key").inputValue().catch(() => "wrong")) === "");
  }
  await until("samples", async () => (await page.locator("ol.texts > li").count()) === 2);
  await page.reload();
  await until("samples without asking", async () => (await page.locator("ol.texts > li").count()) === 2);
}, {}, [401]);

await browser.close();
