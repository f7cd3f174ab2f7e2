// The shell: which views there are, which one is open, and the reader's wishes.

import { read } from "./address.js";
import * as api from "./api.js";
import { h } from "./dom.js";
import { LANGUAGES, choose, language, t } from "./language.js";
import { Page, chosen } from "./page.js";
import * as audit from "./views/audit.js";
import * as copies from "./views/copies.js";
import * as documents from "./views/documents.js";
import * as generate from "./views/generate.js";
import * as groups from "./views/groups.js";
import * as info from "./views/info.js";
import * as interpolate from "./views/interpolate.js";
import * as map from "./views/map.js";
import * as reconstruct from "./views/reconstruct.js";
import * as sample from "./views/sample.js";
import * as score from "./views/score.js";
import * as search from "./views/search.js";
import * as steer from "./views/steer.js";
import * as teach from "./views/teach.js";
import * as train from "./views/train.js";
import * as vary from "./views/vary.js";

// `needs`: what the server must have for a view; `list`: which of its models the view is about; `keeps`: whether what was
// written stays when another one is chosen.
const VIEWS = [
  { name: "reconstruct", needs: "latents", ...reconstruct },
  { name: "generate", needs: "sources", ...generate },
  { name: "sample", needs: "draws", ...sample },
  { name: "vary", needs: "latents", ...vary },
  { name: "interpolate", needs: "latents", ...interpolate },
  { name: "steer", needs: "latents", ...steer },
  { name: "documents", needs: "documents", list: "documents", keeps: true, ...documents },
  { name: "map", needs: "texts", ...map },
  { name: "search", needs: "texts", ...search },
  { name: "groups", needs: "texts", ...groups },
  { name: "copies", needs: "texts", ...copies },
  { name: "teach", needs: "latents", ...teach },
  { name: "score", needs: "latents", ...score },
  { name: "audit", needs: "texts", ...audit },
  { name: "train", needs: "runs", ...train },
  { name: "info", ...info },
].map((view) => ({ list: "models", ...view }));
const LOOK = "strait-look";
const WAIT = 1500;

let served = null, page = null;

/** The flag that gives what is missing. */
const flag = (name, command) => h("div", { class: "hint" }, h("p", {}, t(name)), h("pre", {}, command));

/** Why a view has nothing to show here with the models that are chosen; null if it has. */
function missing(view, models) {
  const model = models[view.list];
  if (view.needs === "runs") return served.runs ? null : flag("missing.runs", "strait serve -m … --runs DIR");
  if (!model && view.needs) return view.list === "documents" ? flag("missing.documents", "strait serve -m … --document DIR") : flag("missing.models", "strait serve -m DIR");
  if (!model) return null;
  if (!model.ready) return h("p", { class: "hint" }, t("missing.ready", { name: model.name }));
  if (!suits(view, models)) return h("p", { class: "hint" }, t(view.needs === "sources" ? "missing.sources" : "missing.targets"));
  if (view.needs !== "draws" && view.needs && model.facts.language_model) return h("p", { class: "hint" }, t("missing.latents"));
  if (view.needs !== "texts") return null;
  if (!model.texts) return flag("missing.texts", "strait serve -m … --texts FILE [--label-column C]");
  if (model.texts.state === "failed") return h("p", { class: "problem" }, t("missing.failed", { why: model.texts.problem ?? "" }));
  return null;
}

/** Whether a view is about what this kind of model does: targets for sources, or all else. */
function suits(view, models) {
  const about = view.list === "models" && view.needs && view.needs !== "runs";
  const { facts } = models[view.list] ?? {};
  return !about || !facts || facts.writes_targets === (view.needs === "sources");
}

/** Whether links may lead to a view. */
function offers(name, models) {
  return missing(VIEWS.find((view) => view.name === name), models) === null;
}

function opened() {
  const { name, fields } = read();
  const view = VIEWS.find((candidate) => candidate.name === name);
  if (view) return { view, fields };
  // Without an address: the first view that these models have.
  const models = chosen(fields, served);
  return { view: VIEWS.find((candidate) => missing(candidate, models) === null) ?? VIEWS[0], fields };
}

