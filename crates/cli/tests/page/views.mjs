// Every view with every control, as a person with a mouse uses them.

import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { fields, saved, slide, until } from "./browser.mjs";

export { documents } from "./documents.mjs";

const DECODING = {
  "Temperature": 0.5, "Top k": 5, "Top p": 0.9, "Min p": 0.05, "Typical": 0.9, "Repetition penalty": 1.2, "No repeated n-gram": 3, "Fewest tokens": 2, "Most tokens": 12,
};

/** Text that follows a change: waits until it is another one. */
async function changes(place, act) {
  const before = await place.textContent();
  await act();
  await until("another text", async () => (await place.textContent()) !== before);
}


export async function reconstruct({ page, view, asked }) {
  await view("reconstruct");
  const back = page.locator(".back .reading");
  await back.waitFor();
  assert.ok(await page.locator("svg.latent").getAttribute("aria-label"));
  await changes(back, () => page.getByLabel("Your sentence").fill("my aunt will praise the songs because they are truly fair ."));
  assert.equal(fields(page).get("text"), "my aunt will praise the songs because they are truly fair .");
  const { text, reconstruction, latent } = JSON.parse(await saved(page, "JSON"));
  assert.ok(text.startsWith("my aunt") && latent.length > 4 && (await back.textContent()) === reconstruction);
  assert.match(await saved(page, "CSV"), /^text,reconstruction,exact\n/);
  assert.equal(await saved(page, "TXT"), `${reconstruction}\n`);
  await page.getByText("How it writes").click();
  for (const [label, value] of Object.entries(DECODING)) await page.getByLabel(label, { exact: true }).fill(String(value));
  await page.getByLabel("Begins with").fill("we");
  await page.getByLabel("Never these").fill("songs, fair");
  await until("the controls in the request", () => asked("/v1/reconstruct").ban?.length === 2);
  const { temperature, top_k: k, min_p: least, max_len: most, prefix } = asked("/v1/reconstruct");
  assert.deepEqual([temperature, k, least, most, prefix], [0.5, 5, 0.05, 12, "we"]);
  await until("the prefix", async () => (await back.textContent()).startsWith("we"));
  // The address alone brings all of it back; a beam goes without draws.
  await page.reload();
  await until("the same again", () => asked("/v1/reconstruct").top_k === 5);
  await view("reconstruct?text=we+sing&beam=3&length_penalty=0.6");
  await until("the beam", () => asked("/v1/reconstruct").beam === 3 && asked("/v1/reconstruct").length_penalty === 0.6);
  await page.getByRole("button", { name: "Copy link" }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), page.url());
  const before = fields(page).get("text");
  await page.getByRole("button", { name: "Another example" }).click();
  await until("another example", () => fields(page).get("text") !== before);
}

export async function sample({ page, view, asked }) {
  await view("sample?n=3");
  const texts = page.locator("ol.texts > li");
  await until("three texts", async () => (await texts.count()) === 3);
  await page.getByLabel("How many").fill("5");
  await until("five texts", async () => (await texts.count()) === 5);
  await page.getByLabel("Seed").fill("7");
  await until("the seed", () => asked("/v1/sample").seed === 7);
  await slide(page, "Temperature", 1.5);
  await until("the temperature", () => asked("/v1/sample").temperature === 1.5);
  await page.getByRole("button", { name: "Write others" }).click();
  await until("another seed", () => asked("/v1/sample").seed === 8 && fields(page).get("seed") === "8");
  await until("all of them", async () => (await page.getByRole("status").textContent()) === "5 texts.");
  const rows = JSON.parse(await saved(page, "JSON"));
  assert.deepEqual(rows.map((row) => row.text), (await texts.locator(".text, .nothing").allTextContents()).map((text) => (text === "nothing" ? "" : text)));
  await page.getByLabel("How many").fill("1024");
  await until("some", async () => (await texts.count()) > 5);
  await page.getByRole("button", { name: "Stop" }).click();
  assert.ok((await texts.count()) < 1024);
  await view("sample?temperature=-1");
  await until("why not", async () => (await page.getByRole("alert").textContent()).includes("temperature"));
}

