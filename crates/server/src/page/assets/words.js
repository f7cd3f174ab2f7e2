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

const BYTES = /^(<0x[0-9A-F]{2}>)+$/;

/** Tokens with their nats, those that are bytes of one letter put together; what are no whole letters is shown as `\ufffd`. */
export function joinBytes(tokens) {
  const joined = [];
  let bytes = [], sum = 0;
  const flush = () => {
    if (bytes.length) joined.push([new TextDecoder().decode(new Uint8Array(bytes)), sum]);
    bytes = [];
    sum = 0;
  };
  for (const [token, nats] of tokens) {
    if (!BYTES.test(token)) {
      flush();
      joined.push([token, nats]);
      continue;
    }
    const more = token.match(/[0-9A-F]{2}(?=>)/g).map((hex) => parseInt(hex, 16));
    // A letter of several bytes goes on with bytes 10xxxxxx.
    if ((more[0] & 0xc0) !== 0x80) flush();
    bytes.push(...more);
    sum += nats;
  }
  flush();
  return joined;
}
