// The served texts as a map: read a text, a place where none is, or the way between two places.

import { button, choice, decodingControls, decodingFields, decodingOf, line, select } from "../controls.js";
import { fill, h } from "../dom.js";
import { number, t } from "../language.js";
import { Plane, colourOf } from "../plane.js";
import { changed, item, onward, text as plain } from "../texts.js";

export const fields = { colour: "clusters", q: "", at: "", way: "map", view: "", ...decodingFields };

const STEPS = 9, NEIGHBOURS = 6, SCORED_AT_ONCE = 256, FILLED = 10;
// The p-values below which a text has the next colour.
const LEVELS = [0.5, 0.2, 0.1, 0.05, 0.01];
const ODDNESS = ["#8b939e", "#b59a6a", "#c98a45", "#d97a2b", "#dd5f1a", "#d53a12"];

/** A place as the address writes it: `@row` or `x,y`. */
const written = ({ x, y, i }) => (i >= 0 ? `@${i}` : `${x.toPrecision(5)},${y.toPrecision(5)}`);

export async function open(page) {
  page.body.append(h("p", { class: "note" }, t("map.drawing")));
  const map = await page.during(() => page.post("/v1/map", {}));
  if (!map) return;
  page.body.replaceChildren();
  new MapView(page, map).open();
}

class MapView {
  constructor(page, map) {
    Object.assign(this, { page, map, hidden: new Set(), odd: null, fillings: [] });
    this.said = h("div", { class: "said-here", "aria-live": "polite" });
    this.key = h("ul", { class: "legend" });
    this.plane = new Plane({ x: map.x, y: map.y, label: t("map.label", { n: map.texts.length }), hooks: {
      colour: (i) => this.colour(i), shown: (i) => !this.hidden.has(this.group(i)), bright: (i) => !this.found || this.found[i],
      told: (i) => this.told(i), pick: (place) => this.choose(written(place)),
      path: (from, to) => this.choose(`${written(from)};${written(to)}`), moved: () => this.keepView(),
    } });
    this.read = page.again((signal) => this.readHere(signal), 0);
    page.leaving.signal.addEventListener("abort", () => this.plane.close(), { once: true });
  }

  /** The names and groups of what colours the points. */
  get colouring() {
    const { colour } = this.page.state;
    if (colour === "labels" && this.map.labels) return this.map.labels;
    return colour === "clusters" ? this.map.clusters : null;
  }

  group(i) {
    return this.colouring?.of[i] ?? -1;
  }

  colour(i) {
    if (this.page.state.colour === "odd") return this.odd ? ODDNESS[this.odd[i]] : ODDNESS[0];
    return colourOf(this.group(i));
  }

  told(i) {
    const { labels, clusters, texts } = this.map;
    const about = [labels && labels.of[i] !== null && labels.names[labels.of[i]], clusters.of[i] !== null && clusters.names[clusters.of[i]]];
    return [plain(texts[i]), h("small", {}, about.filter(Boolean).join(" · "))];
  }

  open() {
    const { page, map, plane } = this;
    const numbers = page.state.view.split(",").map(Number);
    if (numbers.length === 3 && numbers.every(Number.isFinite) && numbers[2] > 0) [plane.view] = [{ x: numbers[0], y: numbers[1], scale: numbers[2] }];
    const zoom = h("div", { class: "zoom", role: "group", "aria-label": t("map.zoom") },
      [["+", "nearer", () => plane.zoomMiddle(1.4)], ["−", "farther", () => plane.zoomMiddle(1 / 1.4)], ["⤢", "whole", () => { plane.fit(); plane.changed(); }]]
        .map(([sign, name, act]) => h("button", { type: "button", "aria-label": t(`map.${name}`), title: t(`map.${name}`), onclick: act }, sign)));
    plane.stage.append(zoom);
    const colours = ["clusters", ...(map.labels ? ["labels"] : []), "odd", "nothing"].map((name) => [name, t(`map.colour.${name}`)]);
    const asked = { text: "" };
    const find = () => this.placeText(asked.text);
    const own = h("form", { class: "ask", onsubmit: (e) => { e.preventDefault(); find(); } },
      line({ label: t("map.own"), value: "", placeholder: t("write"), change: (text) => { asked.text = text; } }), h("button", {}, t("map.put")));
    page.body.append(
      h("div", { class: "fields" },
        choice({ label: t("map.drag"), value: "path", options: [["path", t("map.drag.path")], ["move", t("map.drag.move")]], change: (what) => { plane.panning = what === "move"; plane.canvas.classList.toggle("panning", plane.panning); } }),
        select({ label: t("map.colour"), value: page.state.colour, options: colours, change: (colour) => { page.set({ colour }); this.hidden.clear(); this.recolour(); } }),
        line({ label: t("map.find"), type: "search", value: page.state.q, change: (q) => { page.set({ q }); this.find(); } })),
      h("div", { class: "mapped" },
        h("div", { class: "ground" }, plane.stage, page.status, h("p", { class: "note" }, t("map.how"))),
        h("aside", { "aria-label": t("map.read") }, this.said, own,
          h("div", { class: "row" }, button(t("map.complete"), () => this.complete())), h("h2", { class: "label" }, t("map.colour.key")), this.key)),
      decodingControls(page.state, page.facts.decoding, (changes) => { page.set(changes); this.read.later(); }));
    this.recolour();
    this.find();
    if (page.state.at) this.read.now();
    else this.said.replaceChildren(h("p", { class: "hint" }, t("map.start")));
    this.offer();
  }

