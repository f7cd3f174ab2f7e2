// Trainings: their curves and what they write, as they go on; and their reports.

import { getText, hasKey } from "../api.js";
import { lines } from "../charts.js";
import { button, choice, select, slider } from "../controls.js";
import { fill, h } from "../dom.js";
import { number, t } from "../language.js";
import { changed, text as plain } from "../texts.js";

export const fields = { run: "", show: "curves", look: -1 };

const REDRAW = 400, AGAIN = 3000;

export async function open(page) {
  const board = h("div", {});
  const picker = h("div", { class: "fields" });
  page.body.append(picker, board);
  const list = await page.during(() => page.get("/v1/runs"));
  if (!list) return;
  if (!list.runs.length) { board.append(h("p", { class: "hint" }, t("train.none"))); return; }
  const run = list.runs.find(({ name }) => name === page.state.run) ?? list.runs.find(({ state }) => state === "training") ?? list.runs[0];
  const again = (changes) => { page.set(changes); page.reopen(); };
  fill(picker,
    select({ label: t("train.run"), value: run.name, options: list.runs.map(({ name, state }) => [name, `${name} · ${t(`train.${state}`)}`]), change: (name) => again({ run: name, look: -1 }) }),
    choice({ label: t("train.show"), value: page.state.show, options: [["curves", t("train.curves")], ["report", t("train.report")]], change: (show) => again({ show }) }));
  if (page.state.show === "report") showReport(page, run, board);
  else new Live(page, run, board).open();
}