export async function generate({ page, view, asked }) {
  assert.equal(await page.locator("h1").textContent(), "Generate", "it is what a model of pairs opens with");
  assert.deepEqual(await page.locator("nav a").allTextContents(), ["Generate", "Documents", "Train", "Model"]);
  await page.getByLabel("Source").fill("old fox sits");
  const targets = page.locator("ol.targets > li");
  await until("a target", async () => (await targets.count()) === 1);
  assert.equal(asked("/v1/generate").sources[0], "old fox sits");
  await page.getByLabel("How many").fill("3");
  await until("three targets", async () => (await targets.count()) === 3);
  const table = page.locator("table.attention");
  const rows = await table.locator("tbody tr").count();
  const shares = await table.locator("tbody tr").first().locator("td .unseen").allTextContents();
  assert.ok(rows >= 1 && shares.length >= 4 && shares.every((share) => /^\d+ %$/.test(share)), `${rows}: ${shares}`);
  await targets.nth(2).getByRole("button").click();
  assert.equal(await targets.nth(2).getByRole("button").getAttribute("aria-pressed"), "true");
  const whole = JSON.parse(await saved(page, "JSON"));
  assert.equal(whole.targets[0].length, 3);
  assert.match(await saved(page, "CSV"), /^source,target,log_probability,finished\n/);
  await page.getByText("How it writes").click();
  await page.getByLabel("Temperature", { exact: true }).fill("1");
  await page.getByLabel("Seed").fill("9");
  await until("draws", () => asked("/v1/generate").temperature === 1 && asked("/v1/generate").seed === 9);
  assert.equal(fields(page).get("source"), "old fox sits");
  await view("reconstruct?model=pairs");
  await until("why not", async () => (await page.locator(".hint").textContent()).includes("writes a target"));
}

export async function vary({ page, view, asked }) {
  await view("vary?text=we+like+the+small+song");
  const texts = page.locator("ol.texts > li");
  await until("six texts", async () => (await texts.count()) === 6);
  await slide(page, "Distance", 1.2);
  await until("the distance", () => asked("/v1/vary").distance === 1.2);
  await page.getByLabel("How many").fill("2");
  await until("two texts", async () => (await texts.count()) === 2);
  await page.getByRole("button", { name: "Write others" }).click();
  await until("another seed", () => asked("/v1/vary").seed === 2);
  await page.getByRole("button", { name: "Another example" }).click();
  await until("another example", () => fields(page).get("text") !== "we like the small song");
  assert.match(await saved(page, "CSV"), /^source,distance,text\n/);
  const row = texts.filter({ has: page.locator(".onward") }).first();
  await row.hover();
  await row.getByRole("link", { name: "Reconstruct" }).click();
  await until("the view of the link", () => page.url().includes("#/reconstruct?text="));
}

export async function interpolate({ page, view, asked }) {
  await view("interpolate");
  const texts = page.locator("ol.way > li");
  await until("seven texts", async () => (await texts.count()) === 7);
  await page.getByLabel("From").fill("we like the song");
  await page.getByLabel("To", { exact: true }).fill("the rain was terrible");
  await slide(page, "Texts on the way", 4);
  await until("four texts", async () => (await texts.count()) === 4 && asked("/v1/interpolate").a === "we like the song");
  for (const [name, path] of [["Spherical", "spherical"], ["Where texts are", "manifold"], ["Straight", "straight"]]) {
    await page.getByText(name, { exact: true }).click();
    await until(path, () => asked("/v1/interpolate").path === path);
  }
  await page.getByRole("button", { name: "Turn round" }).click();
  await until("the other way", () => asked("/v1/interpolate").b === "we like the song");
  assert.equal((await saved(page, "TXT")).trimEnd().split("\n").length, 4);
  await page.getByRole("button", { name: "Another example" }).click();
  await until("another example", () => fields(page).get("b") !== "we like the song");
}

