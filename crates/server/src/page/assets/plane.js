// Points in the plane on a canvas: move, zoom, hover, choose a place, drag a path, all by pointer, touch or keyboard.

import { h } from "./dom.js";

const REACH = 13, KEY_STEP = 22, WHEEL = 0.0015;

/** The colours of groups; later ones go around the circle of hues. */
const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a6861a", "#56b4e9", "#8a6fd1", "#7a9a01", "#b2442f", "#2f8f9d"];
const NONE = "#8b939e";
const dark = matchMedia("(prefers-color-scheme: dark)");

/** The colour of group `g`; of none below 0. */
export function colourOf(g) {
  if (g < 0) return NONE;
  return g < PALETTE.length ? PALETTE[g] : `hsl(${(g * 137.5) % 360} 50% 52%)`;
}

/**
 * A plane of points `x`, `y`. `hooks`: `colour(i)`, `shown(i)`, `bright(i)`, `told(i)` (the text of a point),
 * `pick(place)`, `path(from, to)`, `moved()`. A place is `{x, y, i}` with `i` -1 where no point is.
 */
export class Plane {
  constructor({ x, y, label, hooks }) {
    Object.assign(this, { x, y, hooks });
    this.canvas = h("canvas", { tabindex: "0", role: "application", "aria-label": label });
    this.tip = h("div", { class: "tip", hidden: true, "aria-live": "polite" });
    this.stage = h("div", { class: "stage" }, this.canvas, this.tip);
    this.context = this.canvas.getContext("2d");
    this.panning = false;
    this.pins = [];
    this.way = [];
    this.cursor = null;
    this.drag = null;
    this.pointers = new Map();
    this.box = [extreme(x, Math.min), extreme(x, Math.max), extreme(y, Math.min), extreme(y, Math.max)];
    this.view = null;
    this.width = this.height = 1;
    this.listen();
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(this.stage);
  }

  close() {
    this.watcher.disconnect();
  }

  /** Shows everything. */
  fit() {
    const [x0, x1, y0, y1] = this.box;
    const span = Math.max((x1 - x0) / this.width, (y1 - y0) / this.height) || 1;
    this.view = { x: (x0 + x1) / 2, y: (y0 + y1) / 2, scale: 0.92 / span };
  }

  toScreen(x, y) {
    return [(x - this.view.x) * this.view.scale + this.width / 2, (this.view.y - y) * this.view.scale + this.height / 2];
  }

  toMap(px, py) {
    return [(px - this.width / 2) / this.view.scale + this.view.x, this.view.y - (py - this.height / 2) / this.view.scale];
  }

  /** The point nearest to a place of the screen, within reach; -1 if there is none. */
  nearest(px, py) {
    let best = -1, least = REACH * REACH;
    for (let i = 0; i < this.x.length; i += 1) {
      if (!this.hooks.shown(i)) continue;
      const [qx, qy] = this.toScreen(this.x[i], this.y[i]);
      const d = (qx - px) ** 2 + (qy - py) ** 2;
      if (d < least) { least = d; best = i; }
    }
    return best;
  }

  /** The place at a point of the screen. */
  place([px, py]) {
    const i = this.nearest(px, py);
    const [x, y] = i < 0 ? this.toMap(px, py) : [this.x[i], this.y[i]];
    return { x, y, i };
  }

  zoom(px, py, factor) {
    const [mx, my] = this.toMap(px, py);
    this.view.scale *= factor;
    this.view.x = mx - (px - this.width / 2) / this.view.scale;
    this.view.y = my + (py - this.height / 2) / this.view.scale;
    this.changed();
  }

  zoomMiddle(factor) {
    this.zoom(this.width / 2, this.height / 2, factor);
  }

  changed() {
    this.tip.hidden = true;
    this.draw();
    this.hooks.moved();
  }

  resize() {
    this.width = this.stage.clientWidth || 1;
    this.height = this.stage.clientHeight || 1;
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    if (!this.view) this.fit();
    this.draw();
  }

