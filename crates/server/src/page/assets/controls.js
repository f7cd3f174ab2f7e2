// Parts of forms: each has its label, works by keyboard, and tells its new value to `change`.

import { h, unique } from "./dom.js";
import { t } from "./language.js";

/** A label above a control, perhaps with a note below. */
export function field(label, control, note = null) {
  const id = control.id || unique();
  control.id = id;
  return h("div", { class: "field" }, h("label", { for: id }, label), control, note && h("small", {}, note));
}

/** Text on one line. */
export function line({ label, value, change, placeholder = "", note = null, type = "text" }) {
  const input = h("input", { type, value, placeholder, autocomplete: "off", spellcheck: "false", oninput: () => change(input.value) });
  return field(label, input, note);
}

/** Text on several lines, as large as what it holds. */
export function passage({ label, value, change, placeholder = "", rows = 1, quiet = false }) {
  const area = h("textarea", { rows, placeholder, spellcheck: "false", class: "passage" });
  area.value = value;
  area.addEventListener("input", () => change(area.value));
  const part = field(label, area);
  if (quiet) part.firstChild.classList.add("unseen");
  return part;
}

/** A whole or real number; empty is "as the model does". */
export function figure({ label, value, change, min, max, step = 1, placeholder = "", note = null }) {
  const input = h("input", { type: "number", min, max, step, value: String(value), placeholder, inputmode: "decimal" });
  input.addEventListener("input", () => { if (input.validity.valid) change(input.value); });
  return field(label, input, note);
}

/** A slider with its value beside it; `shown` writes the value. */
export function slider({ label, value, change, min, max, step, shown = String, ends = null }) {
  const id = unique();
  // A slider says its value itself (`aria-valuetext`).
  const output = h("span", { class: "value", "aria-hidden": "true" }, shown(value));
  const input = h("input", { id, type: "range", min, max, step, "aria-valuetext": shown(value) });
  input.value = String(value);
  const paint = () => {
    const now = Number(input.value);
    output.textContent = shown(now);
    input.setAttribute("aria-valuetext", shown(now));
    // The coloured part goes from the lowest value, or from 0 where values are on both sides of it.
    const [from, to] = [Math.max(min, Math.min(0, max)), now].map((v) => (100 * (v - min)) / (max - min)).toSorted((a, b) => a - b);
    input.style.setProperty("--from", `${from}%`);
    input.style.setProperty("--to", `${to}%`);
  };
  input.addEventListener("input", () => { paint(); change(Number(input.value)); });
  paint();
  const part = h("div", { class: "field slider" }, h("label", { for: id }, label), output, input,
    ends && h("div", { class: "ends", "aria-hidden": "true" }, h("span", {}, ends[0]), h("span", {}, ends[1])));
  part.set = (now) => { input.value = String(now); paint(); };
  // Another control says the same and is in force: this one is faint and tells no value until it is moved.
  part.rest = (resting) => {
    part.classList.toggle("resting", resting);
    if (resting) { output.textContent = "–"; input.setAttribute("aria-valuetext", "–"); } else paint();
  };
  return part;
}

/** One of a few: `[value, name]` each. */
export function choice({ label, value, options, change }) {
  const name = unique();
  const radios = options.map(([option, words]) => h("label", {},
    h("input", { type: "radio", name, value: option, checked: option === value, onchange: () => change(option) }), h("span", {}, words)));
  return h("fieldset", { class: "field choice" }, h("legend", {}, label), h("div", { class: "segments" }, radios));
}

/** One of many. */
export function select({ label, value, options, change }) {
  const box = h("select", { onchange: () => change(box.value) }, options.map(([option, words]) => h("option", { value: option, selected: option === value }, words)));
  return field(label, box);
}

/** A button; the main one of a view is `primary`. */
export function button(label, click, { primary = false, title = null, disabled = false } = {}) {
  return h("button", { type: "button", class: primary ? "primary" : null, title, onclick: click, disabled }, label);
}

// The decoding controls by the names that the server knows; all are empty at first: as the model does.
const DECODING = [
  ["temperature", { min: 0, max: 5, step: 0.05 }], ["top_k", { min: 0, step: 1 }], ["top_p", { min: 0, max: 1, step: 0.01 }],
  ["min_p", { min: 0, max: 1, step: 0.01 }], ["typical", { min: 0, max: 1, step: 0.01 }], ["contrastive", { min: 0, max: 0.99, step: 0.05 }],
  ["beam", { min: 1, step: 1 }], ["beam_groups", { min: 1, step: 1 }], ["diversity", { min: 0, step: 0.1 }],
  ["length_penalty", { min: 0, step: 0.1 }], ["repetition_penalty", { min: 1, step: 0.05 }], ["no_repeat_ngram", { min: 0, step: 1 }],
  ["min_len", { min: 0, step: 1 }], ["max_len", { min: 1, step: 1 }], ["words", { min: 1, step: 1 }],
];

/** Their fields in the address. */
export const decodingFields = Object.fromEntries([...DECODING.map(([name]) => [name, ""]), ["prefix", ""], ["ban", ""]]);

/** What of them a request brings. */
export function decodingOf(state) {
  const numbers = DECODING.filter(([name]) => state[name] !== "" && Number.isFinite(Number(state[name])))
    .map(([name]) => [name, Number(state[name])]);
  const ban = state.ban.split(/[,，]/).map((word) => word.trim()).filter(Boolean);
  return { ...Object.fromEntries(numbers), ...(state.prefix && { prefix: state.prefix }), ...(ban.length && { ban }) };
}

/** The controls, folded away while all are as the model does. `own` are the model's values. */
export function decodingControls(state, own, change) {
  const set = (name) => (value) => change({ [name]: value });
  const given = Object.keys(decodingFields).some((name) => state[name] !== "");
  const numbers = DECODING.map(([name, limits]) => figure({
    ...limits, label: t(`decoding.${name}`), value: state[name], change: set(name),
    placeholder: own && own[name] !== undefined ? String(Math.round(own[name] * 1000) / 1000) : "",
  }));
  return h("details", { class: "more", open: given },
    h("summary", {}, t("decoding.title")),
    h("p", { class: "note" }, t("decoding.about")),
    h("div", { class: "fields" }, numbers,
      line({ label: t("decoding.prefix"), value: state.prefix, change: set("prefix") }),
      line({ label: t("decoding.ban"), value: state.ban, change: set("ban"), placeholder: t("decoding.ban.how") })));
}
