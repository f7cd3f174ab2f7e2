// How much of the served texts the model's own texts give back.

import { button, figure, passage } from "../controls.js";
import { fill, h } from "../dom.js";
import { number, t } from "../language.js";
import { changed, text as plain } from "../texts.js";

export const fields = { n: 200, seed: 1, real: "" };

export function open(page) {
  const table = h("div", { class: "scroll" }), list = h("ol", { class: "texts" });
  const work = page.again(async (signal) => {
    const { n, seed, real } = page.state;
    const heldOut = real.split("\n").map((text) => text.trim()).filter(Boolean);
    const found = await page.post("/v1/audit", { n, seed, ...(heldOut.length && { held_out: heldOut }) }, signal);
    const columns = [["audit.generated", found.generated], ...(found.held_out ? [["audit.real", found.held_out]] : [])];
    const measures = [
      ["audit.texts", (of) => of.n], ["audit.copied", (of) => percent(of.copied)], ["audit.near", (of) => percent(of.near_copied)],
      ["audit.longest", (of) => number(of.longest_mean, 1)], ["audit.most", (of) => of.longest_max], ["audit.share", (of) => percent(of.longest_share)],
    ];
    fill(table, h("table", {},
      h("thead", {}, h("tr", {}, h("td", {}), columns.map(([name]) => h("th", { scope: "col", class: "number" }, t(name))))),
      h("tbody", {}, measures.map(([name, measure]) => h("tr", {}, h("th", { scope: "row" }, t(name)), columns.map(([, of]) => h("td", { class: "number" }, measure(of))))))));
    fill(list, found.worst.map((copy) => h("li", {}, h("div", { class: "said" }, plain(copy.text),
      h("p", { class: "note" }, copy.edits ? [t("audit.edits", { n: copy.edits }), " ", changed(copy.nearest, copy.text)] : t("audit.same"))))));
    page.say(t("audit.done", { n: found.generated.n, train: found.train }));
    page.offers({ rows: found.worst, whole: found });
  });
  const change = (changes) => { page.set(changes); work.later(); };
  const seed = figure({ label: t("seed"), value: page.state.seed, min: 0, change: (v) => v !== "" && change({ seed: Number(v) }) });
  const others = () => {
    change({ seed: page.state.seed + 1 });
    seed.querySelector("input").value = page.state.seed;
  };
  page.body.append(
    h("div", { class: "fields" },
      figure({ label: t("audit.n"), value: page.state.n, min: 1, max: page.info.limits.n, change: (v) => v !== "" && change({ n: Number(v) }) }), seed),
    passage({ label: t("audit.held"), value: page.state.real, placeholder: t("audit.held.how"), rows: 2, change: (real) => change({ real }) }),
    h("div", { class: "row" }, button(t("audit.others"), others)), page.status, table, h("h2", {}, t("audit.worst")), list);
  work.now();
}

const percent = (share) => `${number(100 * share, 1)} %`;