export async function steer({ page, view, asked }) {
  await view("steer?text=we+like+the+small+song");
  const reading = page.locator(".back .reading");
  await reading.waitFor();
  assert.ok((await page.getByRole("slider").count()) >= 4);
  await slide(page, "positive", 1.5);
  await until("the label", () => asked("/v1/move").labels.positive === 1.5);
  for (let i = 0; i < 3; i += 1) await page.getByRole("slider", { name: /^1 · / }).fill(String(i + 1));
  await until("the principal direction", () => asked("/v1/move").principal[0] === 3);
  assert.equal(fields(page).get("p"), "3");
  await until("how far", async () => (await page.locator(".back .note").textContent()).includes("away"));
  await until("the move in the file", async () => JSON.parse(await saved(page, "JSON")).trail[0].principal[0] === 3);
  const there = await reading.textContent();
  await page.reload();
  await until("the same after a reload", async () => (await reading.count()) && (await reading.textContent()) === there);
  await page.getByRole("button", { name: "Back to the start" }).click();
  await until("no move", () => asked("/v1/move").principal.every((v) => v === 0) && !fields(page).has("p"));
  const all = page.getByRole("button", { name: /^All / });
  if (await all.count()) {
    const before = await page.getByRole("slider").count();
    await all.click();
    assert.ok((await page.getByRole("slider").count()) > before);
    await page.getByRole("button", { name: "Fewer" }).click();
    assert.equal(await page.getByRole("slider").count(), before);
  }
  await page.getByRole("button", { name: "Another example" }).click();
  await until("another example", () => fields(page).get("text") !== "we like the small song");
}

/** A place of the map where the pointer is over a point, or over none. */
async function place(page, over) {
  const box = await page.locator("canvas").boundingBox();
  for (let i = 1; i < 400; i += 1) {
    // A sequence that fills the square evenly.
    const at = [box.x + box.width * ((i * 0.7548776662) % 1), box.y + box.height * ((i * 0.5698402909) % 1)];
    const onZoom = at[0] > box.x + box.width - 60 && at[1] > box.y + box.height - 140;
    if (onZoom) continue;
    await page.mouse.move(...at);
    if ((await page.locator(".tip").isVisible()) === over) return at;
  }
  throw new Error(`no place ${over ? "on" : "off"} a point`);
}

export async function map({ page, view, asked }) {
  await view("map");
  await page.locator("canvas").waitFor();
  const said = page.locator(".said-here");
  await page.locator("canvas").scrollIntoViewIfNeeded();
  const point = await place(page, true);
  await page.mouse.click(...point);
  await until("a text", () => fields(page).get("at")?.startsWith("@"));
  await until("its neighbours", async () => (await said.locator("ol > li").count()) > 2);
  await said.locator("ol > li button").first().click();
  await until("a neighbour", async () => asked("/v1/search") && (await said.textContent()).includes("This text"));
  const empty = await place(page, false);
  await page.mouse.click(...empty);
  await until("what lies there", async () => (await said.textContent()).includes("What lies here"));
  await page.mouse.move(...point);
  await page.mouse.down();
  await page.mouse.move(point[0] + 20, point[1] + 20, { steps: 3 });
  await page.mouse.move(...empty, { steps: 5 });
  await page.mouse.up();
  await until("a way", async () => (await said.locator("ol.way > li").count()) === 9);
  await said.locator("ol.way > li").nth(3).hover();
  assert.match(await saved(page, "CSV"), /^t,x,y,text\n/);
  await view("map?at=@0;@7");
  await until("a way between texts", async () => (await said.locator("ol.way > li").count()) === 9);
  for (const [name, path] of [["the latents", "straight"], ["texts", "manifold"]]) {
    await said.getByText(name, { exact: true }).click();
    await until(path, () => asked("/v1/interpolate")?.path === path && fields(page).get("way") === path);
  }
  const legend = page.locator(".legend button");
  for (const name of ["Labels", "Nothing", "Oddness", "Clusters"]) {
    await page.getByLabel("Colour by").selectOption({ label: name });
    await until(name, async () => (await page.locator(".legend li").count()) > 0);
  }
  await until("every text is scored", () => asked("/v1/score"));
  await legend.first().click();
  assert.equal(await legend.first().getAttribute("aria-pressed"), "false");
  await legend.first().click();
  await page.getByLabel("Find").fill("the");
  await until("found", async () => /texts have it/.test(await page.getByRole("status").textContent()));
  await page.getByLabel("Find").fill("");
  for (const name of ["Nearer", "Show all", "Farther"]) {
    const before = fields(page).get("view");
    await page.getByRole("button", { name }).click();
    await until(name, () => fields(page).get("view") !== before);
  }
  await page.mouse.move(...empty);
  const whole = fields(page).get("view");
  await page.mouse.wheel(0, -200);
  await until("the wheel", () => fields(page).get("view") !== whole);
  await page.getByText("moves the map").click();
  const zoomed = fields(page).get("view");
  await page.mouse.move(...empty);
  await page.mouse.down();
  await page.mouse.move(empty[0] + 60, empty[1] - 30, { steps: 4 });
  await page.mouse.up();
  await until("moved", () => fields(page).get("view") !== zoomed);
  await page.getByLabel("Where does a text lie?").fill("we like the small song");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await until("one's own text", async () => (await said.textContent()).includes("Your text"));
  await page.getByRole("button", { name: "Write for the empty places" }).click();
  await until("new texts", async () => (await said.textContent()).includes("Written for the empty places"));
}