function showReport(page, run, board) {
  const source = `/v1/runs/${encodeURIComponent(run.name)}/report`;
  const keep = () => page.during(async () => {
    const link = h("a", { href: URL.createObjectURL(new Blob([await getText(source, page.leaving.signal)], { type: "text/html" })), download: `${run.name}-report.html` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
  board.append(hasKey() ? h("p", { class: "hint" }, t("train.report.key")) : h("iframe", { class: "report", src: source, title: t("train.report.of", { name: run.name }), sandbox: "" }),
    h("div", { class: "row" }, button(t("train.save"), keep)));
}

/** A training whose events arrive. */
class Live {
  constructor(page, run, board) {
    Object.assign(this, { page, run, board, steps: [], looks: [], planned: null, state: run.state, timer: 0 });
    this.facts = h("dl", { class: "facts" });
    this.plots = h("div", { class: "plots" });
    this.texts = h("div", {});
    this.live = h("p", { class: "note", role: "status" });
  }

  open() {
    const { page, board } = this;
    board.append(this.live, this.facts, this.plots, this.texts);
    page.leaving.signal.addEventListener("abort", () => clearTimeout(this.timer), { once: true });
    page.during(() => this.hear(), true);
  }

  /** Reads events until the training is over; after a break it goes on where it was. */
  async hear() {
    const { page, run } = this;
    const { signal } = page.leaving;
    let from = 0;
    while (!signal.aborted) {
      const log = await page.get(`/v1/runs/${encodeURIComponent(run.name)}/events/${from}`);
      // A log that was written anew begins anew.
      if (log.from < from) Object.assign(this, { steps: [], looks: [], planned: null });
      from = log.next;
      this.state = log.state;
      for (const event of log.events) this.take(event);
      this.redraw();
      if (log.more) continue;
      if (log.state !== "training") return;
      await new Promise((resolve) => { const timer = setTimeout(resolve, AGAIN); signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true }); });
    }
  }

  take(event) {
    if (event.event === "step") this.steps.push(event);
    else if (event.event === "look") this.looks.push(event);
    else if (event.event === "planned") this.planned = event;
  }

  redraw() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.draw(), this.drawn ? REDRAW : 0);
  }

  draw() {
    this.drawn = true;
    const { steps, looks, planned, page } = this;
    const last = steps.at(-1), at = this.chosen;
    const done = last && last.steps ? Math.round((100 * last.step) / last.steps) : 0;
    this.live.textContent = this.state === "training"
      ? t("train.live", { done, left: last ? duration(last.seconds_left) : "–" }) : t(`train.is.${this.state}`, { n: number(last?.step ?? 0) });
    const best = looks.reduce((a, b) => (!a || b.bits_per_byte < a.bits_per_byte ? b : a), null);
    const facts = [
      ["recipe", this.run.recipe], ["weights", number(planned?.weights)], ["vocabulary", number(planned?.vocabulary)], ["step", last && `${number(last.step)} / ${number(last.steps)}`],
      ["best", best && `${number(best.bits_per_byte, 3)} (${number(best.step)})`], ["speed", last && number(last.tokens_per_second)], ["time", last && duration(last.seconds)],
    ];
    this.facts.replaceChildren(...facts.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, t(`train.fact.${name}`)), h("dd", {}, value))));
    const of = (events, read) => events.map((event) => [event.step, read(event)]).filter(([, y]) => Number.isFinite(y));
    const across = t("train.step");
    const chosen = at && page.state.look >= 0 ? at.step : null;
    const named = (events) => [...new Set(events.flatMap((event) => Object.keys(event.figures ?? {})))];
    const charts = [
      lines({ title: t("train.bits"), across, chosen, lines: [{ name: t("train.seen"), points: of(steps, (e) => e.bits_per_byte), quiet: true }, { name: t("train.unseen"), points: of(looks, (e) => e.bits_per_byte) }] }),
      lines({ title: t("train.accuracy"), across, chosen, from: 0, lines: [{ name: "BLEU-4", points: of(looks, (e) => e.bleu4) }, { name: t("train.tokens"), points: of(looks, (e) => e.token_accuracy * 100) }] }),
      ...named(steps).map((name) => lines({ title: name.replaceAll("_", " "), across, chosen, lines: [{ name, points: of(steps, (e) => e.figures[name]) }] })),
      ...named(looks).filter((name) => !named(steps).includes(name)).map((name) => lines({ title: name.replaceAll("_", " "), across, chosen, lines: [{ name, points: of(looks, (e) => e.figures[name]) }] })),
      lines({ title: t("train.speed"), across, chosen, from: 0, lines: [{ name: t("train.speed"), points: of(steps, (e) => e.tokens_per_second), quiet: true }] }),
    ];
    this.plots.replaceChildren(...charts);
    this.readLook();
    const rows = [...steps, ...looks].toSorted((a, b) => a.step - b.step).map(({ event, step, epoch, bits_per_byte: bits, rate, tokens_per_second: speed, seconds, bleu4, figures }) => ({ event, step, epoch, bits_per_byte: bits, rate, tokens_per_second: speed, seconds, bleu4, ...figures }));
    page.offers(rows.length ? { rows, whole: { planned, steps, looks }, lines: looks.flatMap((e) => e.samples.map((s) => `${e.step}\t${s}`)) } : null);
  }

  get chosen() {
    const { look } = this.page.state;
    return look >= 0 && look < this.looks.length ? this.looks[look] : this.looks.at(-1);
  }

  /** The samples and reconstructions at a moment, with a slider over the moments; the slider stays under the finger. */
  readLook() {
    const { looks, page } = this;
    if (!looks.length) return;
    const latest = looks.length - 1;
    if (this.moments !== looks.length) {
      this.moments = looks.length;
      this.words = h("div", { class: "looked" });
      const at = page.state.look < 0 ? latest : Math.min(page.state.look, latest);
      fill(this.texts, h("h2", {}, t("train.writes")), latest > 0 && slider({
        label: t("train.moment"), value: at, min: 0, max: latest, step: 1, shown: (i) => t("train.at", { n: number(looks[i].step) }),
        change: (i) => { page.set({ look: i === latest ? -1 : i }); this.readLook(); this.redraw(); },
      }), this.words);
    }
    const { samples, reconstructions } = this.chosen;
    this.words.replaceChildren(
      h("section", {}, h("h3", {}, t("train.samples")), h("ol", { class: "texts" }, samples.map((words) => h("li", {}, plain(words))))),
      h("section", {}, h("h3", {}, t("train.back")), h("ol", { class: "texts pairs" }, reconstructions.map(([from, to]) => h("li", {}, h("small", {}, plain(from)), changed(to, from))))));
  }
}

/** Seconds as a person says them. */
function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  const whole = Math.round(seconds), hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  if (hours) return t("time.hours", { h: hours, m: minutes });
  return minutes ? t("time.minutes", { m: minutes, s: whole % 60 }) : t("time.seconds", { s: whole });
}