  keepView() {
    const { x, y, scale } = this.plane.view;
    this.page.set({ view: [x, y, scale].map((v) => Number(v.toPrecision(5))).join(",") });
  }

  /** What the files hold: the way that is read, or the whole map. */
  offer(rows = null) {
    const { map } = this;
    const all = () => map.texts.map((text, i) => ({
      row: i, x: map.x[i], y: map.y[i], ...(map.labels && { label: map.labels.names[map.labels.of[i]] ?? "" }), cluster: map.clusters.names[map.clusters.of[i]] ?? "", text,
    }));
    const whole = rows ?? all();
    this.page.offers({ rows: whole, whole });
  }

  find() {
    const wanted = this.page.state.q.trim().toLowerCase();
    this.found = wanted ? this.map.texts.map((text) => text.toLowerCase().includes(wanted)) : null;
    if (this.found) this.page.say(t("map.found", { n: number(this.found.filter(Boolean).length) }));
    this.plane.draw();
  }

  recolour() {
    const { colouring, key, hidden, plane, page } = this;
    plane.draw();
    if (page.state.colour === "odd") {
      key.replaceChildren(...ODDNESS.map((colour, i) => this.keyLine(colour, t(i < LEVELS.length ? "map.odd.from" : "map.odd.below", { p: number(LEVELS[Math.min(i, LEVELS.length - 1)], 2) }))));
      if (!this.odd) page.during(() => this.scoreAll());
      return;
    }
    const counts = new Map();
    for (let i = 0; i < plane.x.length; i += 1) counts.set(this.group(i), (counts.get(this.group(i)) ?? 0) + 1);
    const groups = [...(colouring?.names ?? []).keys(), -1].filter((g) => counts.has(g));
    key.replaceChildren(...groups.map((g) => {
      const name = g < 0 ? t(colouring ? "map.none" : "map.all") : colouring.names[g];
      const part = h("button", { type: "button", "aria-pressed": "true", onclick: () => {
        if (hidden.has(g)) hidden.delete(g); else hidden.add(g);
        part.setAttribute("aria-pressed", String(!hidden.has(g)));
        plane.draw();
      } }, swatch(colourOf(g)), h("span", {}, name), h("small", {}, number(counts.get(g))));
      return h("li", {}, part);
    }));
  }

  keyLine(colour, words) {
    return h("li", { class: "line" }, swatch(colour), h("span", {}, words));
  }

  /** Scores every text of the map, some at a time; the colours follow. */
  async scoreAll() {
    const { texts } = this.map;
    const odd = new Uint8Array(texts.length), nats = [];
    this.odd = odd;
    for (let from = 0; from < texts.length; from += SCORED_AT_ONCE) {
      const { scores } = await this.page.post("/v1/score", { texts: texts.slice(from, from + SCORED_AT_ONCE) });
      scores.forEach(({ p, nats_per_token: each }, i) => {
        odd[from + i] = level(p ?? 1);
        if (p === undefined || p === null) nats.push([each, from + i]);
      });
      this.page.say(t("map.scored", { n: number(Math.min(from + SCORED_AT_ONCE, texts.length)), of: number(texts.length) }));
      this.plane.draw();
    }
    // A model without usual texts to compare with: the texts of the map are compared with each other.
    nats.sort(([a], [b]) => b - a).forEach(([, i], rank) => { odd[i] = level((rank + 1) / nats.length); });
    this.plane.draw();
  }

  choose(at) {
    this.page.set({ at });
    this.read.now();
  }

  /** The place that the address wrote; null if it is none. */
  parse(given) {
    const { x, y } = this.map;
    if (given.startsWith("@")) {
      const i = Number(given.slice(1));
      return Number.isInteger(i) && i >= 0 && i < x.length ? { x: x[i], y: y[i], i } : null;
    }
    const [px, py] = given.split(",").map(Number);
    return Number.isFinite(px) && Number.isFinite(py) ? { x: px, y: py, i: -1 } : null;
  }

  async readHere(signal) {
    const places = this.page.state.at.split(";").map((part) => this.parse(part)).filter(Boolean);
    Object.assign(this.plane, { way: [], lit: -1, pins: places });
    this.plane.draw();
    if (places.length === 2) await this.readWay(places, signal);
    else if (places[0]?.i >= 0) await this.readText(places[0].i, signal);
    else if (places[0]) await this.readPlace(places[0], signal);
  }