export async function search({ page, view, asked }) {
  await view("search");
  const hits = page.locator("ol.hits > li");
  await until("ten hits", async () => (await hits.count()) === 10);
  await page.getByLabel("How many").fill("3");
  await until("three hits", async () => (await hits.count()) === 3);
  await page.getByLabel("Text", { exact: true }).fill("we like the small song");
  await until("the query", () => asked("/v1/search").queries[0] === "we like the small song");
  const { hits: rows } = JSON.parse(await saved(page, "JSON"));
  assert.ok(rows[0].distance <= rows[1].distance);
  await page.getByRole("button", { name: "Another example" }).click();
  await until("another example", () => fields(page).get("query") !== "we like the small song");
}

export async function score({ page, view }) {
  await view("score");
  const scores = page.locator("ol.scores > li");
  await until("three texts", async () => (await scores.count()) === 3);
  await page.getByLabel("Texts, one a line").fill("we like the song\nsong the like we zzzz qqqq");
  await until("two texts", async () => (await scores.count()) === 2);
  assert.ok((await scores.first().locator("[data-odd]").count()) > 3);
  assert.ok((await scores.locator("[data-odd='3'], [data-odd='4'], [data-odd='5']").count()) >= 1);
  const { scores: all } = JSON.parse(await saved(page, "JSON"));
  assert.ok(all.length === 2 && all[1].tokens.length > 3);
  await page.getByRole("button", { name: "Another example" }).click();
  await until("three again", async () => (await scores.count()) === 3);
}

export async function groups({ page, view, asked }) {
  await view("groups");
  const found = page.locator("ol.clusters > li");
  await until("groups", async () => (await found.count()) > 1);
  await page.getByLabel("How many").fill("3");
  await until("three groups", async () => (await found.count()) === 3);
  await page.getByRole("button", { name: "Other first centres" }).click();
  await until("another seed", () => asked("/v1/cluster").seed === 2 && asked("/v1/cluster").k === 3);
  const { clusters, assigned } = JSON.parse(await saved(page, "JSON"));
  assert.ok(clusters.length === 3 && assigned.length === 240);
  await page.getByText("Only dense ones").click();
  await page.getByLabel("At least so many texts").fill("4");
  await until("dense ones", () => asked("/v1/cluster").density === 4 && fields(page).get("show") === "density");
}

export async function copies({ page, view, asked }) {
  await view("copies");
  await page.locator("figure.chart path.line").waitFor();
  await until("what was found", async () => /texts would go/.test(await page.getByRole("status").textContent()));
  const knob = page.getByRole("slider", { name: "Distance" });
  await knob.fill(await knob.getAttribute("max"));
  await until("the threshold", () => asked("/v1/dedup").threshold > 0);
  await until("groups", async () => (await page.locator("ol.group").count()) > 0);
  const { groups: all, removed } = JSON.parse(await saved(page, "JSON"));
  assert.equal(removed, all.reduce((sum, group) => sum + group.length - 1, 0));
  assert.match(await saved(page, "CSV"), /^group,stays,row,text,label\n1,true,/);
}

