// The texts on the way from one text to another.

import { button, choice, decodingControls, decodingFields, decodingOf, passage, slider } from "../controls.js";
import { h } from "../dom.js";
import { examples, fresh } from "../examples.js";
import { number, t } from "../language.js";
import { changed, item } from "../texts.js";

export const fields = { a: "", b: "", steps: 7, path: "straight", ...decodingFields };

export function open(page) {
  const list = h("ol", { class: "way" });
  const work = page.again(async (signal) => {
    const { a, b, steps, path } = page.state;
    if (!a.trim() || !b.trim()) { list.replaceChildren(); page.offers(null); return; }
    const way = await page.post("/v1/interpolate", { a, b, steps, path, ...decodingOf(page.state) }, signal);
    list.replaceChildren(...way.texts.map((words, i) => item(page, words, {
      shown: i ? changed(words, way.texts[i - 1]) : undefined, before: h("small", { class: "place" }, number(way.t[i], 2)),
    })));
    page.say(t("interpolate.done", { n: way.texts.length }));
    page.offers({ rows: way.texts.map((text, i) => ({ t: way.t[i], text })), whole: { a, b, path, ...way } });
  });
  const change = (changes) => { page.set(changes); work.later(); };
  const box = h("div", { class: "ends-of-way" });
  const write = () => box.replaceChildren(...["a", "b"].map((end) => passage({
    label: t(`interpolate.${end}`), value: page.state[end], placeholder: t("write"), rows: 2, change: (text) => change({ [end]: text }),
  })));
  const others = (seed) => page.during(async () => {
    const [a, b] = await examples(page, 2, seed, page.leaving.signal);
    page.set({ a: page.state.a && seed === 1 ? page.state.a : a, b });
    write();
    work.now();
  });
  const paths = ["straight", "spherical", ...(page.model.texts ? ["manifold"] : [])];
  page.body.append(box,
    h("div", { class: "fields" },
      slider({ label: t("interpolate.steps"), value: page.state.steps, min: 2, max: 25, step: 1, change: (steps) => change({ steps }) }),
      choice({ label: t("interpolate.path"), value: page.state.path, options: paths.map((path) => [path, t(`interpolate.${path}`)]), change: (path) => change({ path }) })),
    h("div", { class: "row" },
      button(t("interpolate.swap"), () => { page.set({ a: page.state.b, b: page.state.a }); write(); work.now(); }),
      button(t("example"), () => others(fresh()))),
    page.status, list, decodingControls(page.state, page.facts.decoding, change));
  write();
  if (page.state.a && page.state.b) work.now();
  else others(1);
}
