// Labels taught by examples: what the classifier and the directions learned from them are worth, and what they say of,
// and make of, other texts.

import { button, choice, line, passage, select } from "../controls.js";
import { fill, h } from "../dom.js";
import { save } from "../download.js";
import { number, t } from "../language.js";
import { changed, item, text as plain } from "../texts.js";

export const fields = { from: "", a: "", ax: "", b: "", bx: "", texts: "", toward: "" };

/** Fewest examples of a label for a classifier, and for directions. */
const FEW = 3, SIDE = 5;
const FOLDS = 5, SHUFFLES = 100;

const each = (texts) => texts.split("\n").map((text) => text.trim()).filter(Boolean);

export function open(page) {
  const labelled = (page.model.texts?.labels ?? []).length > 1;
  const served = () => (page.state.from || (labelled ? "served" : "examples")) === "served";
  let learned = null;
  const form = h("div", {}), report = h("div", {}), asked = h("div", {}), list = h("ol", { class: "texts" });

  /** What the labels are learned from, as a request has it; null where there are too few examples. */
  const source = () => {
    if (served()) return { given: {}, least: Infinity };
    const { a, ax, b, bx } = page.state;
    const examples = { [a.trim() || t("teach.one")]: each(ax), [b.trim() || t("teach.other")]: each(bx) };
    const least = Math.min(...Object.values(examples).map((texts) => texts.length));
    return Object.keys(examples).length === 2 && least >= FEW ? { given: { examples }, least } : null;
  };
  const learn = page.again(async (signal) => {
    const from = source();
    learned = null;
    page.offers(null);
    fill(asked);
    fill(list);
    if (!from) { fill(report, h("p", { class: "hint" }, t("teach.few", { n: FEW, side: SIDE }))); return; }
    const folds = Math.min(FOLDS, from.least);
    const [classifier, directions] = await Promise.all([
      page.post("/v1/classify/learn", { ...from.given, folds, shuffles: SHUFFLES }, signal),
      from.least >= SIDE ? page.post("/v1/directions/learn", from.given, signal) : null,
    ]);
    learned = { classifier: classifier.classifier, report: classifier.report, directions: directions?.directions ?? null, reports: directions?.reports ?? [] };
    page.offers({ rows: learned.report.each, lines: learned.report.labels, whole: learned });
    show();
    apply.now();
  });
  const show = () => {
    const { report: found, reports } = learned;
    const auc = (label) => reports.find((one) => one.label === label)?.auc;
    fill(report,
      h("p", { class: "reading" }, t("teach.accuracy", { p: number(100 * found.accuracy, 1), most: number(100 * found.majority, 1), n: found.texts }), " ",
        found.p_value !== null && found.p_value !== undefined && h("span", { class: "note" }, t("teach.luck", { p: number(found.p_value, 3) }))),
      h("div", { class: "scroll" }, h("table", {},
        h("thead", {}, h("tr", {}, ["label", "texts", "precision", "recall", "f1", "auc"].map((name) => h("th", { scope: "col", class: name === "label" ? null : "number" }, t(`teach.${name}`))))),
        h("tbody", {}, found.each.map((row) => h("tr", {}, h("th", { scope: "row" }, row.label), h("td", { class: "number" }, row.texts),
          [row.precision, row.recall, row.f1, auc(row.label)].map((v) => h("td", { class: "number" }, v === undefined ? "–" : number(v, 2)))))))),
      h("div", { class: "row" }, button(t("teach.save.classifier"), () => save("strait-classifier", "json", { whole: learned.classifier })),
        learned.directions && button(t("teach.save.directions"), () => save("strait-directions", "json", { whole: learned.directions }))));
    const toward = ["", ...found.labels];
    if (!toward.includes(page.state.toward)) page.set({ toward: "" });
    fill(asked, h("h2", {}, t("teach.use")),
      passage({ label: t("score.texts"), value: page.state.texts, placeholder: t("write"), rows: 3, change: (texts) => { page.set({ texts }); apply.later(); } }),
      learned.directions && h("div", { class: "fields" }, select({ label: t("teach.toward"), value: page.state.toward, options: toward.map((label) => [label, label || t("teach.only")]), change: (label) => { page.set({ toward: label }); apply.now(); } })));
  };
  const apply = page.again(async (signal) => {
    const texts = each(page.state.texts);
    if (!learned || !texts.length) { fill(list); return; }
    const { toward } = page.state;
    const [{ predictions }, steered] = await Promise.all([
      page.post("/v1/classify", { texts, by: learned.classifier }, signal),
      toward && learned.directions ? page.post("/v1/steer", { texts, toward, by: learned.directions }, signal) : null,
    ]);
    fill(list, texts.map((text, i) => item(page, text, {
      shown: [plain(text), h("small", { class: "tag" }, `${predictions[i].label} ${number(predictions[i].probability, 2)}`), steered && h("p", { class: "note" }, "→ ", changed(steered.edits[i].text, text), " ", h("small", { class: "tag" }, `${toward} ${number(steered.edits[i].probability, 2)}`))],
    })));
    const row = (text, i) => ({ text, label: predictions[i].label, probability: predictions[i].probability, ...(steered && { toward, steered: steered.edits[i].text, steered_probability: steered.edits[i].probability }) });
    page.offers({ rows: texts.map(row), whole: { ...learned, texts: texts.map(row) } });
  });
  const write = () => fill(form,
    labelled && choice({ label: t("teach.from"), value: served() ? "served" : "examples", options: [["served", t("teach.served")], ["examples", t("teach.examples")]], change: (from) => { page.set({ from }); write(); learn.now(); } }),
    !served() && h("div", { class: "ends-of-way" }, [["a", "teach.one"], ["b", "teach.other"]].map(([side, name]) => h("div", {},
      line({ label: t(name), value: page.state[side], placeholder: t(name), change: (value) => { page.set({ [side]: value }); learn.later(); } }),
      passage({ label: t(`${name}.examples`), value: page.state[`${side}x`], placeholder: t("teach.write"), rows: 6, change: (value) => { page.set({ [`${side}x`]: value }); learn.later(); } })))));
  page.body.append(form, page.status, report, asked, list);
  write();
  learn.now();
}
