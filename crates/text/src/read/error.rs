//! What can go wrong when a corpus is read: one sentence a variant, saying what, where, what to do.

use std::path::PathBuf;

use super::Format;

/// A corpus could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// No such file.
    #[error("{}: there is no such file; check the path", .0.display())]
    Missing(PathBuf),
    /// The path is a directory.
    #[error("{}: this is a directory; name one file (txt, csv, tsv or jsonl) in it", .0.display())]
    Directory(PathBuf),
    /// The operating system refused.
    #[error("{name}: cannot be read: {source}")]
    Io {
        /// File or "standard input".
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// A damaged or truncated .gz or .zst.
    #[error(
        "{name}: the {compression} data is damaged or cut off ({why}); test it with `{compression} -t` and copy it again"
    )]
    Decompress {
        /// The source.
        name: String,
        /// gzip or zstd.
        compression: &'static str,
        /// What the decoder says.
        why: String,
    },
    /// Nothing in it.
    #[error("{name}: the file is empty; give a text file with one record a line")]
    Empty {
        /// The source.
        name: String,
    },
    /// Lines, but no text in them.
    #[error("{name}: none of the {lines} records holds any text{}", column.as_ref().map(|c| format!(" in column {c}; name another with --column")).unwrap_or_default())]
    NoText {
        /// The source.
        name: String,
        /// Records looked at.
        lines: usize,
        /// The column, in a table.
        column: Option<String>,
    },
    /// UTF-16 or UTF-32.
    #[error("{name}: the text is {encoding}, and only UTF-8 is read; convert it with `iconv -f {encoding} -t UTF-8`")]
    WideEncoding {
        /// The source.
        name: String,
        /// Which.
        encoding: &'static str,
    },
    /// Not a text.
    #[error("{name}: this is not a text file ({what}); give txt, csv, tsv or jsonl, plain or as .gz or .zst")]
    Binary {
        /// The source.
        name: String,
        /// What it looks like.
        what: String,
    },
    /// Bytes that are not UTF-8.
    #[error(
        "{name}:{line}: invalid UTF-8 (byte {byte:#04x} at column {column}); convert the file, for example with `iconv -f ISO-8859-1 -t UTF-8`, or go on with --lossy, which replaces such bytes by U+FFFD"
    )]
    InvalidUtf8 {
        /// The source.
        name: String,
        /// 1-based line.
        line: usize,
        /// 1-based byte in the line.
        column: usize,
        /// The first bad byte.
        byte: u8,
    },
    /// A column that is not there.
    #[error("{name}: there is no column {wanted:?} ({flag}){}the columns are {columns}", suggestion.as_ref().map_or_else(|| "; ".to_owned(), |s| format!("; did you mean {s:?}? If not, ")))]
    NoSuchColumn {
        /// The source.
        name: String,
        /// As the user wrote it.
        wanted: String,
        /// --column or --label-column.
        flag: &'static str,
        /// The nearest name.
        suggestion: Option<String>,
        /// What there is.
        columns: String,
    },
    /// Sources and targets that do not go together.
    #[error(
        "{name} has {sources} sources, {other} {targets} targets; line i of one must belong to line i of the other"
    )]
    Unpaired {
        /// Where the sources are.
        name: String,
        /// How many.
        sources: usize,
        /// Where the targets are.
        other: String,
        /// How many.
        targets: usize,
    },
    /// Columns in a file of lines.
    #[error(
        "{name}: {flag} {wanted:?} needs a table, but the file was read as txt; say --format csv, tsv or jsonl, or leave {flag} out"
    )]
    ColumnInText {
        /// The source.
        name: String,
        /// As the user wrote it.
        wanted: String,
        /// --column or --label-column.
        flag: &'static str,
    },
    /// A row of another width.
    #[error(
        "{name}:{line}: this row has {found} fields where the first has {expected}; repair the row (an unpaired quote or a stray separator is the usual cause), or read the file as plain lines with --format txt"
    )]
    Ragged {
        /// The source.
        name: String,
        /// 1-based line.
        line: usize,
        /// Fields in the row.
        found: usize,
        /// Fields in the first.
        expected: usize,
    },
    /// A broken csv.
    #[error("{name}: cannot be read as {format}: {why}; repair it, or read it as plain lines with --format txt")]
    Table {
        /// The source.
        name: String,
        /// csv or tsv.
        format: Format,
        /// What the parser says.
        why: String,
    },
    /// A quote that swallows the rest of a csv.
    #[error(
        "{name}:{line}: a quote is opened in this row and never closed, so that the rest of the file would be one field; close it, double it if it is part of the text, or read the file as plain lines with --format txt"
    )]
    OpenQuote {
        /// The source.
        name: String,
        /// 1-based line where the row begins.
        line: usize,
    },
    /// A line that is no JSON.
    #[error("{name}:{line}: this is not a JSON object or string ({why}); jsonl has one object a line{}", hint.map(|h| format!(" ({h})")).unwrap_or_default())]
    Json {
        /// The source.
        name: String,
        /// 1-based line.
        line: usize,
        /// What the parser says.
        why: String,
        /// How the file, as it looks, becomes jsonl.
        hint: Option<&'static str>,
    },
    /// A value that is not a text.
    #[error(
        "{name}:{line}: the field {field:?} is {found}, not a text; make it a string, or name another field with {flag}"
    )]
    JsonType {
        /// The source.
        name: String,
        /// 1-based line.
        line: usize,
        /// The field.
        field: String,
        /// What was found.
        found: &'static str,
        /// --column or --label-column.
        flag: &'static str,
    },
    /// Objects without any text.
    #[error(
        "{name}: no field of the objects holds a text (they have {fields}); make one a string, or name it with --column"
    )]
    NoTextField {
        /// The source.
        name: String,
        /// What there is.
        fields: String,
    },
    /// An object without the field.
    #[error("{name}:{line}: the object has no field {field:?} (it has {fields}); add it or name another with {flag}")]
    JsonField {
        /// The source.
        name: String,
        /// 1-based line.
        line: usize,
        /// The field.
        field: String,
        /// What there is.
        fields: String,
        /// --column or --label-column.
        flag: &'static str,
    },
}

impl ReadError {
    /// The same where a column was named by the flag `own`, not by `usual`.
    pub fn with_flag(mut self, usual: &str, own: &'static str) -> Self {
        if let Self::NoSuchColumn { flag, .. }
        | Self::ColumnInText { flag, .. }
        | Self::JsonType { flag, .. }
        | Self::JsonField { flag, .. } = &mut self
            && *flag == usual
        {
            *flag = own;
        }
        self
    }
}
