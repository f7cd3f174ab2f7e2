// Near duplicates among the served texts, and what another threshold would do.

import { lines } from "../charts.js";
import { slider } from "../controls.js";
import { fill, h } from "../dom.js";
import { number, t } from "../language.js";
import { changed, text as plain } from "../texts.js";

export const fields = { threshold: "" };

/** Groups that are written out. */
const SHOWN = 200;

export function open(page) {
  const controls = h("div", { class: "fields" }), chart = h("div", { class: "plots" }), list = h("ol", { class: "texts" });
  let knob = null;
  const work = page.again(async (signal) => {
    const given = page.state.threshold;
    const found = await page.post("/v1/dedup", given === "" ? {} : { threshold: Number(given) }, signal);
    const curve = found.curve.filter((point) => Number.isFinite(point.threshold));
    if (!knob) {
      const most = Math.max(...curve.map((point) => point.threshold), found.threshold) || 1;
      knob = slider({ label: t("copies.threshold"), value: found.threshold, min: 0, max: most, step: most / 200, shown: (v) => number(v, 2), change: (v) => { page.set({ threshold: String(v) }); work.later(); }, ends: [t("copies.same"), t("copies.far")] });
      fill(controls, knob);
    }
    fill(chart, lines({ title: t("copies.curve"), lines: [{ name: t("copies.removed"), points: curve.map((point) => [point.threshold, point.removed]) }], across: t("copies.threshold"), chosen: found.threshold, from: 0 }));
    fill(list, found.groups.slice(0, SHOWN).map((group) => h("li", {}, h("ol", { class: "said group" },
      group.map((row, i) => h("li", {}, i ? changed(row.text, group[0].text) : plain(row.text), row.label && h("small", { class: "tag" }, row.label)))))));
    const chosen = given === "" && found.suggested !== null ? t("copies.chosen") : "";
    page.say([t("copies.done", { groups: found.groups.length, removed: found.removed, texts: found.texts }), chosen, found.groups.length > SHOWN && t("copies.shown", { n: SHOWN })].filter(Boolean).join(" "));
    page.offers({ rows: found.groups.flatMap((group, i) => group.map(({ row, text, label }, j) => ({ group: i + 1, stays: j === 0, row, text, label }))), whole: found });
  });
  page.body.append(controls, chart, page.status, list);
  work.now();
}