  draw() {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => { this.drawing = false; this.paint(); });
  }

  paint() {
    if (!this.view) return;
    const { context, width, height } = this;
    const ratio = devicePixelRatio || 1;
    const { color: ink, caretColor: accent, backgroundColor: paper } = getComputedStyle(this.canvas);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const whole = Math.max(this.box[1] - this.box[0], this.box[3] - this.box[2], 1e-9);
    const near = Math.sqrt((this.view.scale * whole) / Math.max(width, height));
    const radius = Math.min(6, Math.max(1.7, (40 / Math.sqrt(this.x.length)) * near + 1.2));
    for (const bright of [false, true]) {
      context.globalAlpha = bright ? 0.8 : 0.12;
      for (let i = 0; i < this.x.length; i += 1) {
        if (!this.hooks.shown(i) || this.hooks.bright(i) !== bright) continue;
        const [px, py] = this.toScreen(this.x[i], this.y[i]);
        if (px < -9 || py < -9 || px > width + 9 || py > height + 9) continue;
        this.dot(px, py, radius, this.hooks.colour(i));
      }
    }
    context.globalAlpha = 1;
    const way = this.drag?.to ? [this.drag.from, this.drag.to] : this.way;
    this.stroke(way, accent);
    way.forEach((p, k) => this.ring(p, k === this.lit ? 6.5 : 4, accent, paper));
    for (const pin of this.pins) this.ring(pin, 6, pin.quiet ? accent : ink, paper, pin.quiet);
    if (this.cursor && document.activeElement === this.canvas) this.cross(ink);
  }

  dot(px, py, radius, colour) {
    this.context.fillStyle = colour;
    this.context.beginPath();
    this.context.arc(px, py, radius, 0, 7);
    this.context.fill();
  }

  ring(place, radius, colour, paper, hollow = false) {
    const [px, py] = this.toScreen(place.x, place.y);
    this.dot(px, py, radius + 1.5, hollow ? colour : paper);
    this.dot(px, py, radius, hollow ? paper : colour);
  }

  stroke(places, colour) {
    if (places.length < 2) return;
    this.context.strokeStyle = colour;
    this.context.lineWidth = 2;
    this.context.beginPath();
    places.forEach((p, k) => { const at = this.toScreen(p.x, p.y); if (k) this.context.lineTo(...at); else this.context.moveTo(...at); });
    this.context.stroke();
  }

  cross(ink) {
    const [px, py] = this.cursor;
    this.context.strokeStyle = ink;
    this.context.lineWidth = 1.5;
    this.context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      this.context.moveTo(px + dx * 5, py + dy * 5);
      this.context.lineTo(px + dx * 14, py + dy * 14);
    }
    this.context.stroke();
  }

  /** Shows the text of a point beside it. */
  tell(i, px, py) {
    this.tip.hidden = i < 0;
    if (i < 0) return;
    this.tip.replaceChildren(...this.hooks.told(i));
    const left = px > this.width / 2, up = py > this.height / 2;
    Object.assign(this.tip.style, {
      left: left ? "auto" : `${px + 12}px`, right: left ? `${this.width - px + 12}px` : "auto",
      top: up ? "auto" : `${py + 12}px`, bottom: up ? `${this.height - py + 12}px` : "auto",
    });
  }

  listen() {
    const at = (e) => { const box = this.canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
    const on = (name, act) => this.canvas.addEventListener(name, act);
    on("pointerdown", (e) => {
      this.canvas.setPointerCapture(e.pointerId);
      this.pointers.set(e.pointerId, at(e));
      this.tip.hidden = true;
      const single = this.pointers.size === 1;
      this.drag = single ? { start: at(e), from: this.place(at(e)), to: null, pan: this.panning !== e.shiftKey, moved: false } : null;
    });
    on("pointermove", (e) => {
      const now = at(e), before = this.pointers.get(e.pointerId);
      if (!before) { this.tell(this.nearest(...now), ...now); return; }
      this.pointers.set(e.pointerId, now);
      if (this.pointers.size === 2) this.pinch(e.pointerId, now, before);
      else if (this.drag) this.dragTo(now, before);
    });
    on("pointerup", (e) => {
      this.pointers.delete(e.pointerId);
      const { drag } = this;
      this.drag = null;
      if (!drag) return;
      if (!drag.moved) this.hooks.pick(drag.from);
      else if (!drag.pan && drag.to) this.hooks.path(drag.from, drag.to);
      this.draw();
    });
    on("pointercancel", (e) => { this.pointers.delete(e.pointerId); this.drag = null; this.draw(); });
    on("pointerleave", () => { if (!this.pointers.size) this.tip.hidden = true; });
    this.canvas.addEventListener("wheel", (e) => { e.preventDefault(); this.zoom(...at(e), Math.exp(-e.deltaY * WHEEL)); }, { passive: false });
    on("keydown", (e) => { if (!e.ctrlKey && !e.metaKey && !e.altKey && this.key(e.key)) e.preventDefault(); });
    on("focus", () => { this.cursor ??= [this.width / 2, this.height / 2]; this.draw(); });
    on("blur", () => { this.tip.hidden = true; this.draw(); });
    dark.addEventListener("change", () => this.draw());
  }

  dragTo(now, before) {
    const { drag } = this;
    if (Math.hypot(now[0] - drag.start[0], now[1] - drag.start[1]) > 5) drag.moved = true;
    if (!drag.moved) return;
    if (drag.pan) {
      this.view.x -= (now[0] - before[0]) / this.view.scale;
      this.view.y += (now[1] - before[1]) / this.view.scale;
      this.changed();
    } else {
      drag.to = this.place(now);
      this.draw();
    }
  }

  pinch(id, now, before) {
    this.drag = null;
    const [, other] = [...this.pointers].find(([key]) => key !== id);
    const far = (a) => Math.hypot(a[0] - other[0], a[1] - other[1]) || 1;
    this.zoom((now[0] + other[0]) / 2, (now[1] + other[1]) / 2, far(now) / far(before));
  }

  /** Whether a key means something here. */
  key(name) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    this.cursor ??= [this.width / 2, this.height / 2];
    if (name in moves) this.moveCursor(...moves[name]);
    else if (name === "+" || name === "=") this.zoom(...this.cursor, 1.25);
    else if (name === "-") this.zoom(...this.cursor, 0.8);
    else if (name === "0") { this.fit(); this.changed(); }
    else if (name === "Enter") this.hooks.pick(this.place(this.cursor));
    else if (name === " ") this.pathByKey();
    else if (name === "Escape" && this.drag) { this.drag = null; this.draw(); }
    else return false;
    return true;
  }

  /** The cursor goes a step, and the map with it where it would leave. */
  moveCursor(dx, dy) {
    const margin = 20, limits = [this.width, this.height];
    [dx, dy].forEach((d, axis) => {
      const next = this.cursor[axis] + d * KEY_STEP;
      if (next >= margin && next <= limits[axis] - margin) this.cursor[axis] = next;
      else if (axis) this.view.y -= (d * KEY_STEP) / this.view.scale;
      else this.view.x += (d * KEY_STEP) / this.view.scale;
    });
    if (this.drag) this.drag.to = this.place(this.cursor);
    this.changed();
    this.tell(this.nearest(...this.cursor), ...this.cursor);
  }

  /** The first press begins a path, the second ends it. */
  pathByKey() {
    const here = this.place(this.cursor);
    if (this.drag?.byKey) {
      const { from } = this.drag;
      this.drag = null;
      this.hooks.path(from, here);
    } else {
      this.drag = { byKey: true, from: here, to: here, start: this.cursor };
    }
    this.draw();
  }
}

// `Math.min(...x)` of a large list is more than a call can take.
function extreme(values, pick) {
  return values.reduce((a, b) => pick(a, b), values[0] ?? 0);
}
