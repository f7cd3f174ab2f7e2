// Texts with a sentence missing, and in another order.

/** The place of a missing sentence, as the server reads it. */
export const GAP = "[...]";

/** A text between its gaps; a telephone may have made one character of three points. */
export function parts(text) {
  return text.split(/\s*\[(?:\.{3}|…)\]\s*/);
}

/** The text with a gap in the place of what is selected; after the sentence at the cursor if nothing is. Another gap goes. */
export function leaveOut(text, from, to) {
  const whole = (part) => parts(part).join("\n").trim();
  let before = text.slice(0, from), after = text.slice(to);
  if (from === to && before.trim() && !/[.!?。！？…\n]["'”’」』)）\]]*\s*$/.test(before)) {
    const [rest] = after.match(/^[^.!?。！？…\n]*[.!?。！？…]*["'”’」』)）]*/);
    before += rest;
    after = after.slice(rest.length);
  }
  return [whole(before), GAP, whole(after)].filter(Boolean).join("\n");
}

/** Members in an order drawn at random, another one than theirs if there are two that differ. */
export function shuffled(members) {
  const drawn = [...members];
  for (let i = drawn.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [drawn[i], drawn[j]] = [drawn[j], drawn[i]];
  }
  const same = drawn.every((member, i) => member === members[i]);
  return same ? [...drawn.slice(1), ...drawn.slice(0, 1)] : drawn;
}
