// The page's modules that need no browser.

import assert from "node:assert/strict";

const of = (name) => import(new URL(`../../../server/src/page/assets/${name}`, import.meta.url));
const { compare, joinBytes } = await of("words.js");
const { address, typed, unusual } = await of("address.js");
const { csv, written } = await of("download.js");

const marked = (text, other) => compare(text, other).map(({ text: part, kept }) => (kept ? part : `[${part}]`)).join("");
assert.equal(marked("we like the song", "we like the song"), "we like the song");
assert.equal(marked("we really like a small song.", "we like the song."), "we [really] like [a small] song.");
assert.equal(marked("我们很喜欢这支歌", "我们喜欢那支歌").replace(/[[\]]/g, ""), "我们很喜欢这支歌");
assert.equal(marked("new words", ""), "[new words]");
assert.equal(marked("", "old"), "");
// Letters come back as they were, whatever they are.
for (const text of ["  two  spaces ", "a\tb", "🙂 ok", "e\u0301t\u00e9"]) assert.equal(compare(text, "ok b").map((part) => part.text).join(""), text);

assert.deepEqual(joinBytes([["a ", 1], ["<0xE5><0xB7>", 3], ["<0xA5>", 3], ["的<0xE5>", 1], ["<0xB7><0xA5>b", 4]]), [["a ", 1], ["工", 6], ["的工b", 5]]);
assert.deepEqual(joinBytes([["a<0xE5>", 1], ["<0x8F>", 2]]), [["a\ufffd", 3]]);

const usual = { text: "", n: 8, stream: false, temperature: "" };
assert.deepEqual(typed({ text: "a&b", n: "3", other: "x", stream: "true" }, usual), { text: "a&b", n: 3, stream: true, temperature: "" });
assert.deepEqual(typed({ n: "many", temperature: "0" }, usual), { ...usual, temperature: "0" });
assert.deepEqual(unusual({ ...usual, n: 9 }, usual), { n: 9 });
const to = address("sample", { text: "a&b=c #1 中", n: 0, empty: "" });
assert.deepEqual(Object.fromEntries(new URLSearchParams(to.split("?")[1])), { text: "a&b=c #1 中", n: "0" });
assert.equal(address("info"), "#/info");

assert.equal(csv([{ a: 'say "x", y', b: 1 }, { a: "two\nlines", c: [1, 2] }]), 'a,b,c\n"say ""x"", y",1,\n"two\nlines",,"[1,2]"\n');
assert.equal(written("txt", { rows: [{ text: "a" }, { text: "b" }] }), "a\nb\n");
assert.deepEqual(JSON.parse(written("json", { rows: [1], whole: { w: 2 } })), { w: 2 });

const { leaveOut, parts, shuffled } = await of("gaps.js");
assert.deepEqual(parts("One. [...] Two.\n[…]\n"), ["One.", "Two.", ""]);
const story = "It was. “It is!” Then 3.5 more";
for (const [from, to, left] of [[0, 0, `[...]\n${story}`], [2, 2, "It was.\n[...]\n“It is!” Then 3.5 more"], [8, 8, "It was.\n[...]\n“It is!” Then 3.5 more"],
  [10, 10, "It was. “It is!”\n[...]\nThen 3.5 more"], [8, 16, "It was.\n[...]\nThen 3.5 more"], [30, 30, `${story}\n[...]`]]) assert.equal(leaveOut(story, from, to), left, `${from}`);
assert.equal(leaveOut("一。二。\n[...]\n三。", 1, 1), "一。\n[...]\n二。\n三。");
assert.equal(leaveOut("", 0, 0), "[...]");
for (let i = 0; i < 20; i += 1) assert.notDeepEqual(shuffled([1, 2, 3]), [1, 2, 3]);
assert.deepEqual(shuffled([1, 2, 3, 4, 5]).toSorted(), [1, 2, 3, 4, 5]);
globalThis.localStorage = { getItem: () => "en" };
const { t } = await of("language.js");
assert.deepEqual([0, 1, 2, "1"].map((n) => t("sample.done", { n })), ["0 texts.", "1 text.", "2 texts.", "1 text."]);
assert.equal(t("no.such.name"), "no.such.name");
console.log("ok: modules");
