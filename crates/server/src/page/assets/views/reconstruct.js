// A sentence through the channel and back, as it is written.

import { bars } from "../charts.js";
import { button, decodingControls, decodingFields, decodingOf, passage } from "../controls.js";
import { h } from "../dom.js";
import { examples, fresh } from "../examples.js";
import { t } from "../language.js";
import { changed, onward } from "../texts.js";
import { compare } from "../words.js";

export const fields = { text: "", ...decodingFields };

export function open(page) {
  const channel = h("div", { class: "channel" });
  const back = h("div", { class: "back", "aria-live": "polite" });
  const work = page.again(async (signal) => {
    const texts = [page.state.text];
    if (!texts[0].trim()) { back.replaceChildren(); channel.replaceChildren(); page.offers(null); return; }
    const [encoded, made] = await Promise.all([
      page.post("/v1/encode", { texts }, signal),
      page.post("/v1/reconstruct", { texts, ...decodingOf(page.state) }, signal),
    ]);
    const [latent] = encoded.latents, [text] = made.texts;
    const parts = compare(text, texts[0]).flatMap((part) => part.text.split(/\s+/).filter(Boolean).map(() => part.kept));
    const exact = text === texts[0];
    channel.replaceChildren(bars(latent), h("p", { class: "note" }, t("latent.note", { n: latent.length })));
    back.replaceChildren(
      h("h2", { class: "label" }, t("reconstruct.back")),
      h("p", { class: "reading" }, changed(text, texts[0])),
      h("p", { class: "note" }, exact ? t("reconstruct.exact") : parts.every((kept) => kept) ? t("reconstruct.kept") : t("reconstruct.marked"), " ", onward(page, text)));
    page.offers({ rows: [{ text: texts[0], reconstruction: text, exact }], lines: [text], whole: { text: texts[0], reconstruction: text, latent, model: made.model, version: made.version } });
  });
  const box = h("div", {});
  const write = () => box.replaceChildren(passage({
    label: t("reconstruct.yours"), value: page.state.text, placeholder: t("write"), rows: 2,
    change: (text) => { page.set({ text }); work.later(); },
  }));
  const another = (seed) => page.during(async () => {
    const [text] = await examples(page, 1, seed, page.leaving.signal);
    page.set({ text });
    write();
    work.now();
  });
  page.body.append(box, h("div", { class: "row" }, button(t("example"), () => another(fresh()))), channel, back,
    decodingControls(page.state, page.facts.decoding, (changes) => { page.set(changes); work.later(); }));
  write();
  if (page.state.text) work.now();
  else another(1);
}
