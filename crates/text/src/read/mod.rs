//! Corpus readers: txt, csv, tsv and jsonl, plain, gzip or zstd, found out and reported.
//!
//! A reader never panics on bad input and never drops anything silently: what it decided, and what
//! it left out, is in the [`ReadReport`]; what it cannot read is a [`ReadError`] that says where.

mod column;
mod error;
mod jsonl;
mod long;
pub mod pairs;
mod report;
mod sniff;
mod source;
mod table;

use std::collections::HashSet;
use std::fmt;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use error::ReadError;
pub use pairs::Pairs;
pub use report::ReadReport;

/// How to read a corpus. The default reads most files as they are meant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadOptions {
    /// The format; found out when absent.
    pub format: Option<Format>,
    /// The column of the text, by header or 1-based number; the one with the longest texts when
    /// absent.
    pub column: Option<String>,
    /// The column of the label, by header or 1-based number.
    pub label_column: Option<String>,
    /// Whether the first row of a table names the columns.
    pub header: Header,
    /// Go on at invalid UTF-8, replacing it by U+FFFD.
    pub lossy: bool,
    /// Records of more characters are long.
    pub max_chars: usize,
    /// What becomes of long records.
    pub long: LongRecords,
    /// Keep records without text, so that records stay in step with lines.
    pub keep_empty: bool,
    /// Leave out records whose text occurred before.
    pub drop_duplicates: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            format: None,
            column: None,
            label_column: None,
            header: Header::Auto,
            lossy: false,
            max_chars: 2000,
            long: LongRecords::Split,
            keep_empty: false,
            drop_duplicates: false,
        }
    }
}

impl ReadOptions {
    /// One record for each record of the file, in order, whatever it holds: for encoding and
    /// reconstructing, where the output must stay in step with the input.
    pub fn one_to_one() -> Self {
        Self { long: LongRecords::Keep, keep_empty: true, ..Self::default() }
    }
}

/// How records stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A record a line.
    Txt,
    /// Separated by commas (or semicolons or tabs), with quotes.
    Csv,
    /// Separated by tabs, without quotes.
    Tsv,
    /// A JSON object or string a line.
    Jsonl,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Txt => "txt",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Jsonl => "jsonl",
        })
    }
}

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all.
    None,
    /// .gz
    Gzip,
    /// .zst
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "nothing",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// Whether the first row names the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Header {
    /// Find out.
    #[default]
    Auto,
    /// It does.
    Yes,
    /// It does not.
    No,
}

/// What becomes of records longer than `max_chars`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LongRecords {
    /// Cut into several records at the ends of sentences or at blanks; each keeps the label.
    #[default]
    Split,
    /// Cut off.
    Truncate,
    /// Left as they are.
    Keep,
}

/// One text, perhaps with a label.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Record {
    /// The text, without the end of its line.
    pub text: String,
    /// The value of the label column.
    pub label: Option<String>,
}

impl AsRef<str> for Record {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// The records of a file and how they were read.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// In the order of the file; at least one.
    pub records: Vec<Record>,
    /// What was found and decided.
    pub report: ReadReport,
}

/// Reads the corpus at `path`.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Corpus, ReadError> {
    let file = source::open(path)?;
    read_from(file, &path.display().to_string(), options)
}

/// Reads a corpus from anything, standard input for one; `name` is for messages, and its
/// extension, if any, tells the format.
pub fn read_from(input: impl Read, name: &str, options: &ReadOptions) -> Result<Corpus, ReadError> {
    let source = source::load(input, name, options.lossy)?;
    let text = source.text.as_str();
    let (format, format_why) = match options.format {
        Some(format) => (format, "it was asked for".to_owned()),
        None => sniff::format(name, text),
    };
    let mut report = ReadReport {
        name: name.to_owned(),
        format,
        format_why,
        compression: source.compression,
        bytes: source.bytes,
        hash: source.hash,
        records: 0,
        bom_removed: source.bom,
        crlf: text.contains("\r\n"),
        invalid_lines: source.invalid_lines,
        column: None,
        column_why: None,
        label_column: None,
        header: None,
        empty_skipped: 0,
        duplicates: 0,
        duplicates_dropped: options.drop_duplicates,
        long_split: 0,
        long_truncated: 0,
        max_chars: options.max_chars,
        notes: Vec::new(),
    };
    let records = match format {
        Format::Txt => lines(text, name, options, &mut report)?,
        Format::Csv | Format::Tsv => {
            // A table's own rows without any text are empty records, too.
            report.empty_skipped = blank_lines(text, format);
            take_table(table::read(text, format, name, options)?, &mut report)
        }
        Format::Jsonl => {
            report.empty_skipped = blank_lines(text, format);
            take_table(jsonl::read(text, name, options)?, &mut report)
        }
    };
    finish(records, options, report)
}

