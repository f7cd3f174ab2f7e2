// What a view works with: its state and address, requests that end with it, and the places for what it says.

import { address, show, typed, unusual } from "./address.js";
import * as api from "./api.js";
import { h } from "./dom.js";
import { save } from "./download.js";
import { t } from "./language.js";

const PATIENCE = 220;
// The lists of models that a server has; in addresses each has a field that names the chosen one.
const LISTS = { models: "model", documents: "document" };

/** The chosen model of each list: the one that the address names, or the first; undefined where a list is empty. */
export function chosen(fields, info) {
  const one = ([list, field]) => [list, info[list].find(({ name }) => name === fields[field]) ?? info[list][0]];
  return Object.fromEntries(Object.entries(LISTS).map(one));
}

/** A view on the screen. */
export class Page {
  /** `view` as `app.js` lists them; `fields` from the address; `info` as the server gives it. */
  constructor(view, fields, info) {
    this.view = view;
    this.info = info;
    this.state = typed(fields, view.fields);
    this.chosen = chosen(fields, info);
    this.leaving = new AbortController();
    this.body = h("div", { class: "view" });
    this.status = h("p", { class: "status", role: "status" });
    this.problem = h("p", { class: "problem", role: "alert", hidden: true });
    this.files = h("div", { class: "files", role: "group", "aria-label": t("files"), hidden: true });
    this.data = null;
    this.busy = 0;
  }

  /** The model that the view is about; undefined if the server has none of its kind. */
  get model() {
    return this.chosen[this.view.list];
  }

  get facts() {
    return this.model?.facts;
  }

  /** The address of this view, or of another one; about the same models, the first of each list unnamed, or other ones. */
  at(name = this.view.name, fields = unusual(this.state, this.view.fields), models = this.chosen) {
    const others = Object.entries(LISTS).filter(([list]) => models[list] !== this.info[list][0]);
    return address(name, { ...Object.fromEntries(others.map(([list, field]) => [field, models[list].name])), ...fields });
  }

  /** Changes the state and the address. */
  set(changes) {
    Object.assign(this.state, changes);
    show(this.at());
  }

  post(path, body, signal = this.leaving.signal) {
    return api.post(path, { model: this.model.name, ...body }, signal);
  }

  events(path, body, signal = this.leaving.signal) {
    return api.events(path, body && { model: this.model.name, ...body }, signal);
  }

  get(path) {
    return api.get(path, this.leaving.signal);
  }

  /** Runs work that may fail; says so if it does, and, unless it is `quiet`, that it lasts. */
  async during(work, quiet = false) {
    this.problem.hidden = true;
    this.wait(quiet ? 0 : 1);
    try {
      return await work();
    } catch (e) {
      if (e.name !== "AbortError") {
        this.problem.textContent = e instanceof api.ApiError ? e.message : t("failed", { why: e.message });
        this.problem.hidden = false;
        if (!(e instanceof api.ApiError)) console.error(e);
      }
      return undefined;
    } finally {
      this.wait(quiet ? 0 : -1);
    }
  }

  /** Counts what lasts. */
  wait(change) {
    this.busy += change;
    if (this.busy) this.body.setAttribute("aria-busy", "true");
    else this.body.removeAttribute("aria-busy");
  }

  /** Work that is done again whenever something changes: the last change wins, and only after a moment of rest. */
  again(work, patience = PATIENCE) {
    let timer = 0, current = null;
    const run = () => {
      current?.abort();
      const own = current = new AbortController();
      this.leaving.signal.addEventListener("abort", () => own.abort(), { once: true, signal: own.signal });
      return this.during(() => work(own.signal));
    };
    const later = () => { clearTimeout(timer); timer = setTimeout(run, patience); };
    this.leaving.signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
    return { now: () => { clearTimeout(timer); return run(); }, later, stop: () => { clearTimeout(timer); current?.abort(); } };
  }

  /** Work that follows a moving slider: one request at a time, then the newest state. */
  follow(work) {
    let busy = false, wanted = false;
    const run = async () => {
      if (busy) { wanted = true; return; }
      busy = true;
      do {
        wanted = false;
        await this.during(() => work(this.leaving.signal));
      } while (wanted && !this.leaving.signal.aborted);
      busy = false;
    };
    return run;
  }

  /** What the files of this view hold: `{rows, lines?, whole?}`; null while there is nothing. */
  offers(data) {
    this.data = data;
    this.files.hidden = !data;
  }

  /** Says something that is read aloud. */
  say(words) {
    this.status.textContent = words;
  }

  /** Heading, files, problem and body. */
  whole() {
    const kinds = ["json", "csv", "txt"].map((kind) => h("button", {
      type: "button", class: "plain", "aria-label": t("file", { kind: kind.toUpperCase() }),
      onclick: () => save(`strait-${this.view.name}`, kind, this.data),
    }, kind.toUpperCase()));
    const copied = async () => {
      try {
        await navigator.clipboard.writeText(location.href);
        this.say(t("copied"));
      } catch {
        this.say(location.href);
      }
    };
    this.files.append(h("span", { "aria-hidden": "true" }, t("files")), ...kinds);
    const link = h("button", { type: "button", class: "plain", onclick: copied }, t("copy"));
    return [
      h("div", { class: "top" },
        h("div", {}, h("h1", { tabindex: "-1" }, t(`${this.view.name}.title`)), h("p", { class: "about" }, t(`${this.view.name}.about`))),
        h("div", { class: "tools" }, link, this.files)),
      this.problem, this.body, this.status,
    ];
  }

  leave() {
    this.leaving.abort();
  }
}
