//! `strait metrics`: how near generated texts are to references.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use clap::{Args, ValueEnum};
use serde::Serialize;
use strait::{
    eval::{
        Bootstrap, Smoothing,
        generation::{Metric, MetricOptions, MetricReport, Task, TestSet, TestSetError, Tokenisation},
    },
    text::ReadOptions,
};

use crate::{
    complaint::Usage,
    flags::{RecordsFlags, WritingFlags, at_least_one},
    input,
    output::Output,
    talk::{count, number, say},
};

/// Measure generated texts against references: BLEU, chrF, TER, ROUGE, SARI, slot error
///
/// Prints each score with its 95 % interval over the records (bootstrap) and the signature that tells how it was computed:
/// BLEU, chrF and TER are those of sacreBLEU. With --against, another system's texts are measured on the same records and
/// the difference is tested (paired bootstrap). All files go record by record. A table's texts are those of --column, and
/// of --reference-column and --source-column; one file may serve as several.
#[derive(Args)]
pub struct Metrics {
    /// The generated texts (txt, csv, tsv, jsonl, also .gz or .zst); `-` is standard input
    hypotheses: PathBuf,
    /// The references; several files are several references of each record
    #[arg(required = true)]
    references: Vec<PathBuf>,
    /// The sources: for sari, slots and --group
    #[arg(long, value_name = "FILE")]
    source: Option<PathBuf>,
    /// Another system's texts, to be compared with
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Metrics: bleu, chrf, chrf++, ter, rouge (or rouge-1, rouge-2, rouge-l), sari, slots [default: those of --task]
    #[arg(long, value_name = "M,...", value_delimiter = ',', value_parser = metric)]
    metric: Vec<String>,
    /// The metrics of a task [default: data-to-text if sources list slots, else translation]
    #[arg(long, value_enum, conflicts_with = "metric")]
    task: Option<TaskFlag>,
    /// Join records of one source: their references are references of one record, the first text of each counts
    #[arg(long, requires = "source")]
    group: bool,
    #[command(flatten)]
    scoring: ScoringFlags,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    records: RecordsFlags,
    #[command(flatten)]
    columns: ColumnFlags,
}

#[derive(Args)]
#[command(next_help_heading = "Scoring")]
struct ScoringFlags {
    /// How texts are cut into words, as sacreBLEU names it [default: zh where references have no blanks, else 13a]
    #[arg(long, value_enum)]
    tokenize: Option<TokenizeFlag>,
    /// Take upper and lower case for one in BLEU and chrF; in the other metrics they always are
    #[arg(long)]
    lowercase: bool,
    /// What BLEU takes for an order without a match: exp, none, floor=X or add-k=K
    #[arg(long, value_name = "HOW", default_value = "exp", value_parser = smoothing)]
    smooth: Smoothing,
    /// Draws of the records, for intervals and tests
    #[arg(long, value_name = "N", default_value = "1000", value_parser = at_least_one)]
    resamples: usize,
    /// The seed of the draws
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
}

#[derive(Args)]
#[command(next_help_heading = "Reading")]
struct ColumnFlags {
    /// The columns of the references, by name or number; each is a reference of its own [default: the longest texts]
    #[arg(long, value_name = "C,...", value_delimiter = ',')]
    reference_column: Vec<String>,
    /// The column of the sources [default: the longest texts]
    #[arg(long, value_name = "COLUMN", requires = "source")]
    source_column: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum TaskFlag {
    /// BLEU, chrF2, chrF2++, TER
    Translation,
    /// BLEU, chrF2, ROUGE-L, slot error
    DataToText,
    /// SARI, BLEU, chrF2
    Simplification,
    /// BLEU, chrF2, ROUGE-1, ROUGE-2, ROUGE-L
    Writing,
}

#[derive(Clone, Copy, ValueEnum)]
enum TokenizeFlag {
    /// Cut at blanks
    None,
    /// Punctuation apart
    #[value(name = "13a")]
    V13a,
    /// Chinese characters apart, all else as in 13a
    Zh,
    /// Punctuation and symbols of all scripts apart
    Intl,
    /// Every character apart
    Char,
}

impl From<TaskFlag> for Task {
    fn from(flag: TaskFlag) -> Task {
        match flag {
            TaskFlag::Translation => Task::Translation,
            TaskFlag::DataToText => Task::DataToText,
            TaskFlag::Simplification => Task::Simplification,
            TaskFlag::Writing => Task::Writing,
        }
    }
}

impl From<TokenizeFlag> for Tokenisation {
    fn from(flag: TokenizeFlag) -> Tokenisation {
        match flag {
            TokenizeFlag::None => Tokenisation::None,
            TokenizeFlag::V13a => Tokenisation::V13a,
            TokenizeFlag::Zh => Tokenisation::Zh,
            TokenizeFlag::Intl => Tokenisation::Intl,
            TokenizeFlag::Char => Tokenisation::Char,
        }
    }
}

fn metric(name: &str) -> Result<String, String> {
    match Metric::NAMES.contains(&name) {
        true => Ok(name.into()),
        false => Err(format!("is none of {}", Metric::NAMES.join(", "))),
    }
}

fn smoothing(value: &str) -> Result<Smoothing, String> {
    let (how, number) = value.split_once('=').map_or((value, None), |(how, number)| (how, Some(number)));
    let positive = |default: f64| match number.map(str::parse) {
        None => Ok(default),
        Some(Ok(x)) if x > 0.0 && f64::is_finite(x) => Ok(x),
        Some(_) => Err(format!("{how} takes a number above 0")),
    };
    match (how, number) {
        ("exp", None) => Ok(Smoothing::Exp),
        ("none", None) => Ok(Smoothing::None),
        ("floor", _) => positive(0.1).map(Smoothing::Floor),
        ("add-k", _) => positive(1.0).map(Smoothing::AddK),
        _ => Err("is none of exp, none, floor=X, add-k=K".into()),
    }
}

/// Texts and the file that they are of.
struct Texts {
    name: String,
    texts: Vec<String>,
}

#[derive(Serialize)]
struct Report<'a> {
    hypotheses: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<&'a str>,
    records: usize,
    metrics: &'a [MetricReport],
}

