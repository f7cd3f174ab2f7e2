//! What was found while reading, in plain sentences.

use super::{Compression, Format};
use std::fmt;

/// Everything a reader decided or dropped.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ReadReport {
    /// File or "standard input".
    pub name: String,
    /// The format read.
    pub format: Format,
    /// Why that format.
    pub format_why: String,
    /// How it was packed.
    pub compression: Compression,
    /// Bytes of the content, unpacked.
    pub bytes: u64,
    /// SHA-256 of the content, unpacked, as hex: the same for data.txt and data.txt.gz.
    pub hash: String,
    /// Records, in the end.
    pub records: usize,
    /// A byte-order mark was removed.
    pub bom_removed: bool,
    /// Lines ended in CR LF.
    pub crlf: bool,
    /// Lines with invalid UTF-8 (with `lossy`).
    pub invalid_lines: usize,
    /// The text column of a table.
    pub column: Option<String>,
    /// Why that column.
    pub column_why: Option<String>,
    /// The label column of a table.
    pub label_column: Option<String>,
    /// Whether there is a header, of csv and tsv.
    pub header: Option<String>,
    /// Records without text that were left out.
    pub empty_skipped: usize,
    /// Records whose text occurred before.
    pub duplicates: usize,
    /// The duplicates were left out.
    pub duplicates_dropped: bool,
    /// Records cut into several.
    pub long_split: usize,
    /// Records shortened.
    pub long_truncated: usize,
    /// The limit that made them long, in characters.
    pub max_chars: usize,
    /// Things worth a second look.
    pub notes: Vec<String>,
}

impl fmt::Display for ReadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packed = match self.compression {
            Compression::None => String::new(),
            c => format!(" (unpacked from {c})"),
        };
        write!(
            f,
            "{}: {} from {} bytes{packed}, read as {} because {} (--format to override).",
            self.name,
            count(self.records, "record"),
            self.bytes,
            self.format,
            self.format_why
        )?;
        if let (Some(column), Some(why)) = (&self.column, &self.column_why) {
            write!(f, "\nText is column {column}: {why}.")?;
        }
        if let Some(label) = &self.label_column {
            write!(f, "\nLabels are column {label}.")?;
        }
        if let Some(header) = self.header.as_ref().filter(|h| !h.is_empty()) {
            write!(f, "\nIn this table {header}.")?;
        }
        for sentence in self.counts().into_iter().flatten() {
            write!(f, "\n{sentence}")?;
        }
        for note in &self.notes {
            write!(f, "\n{note}")?;
        }
        Ok(())
    }
}

impl ReadReport {
    fn counts(&self) -> [Option<String>; 7] {
        let some = |n: usize, sentence: String| (n > 0).then_some(sentence);
        [
            self.bom_removed.then(|| "A byte-order mark was removed.".to_owned()),
            self.crlf.then(|| "Lines end in CR LF; the CR was removed.".to_owned()),
            some(
                self.invalid_lines,
                format!("{} had invalid UTF-8, replaced by U+FFFD (--lossy).", count(self.invalid_lines, "line")),
            ),
            some(self.empty_skipped, format!("{} without text skipped.", count(self.empty_skipped, "record"))),
            some(
                self.duplicates,
                format!(
                    "{} {}.",
                    count(self.duplicates, "duplicate"),
                    if self.duplicates_dropped { "dropped" } else { "kept (--drop-duplicates to leave them out)" }
                ),
            ),
            some(
                self.long_split,
                format!(
                    "{} longer than {} characters split at the ends of sentences (--max-chars to change).",
                    count(self.long_split, "record"),
                    self.max_chars
                ),
            ),
            some(
                self.long_truncated,
                format!(
                    "{} cut to {} characters (--max-chars to change).",
                    count(self.long_truncated, "record"),
                    self.max_chars
                ),
            ),
        ]
    }
}

fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}
