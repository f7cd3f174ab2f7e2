// What the model is.

import { fill, h } from "../dom.js";
import { number, t } from "../language.js";

export const fields = {};

export function open(page) {
  const { model, info: { documents } } = page;
  const rows = model ? told(page) : [];
  const figures = Object.entries(page.facts?.figures ?? {});
  fill(page.body,
    rows.length > 0 && list(rows),
    model?.problem && h("p", { class: "problem" }, model.problem),
    figures.length > 0 && [h("h2", {}, t("info.figures")),
      h("div", { class: "scroll" }, h("table", {}, h("tbody", {}, figures.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name.replaceAll("_", " ")), h("td", { class: "number" }, number(value, 3)))))))],
    documents.length > 0 && [h("h2", {}, t("info.documents")), documents.map((document) => [list(toldOf(document)), document.problem && h("p", { class: "problem" }, document.problem)])],
    h("h2", {}, t("info.more")),
    h("ul", { class: "links" }, [["/docs", "docs"], ["/openapi.json", "openapi"], ["/metrics", "metrics"], ["/info", "json"]].map(([path, name]) => h("li", {}, h("a", { href: path }, t(`info.link.${name}`)), " ", h("code", {}, path)))));
  const all = [...rows, ...figures, ...documents.flatMap((document) => toldOf(document).map(([name, value]) => [`${document.name} ${name}`, value]))];
  page.offers({ rows: all.map(([name, value]) => ({ name, value })), lines: all.map(([name, value]) => `${name}: ${value}`), whole: { ...model, documents } });
}

const list = (rows) => h("dl", { class: "facts" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, t(`info.${name}`)), h("dd", {}, value))));

/** What a document model is. */
function toldOf({ name, facts }) {
  if (!facts) return [["name", name]];
  const { settings } = facts;
  return [
    ["name", name], ["kind", t(`info.kind.${settings.kind}`)], ["plan", settings.plan ? t("info.plan.of", { n: settings.plan }) : t("info.none")], ["given", t(settings.given ? "info.given.read" : "info.none")],
    ["weights", `${number(facts.weights)} + ${number(facts.sentence_weights)}`], ["dimensions", number(facts.dimensions)],
    ["records", t("info.documents.of", { documents: number(facts.documents), sentences: number(facts.sentences) })], ["nats", number(facts.valid_nats, 1)], ["version", facts.version.slice(0, 12)],
  ];
}

/** What the model is. */
function told({ facts, model }) {
  return [
    ["name", model.name], ["recipe", facts.recipe], ["kind", t(facts.writes_targets ? "info.pairs" : facts.language_model ? "info.lm" : "info.ae")], ["dimensions", facts.language_model || facts.writes_targets ? "" : number(facts.dimensions)],
    ["weights", number(facts.weights)], ["vocabulary", number(facts.vocabulary)], ["records", number(facts.records)],
    ["length", t("info.tokens", { mean: number(facts.mean_tokens, 1), most: number(facts.longest_tokens) })], ["steps", number(facts.steps)], ["prior", facts.prior],
    ["texts", model.texts ? `${model.texts.name} (${number(model.texts.texts)})` : ""], ["directions", (model.directions ?? []).join(", ")], ["version", facts.version.slice(0, 12)],
  ].filter(([, value]) => value);
}