impl Metrics {
    pub fn run(self) -> Result<()> {
        self.check_stdin()?;
        let mine = self.read(&self.hypotheses, None, "--column")?;
        let other = self.against.as_deref().map(|file| self.read(file, None, "--column")).transpose()?;
        other.as_ref().map(|other| check_count(&mine, other)).transpose()?;
        let (set, rows) = self.test_set(&mine)?;
        let pick = |texts: &Texts| rows.iter().map(|&row| texts.texts[row].clone()).collect::<Vec<_>>();
        let (outputs, others) = (pick(&mine), other.as_ref().map(pick));
        let metrics = self.metrics(&set, &outputs);
        let bootstrap = Bootstrap { resamples: self.scoring.resamples, ..Bootstrap::default() };
        let reports = match &others {
            Some(others) => set.compare(&metrics, &outputs, others, &bootstrap, self.scoring.seed),
            None => set.report(&metrics, &outputs, &bootstrap, self.scoring.seed),
        };
        let reports = reports.map_err(|error| match error {
            // What the metric lacks is a flag.
            TestSetError::NoSources(metric) => Usage(format!("{metric} needs the sources: give --source FILE")).into(),
            error => anyhow!(error),
        })?;
        let against = other.as_ref().map(|other| other.name.as_str());
        self.write(&Report { hypotheses: &mine.name, against, records: set.len(), metrics: &reports })
    }

    fn check_stdin(&self) -> Result<()> {
        let columns = self.columns.reference_column.len().max(1);
        let references = self.references.iter().flat_map(|file| std::iter::repeat_n(file, columns));
        let files = references.chain([&self.hypotheses]).chain(&self.source).chain(&self.against);
        match files.filter(|file| *file == Path::new("-")).count() {
            0 | 1 => Ok(()),
            _ => Err(Usage("standard input can be read once; name files for the others".into()).into()),
        }
    }

    /// Reads a column of a file; `flag` is the one that names it.
    fn read(&self, file: &Path, column: Option<Option<&String>>, flag: &str) -> Result<Texts> {
        let mut options = self.records.resolve(ReadOptions::one_to_one());
        if let Some(column) = column {
            options.column = column.cloned();
        }
        let corpus =
            input::corpus(file, &options).map_err(|error| anyhow!(error.to_string().replace("--column", flag)))?;
        let report = corpus.report;
        let name = match &report.column {
            Some(column) => format!("{} (column {column})", report.name),
            None => report.name,
        };
        Ok(Texts { name, texts: corpus.records.into_iter().map(|r| r.text).collect() })
    }

    /// The references and sources, and the rows that they stand in.
    fn test_set(&self, mine: &Texts) -> Result<(TestSet, Vec<usize>)> {
        let columns: Vec<Option<&String>> = match self.columns.reference_column.as_slice() {
            [] => vec![None],
            columns => columns.iter().map(Some).collect(),
        };
        let mut references = vec![Vec::new(); mine.texts.len()];
        for file in &self.references {
            for &column in &columns {
                let read = self.read(file, Some(column), "--reference-column")?;
                check_count(mine, &read)?;
                say!("References: {}, {}.", read.name, count(read.texts.len(), "record"));
                references.iter_mut().zip(read.texts).for_each(|(all, text)| all.push(text));
            }
        }
        let mut set = TestSet::new(references)?;
        if let Some(file) = &self.source {
            let read = self.read(file, Some(self.columns.source_column.as_ref()), "--source-column")?;
            check_count(mine, &read)?;
            set = set.with_sources(read.texts)?;
        }
        if !self.group {
            let rows = (0..set.len()).collect();
            return Ok((set, rows));
        }
        let before = set.len();
        let (set, rows) = set.grouped();
        say!("{} have {}.", count(before, "record"), count(set.len(), "source"));
        Ok((set, rows))
    }

