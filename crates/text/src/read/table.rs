//! csv and tsv: rows, header, and the column that holds the text.
//!
//! A tsv is split at tabs and nothing else: quotes in it are part of the text, as in most corpora.

use super::column::{self, Chosen};
use super::{Format, Header, ReadError, ReadOptions, Record, sniff};

/// Rows that header detection and the choice of a column look at.
const SAMPLE: usize = 1000;

pub(super) struct Table {
    pub records: Vec<Record>,
    pub column: String,
    pub column_why: String,
    pub label: Option<String>,
    pub header: String,
}

pub(super) fn read(text: &str, format: Format, name: &str, options: &ReadOptions) -> Result<Table, ReadError> {
    let rows = match format {
        Format::Csv => csv_rows(text, name)?,
        _ => tsv_rows(text),
    };
    let Some(first) = rows.first() else {
        return Err(ReadError::NoText { name: name.to_owned(), lines: 0, column: None });
    };
    let width = first.fields.len();
    if let Some(row) = rows.iter().find(|r| r.fields.len() != width) {
        return Err(ReadError::Ragged {
            name: name.to_owned(),
            line: row.line,
            found: row.fields.len(),
            expected: width,
        });
    }
    let sample: Vec<&[String]> = rows.iter().take(SAMPLE).map(|r| &r.fields[..]).collect();
    let (has_header, header) = detect_header(&sample, options);
    let names: Option<&[String]> = has_header.then_some(&first.fields[..]);
    let body = &sample[usize::from(has_header)..];
    let find = |wanted: &str, flag| column::find(wanted, flag, names, width, name);
    let label = match &options.label_column {
        Some(wanted) => Some(find(wanted, "--label-column")?),
        None => None,
    };
    let Chosen { index, why } = match &options.column {
        Some(wanted) => Chosen { index: find(wanted, "--column")?, why: "named by --column".to_owned() },
        None => column::choose(body, width, label),
    };
    let records = rows
        .iter()
        .skip(usize::from(has_header))
        .map(|row| Record { text: row.fields[index].clone(), label: label.map(|l| row.fields[l].clone()) })
        .collect();
    Ok(Table {
        records,
        column: column::display(index, names, width),
        column_why: why,
        label: label.map(|l| column::display(l, names, width)),
        header,
    })
}

struct Row {
    line: usize,
    fields: Vec<String>,
}

fn tsv_rows(text: &str) -> Vec<Row> {
    text.lines()
        .enumerate()
        .filter(|(_, l)| !is_blank(l))
        .map(|(i, l)| Row { line: i + 1, fields: l.split('\t').map(str::to_owned).collect() })
        .collect()
}

/// A line with tabs is a row, even if nothing else is in it.
pub(super) fn is_blank(line: &str) -> bool {
    line.trim().is_empty() && !line.contains('\t')
}

fn csv_rows(text: &str, name: &str) -> Result<Vec<Row>, ReadError> {
    let separator = sniff::csv_separator(text);
    let reader = |bytes| csv_reader(separator).from_reader(bytes);
    let mut rows = Vec::new();
    let mut last_start = 0;
    for record in reader(text.as_bytes()).into_records() {
        let record =
            record.map_err(|e| ReadError::Table { name: name.to_owned(), format: Format::Csv, why: e.to_string() })?;
        let (line, byte) = record.position().map_or((0, 0), |p| (p.line() as usize, p.byte() as usize));
        rows.push(Row { line, fields: record.iter().map(str::to_owned).collect() });
        last_start = byte;
    }
    // The parser ends an open field at the end of the file without a word. A line added behind the
    // last row becomes part of it if a quote is open there.
    if let Some(last) = rows.last().filter(|r| r.fields.last().is_some_and(|f| f.contains('\n'))) {
        let longer = format!("{}\nx", &text[last_start..]);
        if reader(longer.as_bytes()).into_records().count() == 1 {
            return Err(ReadError::OpenQuote { name: name.to_owned(), line: last.line });
        }
    }
    Ok(rows)
}

fn csv_reader(separator: u8) -> csv::ReaderBuilder {
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(separator);
    builder
}

/// Names that only a header has.
const USUAL: [&str; 22] = [
    "text",
    "sentence",
    "sentences",
    "label",
    "labels",
    "id",
    "title",
    "body",
    "content",
    "review",
    "comment",
    "message",
    "source",
    "target",
    "category",
    "class",
    "sentiment",
    "name",
    "document",
    "question",
    "answer",
    "headline",
];

/// Whether the first row names the columns, and a sentence on why.
fn detect_header(sample: &[&[String]], options: &ReadOptions) -> (bool, String) {
    match options.header {
        Header::Yes => return (true, "the first row is the header, as asked for".to_owned()),
        Header::No => return (false, "there is no header, as asked for".to_owned()),
        Header::Auto => {}
    }
    let (first, body) = (sample[0], &sample[1..]);
    let named = |wanted: &Option<String>| wanted.as_ref().is_some_and(|w| first.contains(w));
    if named(&options.column) || named(&options.label_column) {
        return (true, "the first row is the header: it holds the column named".to_owned());
    }
    let none = (false, "no header was found (--header yes if there is one)".to_owned());
    let found = |why: &str| {
        let what = format!("the first row is taken as the header, as {why} (--header no if not)");
        (true, what)
    };
    let like_a_name = |f: &String| {
        !f.trim().is_empty()
            && f.chars().count() <= 40
            && f.split_whitespace().count() <= 3
            && f.trim().parse::<f64>().is_err()
    };
    let mut distinct: Vec<&String> = first.iter().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if body.is_empty() || distinct.len() != first.len() || !first.iter().all(like_a_name) {
        return none;
    }
    if first.iter().any(|f| USUAL.contains(&f.trim().to_lowercase().as_str())) {
        return found("it holds usual column names");
    }
    let numeric = |c: usize| body.iter().all(|r| r[c].trim().parse::<f64>().is_ok());
    if (0..first.len()).any(numeric) {
        return found("a column is all numbers below it");
    }
    none
}
