// Texts near a text.

import { button, decodingControls, decodingFields, decodingOf, figure, passage, slider } from "../controls.js";
import { h } from "../dom.js";
import { examples, fresh } from "../examples.js";
import { number, t } from "../language.js";
import { changed, item } from "../texts.js";

export const fields = { text: "", n: 6, distance: 0.3, seed: 1, ...decodingFields };

export function open(page) {
  const list = h("ol", { class: "texts" });
  const work = page.again(async (signal) => {
    const { text, n, distance, seed } = page.state;
    if (!text.trim()) { list.replaceChildren(); page.offers(null); return; }
    const made = await page.post("/v1/vary", { text, n, distance, seed, ...decodingOf(page.state) }, signal);
    list.replaceChildren(...made.texts.map((words) => item(page, words, { shown: changed(words, text) })));
    page.say(t("vary.done", { n: made.texts.length }));
    page.offers({ rows: made.texts.map((words) => ({ source: text, distance, text: words })) });
  });
  const change = (changes) => { page.set(changes); work.later(); };
  const box = h("div", {});
  const write = () => box.replaceChildren(passage({ label: t("text"), value: page.state.text, placeholder: t("write"), rows: 2, change: (text) => change({ text }) }));
  const another = (seed) => page.during(async () => {
    const [text] = await examples(page, 1, seed, page.leaving.signal);
    page.set({ text });
    write();
    work.now();
  });
  page.body.append(box,
    h("div", { class: "fields" },
      slider({ label: t("vary.distance"), value: page.state.distance, min: 0, max: 1.5, step: 0.05, shown: (v) => number(v, 2), change: (distance) => change({ distance }),
        ends: [t("vary.near"), t("vary.far")] }),
      figure({ label: t("sample.n"), value: page.state.n, min: 1, max: page.info.limits.n, change: (v) => v !== "" && change({ n: Number(v) }) })),
    h("div", { class: "row" },
      button(t("sample.others"), () => { page.set({ seed: page.state.seed + 1 }); work.now(); }, { primary: true }),
      button(t("example"), () => another(fresh()))),
    page.status, list, decodingControls(page.state, page.facts.decoding, change));
  write();
  if (page.state.text) work.now();
  else another(1);
}
