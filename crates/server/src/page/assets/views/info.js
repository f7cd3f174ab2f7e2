// What the model is.

import { fill, h } from "../dom.js";
import { number, t } from "../language.js";

export const fields = {};

export function open(page) {
  const { facts, model } = page;
  const rows = [
    ["name", model.name], ["recipe", facts.recipe], ["kind", t(facts.writes_targets ? "info.pairs" : facts.language_model ? "info.lm" : "info.ae")], ["dimensions", facts.language_model || facts.writes_targets ? "" : number(facts.dimensions)],
    ["weights", number(facts.weights)], ["vocabulary", number(facts.vocabulary)], ["records", number(facts.records)],
    ["length", t("info.tokens", { mean: number(facts.mean_tokens, 1), most: number(facts.longest_tokens) })], ["steps", number(facts.steps)], ["prior", facts.prior],
    ["texts", model.texts ? `${model.texts.name} (${number(model.texts.texts)})` : ""], ["directions", (model.directions ?? []).join(", ")], ["version", facts.version.slice(0, 12)],
  ].filter(([, value]) => value);
  const figures = Object.entries(facts.figures);
  fill(page.body,
    h("dl", { class: "facts" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, t(`info.${name}`)), h("dd", {}, value)))),
    model.problem && h("p", { class: "problem" }, model.problem),
    figures.length > 0 && [h("h2", {}, t("info.figures")),
      h("div", { class: "scroll" }, h("table", {}, h("tbody", {}, figures.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name.replaceAll("_", " ")), h("td", { class: "number" }, number(value, 3)))))))],
    h("h2", {}, t("info.more")),
    h("ul", { class: "links" }, [["/docs", "docs"], ["/openapi.json", "openapi"], ["/metrics", "metrics"], ["/info", "json"]].map(([path, name]) => h("li", {}, h("a", { href: path }, t(`info.link.${name}`)), " ", h("code", {}, path)))));
  page.offers({ rows: [...rows, ...figures].map(([name, value]) => ({ name, value })), lines: [...rows, ...figures].map(([name, value]) => `${name}: ${value}`), whole: model });
}
