// Texts as words: what differs between two of them.

const segmenter = typeof Intl.Segmenter === "function" ? new Intl.Segmenter(undefined, { granularity: "word" }) : null;

/** The words, spaces and marks of a text, in order. */
export function split(text) {
  return segmenter ? [...segmenter.segment(text)].map((part) => part.segment) : text.split(/(\s+)/);
}

/** The parts of `text`, each with whether it is `kept` from `other` (by a longest common subsequence of words). */
export function compare(text, other) {
  const all = split(text), kept = common(all.filter(solid), split(other).filter(solid));
  const parts = [];
  const add = (words, isKept) => {
    const last = parts.at(-1);
    if (last?.kept === isKept) last.text += words;
    else if (words) parts.push({ text: words, kept: isKept });
  };
  let i = 0, space = "";
  for (const word of all) {
    if (!solid(word)) { space += word; continue; }
    // A space between two changed words is changed with them.
    add(space, !(i && !kept[i - 1] && !kept[i]));
    add(word, kept[i]);
    space = "";
    i += 1;
  }
  add(space, true);
  return parts;
}

const solid = (word) => word.trim() !== "";

/** Which words of `a` are in a longest common subsequence with `b`. */
function common(a, b) {
  const width = b.length + 1;
  const length = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      length[i * width + j] = a[i] === b[j]
        ? length[(i + 1) * width + j + 1] + 1
        : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
    }
  }
  let j = 0;
  return a.map((word, i) => {
    while (j < b.length && word !== b[j] && length[i * width + j + 1] >= length[(i + 1) * width + j]) j += 1;
    const kept = j < b.length && word === b[j];
    if (kept) j += 1;
    return kept;
  });
}

const BYTE = /<0x([0-9A-F]{2})>/g;

/** Tokens with their nats; bytes of a letter (`<0xE5>`), which may stand in several tokens, are put together. */
export function joinBytes(tokens) {
  const joined = [], encoder = new TextEncoder();
  let bytes = [], sum = 0;
  tokens.forEach(([token, nats], i) => {
    // Every second part is the number of a byte.
    token.split(BYTE).forEach((part, k) => bytes.push(...(k % 2 ? [parseInt(part, 16)] : encoder.encode(part))));
    sum += nats;
    if (missing(bytes) && i + 1 < tokens.length) return;
    joined.push([new TextDecoder().decode(new Uint8Array(bytes)), sum]);
    bytes = [];
    sum = 0;
  });
  return joined;
}

/** Whether the last letter of UTF-8 has not all its bytes. */
function missing(bytes) {
  const goesOn = (byte) => (byte & 0xc0) === 0x80;
  const start = bytes.findLastIndex((byte) => !goesOn(byte));
  const first = bytes[start] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return bytes.length - start < length;
}