  async readText(i, signal) {
    const words = this.map.texts[i];
    const [, about] = this.told(i);
    const near = h("ol", { class: "texts" });
    this.said.replaceChildren(h("h2", { class: "label" }, t("map.text")), h("p", { class: "reading" }, plain(words)), h("p", { class: "note" }, about, " ", onward(this.page, words)),
      h("h2", { class: "label" }, t("map.neighbours")), near);
    const { hits: [hits] } = await this.page.post("/v1/search", { queries: [words], k: NEIGHBOURS + 1 }, signal);
    const others = hits.filter((hit) => hit.row !== i).slice(0, NEIGHBOURS);
    near.append(...others.map((hit) => this.jump(hit.row, hit.text)));
    this.offer(others.map(({ row, text, cosine }) => ({ row, text, cosine })));
  }

  async readPlace(place, signal) {
    const { texts: [words], nearest: [nearest] } = await this.page.post("/v1/map/at", { places: [[place.x, place.y]], ...decodingOf(this.page.state) }, signal);
    this.said.replaceChildren(h("h2", { class: "label" }, t("map.place")), h("p", { class: "reading" }, plain(words)), h("p", { class: "note" }, onward(this.page, words)),
      h("h2", { class: "label" }, t("map.around")), h("ol", { class: "texts" }, nearest.map((near) => this.jump(near.row, near.text))));
    this.offer([{ x: place.x, y: place.y, text: words }]);
  }

  async readWay([from, to], signal) {
    const { state } = this.page;
    const steps = [...Array(STEPS).keys()].map((k) => k / (STEPS - 1));
    const way = steps.map((s) => ({ x: from.x + s * (to.x - from.x), y: from.y + s * (to.y - from.y), i: -1 }));
    const between = from.i >= 0 && to.i >= 0;
    const straight = between && state.way !== "map";
    const { texts } = straight
      ? await this.page.post("/v1/interpolate", { a: this.map.texts[from.i], b: this.map.texts[to.i], steps: STEPS, path: state.way, ...decodingOf(state) }, signal)
      : await this.page.post("/v1/map/at", { places: way.map(({ x, y }) => [x, y]), ...decodingOf(state) }, signal);
    Object.assign(this.plane, { way, pins: [] });
    this.plane.draw();
    const light = (k) => () => { this.plane.lit = k; this.plane.draw(); };
    const list = h("ol", { class: "way" }, texts.map((words, k) => {
      const part = item(this.page, words, { shown: k ? changed(words, texts[k - 1]) : undefined, before: h("small", { class: "place" }, number(steps[k], 2)) });
      part.addEventListener("pointerenter", light(k));
      part.addEventListener("focusin", light(k));
      part.addEventListener("pointerleave", light(-1));
      return part;
    }));
    const ways = ["map", "straight", "manifold"].map((name) => [name, t(`map.way.${name}`)]);
    fill(this.said, h("h2", { class: "label" }, t("map.way")),
      between && choice({ label: t("map.way.along"), value: state.way, options: ways, change: (name) => { this.page.set({ way: name }); this.read.now(); } }), list);
    this.offer(texts.map((text, k) => ({ t: steps[k], x: way[k].x, y: way[k].y, text })));
  }

  /** Shows where a text of one's own lies. */
  async placeText(words) {
    if (!words.trim()) return;
    await this.page.during(async () => {
      const { places: [[x, y]], nearest: [nearest] } = await this.page.post("/v1/map/place", { texts: [words] });
      this.plane.way = [];
      this.plane.pins = [{ x, y, i: -1 }];
      this.plane.draw();
      this.said.replaceChildren(h("h2", { class: "label" }, t("map.yours")), h("p", { class: "reading" }, plain(words)),
        h("h2", { class: "label" }, t("map.neighbours")), h("ol", { class: "texts" }, nearest.map((near) => this.jump(near.row, near.text))));
      this.offer([{ x, y, text: words }]);
    });
  }

  /** Has new texts written for the empty places. */
  complete() {
    return this.page.during(async () => {
      const { fillings } = await this.page.post("/v1/complete", { n: FILLED, ...decodingOf(this.page.state) });
      this.plane.way = [];
      this.plane.pins = fillings.map(({ place: [x, y] }) => ({ x, y, i: -1, quiet: true }));
      this.plane.draw();
      this.said.replaceChildren(h("h2", { class: "label" }, t("map.completed")), h("ol", { class: "texts" }, fillings.map(({ text }) => item(this.page, text))));
      this.offer(fillings.map(({ text, place: [x, y], radius }) => ({ x, y, radius, text })));
    });
  }

  /** A text of the map in a list; a press goes there. */
  jump(row, words) {
    return h("li", {}, h("button", { type: "button", class: "text-button", onclick: () => this.choose(`@${row}`) }, plain(words)));
  }
}

/** Which colour a p-value has. */
function level(p) {
  return LEVELS.filter((most) => p < most).length;
}

function swatch(colour) {
  const part = h("i", { "aria-hidden": "true" });
  part.style.background = colour;
  return part;
}
