"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { x, y, texts, colours } = data;
  const n = texts.length;
  const $ = (id) => document.getElementById(id);
  const canvas = $("map"), stage = $("stage"), hover = $("hover"), context = canvas.getContext("2d");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a6861a", "#56b4e9", "#8a6fd1", "#7a9a01", "#b2442f", "#2f8f9d", "#7d7d7d"];
  const OTHER = "#8b939e";

  // What the points are coloured by: names, and the group of each point (-1: none).
  let by = colours.length ? 0 : -1;
  let hidden = new Set();
  let found = null; // matches of the search
  let chosen = [];
  const group = (i) => (by < 0 ? -1 : colours[by].groups[i]);
  const colour = (g) => (g < 0 ? OTHER : g < PALETTE.length ? PALETTE[g] : `hsl(${(g * 137.5) % 360} 55% ${dark.matches ? 62 : 42}%)`);

  // The view: places on the map to pixels.
  const bounds = x.reduce((b, v, i) => [Math.min(b[0], v), Math.max(b[1], v), Math.min(b[2], y[i]), Math.max(b[3], y[i])], [Infinity, -Infinity, Infinity, -Infinity]);
  let view = { x: 0, y: 0, scale: 1 };
  let width = 1, height = 1;
  const fit = () => {
    const span = Math.max((bounds[1] - bounds[0]) / width, (bounds[3] - bounds[2]) / height) || 1;
    view = { x: (bounds[0] + bounds[1]) / 2, y: (bounds[2] + bounds[3]) / 2, scale: 0.92 / span };
  };
  const toScreen = (i) => [(x[i] - view.x) * view.scale + width / 2, (view.y - y[i]) * view.scale + height / 2];
  const toMap = (px, py) => [(px - width / 2) / view.scale + view.x, view.y - (py - height / 2) / view.scale];

  const keep = () => {
    const part = [view.x, view.y, view.scale].map((v) => v.toPrecision(6)).join(",");
    const state = new URLSearchParams({ v: part, c: String(by), q: $("search").value });
    history.replaceState(null, "", "#" + state);
  };
  const restore = () => {
    const state = new URLSearchParams(location.hash.slice(1));
    const numbers = (state.get("v") || "").split(",").map(Number);
    if (numbers.length === 3 && numbers.every(Number.isFinite) && numbers[2] > 0) view = { x: numbers[0], y: numbers[1], scale: numbers[2] };
    const c = Number(state.get("c"));
    if (state.has("c") && Number.isInteger(c) && c >= -1 && c < colours.length) by = c;
    if (state.get("q")) $("search").value = state.get("q");
  };

  let drawing = false;
  const draw = () => {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => { drawing = false; paint(); });
  };
  const paint = () => {
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const zoom = view.scale * Math.max(bounds[1] - bounds[0], bounds[3] - bounds[2], 1e-9) / Math.max(width, height);
    const radius = Math.min(6, Math.max(1.3, 26 / Math.sqrt(n) * Math.sqrt(zoom) + 1));
    const faint = found !== null;
    for (const pass of faint ? [false, true] : [true]) {
      for (let i = 0; i < n; i++) {
        const g = group(i), match = !faint || found[i];
        if (match !== pass || hidden.has(g)) continue;
        const [px, py] = toScreen(i);
        if (px < -9 || py < -9 || px > width + 9 || py > height + 9) continue;
        context.globalAlpha = match ? 0.78 : 0.12;
        context.fillStyle = colour(g);
        context.beginPath();
        context.arc(px, py, match && faint ? radius + 1.2 : radius, 0, 7);
        context.fill();
      }
    }
    context.globalAlpha = 1;
    if (lasso && lasso.length > 1) {
      context.strokeStyle = getComputedStyle(canvas).color;
      context.lineWidth = 1.5;
      context.beginPath();
      lasso.forEach(([px, py], i) => (i ? context.lineTo(px, py) : context.moveTo(px, py)));
      context.closePath();
      context.stroke();
    }
  };

  const nearest = (px, py, reach) => {
    let best = -1, least = reach * reach;
    for (let i = 0; i < n; i++) {
      if (hidden.has(group(i))) continue;
      const [qx, qy] = toScreen(i), d = (qx - px) ** 2 + (qy - py) ** 2;
      if (d < least) { least = d; best = i; }
    }
    return best;
  };
  const told = (i) => colours.map((c) => (c.groups[i] < 0 ? null : `${c.name}: ${c.names[c.groups[i]]}`)).filter(Boolean).join(" · ");
  const show = (i, px, py) => {
    hover.hidden = i < 0;
    if (i < 0) return;
    hover.textContent = texts[i];
    const more = document.createElement("small");
    more.textContent = told(i);
    hover.append(more);
    const left = px > width / 2;
    hover.style.left = left ? "auto" : `${px + 12}px`;
    hover.style.right = left ? `${width - px + 12}px` : "auto";
    hover.style.top = py > height / 2 ? "auto" : `${py + 12}px`;
    hover.style.bottom = py > height / 2 ? `${height - py + 12}px` : "auto";
  };

  const SHOWN = 500;
  const list = () => {
    const ul = $("chosen");
    ul.replaceChildren(...chosen.slice(0, SHOWN).map((i) => {
      const li = document.createElement("li");
      li.textContent = texts[i];
      const about = told(i);
      if (about) { const small = document.createElement("small"); small.textContent = " " + about; li.append(small); }
      return li;
    }));
    $("count").textContent = chosen.length ? `${chosen.length.toLocaleString()} chosen${chosen.length > SHOWN ? `, the first ${SHOWN} shown` : ""}` : "Nothing chosen";
    $("save").disabled = !chosen.length;
  };

  const search = () => {
    const wanted = $("search").value.trim().toLowerCase();
    found = wanted ? texts.map((t) => t.toLowerCase().includes(wanted)) : null;
    if (found) { chosen = found.flatMap((f, i) => (f ? [i] : [])); list(); }
    draw();
  };

  const legend = () => {
    const items = by < 0 ? [] : colours[by].names.map((name, g) => [name, g]);
    const counts = new Map();
    for (let i = 0; i < n; i++) counts.set(group(i), (counts.get(group(i)) || 0) + 1);
    if (counts.has(-1)) items.push([by < 0 ? "all" : "none", -1]);
    $("legend").replaceChildren(...items.map(([name, g]) => {
      const li = document.createElement("li"), button = document.createElement("button");
      const dot = document.createElement("i"), label = document.createElement("span"), count = document.createElement("small");
      dot.style.background = colour(g);
      label.textContent = name;
      count.textContent = (counts.get(g) || 0).toLocaleString();
      button.setAttribute("aria-pressed", String(!hidden.has(g)));
      button.append(dot, label, count);
      button.onclick = () => {
        if (hidden.has(g)) hidden.delete(g); else hidden.add(g);
        button.setAttribute("aria-pressed", String(!hidden.has(g)));
        draw();
      };
      li.append(button);
      return li;
    }));
  };

  // Drag to move, wheel or two fingers to zoom, lasso to choose.
  let lasso = null, choosing = false;
  const pointers = new Map();
  const zoomAt = (px, py, factor) => {
    const [mx, my] = toMap(px, py);
    view.scale *= factor;
    view.x = mx - (px - width / 2) / view.scale;
    view.y = my + (py - height / 2) / view.scale;
    draw(); keep();
  };
  const place = (e) => { const r = canvas.getBoundingClientRect(); return [e.clientX - r.left, e.clientY - r.top]; };
  canvas.onpointerdown = (e) => {
    canvas.setPointerCapture(e.pointerId);
    pointers.set(e.pointerId, place(e));
    if (choosing || e.shiftKey) lasso = [place(e)];
  };
  canvas.onpointermove = (e) => {
    const at = place(e);
    if (!pointers.has(e.pointerId)) { show(nearest(at[0], at[1], 14), at[0], at[1]); return; }
    const before = pointers.get(e.pointerId);
    if (lasso && pointers.size === 1) { lasso.push(at); draw(); pointers.set(e.pointerId, at); return; }
    if (pointers.size === 2) {
      const other = [...pointers].find(([id]) => id !== e.pointerId)[1];
      const d = (a) => Math.hypot(a[0] - other[0], a[1] - other[1]) || 1;
      zoomAt((at[0] + other[0]) / 2, (at[1] + other[1]) / 2, d(at) / d(before));
    } else {
      view.x -= (at[0] - before[0]) / view.scale;
      view.y += (at[1] - before[1]) / view.scale;
      hover.hidden = true;
      draw();
    }
    pointers.set(e.pointerId, at);
  };
  const inside = (polygon, px, py) => {
    let within = false;
    for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
      const [ax, ay] = polygon[i], [bx, by_] = polygon[j];
      if (ay > py !== by_ > py && px < ((bx - ax) * (py - ay)) / (by_ - ay) + ax) within = !within;
    }
    return within;
  };
  canvas.onpointerup = canvas.onpointercancel = (e) => {
    pointers.delete(e.pointerId);
    if (lasso) {
      const polygon = lasso;
      lasso = null;
      if (polygon.length > 2) {
        chosen = [];
        for (let i = 0; i < n; i++) if (!hidden.has(group(i)) && inside(polygon, ...toScreen(i))) chosen.push(i);
        list();
      }
      draw();
    } else {
      const at = place(e), i = nearest(at[0], at[1], 14);
      show(i, at[0], at[1]);
      keep();
    }
  };
  canvas.onpointerleave = () => { if (!pointers.size) hover.hidden = true; };
  canvas.onwheel = (e) => { e.preventDefault(); zoomAt(...place(e), Math.exp(-e.deltaY * 0.0015)); };
  canvas.onkeydown = (e) => {
    const step = 40 / view.scale;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (moves[e.key]) { view.x += moves[e.key][0]; view.y += moves[e.key][1]; }
    else if (e.key === "+" || e.key === "=") zoomAt(width / 2, height / 2, 1.25);
    else if (e.key === "-") zoomAt(width / 2, height / 2, 0.8);
    else if (e.key === "0") fit();
    else if (e.key === "Enter" || e.key === " ") {
      // What lies in the middle of the view.
      const order = [...Array(n).keys()].filter((i) => !hidden.has(group(i)));
      const d = (i) => (x[i] - view.x) ** 2 + (y[i] - view.y) ** 2;
      chosen = order.sort((a, b) => d(a) - d(b)).slice(0, 20);
      list();
    } else return;
    e.preventDefault();
    draw(); keep();
  };
  $("in").onclick = () => zoomAt(width / 2, height / 2, 1.4);
  $("out").onclick = () => zoomAt(width / 2, height / 2, 1 / 1.4);
  $("whole").onclick = () => { fit(); draw(); keep(); };
  $("lasso").onclick = () => {
    choosing = !choosing;
    $("lasso").setAttribute("aria-pressed", String(choosing));
    canvas.classList.toggle("lasso", choosing);
  };
  $("search").oninput = () => { search(); keep(); };
  $("save").onclick = () => {
    const lines = chosen.map((i) => JSON.stringify({ row: data.rows[i], text: texts[i], ...Object.fromEntries(colours.filter((c) => c.groups[i] >= 0).map((c) => [c.name, c.names[c.groups[i]]])) }));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "application/jsonl" }));
    link.download = "chosen.jsonl";
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const select = $("by");
  select.append(...colours.map((c, i) => new Option(c.name, String(i))), new Option("nothing", "-1"));
  select.onchange = () => { by = Number(select.value); hidden = new Set(); legend(); draw(); keep(); };

  const resize = () => {
    const first = width === 1;
    width = stage.clientWidth || 1;
    height = stage.clientHeight || 1;
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    if (first) { fit(); restore(); select.value = String(by); legend(); list(); search(); }
    draw();
  };
  new ResizeObserver(resize).observe(stage);
  dark.onchange = () => { legend(); draw(); };
})();