export async function teach({ page, view, asked }) {
  await view("teach");
  // The labels of the served texts.
  await until("a table", async () => (await page.locator("tbody tr").count()) >= 2);
  const labels = await page.locator("tbody th").allTextContents();
  await page.getByLabel("Texts, one a line").fill("we like the song\nmy aunt will praise the songs");
  const texts = page.locator("ol.texts > li");
  await until("two labels", async () => (await texts.count()) === 2 && labels.some((label) => asked("/v1/classify").texts.length === 2 && label));
  await page.getByLabel("Rewrite towards").selectOption(labels[1]);
  await until("rewritten", async () => (await texts.first().textContent()).includes("→"));
  const { classifier, directions, texts: rows } = JSON.parse(await saved(page, "JSON"));
  assert.ok(classifier && directions && rows[1].toward === labels[1] && labels.includes(rows[0].label));
  for (const what of ["classifier", "directions"]) {
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: `Save the ${what}` }).click()]);
    assert.equal(file.suggestedFilename(), `strait-${what}.json`);
  }
  // Examples of one's own.
  await page.getByText("Examples of my own").click();
  await until("how many are wanted", async () => (await page.locator(".hint").textContent()).includes("At least 3"));
  await page.getByLabel("One label").fill("songs");
  await page.getByLabel("The other label").fill("soups");
  await page.getByLabel("Its examples, one a line").fill("we like the song\nwe sing a song\nthe songs are fair\na song\nmy song was long");
  await page.getByLabel("The other’s examples, one a line").fill("we like the soup\nwe eat a soup\nthe soups are cold\na soup\nmy soup was hot");
  await until("the new labels", async () => (await page.locator("tbody th").allTextContents()).join() === "songs,soups");
  await until("labelled anew", async () => (await texts.count()) === 2 && /songs|soups/.test(await texts.first().textContent()));
}

export async function audit({ page, view, asked }) {
  await view("audit?n=20");
  const rows = page.locator("tbody tr");
  await until("a table", async () => (await rows.count()) === 6);
  await page.getByLabel("Texts to draw").fill("10");
  await until("ten texts", async () => asked("/v1/audit").n === 10 && (await rows.first().textContent()) === "Texts10");
  await page.getByLabel("Seed").fill("5");
  await page.getByRole("button", { name: "Draw others" }).click();
  await until("another seed", () => asked("/v1/audit").seed === 6);
  await page.getByLabel("Real texts that it was not trained on").fill("we like the song\nsomething else");
  await until("real texts", async () => (await page.locator("thead th").count()) === 2);
  const { generated, held_out: real } = JSON.parse(await saved(page, "JSON"));
  assert.ok(generated.n <= 10 && real.n === 2);
}

export async function train({ page, view }) {
  await view("train");
  const live = page.getByText("Running: ");
  await live.waitFor();
  const events = process.env.STRAIT_PAGE_EVENTS;
  if (events) {
    // What the training writes now is on the page soon.
    appendFileSync(events, `${JSON.stringify({ event: "step", step: 777, steps: 1000, epoch: 1, bits_per_byte: 1.5, rate: 0.001, gradient_norm: 1, tokens_per_second: 5, figures: {}, seconds: 9, seconds_left: 4 })}\n`);
    await until("the new step", async () => (await page.locator("dl.facts").textContent()).includes("777 / 1,000"));
    assert.match(await live.textContent(), /78 % done/);
  }
  await until("curves", async () => (await page.locator("figure.chart path.line").count()) >= 3);
  await page.locator(".plot").first().hover();
  await until("values under the pointer", async () => (await page.locator(".cross").first().getAttribute("visibility")) === "visible");
  const names = await page.getByLabel("Training", { exact: true }).locator("option").allTextContents();
  const finished = names.find((name) => name.endsWith("finished"));
  await page.getByLabel("Training", { exact: true }).selectOption({ label: finished });
  await until("the run", () => fields(page).get("run"));
  const moment = page.getByRole("slider", { name: "Moment" });
  await moment.waitFor();
  await moment.fill("0");
  await until("the first look", () => fields(page).get("look") === "0");
  assert.ok((await page.locator(".looked li").count()) > 2);
  assert.match(await saved(page, "CSV"), /^event,step,/);
  await page.getByText("Report", { exact: true }).click();
  await until("the report", async () => (await page.frames()[1]?.locator("h1").count()) === 1);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save report.html" }).click()]);
  assert.ok(download.suggestedFilename().endsWith("report.html"));
  await page.getByText("Curves", { exact: true }).click();
  await until("curves again", async () => (await page.locator("figure.chart path.line").count()) >= 3);
}

export async function info({ page, view }) {
  await view("info");
  assert.ok((await page.locator("dl.facts div").count()) > 8);
  assert.match(await saved(page, "TXT"), /name: /);
  for (const path of ["/docs", "/openapi.json", "/metrics", "/info"]) assert.equal(await page.locator(`main a[href="${path}"]`).count(), 1);
}
