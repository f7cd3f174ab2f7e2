// Documents: a text is continued, completed, put in order or summarised, or a new one is written, sentence by sentence.

import { unusual } from "../address.js";
import { button, choice, decodingControls, decodingFields, decodingOf, figure, passage, slider } from "../controls.js";
import { TASKS } from "../document_tasks.js";
import { fill, h } from "../dom.js";
import { fresh } from "../examples.js";
import { leaveOut, parts, shuffled } from "../gaps.js";
import { number, t } from "../language.js";

export const fields = { task: "continue", text: "", given: "", n: 5, most: 10, k: 3, part: false, seed: 1, spread: 1, candidates: 16, ...decodingFields };

// A text is long and its sentences take their time: a little more rest than after a change of a single sentence.
const PATIENCE = 500;
const EXAMPLE = { n: 5, candidates: 4 };

export function open(page) {
  if (!Object.hasOwn(TASKS, page.state.task)) page.state.task = fields.task;
  const task = () => TASKS[page.state.task];
  const board = h("div", {}), form = h("div", { class: "form" }), uses = h("div", { class: "row" }), how = h("div", {});
  let area = null, seed = null, answer = null;

  const have = (found) => {
    answer = found;
    page.offers(found && { ...task().file(found.sentences), whole: { task: page.state.task, request: asked(page), ...found } });
    for (const one of uses.children) one.disabled = !found;
  };
  const nothing = (words = "") => { fill(board); page.say(words); have(null); };
  const work = page.again(async (signal) => {
    const { lacks, streams, shown, said } = task();
    const lack = lacks(page.state);
    if (lack) { nothing(lack === "text" ? "" : t(lack)); return; }
    page.say(t(streams ? "sample.writing" : "documents.reading"));
    stop.disabled = !streams;
    try {
      const found = streams ? await hear(signal) : await page.post(path(page), asked(page), signal);
      if (!streams) fill(board, shown(page, found));
      page.say(said(page, found));
      have(found);
    } catch (problem) {
      if (!signal.aborted) nothing();
      throw problem;
    } finally {
      if (!signal.aborted) stop.disabled = true;
    }
  }, PATIENCE);
  /** Sentences as they are written. Those that are there can be saved and used if the rest is stopped. */
  const hear = async (signal) => {
    const list = h("ol", { class: "texts" }), found = { sentences: [] };
    for await (const { name, data: { index: _, ...data } } of page.events(path(page), { ...asked(page), stream: true }, signal)) {
      if (name === "done") Object.assign(found, { model: data.model, version: data.version });
      if (name !== "sentence") continue;
      found.sentences.push(data);
      list.append(task().line(page, data));
      if (found.sentences.length === 1) fill(board, list);
      have(found);
    }
    return found;
  };
  const stop = button(t("stop"), () => { work.stop(); page.say(""); stop.disabled = true; }, { disabled: true });

  const change = (changes) => { page.set(changes); work.later(); };
  const whole = (name, also) => (value) => { if (value !== "") { change({ [name]: Number(value) }); also?.(); } };
  /** Changes what controls show, too. */
  const put = (changes) => {
    page.set(changes);
    if (area) area.value = page.state.text;
    if (seed) seed.querySelector("input").value = page.state.seed;
    work.now();
  };
  const another = (number) => page.during(async () => {
    const { sentences } = await page.post("/v1/document/outline", { ...EXAMPLE, seed: number });
    put({ text: task().example(sentences.map(({ text }) => text).filter(Boolean)).join("\n") });
  });
  const take = () => {
    if (!answer) return;
    const text = task().taken(parts(page.state.text), answer.sentences);
    const { next } = task();
    if (next) location.hash = page.at(page.view.name, unusual({ ...page.state, text, task: next }, fields));
    else put({ text });
  };
  const shuffle = () => answer && put({ text: shuffled(answer.sentences.toSorted((a, b) => a.index - b.index).map(({ text }) => text)).join("\n") });

  /** The controls of a task. */
  const write = () => {
    const { state, facts, info } = page, { reads, draws, given, count, decodes, streams, taken } = task();
    const text = reads && passage({ label: t("documents.text"), value: state.text, placeholder: t("documents.write"), rows: 5, change: (words) => change({ text: words }) });
    const most = () => (draws ? Math.max(1, Math.floor(info.limits.n / state.candidates)) : info.limits.texts);
    const counted = count && figure({ label: t(`documents.${count}`), value: state[count], min: 1, max: most(), change: whole(count) });
    const candidates = () => { if (counted) counted.querySelector("input").max = most(); };
    area = text ? text.querySelector("textarea") : null;
    seed = draws ? figure({ label: t("seed"), value: state.seed, min: 0, change: whole("seed") }) : null;
    fill(form,
      h("p", { class: "note" }, t(`documents.how.${state.task}`), state.task === "outline" && ` ${facts.settings.plan ? t("documents.plan", { n: facts.settings.plan }) : t("documents.planless")}`),
      text,
      given && facts.settings.given && passage({ label: t("documents.given"), value: state.given, placeholder: t("documents.given.how"), rows: 3, change: (words) => change({ given: words }) }),
      h("div", { class: "row" },
        draws && button(t("sample.others"), () => put({ seed: page.state.seed + 1 }), { primary: true }),
        streams && stop,
        state.task === "infill" && button(t("documents.gap"), () => put({ text: leaveOut(area.value, area.selectionStart, area.selectionEnd) })),
        reads && button(t("example"), () => another(fresh()))),
      h("div", { class: "fields" },
        counted, seed,
        state.task === "order" && choice({ label: t("documents.part"), value: String(state.part), options: [["false", t("documents.part.whole")], ["true", t("documents.part.some")]], change: (part) => change({ part: part === "true" }) }),
        draws && [
          figure({ label: t("documents.candidates"), value: state.candidates, min: 1, max: info.limits.n, change: whole("candidates", candidates) }),
          slider({ label: t("documents.spread"), value: state.spread, min: 0, max: 2, step: 0.05, shown: (v) => number(v, 2), change: (spread) => change({ spread }), ends: [t("safer"), t("wilder")] }),
        ]));
    fill(uses,
      taken && button(t(`documents.take.${state.task}`), take, { disabled: true }),
      state.task === "order" && button(t("documents.shuffle"), shuffle, { disabled: true }));
    fill(how, decodes && decodingControls(state, facts.decoding, change));
  };
  const choose = (name) => {
    work.stop();
    nothing();
    page.set({ task: name });
    write();
    if (page.state.text || !task().reads) work.now();
    else another(1);
  };
  page.body.append(
    choice({ label: t("documents.task"), value: page.state.task, options: Object.keys(TASKS).map((name) => [name, t(`documents.${name}`)]), change: choose }),
    form, page.status, board, uses, how);
  choose(page.state.task);
}

const path = (page) => `/v1/document/${page.state.task}`;

/** The request for what the state says. */
function asked({ state, facts }) {
  const { body, draws, given, decodes } = TASKS[state.task];
  const beside = given && facts.settings.given ? state.given.split(/\n\s*\n/).map((one) => one.trim()).filter(Boolean) : [];
  return {
    ...body(state),
    ...(draws && { seed: state.seed, spread: state.spread, candidates: state.candidates }),
    ...(decodes && decodingOf(state)),
    ...(beside.length && { given: beside }),
  };
}
