// The state of a view stands in the address, after the `#`: `#/sample?model=reviews&n=8`. What is as usual is left out.

/** The view's name and its fields as text. */
export function read() {
  const [name, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { name, fields: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

/** The address of a view; `fields` that are empty are left out. */
export function address(name, fields = {}) {
  const given = Object.entries(fields).filter(([, value]) => value !== "" && value !== undefined && value !== null);
  const query = new URLSearchParams(given.map(([key, value]) => [key, String(value)]));
  return `#/${name}${query.size ? `?${query}` : ""}`;
}

/** Fields as the types that their usual values have; what cannot be read is as usual. */
export function typed(fields, usual) {
  const state = { ...usual };
  for (const [name, value] of Object.entries(usual)) {
    const given = fields[name];
    if (given === undefined) continue;
    if (typeof value === "number") {
      if (given.trim() !== "" && Number.isFinite(Number(given))) state[name] = Number(given);
    } else {
      state[name] = typeof value === "boolean" ? given === "true" : given;
    }
  }
  return state;
}

/** Only what differs from the usual. */
export function unusual(state, usual) {
  return Object.fromEntries(Object.entries(state).filter(([name, value]) => value !== usual[name]));
}

/** Shows an address without going there. */
export function show(to) {
  if (location.hash !== to) history.replaceState(null, "", to);
}
