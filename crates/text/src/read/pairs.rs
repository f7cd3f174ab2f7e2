//! Pairs of a source and a target: two columns of a table, two fields of JSON lines, or two files line by line.

use std::fmt;
use std::io::Read;

use super::{Corpus, Format, LongRecords, ReadError, ReadOptions, ReadReport, read_from, source};

/// Which columns hold what, by header or 1-based number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Columns {
    /// The column of the source; `source`, else the first, when absent.
    pub source: Option<String>,
    /// The column of the target; `target`, else the second, when absent.
    pub target: Option<String>,
    /// Columns of further references, beside the target.
    pub references: Vec<String>,
}

/// Sources and their targets, one of each a pair, and how they were read.
#[derive(Debug, Clone)]
pub struct Pairs {
    /// In the order of the file; at least one.
    pub sources: Vec<String>,
    pub targets: Vec<String>,
    /// Further references of each pair, those that have text; empty lists unless [`Columns::references`] names columns.
    pub references: Vec<Vec<String>>,
    /// Of the targets; it counts pairs.
    pub report: ReadReport,
    /// What was found, for people.
    pub found: PairsFound,
}

/// What was found while reading pairs, and left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairsFound {
    pub name: String,
    pub pairs: usize,
    pub format: Format,
    /// How source and target are called.
    pub sides: [String; 2],
    /// Pairs without text on one side, and pairs with a longer side than allowed: both were left out.
    pub empty: usize,
    pub long: usize,
    pub max_chars: usize,
}

impl fmt::Display for PairsFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PairsFound { name, pairs, format, sides: [source, target], empty, long, max_chars } = self;
        write!(f, "{name}: {pairs} pairs, read as {format}.")?;
        write!(f, "\nSources are {source}, targets {target} (--source-column, --target-column to choose others).")?;
        if *empty > 0 {
            write!(f, "\n{empty} pairs without text on one side left out.")?;
        }
        if *long > 0 {
            write!(
                f,
                "\n{long} pairs with more than {max_chars} characters on one side left out (--max-chars to change)."
            )?;
        }
        Ok(())
    }
}

impl Pairs {
    /// The targets as a corpus, and the sources, one for each record.
    pub fn into_parts(self) -> (Corpus, Vec<String>) {
        let record = |text| super::Record { text, label: None };
        let records = self.targets.into_iter().map(record).collect();
        (Corpus { records, report: self.report }, self.sources)
    }
}

/// Reads pairs from a table or from JSON lines; `name` as for [`read_from`].
///
/// # Errors
/// As [`read_from`]; if the file has no columns.
pub fn read_pairs(
    mut input: impl Read,
    name: &str,
    columns: &Columns,
    options: &ReadOptions,
) -> Result<Pairs, ReadError> {
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).map_err(|source| ReadError::Io { name: name.to_owned(), source })?;
    let side = |wanted: &Option<String>, (usual, number): (&str, &str), flag: &'static str| {
        let read = |column: &str| {
            let options = ReadOptions { column: Some(column.to_owned()), label_column: None, ..one_to_one(options) };
            read_from(&bytes[..], name, &options).map_err(|e| e.with_flag("--column", flag))
        };
        match wanted {
            Some(column) => read(column),
            None => match read(usual) {
                Err(ReadError::NoSuchColumn { .. }) => read(number),
                other => other,
            },
        }
    };
    // The one that is not named is the other of the first two.
    let other = |wanted: &Option<String>, own: &'static str, other: &'static str| match wanted.as_deref() {
        Some(taken) if taken == own => other,
        _ => own,
    };
    let first = other(&columns.target, "1", "2");
    let second = other(&columns.source, "2", "1");
    let sources = side(&columns.source, ("source", first), "--source-column")?;
    let targets = side(&columns.target, ("target", second), "--target-column")?;
    let further = columns.references.iter().map(|column| side(&Some(column.clone()), ("", ""), "--references"));
    let further = further.collect::<Result<Vec<_>, _>>()?;
    // The first row may look like a header to one side only: then it is none.
    let unlike = |other: &&Corpus| other.records.len() != sources.records.len();
    if let Some(other) = further.iter().chain([&targets]).find(unlike) {
        let (sources, targets) = (sources.records.len(), other.records.len());
        return Err(ReadError::Unpaired { name: name.to_owned(), sources, other: name.to_owned(), targets });
    }
    join((sources, targets, further), options)
}

/// Reads sources and targets from two files, a text a line in each.
///
/// # Errors
/// As [`read_from`]; if the files differ in their numbers of records.
pub fn read_parallel(
    sources: (impl Read, &str),
    targets: (impl Read, &str),
    options: &ReadOptions,
) -> Result<Pairs, ReadError> {
    let options = ReadOptions { column: None, label_column: None, ..options.clone() };
    let found = read_from(sources.0, sources.1, &one_to_one(&options))?;
    let wanted = read_from(targets.0, targets.1, &one_to_one(&options))?;
    if found.records.len() != wanted.records.len() {
        return Err(ReadError::Unpaired {
            name: sources.1.to_owned(),
            sources: found.records.len(),
            other: targets.1.to_owned(),
            targets: wanted.records.len(),
        });
    }
    join((found, wanted, Vec::new()), &options)
}

fn one_to_one(options: &ReadOptions) -> ReadOptions {
    ReadOptions { keep_empty: true, long: LongRecords::Keep, drop_duplicates: false, ..options.clone() }
}

/// Puts two sides together and leaves out what cannot be a pair.
fn join((sources, targets, further): (Corpus, Corpus, Vec<Corpus>), options: &ReadOptions) -> Result<Pairs, ReadError> {
    let called = |report: &ReadReport| report.column.clone().map_or(report.name.clone(), |c| format!("column {c}"));
    let sides = [called(&sources.report), called(&targets.report)];
    let (mut empty, mut long) = (0, 0);
    let mut pairs = Pairs {
        sources: Vec::new(),
        targets: Vec::new(),
        references: Vec::new(),
        found: PairsFound {
            name: targets.report.name.clone(),
            pairs: 0,
            format: targets.report.format,
            sides,
            empty: 0,
            long: 0,
            max_chars: options.max_chars,
        },
        report: targets.report,
    };
    let records = sources.records.len();
    for (row, (source, target)) in sources.records.into_iter().zip(targets.records).enumerate() {
        let over = |text: &str| text.chars().nth(options.max_chars).is_some();
        if source.text.trim().is_empty() || target.text.trim().is_empty() {
            empty += 1;
        } else if over(&source.text) || over(&target.text) {
            long += 1;
        } else {
            pairs.sources.push(source.text);
            pairs.targets.push(target.text);
            let texts = further.iter().filter_map(|corpus| corpus.records.get(row)).map(|record| record.text.clone());
            pairs.references.push(texts.filter(|text| !text.trim().is_empty()).collect());
        }
    }
    (pairs.found.pairs, pairs.found.empty, pairs.found.long) = (pairs.sources.len(), empty, long);
    pairs.report.records = pairs.sources.len();
    match pairs.sources.is_empty() {
        true => Err(ReadError::NoText { name: pairs.found.name, lines: records, column: None }),
        false => Ok(pairs),
    }
}

/// Opens a file of pairs, packed or not.
///
/// # Errors
/// If it cannot be opened.
pub fn open(path: &std::path::Path) -> Result<std::fs::File, ReadError> {
    source::open(path)
}
