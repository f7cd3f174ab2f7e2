// What a view shows, as a file.

const TYPES = { json: "application/json", csv: "text/csv;charset=utf-8", txt: "text/plain;charset=utf-8" };

const cell = (value) => {
  const text = value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Rows (objects of the same fields) as CSV with a line of names. */
export function csv(rows) {
  const names = [...new Set(rows.flatMap(Object.keys))];
  return [names, ...rows.map((row) => names.map((name) => row[name]))].map((line) => line.map(cell).join(",") + "\n").join("");
}

/** The file of `data`: `{rows, lines, whole}`, rows for CSV, lines of text for TXT, everything for JSON. */
export function written(kind, data) {
  if (kind === "json") return `${JSON.stringify(data.whole ?? data.rows, null, 1)}\n`;
  if (kind === "csv") return csv(data.rows);
  return (data.lines ?? data.rows.map((row) => row.text)).map((line) => `${line}\n`).join("");
}

/** Saves it under a name. */
export function save(name, kind, data) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([written(kind, data)], { type: TYPES[kind] }));
  link.download = `${name}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
