//! Which format a text has: what the name says, else what the content shows.

use std::path::Path;

use super::Format;

/// Lines looked at.
const SAMPLE: usize = 50;

/// The format and the reason for it.
pub(super) fn format(name: &str, text: &str) -> (Format, String) {
    if let Some((ext, format)) = by_extension(name) {
        return (format, format!("the name ends in .{ext}"));
    }
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).take(SAMPLE).collect();
    if !lines.is_empty()
        && lines.iter().all(|l| l.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(l).is_ok())
    {
        return (Format::Jsonl, "every line is a JSON object".to_owned());
    }
    if let Some(n) = constant_width(&lines, '\t') {
        return (Format::Tsv, format!("every line has {n} tab-separated fields"));
    }
    if let Some(n) = csv_width(text) {
        return (Format::Csv, format!("the first line names {n} columns and every row fits them"));
    }
    (Format::Txt, "it looks like plain lines".to_owned())
}

fn by_extension(name: &str) -> Option<(String, Format)> {
    let mut path = Path::new(name);
    let lower = |p: &Path| p.extension().map(|e| e.to_string_lossy().to_lowercase());
    if matches!(lower(path).as_deref(), Some("gz" | "zst" | "zstd" | "gzip")) {
        path = Path::new(path.file_stem()?);
    }
    let ext = lower(path)?;
    let format = match ext.as_str() {
        "txt" | "text" => Format::Txt,
        "csv" => Format::Csv,
        "tsv" | "tab" => Format::Tsv,
        "jsonl" | "ndjson" | "json" => Format::Jsonl,
        _ => return None,
    };
    Some((ext, format))
}

/// Fields a line, when every line has the same number of at least two.
pub(super) fn constant_width(lines: &[&str], separator: char) -> Option<usize> {
    let width = lines.first()?.matches(separator).count() + 1;
    let same = lines.iter().all(|l| l.matches(separator).count() + 1 == width);
    (width > 1 && same).then_some(width)
}

/// Prose has commas too: without the name's word for it, a csv needs two rows at least, a header
/// of bare words, and rows that all fit.
fn csv_width(text: &str) -> Option<usize> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut rows = reader.records().take(SAMPLE);
    let header = rows.next()?.ok()?;
    let bare = |f: &str| !f.is_empty() && f.len() <= 30 && f.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
    if header.len() < 2 || !header.iter().all(bare) {
        return None;
    }
    let rest: Result<Vec<_>, _> = rows.collect();
    (!rest.ok()?.is_empty()).then_some(header.len())
}

/// The separator of a csv: a comma, unless the first line has none and has others.
pub(super) fn csv_separator(text: &str) -> u8 {
    let line = text.lines().find(|l| !l.trim().is_empty()).unwrap_or("");
    match () {
        () if line.contains(',') => b',',
        () if line.contains(';') => b';',
        () if line.contains('\t') => b'\t',
        () => b',',
    }
}
