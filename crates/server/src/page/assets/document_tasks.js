// What a document model can be asked for.

import { h } from "./dom.js";
import { number, t } from "./language.js";
import { item, text as plain } from "./texts.js";
import { GAP, parts, shuffled } from "./gaps.js";

const joined = (sentences) => sentences.map((sentence) => sentence.text).filter(Boolean);
const lines = (page, sentences, line) => h("ol", { class: "texts" }, sentences.map((sentence) => line(page, sentence)));
const read = (state) => ({ text: parts(state.text).join("\n") });
const unwritten = (state) => (state.text.trim() ? null : "text");
const together = (all) => all.filter(Boolean).join("\n").trim();

/** What is known of a sentence that was written. */
function known({ gain, end, repeats }, ends) {
  return h("small", { class: "known" }, [t("documents.gain", { n: number(gain, 1) }), ends && t("documents.end", { p: number(100 * end, 0) }), repeats && t("documents.repeats")].filter(Boolean).join(" · "));
}

const written = (page, sentence) => item(page, sentence.text, { after: known(sentence, true) });
const placed = (page, { index, text }) => item(page, text, { before: h("small", { class: "place" }, h("span", { class: "unseen" }, `${t("documents.place")} `), index + 1) });
const rows = (sentences) => ({ rows: sentences.map((sentence, i) => ({ place: i + 1, ...sentence })) });
const places = (sentences) => ({ rows: sentences.map(({ index, text }, i) => ({ place: i + 1, in_text: index + 1, text })) });

/** How many pairs stand as they did before, of how many. */
function kept(sentences) {
  const pairs = sentences.flatMap((a, i) => sentences.slice(i + 1).map((b) => a.index < b.index));
  return { kept: pairs.filter(Boolean).length, pairs: pairs.length };
}

/** The text with its gap filled: what was written is marked. */
function filled(page, { sentences: [sentence] }) {
  const [before, after] = parts(page.state.text);
  return [
    h("p", { class: "reading filled", dir: "auto" }, before, before && "\n", h("mark", {}, sentence.text || t("empty")), after && "\n", after),
    h("p", {}, known(sentence, false)),
  ];
}

/*
 * Each task: whether it `reads` a text, and what that `lacks`; the `body` of its request; the field of its `count`; whether it
 * `draws`, `decodes`, takes documents `given` beside and `streams` sentences, each a `line`, or has all `shown` at once; what is
 * `said` of an answer, the `file` of it, the text that is `taken` over from it and what comes `next`; sentences as an `example`.
 */
export const TASKS = {
  continue: {
    reads: true, lacks: unwritten, count: "n", draws: true, decodes: true, given: true, streams: true, line: written, file: rows,
    body: (state) => ({ ...read(state), n: state.n }),
    said: (_, { sentences }) => t("documents.written", { n: sentences.length }),
    taken: (text, sentences) => together([...text, ...joined(sentences)]),
    example: (sentences) => sentences,
  },
  infill: {
    reads: true, draws: true, decodes: true, given: true, shown: filled, file: rows,
    lacks: (state) => unwritten(state) ?? (parts(state.text).length === 2 ? null : "documents.gaps"),
    body: (state) => ({ text: parts(state.text).join(`\n${GAP}\n`) }),
    said: () => t("documents.filled"),
    taken: ([before, after], sentences) => together([before, ...joined(sentences), after]),
    example: (sentences) => sentences.with(Math.floor(sentences.length / 2), GAP),
  },
  order: {
    reads: true, lacks: unwritten, given: true, file: places,
    shown: (page, { sentences }) => lines(page, sentences, placed),
    body: (state) => ({ ...read(state), ...(state.part && { part: true }) }),
    said: (_, { sentences }) => t("documents.ordered", { n: sentences.length, ...kept(sentences) }),
    taken: (_, sentences) => together(joined(sentences)),
    example: shuffled,
  },
  outline: {
    lacks: () => null, count: "most", draws: true, decodes: true, given: true, streams: true, line: written, file: rows, next: "continue",
    body: (state) => ({ n: state.most }),
    said: (page, { sentences }) => t(sentences.length < page.state.most ? "documents.ended" : "documents.written", { n: sentences.length }),
    taken: (_, sentences) => together(joined(sentences)),
  },
  summarise: {
    reads: true, lacks: unwritten, count: "k", decodes: true, file: places,
    shown: (page, { sentences, centre }) => [
      lines(page, sentences, placed),
      h("h2", { class: "label" }, t("documents.centre")), h("p", { class: "reading" }, plain(centre)),
    ],
    body: (state) => ({ ...read(state), k: state.k }),
    said: (_, { sentences }) => t("documents.chosen", { n: sentences.length }),
    example: (sentences) => sentences,
  },
};