fn lines(text: &str, name: &str, options: &ReadOptions, report: &mut ReadReport) -> Result<Vec<Record>, ReadError> {
    for (flag, column) in [("--column", &options.column), ("--label-column", &options.label_column)] {
        if let Some(wanted) = column {
            return Err(ReadError::ColumnInText { name: name.to_owned(), wanted: wanted.clone(), flag });
        }
    }
    let sample: Vec<&str> = text.lines().take(50).collect();
    if let Some(n) = sniff::constant_width(&sample, '\t') {
        report
            .notes
            .push(format!("Every line has {n} fields with tabs between them: --format tsv reads them as columns."));
    }
    if !text.contains('\n') && text.trim_end().contains('\r') {
        report.notes.push(
            "There is no LF in the file, but there are CRs, which end no line here: `tr '\\r' '\\n'` makes lines of it."
                .to_owned(),
        );
    }
    Ok(text.lines().map(|line| Record { text: line.to_owned(), label: None }).collect())
}

fn blank_lines(text: &str, format: Format) -> usize {
    match format {
        // A line may be inside quotes there.
        Format::Csv => 0,
        Format::Tsv => text.lines().filter(|l| table::is_blank(l)).count(),
        _ => text.lines().filter(|l| l.trim().is_empty()).count(),
    }
}

fn take_table(table: table::Table, report: &mut ReadReport) -> Vec<Record> {
    report.column = Some(table.column);
    report.column_why = Some(table.column_why);
    report.label_column = table.label;
    report.header = Some(table.header);
    table.records
}

/// Empty, long and duplicate records.
fn finish(records: Vec<Record>, options: &ReadOptions, mut report: ReadReport) -> Result<Corpus, ReadError> {
    let found = records.len();
    let mut seen = HashSet::new();
    let mut kept: Vec<Record> = Vec::with_capacity(found);
    for record in records {
        if record.text.trim().is_empty() {
            if options.keep_empty {
                kept.push(record);
            } else {
                report.empty_skipped += 1;
            }
            continue;
        }
        for record in shorten(record, options, &mut report) {
            if !seen.insert(record.text.clone()) {
                report.duplicates += 1;
                if options.drop_duplicates {
                    continue;
                }
            }
            kept.push(record);
        }
    }
    if seen.is_empty() {
        return Err(ReadError::NoText { name: report.name, lines: found, column: report.column });
    }
    report.records = kept.len();
    if kept.len() == 1 {
        report.notes.push("There is only one record: enough to encode, too little to train on.".to_owned());
    }
    Ok(Corpus { records: kept, report })
}

fn shorten(record: Record, options: &ReadOptions, report: &mut ReadReport) -> Vec<Record> {
    // Bytes are at least as many as characters: most records need no counting.
    let short = record.text.len() <= options.max_chars || record.text.chars().nth(options.max_chars).is_none();
    if short || options.long == LongRecords::Keep {
        return vec![record];
    }
    if options.long == LongRecords::Truncate {
        report.long_truncated += 1;
        let text = long::truncate(&record.text, options.max_chars).to_owned();
        return vec![Record { text, ..record }];
    }
    report.long_split += 1;
    long::split(&record.text, options.max_chars)
        .into_iter()
        .map(|piece| Record { text: piece.to_owned(), label: record.label.clone() })
        .collect()
}
