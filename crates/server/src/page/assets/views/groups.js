// The served texts in groups: what each is about, and which texts are in it.

import { button, choice, figure } from "../controls.js";
import { fill, h } from "../dom.js";
import { number, t } from "../language.js";
import { item, text as plain } from "../texts.js";

export const fields = { k: "", density: "", show: "means", seed: 1 };

const SHOWN = 3;

export function open(page) {
  const board = h("ol", { class: "clusters" });
  const work = page.again(async (signal) => {
    const { show, k, density, seed } = page.state;
    const how = show === "density" ? { density: Number(density || 5) } : { ...(k !== "" && { k: Number(k) }), seed };
    const found = await page.post("/v1/cluster", { ...how, examples: SHOWN }, signal);
    fill(board, found.clusters.map((group, i) => h("li", {},
      h("h2", {}, t("groups.group", { n: i + 1 }), " ", h("small", { class: "tag" }, t("groups.size", { n: group.size }))),
      h("p", { class: "reading" }, group.words.join(" · ")),
      h("ol", { class: "texts" }, group.examples.map((row) => item(page, row.text, { shown: plain(row.text) }))))));
    const alone = found.assigned.filter((group) => group === null).length;
    page.say([
      t("groups.done", { n: found.clusters.length }),
      found.silhouette !== null && found.silhouette !== undefined && t("groups.silhouette", { s: number(found.silhouette, 2) }),
      alone > 0 && t("groups.alone", { n: alone }),
    ].filter(Boolean).join(" "));
    const rows = found.clusters.flatMap((group, i) => group.examples.map(({ row, text, label }) => ({ group: i + 1, size: group.size, words: group.words.join(" "), row, text, label })));
    page.offers({ rows, whole: found });
  });
  const change = (changes) => { page.set(changes); work.later(); };
  const form = h("div", { class: "fields" });
  const write = () => fill(form,
    choice({ label: t("groups.how"), value: page.state.show, options: [["means", t("groups.means")], ["density", t("groups.density")]], change: (show) => { page.set({ show }); write(); work.now(); } }),
    page.state.show === "density"
      ? figure({ label: t("groups.least"), value: page.state.density, min: 2, placeholder: "5", change: (density) => change({ density }) })
      : figure({ label: t("groups.k"), value: page.state.k, min: 1, placeholder: t("groups.best"), change: (k) => change({ k }) }));
  page.body.append(form, h("div", { class: "row" }, button(t("groups.again"), () => change({ seed: page.state.seed + 1 }))), page.status, board);
  write();
  work.now();
}
