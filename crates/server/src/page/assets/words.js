// Texts as words: what differs between two of them.

const segmenter = typeof Intl.Segmenter === "function" ? new Intl.Segmenter(undefined, { granularity: "word" }) : null;

/** The words, spaces and marks of a text, in order. */
export function split(text) {
  return segmenter ? [...segmenter.segment(text)].map((part) => part.segment) : text.split(/(\s+)/);
}

/** The parts of `text`, each with whether it is `kept` from `other` (by a longest common subsequence). */
export function compare(text, other) {
  const a = split(text), b = split(other);
  const width = b.length + 1;
  const common = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      common[i * width + j] = a[i] === b[j]
        ? common[(i + 1) * width + j + 1] + 1
        : Math.max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  const parts = [];
  for (let i = 0, j = 0; i < a.length; i += 1) {
    while (j < b.length && a[i] !== b[j] && common[i * width + j + 1] >= common[(i + 1) * width + j]) j += 1;
    const kept = j < b.length && a[i] === b[j];
    if (kept) j += 1;
    const last = parts.at(-1);
    // A space between two changed words belongs to them.
    if (last && last.kept === kept) last.text += a[i];
    else parts.push({ text: a[i], kept });
  }
  return parts;
}
