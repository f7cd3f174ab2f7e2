// Sliders along the directions of the latent space: the text follows while they move.

import { button, decodingControls, decodingFields, decodingOf, passage, select, slider } from "../controls.js";
import { fill, h } from "../dom.js";
import { examples, fresh } from "../examples.js";
import { number, t } from "../language.js";
import { changed, onward, text as plain } from "../texts.js";

export const fields = { text: "", p: "", l: "", by: "", ...decodingFields };

/** Principal sliders that are there at first. */
const FEW = 6;
const REMEMBERED = 12;

const amounts = (given) => given.split(",").map((v) => Number(v) || 0);
const strengths = (given) => Object.fromEntries(given.split(";").filter(Boolean).map((pair) => {
  const [label, strength] = pair.split(":").map(decodeURIComponent);
  return [label, Number(strength) || 0];
}));

export function open(page) {
  let axes = null, sliders = [], whole = false, origin = "";
  const trail = [];
  const sets = page.model.directions ?? [];
  const by = () => (page.state.by || sets[0] ? { by: page.state.by || sets[0] } : {});
  const at = () => ({ principal: amounts(page.state.p), labels: strengths(page.state.l) });
  const result = h("div", { class: "back" });
  const board = h("div", { class: "board" });
  const passed = h("ol", { class: "texts", reversed: true });

  const show = (made) => {
    const [words] = made.texts;
    const { principal, labels } = at();
    const still = ![...principal, ...Object.values(labels)].some(Boolean);
    if (still) origin = words;
    result.replaceChildren(
      h("h2", { class: "label" }, still ? t("steer.start") : t("steer.now")),
      h("p", { class: "reading", "aria-live": "polite" }, still ? plain(words) : changed(words, origin || words)),
      h("p", { class: "note" }, !still && t("steer.distance", { d: number(made.distance, 2) }), " ", onward(page, words)));
    // A move that left the text as it was takes the place of the one before.
    if (trail[0]?.text === words) trail.shift();
    trail.unshift({ principal, labels, distance: made.distance, text: words });
    trail.length = Math.min(trail.length, REMEMBERED);
    passed.replaceChildren(...trail.slice(1).map((row) => h("li", {}, plain(row.text))));
    passed.parentElement.hidden = trail.length < 2;
    page.offers({ rows: trail.map(({ principal: p, labels: l, distance, text }) => ({ principal: p.join(" "), labels: JSON.stringify(l), distance, text })), whole: { from: page.state.text, trail, latent: made.latent } });
  };
  const ask = async (signal, where) => {
    if (!page.state.text.trim()) return null;
    const { principal, labels } = where;
    const given = Object.fromEntries(Object.entries(labels).filter(([, v]) => v));
    return page.post("/v1/move", { text: page.state.text, principal: axes ? principal.slice(0, axes.principal.length) : principal, labels: given, ...(Object.keys(given).length && by()), ...decodingOf(page.state) }, signal);
  };
  const move = page.follow(async (signal) => { const made = await ask(signal, at()); if (made) show(made); });

  const set = (kind, key, value) => {
    if (kind === "p") {
      const all = amounts(page.state.p);
      while (all.length <= key) all.push(0);
      all[key] = value;
      while (all.length && !all.at(-1)) all.pop();
      page.set({ p: all.join(",") });
    } else {
      const all = { ...strengths(page.state.l), [key]: value };
      page.set({ l: Object.entries(all).filter(([, v]) => v).map(([label, v]) => `${encodeURIComponent(label)}:${v}`).join(";") });
    }
    move();
  };
  const signed = (v) => (v > 0 ? "+" : "") + number(v, 1);
  const build = () => {
    const { principal, labels } = at();
    const shown = whole ? axes.principal : axes.principal.slice(0, FEW);
    const labelled = axes.labels.map((axis) => slider({
      label: axis.label, value: labels[axis.label] ?? 0, min: -2, max: 2, step: 0.1, shown: signed, change: (v) => set("l", axis.label, v),
      ends: [t("steer.away"), t("steer.toward", { label: axis.label })],
    }));
    const along = shown.map((axis, i) => slider({
      label: t("steer.direction", { n: i + 1, share: number(axis.share * 100, 0) }), value: principal[i] ?? 0, min: -3, max: 3, step: 0.1, shown: signed,
      change: (v) => set("p", i, v), ends: [axis.low[0] ?? "", axis.high[0] ?? ""],
    }));
    sliders = [...labelled, ...along];
    fill(board,
      labelled.length ? h("section", {}, h("h2", {}, t("steer.labelled")),
        sets.length > 1 && select({ label: t("steer.set"), value: page.state.by || sets[0], options: sets.map((name) => [name, name]), change: (name) => { page.set({ by: name, l: "" }); start.now(); } }),
        h("div", { class: "sliders" }, labelled)) : h("p", { class: "hint" }, t("steer.unlabelled")),
      h("section", {}, h("h2", {}, t("steer.principal")), h("p", { class: "note" }, t(`steer.of.${axes.of}`)), h("div", { class: "sliders" }, along),
        axes.principal.length > FEW && h("div", { class: "row" }, button(whole ? t("fewer") : t("steer.all", { n: axes.principal.length }), () => { whole = !whole; build(); }))));
  };
  const start = page.again(async (signal) => {
    if (!page.state.text.trim()) { result.replaceChildren(); page.offers(null); return; }
    trail.length = 0;
    axes ??= await page.post("/v1/axes", by(), signal);
    build();
    // What it is without any move, to mark what a move changed.
    const still = await ask(signal, { principal: [], labels: {} });
    [origin] = still.texts;
    if (page.state.p || page.state.l) show(await ask(signal, at()));
    else show(still);
  });
  const box = h("div", {});
  const write = () => box.replaceChildren(passage({ label: t("text"), value: page.state.text, placeholder: t("write"), rows: 2, change: (text) => { page.set({ text }); start.later(); } }));
  const another = (seed) => page.during(async () => {
    const [text] = await examples(page, 1, seed, page.leaving.signal);
    page.set({ text });
    write();
    start.now();
  });
  const reset = () => { page.set({ p: "", l: "" }); sliders.forEach((part) => part.set(0)); move(); };
  page.body.append(box, h("div", { class: "row" }, button(t("steer.reset"), reset), button(t("example"), () => another(fresh()))),
    result, board, h("section", { hidden: true }, h("h2", {}, t("steer.passed")), passed), decodingControls(page.state, page.facts.decoding, (changes) => { page.set(changes); move(); }));
  write();
  if (page.state.text) start.now();
  else another(1);
}
