// New texts, as they are written.

import { button, decodingControls, decodingFields, decodingOf, figure, slider } from "../controls.js";
import { h } from "../dom.js";
import { number, t } from "../language.js";
import { item } from "../texts.js";

export const fields = { n: 8, seed: 1, quality: "", ...decodingFields };

export function open(page) {
  const list = h("ol", { class: "texts" });
  const work = page.again(async (signal) => {
    const rows = [];
    list.replaceChildren();
    list.setAttribute("aria-busy", "true");
    stop.disabled = false;
    page.say(t("sample.writing"));
    try {
      const { n, seed, quality } = page.state;
      const dial = quality === "" ? {} : { quality: Number(quality) };
      for await (const { name, data } of page.events("/v1/sample", { n, seed, stream: true, ...dial, ...decodingOf(page.state) }, signal)) {
        if (name !== "text") continue;
        rows.push(data);
        list.append(item(page, data.text, { after: data.finished ? null : h("small", {}, " ", t("cut")) }));
      }
      page.say(t("sample.done", { n: rows.length }));
    } finally {
      if (!signal.aborted || !list.isConnected) list.removeAttribute("aria-busy");
      stop.disabled = true;
      page.offers(rows.length ? { rows } : null);
    }
  });
  const stop = button(t("stop"), () => { work.stop(); page.say(""); list.removeAttribute("aria-busy"); }, { disabled: true });
  const change = (changes) => { page.set(changes); inForce(); work.later(); };
  const seed = figure({ label: t("seed"), value: page.state.seed, min: 0, change: (v) => v !== "" && change({ seed: Number(v) }) });
  const own = page.facts.sampling;
  const usual = page.state.temperature === "" ? own.temperature : Number(page.state.temperature);
  // The dial and the temperature are two ways to say the same: each puts off the other.
  const temperature = slider({ label: t("decoding.temperature"), value: usual, min: 0, max: 2, step: 0.05, shown: (v) => number(v, 2), change: (v) => change({ temperature: String(v), quality: "" }),
    ends: [t("safer"), t("wilder")] });
  const measured = page.facts.frontier;
  const dial = measured && slider({ label: t("sample.quality"), value: page.state.quality === "" ? 0.5 : Number(page.state.quality), min: 0, max: 1, step: 0.05,
    shown: (v) => number(v, 2), change: (v) => change({ quality: String(v), temperature: "" }), ends: [t("sample.diverse"), t("sample.sober")] });
  const inForce = () => { temperature.rest(page.state.quality !== ""); dial?.rest(page.state.quality === ""); };
  inForce();
  page.body.append(
    h("div", { class: "fields" },
      figure({ label: t("sample.n"), value: page.state.n, min: 1, max: page.info.limits.n, change: (v) => v !== "" && change({ n: Number(v) }) }),
      seed,
      temperature, dial),
    h("div", { class: "row" },
      button(t("sample.others"), () => {
        page.set({ seed: page.state.seed + 1 });
        seed.querySelector("input").value = page.state.seed;
        work.now();
      }, { primary: true }), stop),
    page.status, list, decodingControls(page.state, own, change));
  work.now();
}
