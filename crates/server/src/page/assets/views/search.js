// The neighbours of a text among the served texts.

import { button, figure, passage } from "../controls.js";
import { h } from "../dom.js";
import { examples, fresh } from "../examples.js";
import { number, t } from "../language.js";
import { item } from "../texts.js";

export const fields = { query: "", k: 10 };

export function open(page) {
  const list = h("ol", { class: "hits" });
  const work = page.again(async (signal) => {
    const { query, k } = page.state;
    if (!query.trim()) { list.replaceChildren(); page.offers(null); return; }
    const { hits: [hits] } = await page.post("/v1/search", { queries: [query], k }, signal);
    list.replaceChildren(...hits.map((hit) => item(page, hit.text, {
      before: measure(hit.cosine), after: hit.label && h("small", { class: "tag" }, hit.label),
    })));
    page.say(t("search.done", { n: hits.length }));
    page.offers({ rows: hits.map(({ row, text, label, distance, cosine }) => ({ row, text, label, distance, cosine })), whole: { query, hits } });
  });
  const change = (changes) => { page.set(changes); work.later(); };
  const box = h("div", {});
  const write = () => box.replaceChildren(passage({ label: t("text"), value: page.state.query, placeholder: t("write"), rows: 2, change: (query) => change({ query }) }));
  const another = (seed) => page.during(async () => {
    const [query] = await examples(page, 1, seed, page.leaving.signal);
    page.set({ query });
    write();
    work.now();
  });
  page.body.append(box,
    h("div", { class: "fields" }, figure({ label: t("search.k"), value: page.state.k, min: 1, max: page.info.limits.n, change: (v) => v !== "" && change({ k: Number(v) }) })),
    h("div", { class: "row" }, button(t("example"), () => another(fresh()))), page.status, list);
  write();
  if (page.state.query) work.now();
  else another(1);
}

/** How near, as a short bar and a number. */
function measure(cosine) {
  const bar = h("i", {});
  bar.style.setProperty("--part", `${Math.max(0, cosine) * 100}%`);
  return h("span", { class: "near", title: t("search.cosine") }, bar, h("small", {}, number(cosine, 2)));
}
