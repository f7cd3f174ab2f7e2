// Texts on the page: in lists, with what can be done with each; and with what is new in them marked.

import { h } from "./dom.js";
import { t } from "./language.js";
import { compare } from "./words.js";

/** A text, as its language is written. */
export function text(words) {
  return words ? h("span", { class: "text", dir: "auto" }, words) : h("span", { class: "nothing" }, t("empty"));
}

/** A text with the words marked that `other` does not have. */
export function changed(words, other) {
  if (!words) return text(words);
  return h("span", { class: "text", dir: "auto" }, compare(words, other).map((part) => (part.kept || !part.text.trim() ? part.text : h("mark", {}, part.text))));
}

const LINKS = [["reconstruct", "text"], ["vary", "text"], ["interpolate", "a"], ["steer", "text"], ["search", "query"], ["score", "texts"]];

/** Links to the other views about a text. */
export function onward(page, words) {
  const links = LINKS.filter(([name]) => name !== page.view.name && page.offersView(name));
  return h("span", { class: "onward", role: "group", "aria-label": t("onward") },
    links.map(([name, field]) => h("a", { href: page.at(name, { [field]: words }) }, t(`${name}.short`))));
}

/** A line of a list: a text, what is before it, and what can be done with it. */
export function item(page, words, { shown = text(words), before = null, after = null } = {}) {
  return h("li", {}, before, h("div", { class: "said" }, shown, after), words && page.facts && !page.facts.language_model && onward(page, words));
}
