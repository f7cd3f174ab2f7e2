//! How a file of texts is read.

use clap::{Args, ValueEnum};
use strait::text::read::{Format, Header, LongRecords, ReadOptions};

#[derive(Clone, Copy, ValueEnum)]
pub enum FormatFlag {
    /// A text a line
    Txt,
    /// Comma-separated, with quotes
    Csv,
    /// Tab-separated, without quotes
    Tsv,
    /// A JSON object or string a line
    Jsonl,
}

impl From<FormatFlag> for Format {
    fn from(flag: FormatFlag) -> Format {
        match flag {
            FormatFlag::Txt => Format::Txt,
            FormatFlag::Csv => Format::Csv,
            FormatFlag::Tsv => Format::Tsv,
            FormatFlag::Jsonl => Format::Jsonl,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum HeaderFlag {
    Auto,
    Yes,
    No,
}

#[derive(Clone, Copy, ValueEnum)]
enum LongFlag {
    /// Cut into several at the ends of sentences
    Split,
    /// Cut off
    Truncate,
    /// Leave as it is
    Keep,
}

#[derive(Args)]
#[command(next_help_heading = "Reading")]
pub struct ReadingFlags {
    /// The column of the text, by name or number [default: the one with the longest texts]
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,
    /// The column of the label, by name or number
    #[arg(long, value_name = "COLUMN")]
    label_column: Option<String>,
    /// Whether the first row of a table names its columns
    #[arg(long, value_enum, default_value = "auto", hide_possible_values = false)]
    header: HeaderFlag,
    /// Replace invalid UTF-8 by U+FFFD instead of stopping there
    #[arg(long)]
    lossy: bool,
}

impl ReadingFlags {
    /// `base`, changed by the flags.
    pub fn resolve(&self, base: ReadOptions, format: Option<FormatFlag>) -> ReadOptions {
        ReadOptions {
            format: format.map(Format::from),
            column: self.column.clone(),
            label_column: self.label_column.clone(),
            header: match self.header {
                HeaderFlag::Auto => Header::Auto,
                HeaderFlag::Yes => Header::Yes,
                HeaderFlag::No => Header::No,
            },
            lossy: self.lossy,
            ..base
        }
    }
}

/// How records are read, one by one.
#[derive(Args)]
#[command(next_help_heading = "Reading")]
pub struct RecordsFlags {
    /// The texts' format [default: found out]
    #[arg(long, value_enum)]
    format: Option<FormatFlag>,
    #[command(flatten)]
    reading: ReadingFlags,
}

impl RecordsFlags {
    /// `base`, changed by the flags.
    pub fn resolve(&self, base: ReadOptions) -> ReadOptions {
        self.reading.resolve(base, self.format)
    }
}

/// How a corpus is read whose records may be cut or left out.
#[derive(Args)]
pub struct CorpusFlags {
    #[command(flatten)]
    records: RecordsFlags,
    #[command(flatten)]
    long: LongFlags,
}

impl CorpusFlags {
    /// `base`, changed by the flags.
    pub fn resolve(&self, base: ReadOptions) -> ReadOptions {
        self.long.resolve(self.records.resolve(base))
    }
}

#[derive(Args)]
#[command(next_help_heading = "Reading")]
struct LongFlags {
    /// Longer records are long [default: 2000]
    #[arg(long, value_name = "N", value_parser = crate::flags::at_least_one)]
    max_chars: Option<usize>,
    /// What becomes of long records
    #[arg(long, value_enum, default_value = "split")]
    long: LongFlag,
    /// Leave out records whose text occurred before
    #[arg(long)]
    drop_duplicates: bool,
}

impl LongFlags {
    fn resolve(&self, base: ReadOptions) -> ReadOptions {
        ReadOptions {
            max_chars: self.max_chars.unwrap_or(base.max_chars),
            long: match self.long {
                LongFlag::Split => LongRecords::Split,
                LongFlag::Truncate => LongRecords::Truncate,
                LongFlag::Keep => LongRecords::Keep,
            },
            drop_duplicates: self.drop_duplicates,
            ..base
        }
    }
}
