// The view of document models with every control, as a person with a mouse uses it.

import assert from "node:assert/strict";
import { fields, saved, slide, until } from "./browser.mjs";

const SENTENCES = ["We like the small song.", "My aunt will praise the songs.", "The rain was terrible.", "They sing every week."];

export async function documents({ page, view, asked }) {
  await view("documents");
  const text = page.getByLabel("Your text"), said = page.locator(".status"), lines = page.locator("ol.texts > li");
  const written = () => text.inputValue();
  const choose = (task) => page.getByText(task, { exact: true }).click();
  await until("an example that goes on", async () => (await written()).length > 5 && (await lines.count()) === 5);

  await text.fill(SENTENCES.join(" "));
  await page.getByLabel("Sentences").fill("3");
  await page.getByLabel("Candidates for each").fill("4");
  await page.getByLabel("Seed").fill("7");
  await slide(page, "Spread of the latents", 0.5);
  await page.getByText("How it writes").click();
  await page.getByLabel("Temperature", { exact: true }).fill("0.5");
  await until("three sentences", async () => asked("/v1/document/continue").temperature === 0.5 && (await said.textContent()).startsWith("3 sentences."));
  const { n, candidates, seed, spread, stream, text: sent } = asked("/v1/document/continue");
  assert.deepEqual([n, candidates, seed, spread, stream, sent], [3, 4, 7, 0.5, true, SENTENCES.join(" ")]);
  assert.match(await lines.first().textContent(), /gain .* nats · the document ends here: \d+ %/);
  const { sentences, model, request } = JSON.parse(await saved(page, "JSON"));
  assert.ok(sentences.length === 3 && model === "documents" && request.seed === 7);
  assert.match(await saved(page, "CSV"), /^place,text,gain,repeats,end\n1,/);
  assert.equal(await saved(page, "TXT"), sentences.map((sentence) => `${sentence.text}\n`).join(""));
  await page.getByRole("button", { name: "Write others" }).click();
  await until("another seed", async () => asked("/v1/document/continue").seed === 8 && (await page.getByLabel("Seed").inputValue()) === "8");
  await until("written again", async () => (await said.textContent()).startsWith("3 sentences."));
  await page.getByRole("button", { name: "Add them to the text" }).click();
  await until("a longer text", async () => (await written()).startsWith(`${SENTENCES.join(" ")}\n`) && fields(page).get("text") === (await written()));
  await page.getByLabel("Sentences").fill("200");
  await until("the first of many", async () => asked("/v1/document/continue").n === 200 && (await lines.count()) > 0);
  await page.getByRole("button", { name: "Stop" }).click();
  assert.ok((await lines.count()) < 200);

  // A gap goes behind the sentence in which the cursor is.
  await text.fill(SENTENCES.join(" "));
  await choose("Fill in");
  await until("what is wanted", async () => (await said.textContent()).startsWith("One place [...]"));
  await text.evaluate((area) => area.setSelectionRange(4, 4));
  await page.getByRole("button", { name: "Gap here" }).click();
  const [first, ...others] = SENTENCES;
  await until("a gap", async () => (await written()) === `${first}\n[...]\n${others.join(" ")}`);
  const mark = page.locator(".filled mark");
  await mark.waitFor();
  assert.equal(asked("/v1/document/infill").text, await written());
  const filled = await mark.textContent();
  await page.getByRole("button", { name: "Put it into the text" }).click();
  await until("no gap", async () => (await written()).includes(others[0]) && !(await written()).includes("[...]") && (filled === "nothing" || (await written()).includes(filled)));
  await page.getByRole("button", { name: "Another example" }).click();
  await until("an example with a gap", async () => (await written()).includes("[...]"));

  await text.fill(SENTENCES.join(" "));
  await choose("Order");
  const each = () => lines.locator(".text").allTextContents();
  await until("an order", async () => (await each()).toSorted().join() === SENTENCES.toSorted().join());
  assert.match(await said.textContent(), /^4 sentences, .* of 6 pairs/);
  await page.getByText("A part of one").click();
  await until("a part", () => asked("/v1/document/order").part === true && fields(page).get("part") === "true");
  await page.getByRole("button", { name: "Shuffle the text" }).click();
  await until("another text", async () => (await written()) !== SENTENCES.join(" ") && (await written()).split("\n").toSorted().join() === SENTENCES.toSorted().join());
  await until("its order", async () => asked("/v1/document/order").text === (await written()) && (await page.locator("[aria-busy]").count()) === 0);
  await page.getByRole("button", { name: "Take this order" }).click();
  await until("in order", async () => (await said.textContent()).includes("6 of 6 pairs") && (await written()) === (await each()).join("\n"));
  assert.match(await saved(page, "CSV"), /^place,in_text,text\n1,1,/);

  await choose("Summarise");
  await until("three of four", async () => (await lines.count()) === 3 && (await page.getByText("The middle of all its sentences").count()) === 1);
  await page.getByLabel("Sentences").fill("2");
  await until("two", async () => (await lines.count()) === 2 && asked("/v1/document/summarise").k === 2);
  assert.ok("centre" in JSON.parse(await saved(page, "JSON")));

  // Another model: the text stays. This one takes documents beside.
  assert.equal(await page.getByLabel("Documents beside it").count(), 0);
  await page.getByLabel("Model").selectOption("beside");
  await until("the model", () => fields(page).get("document") === "beside" && asked("/v1/document/summarise").model === "beside");
  await choose("Outline");
  await page.getByText("This model has no plan").waitFor();
  await page.getByLabel("Documents beside it").fill("A song was sung.\n\nIt rained. It was cold.\n \n");
  await page.getByLabel("At most so many sentences").fill("4");
  await until("documents beside", () => asked("/v1/document/outline").given?.length === 2 && asked("/v1/document/outline").n === 4);
  await until("a document", async () => /^\d sentences?/.test(await said.textContent()));
  await page.getByRole("link", { name: "Sample" }).click();
  await until("another view", () => page.url().includes("#/sample"));
  await page.goBack();
  await until("the same again", async () => (await page.getByLabel("Model").inputValue()) === "beside" && (await lines.count()) > 0);
  await until("a document", async () => /^\d sentences?/.test(await said.textContent()));
  await page.getByRole("button", { name: "Go on with this text" }).click();
  await until("its continuation", async () => fields(page).get("task") === null && (await lines.count()) > 0 && asked("/v1/document/continue").model === "beside");
  assert.equal(asked("/v1/document/continue").text, await written());
  await view("documents?text=A+song.&top_p=7");
  await until("why not", async () => (await page.getByRole("alert").textContent()).includes("top_p"));
}