function render({ focus = false } = {}) {
  page?.leave();
  const { view, fields } = opened();
  page = new Page(view, fields, served);
  page.offersView = (name) => offers(name, page.chosen);
  page.reopen = () => render();
  document.documentElement.lang = language() === "zh" ? "zh-Hans" : "en";
  document.title = [t(`${view.name}.title`), page.model?.name, "Strait"].filter(Boolean).join(" · ");
  document.body.replaceChildren(skip(), header(), h("main", { id: "main", class: view.name }, page.whole()), footer());
  const lack = missing(view, page.chosen);
  if (lack) page.body.append(lack);
  else view.open(page);
  if (page.model && !page.model.ready && view.needs !== "runs") setTimeout(start, WAIT);
  if (focus) document.querySelector("h1").focus();
}

const skip = () => h("a", { class: "skip", href: "#main", onclick: (e) => { e.preventDefault(); document.querySelector("h1").focus(); } }, t("skip"));

function header() {
  const { model, view: current, chosen: models } = page;
  const all = served[current.list];
  const choose = (name) => { location.hash = page.at(current.name, current.keeps ? undefined : {}, { ...models, [current.list]: all.find((one) => one.name === name) }); };
  const pick = h("select", { "aria-label": t("model"), onchange: () => choose(pick.value) }, all.map(({ name }) => h("option", { value: name, selected: name === model.name }, name)));
  const links = VIEWS.filter((view) => view === current || suits(view, models)).map((view) => h("li", { class: view.name }, h("a", {
    href: page.at(view.name, {}), "aria-current": view === current ? "page" : null, class: missing(view, models) ? "lacking" : null,
  }, t(`${view.name}.short`))));
  const nav = h("nav", { "aria-label": t("views") }, h("ul", {}, links));
  requestAnimationFrame(() => {
    const link = nav.querySelector("[aria-current]");
    if (nav.scrollWidth > nav.clientWidth) nav.scrollLeft = link.offsetLeft - nav.clientWidth / 2 + link.offsetWidth / 2;
  });
  return h("header", {}, h("a", { class: "brand", href: page.at("", {}) }, "Strait"),
    h("div", { class: "model" }, all.length > 1 ? pick : h("span", {}, model?.name)), nav);
}

function wish(label, value, options, change) {
  const box = h("select", { onchange: () => change(box.value) }, options.map(([option, words]) => h("option", { value: option, selected: option === value }, words)));
  return h("label", {}, h("span", {}, label), box);
}

function footer() {
  return h("footer", {},
    wish(t("language"), language(), Object.entries(LANGUAGES), (code) => { choose(code); render(); }),
    wish(t("look"), localStorage.getItem(LOOK) ?? "auto", ["auto", "light", "dark"].map((look) => [look, t(`look.${look}`)]), (look) => { localStorage.setItem(LOOK, look); wear(); page.reopen(); }),
    h("p", {}, h("a", { href: "/docs" }, t("docs")), h("span", {}, `Strait ${served.strait_version}`)));
}

/** Light or dark as the reader chose; else as the system is set. */
function wear() {
  const look = localStorage.getItem(LOOK) ?? "auto";
  document.documentElement.dataset.look = look;
}

/** Asks for the API key in a dialog. */
function askKey() {
  return new Promise((resolve) => {
    const input = h("input", { type: "password", autocomplete: "off", id: "key", required: true });
    const dialog = h("dialog", { "aria-labelledby": "key-title", onclose: () => { dialog.remove(); resolve(dialog.returnValue === "given" ? input.value : null); } },
      h("form", { method: "dialog" }, h("h2", { id: "key-title" }, t("key.title")), h("p", {}, t("key.about")), h("label", { for: "key" }, t("key")), input,
        h("div", { class: "row" }, h("button", { class: "primary", value: "given" }, t("key.use")), h("button", { value: "", formnovalidate: true }, t("cancel")))));
    document.body.append(dialog);
    dialog.showModal();
  });
}

async function start() {
  try {
    served = await api.get("/info");
    render();
  } catch (e) {
    document.body.replaceChildren(h("main", {}, h("h1", {}, "Strait"), h("p", { class: "problem", role: "alert" }, e.message), h("button", { type: "button", onclick: start }, t("retry"))));
  }
}

wear();
api.onKeyWanted(askKey);
addEventListener("hashchange", () => { if (served) render({ focus: true }); });
start();