    fn metrics(&self, set: &TestSet, outputs: &[String]) -> Vec<Metric> {
        let tokenisation = self.scoring.tokenize.map_or_else(
            || Tokenisation::guess(&set.references().iter().map(|all| &all[0]).collect::<Vec<_>>()),
            Tokenisation::from,
        );
        if self.scoring.tokenize.is_none() && tokenisation == Tokenisation::Zh {
            say!("The references are written without blanks: characters count as words (--tokenize to override).");
        }
        let tokenised = outputs.iter().filter(|text| text.ends_with(" .")).count();
        if tokenisation == Tokenisation::V13a && 2 * tokenised > outputs.len() {
            say!(
                "Most texts end in \" .\": they look cut into words already. Their scores are no match for those of plain text."
            );
        }
        let empty = outputs.iter().filter(|text| text.trim().is_empty()).count();
        if empty > 0 {
            say!("{} of the generated texts are empty.", number(empty as u64));
        }
        let options = MetricOptions { tokenisation, lowercase: self.scoring.lowercase, smoothing: self.scoring.smooth };
        match (self.metric.as_slice(), self.task) {
            ([], Some(task)) => Task::from(task).metrics(&options),
            ([], None) if set.has_meanings() => Task::DataToText.metrics(&options),
            ([], None) => Task::Translation.metrics(&options),
            (names, _) => names.iter().flat_map(|name| Metric::named(name, &options)).collect(),
        }
    }

    fn write(&self, report: &Report) -> Result<()> {
        let mut out = self.writing.open()?;
        match (self.writing.json, report.against) {
            (true, _) => out.json(report)?,
            (false, None) => write_scores(&mut out, report)?,
            (false, Some(other)) => write_comparison(&mut out, report, other)?,
        }
        out.finish()
    }
}

fn check_count(mine: &Texts, other: &Texts) -> Result<()> {
    if mine.texts.len() == other.texts.len() {
        return Ok(());
    }
    let told = |texts: &Texts| format!("{} has {}", texts.name, count(texts.texts.len(), "record"));
    Err(Usage(format!("{}, but {}: they must go record by record", told(mine), told(other))).into())
}

fn write_scores(out: &mut Output, report: &Report) -> Result<()> {
    out.line("metric       score   95 % interval  records  signature")?;
    for metric in report.metrics {
        let i = &metric.interval;
        let interval = format!("{:.2} to {:.2}", i.low, i.high);
        out.line(&format!("{:<10} {:>7.2}  {interval:>14}  {:>7}  {}", metric.metric, i.value, i.n, metric.signature))?;
        write_parts(out, metric)?;
    }
    Ok(())
}

fn write_comparison(out: &mut Output, report: &Report, other: &str) -> Result<()> {
    say!("First: {}. Second: {other}.", report.hypotheses);
    say!("Ahead: in how many draws of the records the first is better. p: how often so large a difference is chance.");
    out.line("metric       first  second  difference   95 % interval    ahead       p  signature")?;
    for metric in report.metrics {
        let Some(against) = &metric.against else { continue };
        let d = &against.difference;
        let interval = format!("{:+.2} to {:+.2}", d.low, d.high);
        let ahead = 100.0 * if metric.lower_is_better { 1.0 - against.wins } else { against.wins };
        out.line(&format!(
            "{:<10} {:>7.2} {:>7.2}  {:>+10.2}  {interval:>16}  {ahead:>4.0} %  {:>6.4}  {}",
            metric.metric, against.first, against.second, d.value, against.p_value, metric.signature
        ))?;
        write_parts(out, metric)?;
    }
    Ok(())
}

fn write_parts(out: &mut Output, metric: &MetricReport) -> Result<()> {
    if metric.parts.is_empty() {
        return Ok(());
    }
    let whole = |x: f64| x.fract() == 0.0 && x >= 2.0;
    let part = |x: f64| if whole(x) { number(x as u64) } else { format!("{x:.2}") };
    let parts: Vec<String> = metric.parts.iter().map(|p| format!("{} {}", p.name, part(p.value))).collect();
    out.line(&format!("  {}", parts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothings_are_read() {
        assert_eq!(smoothing("exp"), Ok(Smoothing::Exp));
        assert_eq!(smoothing("floor"), Ok(Smoothing::Floor(0.1)));
        assert_eq!(smoothing("add-k=2"), Ok(Smoothing::AddK(2.0)));
        for bad in ["", "exp=1", "floor=0", "floor=x", "add-k=-1", "add"] {
            assert!(smoothing(bad).is_err(), "{bad}");
        }
    }
}
