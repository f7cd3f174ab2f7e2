// Texts to begin with: what the model writes by itself.

const known = new Map();

/** `n` texts of the model, by its own way of sampling. */
export async function examples(page, n, seed, signal) {
  const key = [page.model.name, page.facts.version, n, seed].join(" ");
  if (!known.has(key)) {
    const { texts } = await page.post("/v1/sample", { n, seed }, signal);
    known.set(key, texts);
  }
  return known.get(key);
}

/** A seed that was not there before. */
export function fresh() {
  return 1 + Math.floor(Math.random() * 1e6);
}
