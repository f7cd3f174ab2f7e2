// How odd texts are, their least likely tokens in colour.

import { button, passage } from "../controls.js";
import { h } from "../dom.js";
import { examples, fresh } from "../examples.js";
import { number, t } from "../language.js";
import { onward } from "../texts.js";
import { joinBytes } from "../words.js";

export const fields = { texts: "" };

/** Nats at which a token is as odd as its colour can say. */
const MOST = 8;
const ODD = 0.05;

export function open(page) {
  const list = h("ol", { class: "scores" });
  const work = page.again(async (signal) => {
    const texts = page.state.texts.split("\n").map((line) => line.trim()).filter(Boolean);
    if (!texts.length) { list.replaceChildren(); page.offers(null); return; }
    const { scores, usual } = await page.post("/v1/score", { texts }, signal);
    const order = scores.toSorted((a, b) => (a.p ?? 1) - (b.p ?? 1) || b.nats_per_token - a.nats_per_token);
    list.replaceChildren(...order.map((score) => line(page, score)));
    page.say(t("score.done", { n: scores.length, usual: usual ?? 0 }));
    page.offers({ rows: scores.map(({ tokens: _, ...row }) => row), whole: { usual, scores } });
  });
  const box = h("div", {});
  const write = () => box.replaceChildren(passage({ label: t("score.texts"), value: page.state.texts, placeholder: t("write"), rows: 4, change: (texts) => { page.set({ texts }); work.later(); } }));
  const another = (seed) => page.during(async () => {
    const texts = await examples(page, 3, seed, page.leaving.signal);
    // Two as they are, one with its words in another order.
    const last = texts[2].includes(" ") ? texts[2].split(" ").toReversed().join(" ") : [...texts[2]].toReversed().join("");
    page.set({ texts: [...texts.slice(0, 2), last].join("\n") });
    write();
    work.now();
  });
  const key = h("p", { class: "scale note" }, t("score.likely"), [0, 2, 4, 6, 8].map((nats) => h("span", { class: "token", "data-odd": String(shade(nats)) }, String(nats))), t("score.unlikely"));
  page.body.append(box, h("div", { class: "row" }, button(t("example"), () => another(fresh()))), key, page.status, list);
  write();
  if (page.state.texts) work.now();
  else another(1);
}

/** How strongly a token is coloured: 0 to 5. */
export function shade(nats) {
  return Math.max(0, Math.min(5, Math.round((5 * (nats - 1)) / (MOST - 1))));
}

function line(page, score) {
  const tokens = joinBytes(score.tokens).map(([token, nats]) => {
    // The space before a word is not coloured.
    const word = token.trimStart();
    return [token.slice(0, token.length - word.length), word && h("span", { class: "token", "data-odd": String(shade(nats)), title: t("score.nats", { n: number(nats, 2) }) }, word)];
  });
  const odd = score.p !== null && score.p !== undefined && score.p < ODD;
  const about = [
    score.p !== undefined && score.p !== null && t("score.p", { p: number(score.p, 3) }),
    t("score.each", { n: number(score.nats_per_token, 2) }),
    score.p_latent !== undefined && score.p_latent !== null && t("score.latent", { p: number(score.p_latent, 3) }),
  ].filter(Boolean).join(" · ");
  return h("li", { class: odd ? "odd" : null },
    h("p", { class: "reading", dir: "auto" }, tokens),
    h("p", { class: "note" }, odd && h("b", {}, t("score.odd"), " "), about, " ", onward(page, score.text)));
}
