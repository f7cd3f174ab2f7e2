// Drawings of numbers, as SVG that a screen reader reads as a sentence.

import { h, svg } from "./dom.js";
import { number, t } from "./language.js";

const WIDTH = 520, HEIGHT = 250, LEFT = 46, RIGHT = 12, TOP = 12, BOTTOM = 30;

/** Round values from `low` to `high`, about `count` of them (steps of 1, 2 or 5 times a power of ten). */
export function ticks(low, high, count) {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const all = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) all.push(Number(v.toPrecision(12)));
  return all;
}

const short = (v) => (Math.abs(v) >= 1000 ? `${number(v / 1000, 1)}k` : number(v, 3).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, ""));

/** At most so many points, the extremes of each stretch kept. */
export function thin(points, most) {
  if (points.length <= most) return points;
  const kept = [], stretch = points.length / (most / 2);
  for (let from = 0; from < points.length; from += stretch) {
    const part = points.slice(Math.floor(from), Math.floor(from + stretch));
    if (!part.length) continue;
    const low = part.reduce((a, b) => (b[1] < a[1] ? b : a)), high = part.reduce((a, b) => (b[1] > a[1] ? b : a));
    kept.push(...(low === high ? [low] : low[0] < high[0] ? [low, high] : [high, low]));
  }
  return kept;
}

/** Lines over one horizontal axis: `lines` are `{name, points: [[x, y]], quiet?}`; `chosen` is an x that is marked. */
export function lines({ title, lines: given, across, chosen = null, from = null }) {
  const all = given.flatMap((line) => line.points).filter(([, y]) => Number.isFinite(y));
  const caption = h("figcaption", {}, h("span", {}, title), given.length > 1 && given.map((line, i) => h("span", { class: `key s${i}` }, line.name)));
  if (!all.length) return h("figure", { class: "chart" }, caption, h("p", { class: "note" }, t("chart.nothing")));
  const xs = all.map(([x]) => x);
  // The first values of a training are far off; what matters is the rest.
  const ys = all.map(([, y]) => y).sort((a, b) => a - b);
  const low = from ?? ys[0], top = ys.length > 30 ? ys[Math.floor(ys.length * 0.985)] : ys.at(-1);
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  const pad = (top - low) * 0.06 || Math.abs(top) * 0.1 || 1;
  const [y0, y1] = [from ?? low - pad, top + pad];
  const px = (x) => LEFT + ((x - x0) / (x1 - x0 || 1)) * (WIDTH - LEFT - RIGHT);
  const py = (y) => HEIGHT - BOTTOM - ((Math.min(y, y1) - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM);
  const grid = ticks(y0, y1, 4).map((y) => svg("g", {},
    svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: py(y), y2: py(y) }),
    svg("text", { x: LEFT - 8, y: py(y) + 4, "text-anchor": "end" }, short(y))));
  const feet = ticks(x0, x1, 5).filter((x) => px(x) < WIDTH - RIGHT - 44).map((x) => svg("text", { x: px(x), y: HEIGHT - 10, "text-anchor": "middle" }, short(x)));
  const drawn = given.map((line, i) => {
    const points = thin(line.points.filter(([, y]) => Number.isFinite(y)), 400);
    const path = points.map(([x, y], j) => `${j ? "L" : "M"}${px(x).toFixed(1)} ${py(y).toFixed(1)}`).join("");
    const ends = points.length < 40 && !line.quiet ? points.map(([x, y]) => svg("circle", { cx: px(x), cy: py(y), r: 2.5 })) : [];
    return svg("g", { class: `s${i}${line.quiet ? " quiet" : ""}` }, svg("path", { class: "line", d: path }), ends);
  });
  const cross = svg("g", { class: "cross", visibility: "hidden" }, svg("line", { y1: TOP, y2: HEIGHT - BOTTOM }), svg("text", { y: TOP + 10 }));
  const mark = chosen !== null && svg("line", { class: "chosen", x1: px(chosen), x2: px(chosen), y1: TOP, y2: HEIGHT - BOTTOM });
  const last = given.map((line) => `${line.name}: ${short(line.points.at(-1)?.[1])}`).join("; ");
  const picture = svg("svg", { class: "plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}. ${t("chart.last", { values: last })}` },
    grid, svg("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM }), feet,
    svg("text", { class: "unit", x: WIDTH - RIGHT, y: HEIGHT - 10, "text-anchor": "end" }, across), mark, drawn, cross);
  picture.addEventListener("pointermove", (e) => {
    const box = picture.getBoundingClientRect();
    const x = x0 + (((e.clientX - box.left) / box.width) * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT) * (x1 - x0);
    const near = given.map((line) => line.points.reduce((a, b) => (Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a), line.points[0] ?? [x0, NaN]));
    const at = near[0][0], right = px(at) > WIDTH * 0.6;
    cross.setAttribute("visibility", "visible");
    for (const end of ["x1", "x2"]) cross.firstChild.setAttribute(end, px(at));
    cross.lastChild.setAttribute("x", px(at) + (right ? -6 : 6));
    cross.lastChild.setAttribute("text-anchor", right ? "end" : "start");
    cross.lastChild.textContent = `${short(at)}: ${near.map(([, y]) => short(y)).join(" · ")}`;
  });
  picture.addEventListener("pointerleave", () => cross.setAttribute("visibility", "hidden"));
  return h("figure", { class: "chart" }, caption, picture);
}

/** The numbers of a latent as bars up and down. */
export function bars(values) {
  const most = Math.max(...values.map(Math.abs), 1e-9), width = 100 / values.length;
  const drawn = values.map((v, i) => {
    const height = (Math.abs(v) / most) * 19;
    return svg("rect", { x: i * width + width * 0.18, width: width * 0.64, y: v < 0 ? 20 : 20 - height, height: Math.max(height, 0.2) });
  });
  return svg("svg", { class: "latent", viewBox: "0 0 100 40", preserveAspectRatio: "none", role: "img", "aria-label": t("latent.said", { n: values.length }) }, drawn);
}
