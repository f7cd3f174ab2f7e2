// The words of the page, in the reader's language.

import { en } from "./strings/en.js";
import { zh } from "./strings/zh.js";

const KEPT = "strait-language";
const STRINGS = { en, zh };

/** Codes of the languages, and their own names. */
export const LANGUAGES = { en: "English", zh: "中文" };

/** The language that was chosen, or the browser's, or English. */
export function language() {
  const chosen = localStorage.getItem(KEPT);
  if (chosen in STRINGS) return chosen;
  return navigator.languages.map((name) => name.slice(0, 2)).find((name) => name in STRINGS) ?? "en";
}

/** Keeps a choice. */
export function choose(code) {
  localStorage.setItem(KEPT, code);
}

/** The words of a name; `{x}` in them becomes `values.x`, and `{x|text|texts}` the first where `values.x` is 1, else the second. */
export function t(name, values = {}) {
  const words = STRINGS[language()][name] ?? name;
  return words.replaceAll(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_, key, one, many) =>
    one === undefined ? values[key] ?? "" : String(values[key]) === "1" ? one : many);
}

/** A number as this language writes it, with at most so many digits behind the point. */
export function number(value, digits = 0) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return value.toLocaleString(language(), { maximumFractionDigits: digits, minimumFractionDigits: Number.isInteger(value) ? 0 : Math.min(digits, 2) });
}
