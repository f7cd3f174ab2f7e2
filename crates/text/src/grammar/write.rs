//! Sample sentences as a file that the readers read.

use std::io::{self, Write};

use super::{Factor, Sentence};
use crate::read::Format;

/// Writes `sentences`: as txt the texts alone, one a line; as tsv, csv or jsonl with a column
/// `text` and one for each [`Factor`].
pub fn write(sentences: &[Sentence], format: Format, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Txt => sentences.iter().try_for_each(|s| writeln!(out, "{}", s.text)),
        // No sentence holds a tab or a quote, so that a tsv needs no quotes.
        Format::Tsv => write_table(sentences, b'\t', out),
        Format::Csv => write_table(sentences, b',', out),
        Format::Jsonl => sentences.iter().try_for_each(|s| {
            serde_json::to_writer(&mut *out, s)?;
            writeln!(out)
        }),
    }
}

fn write_table(sentences: &[Sentence], separator: u8, out: &mut impl Write) -> io::Result<()> {
    let mut table = csv::WriterBuilder::new().delimiter(separator).from_writer(out);
    table.write_record(std::iter::once("text").chain(Factor::ALL.iter().map(|f| f.name())))?;
    for s in sentences {
        table.write_record(std::iter::once(s.text.as_str()).chain(Factor::ALL.iter().map(|&f| s.label(f))))?;
    }
    table.flush()
}
