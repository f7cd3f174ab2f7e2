// A target for what you write, as you write it, and where the model looked.

import { decodingControls, decodingFields, decodingOf, figure, passage } from "../controls.js";
import { h } from "../dom.js";
import { number, t } from "../language.js";
import { text } from "../texts.js";

export const fields = { source: "", n: 1, seed: 1, ...decodingFields };

export function open(page) {
  const targets = h("ol", { class: "texts targets", "aria-label": t("generate.targets") });
  const looked = h("div", { class: "attention-of" });
  const work = page.again(async (signal) => {
    const { source, n, seed } = page.state;
    if (!source.trim()) { targets.replaceChildren(); looked.replaceChildren(); page.say(""); page.offers(null); return; }
    const made = await page.post("/v1/generate", { sources: [source], n, seed, explain: true, ...decodingOf(page.state) }, signal);
    const [rows] = made.targets;
    const show = (chosen) => {
      targets.replaceChildren(...rows.map((row, i) => line(row, i === chosen, rows.length > 1 ? () => show(i) : null)));
      looked.replaceChildren(h("h2", {}, t("generate.looked")), h("p", { class: "note" }, t("generate.looked.how")), picture(rows[chosen].attention));
    };
    show(0);
    page.say(t("generate.done", { n: rows.length }));
    page.offers({
      rows: rows.map((row) => ({ source, target: row.text, log_probability: row.log_probability, finished: row.finished })),
      lines: rows.map((row) => row.text), whole: { source, ...made },
    });
  });
  const change = (changes) => { page.set(changes); work.later(); };
  const whole = (name) => (value) => value !== "" && change({ [name]: Number(value) });
  page.body.append(
    passage({ label: t("generate.source"), value: page.state.source, placeholder: t("generate.write"), rows: 2, change: (source) => change({ source }) }),
    h("div", { class: "fields" },
      figure({ label: t("generate.n"), value: page.state.n, min: 1, max: page.info.limits.beam, change: whole("n") }),
      figure({ label: t("seed"), value: page.state.seed, min: 0, change: whole("seed"), note: t("generate.seed") })),
    targets, page.status, looked,
    decodingControls(page.state, page.facts.decoding, change));
  work.now();
}

/** A target; where there are several, a button that shows where the model looked for it. */
function line(row, chosen, choose) {
  const words = choose ? h("button", { type: "button", class: "text-button", "aria-pressed": String(chosen), onclick: choose }, text(row.text)) : text(row.text);
  return h("li", {}, h("div", { class: "said" }, words, row.finished ? null : h("small", {}, " ", t("cut"))),
    h("small", { class: "tag" }, t("generate.nats", { n: number(-row.log_probability, 1) })));
}

/** The picture: a cell for each pair of tokens, the darker the more it counted. Its numbers are there to be read aloud. */
function picture({ source, written, weights }) {
  const token = (words) => words.trim() || "␣";
  const cell = (weight, i, j) => {
    const share = `${number(100 * weight, 0)} %`;
    const made = h("td", { title: `${token(written[i])} ← ${token(source[j])}: ${share}` }, h("span", { class: "unseen" }, share));
    made.style.setProperty("--w", `${100 * weight}%`);
    return made;
  };
  return h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": t("generate.looked") },
    h("table", { class: "attention" },
      h("caption", { class: "unseen" }, t("generate.looked.how")),
      h("thead", {}, h("tr", {}, h("td", {}), source.map((words) => h("th", { scope: "col" }, h("span", {}, token(words)))))),
      h("tbody", {}, weights.map((row, i) => h("tr", {}, h("th", { scope: "row" }, token(written[i])), row.map((weight, j) => cell(weight, i, j)))))));
}
