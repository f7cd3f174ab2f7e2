//! Judges text files.
//!
//! ```text
//! cargo run --release -p strait-eval --example judge -- train.txt test.txt mine.txt --kn --real
//! cargo run --release -p strait-eval --example judge -- --reconstruction decoded.txt originals.txt
//! ```

use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use strait_eval::{Judge, ReconstructionReport, SampleReport, Unit};

const USAGE: &str = "\
usage: judge TRAIN TEST [SAMPLES...] [options]
       judge --reconstruction DECODED ORIGINALS [options]

  Files hold one text per line. TRAIN and TEST may be .tsv files, read with --column.

  --real        add the row of real text (TRAIN as samples)
  --kn          add the row of a Kneser-Ney model's own samples
  --seed N      seed of --kn (default 1)
  --column N    column of a .tsv TRAIN or TEST, the first being 1
  --chars       count characters   (default: guessed from
  --words       count words         TRAIN or ORIGINALS)
  --json        print JSON, one line per row
  --help        print this";

/// Why the program stops: the caller's mistake (exit code 2) or a file that cannot be judged (exit code 1).
#[derive(Debug)]
pub enum Stop {
    Usage(String),
    Input(String),
}

/// What the command line asks for.
#[derive(Debug, Default)]
pub struct Options {
    files: Vec<String>,
    reconstruction: bool,
    real: bool,
    kn: bool,
    seed: u64,
    column: Option<usize>,
    unit: Option<Unit>,
    json: bool,
    help: bool,
}

fn main() -> ExitCode {
    // A reader that goes away, as `head` does, is no error.
    let print = |line: String| drop(writeln!(std::io::stdout(), "{line}"));
    match parse(std::env::args().skip(1)).and_then(|options| run(&options, print)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Input(message)) => {
            eprintln!("judge: {message}");
            ExitCode::FAILURE
        }
        Err(Stop::Usage(message)) => {
            eprintln!("judge: {message}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

pub fn parse(args: impl Iterator<Item = String>) -> Result<Options, Stop> {
    let (mut options, mut args) = (Options { seed: 1, ..Options::default() }, args);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--reconstruction" => options.reconstruction = true,
            "--real" => options.real = true,
            "--kn" => options.kn = true,
            "--seed" => options.seed = number(&arg, args.next(), 0)?,
            "--column" => options.column = Some(number(&arg, args.next(), 1)? as usize),
            "--chars" => options.unit = Some(Unit::Chars),
            "--words" => options.unit = Some(Unit::Words),
            "--json" => options.json = true,
            "--help" | "-h" => options.help = true,
            flag if flag.starts_with("--") => return Err(Stop::Usage(format!("unknown option {flag}"))),
            _ => options.files.push(arg),
        }
    }
    let files = options.files.len();
    let fault = match (options.help, options.reconstruction) {
        (true, _) => None,
        (_, true) if files != 2 => Some(format!("--reconstruction takes two files, DECODED ORIGINALS, not {files}")),
        (_, true) if options.real || options.kn => {
            Some("--real and --kn add rows of samples; --reconstruction has none".to_owned())
        }
        (_, false) if files < 2 => Some(format!("TRAIN and TEST are needed, {files} of them given")),
        (_, false) if files == 2 && !options.real && !options.kn => {
            Some("nothing to judge: give SAMPLES, --real or --kn".to_owned())
        }
        _ => None,
    };
    fault.map_or(Ok(options), |fault| Err(Stop::Usage(fault)))
}

/// The value of a flag that takes a whole number.
fn number(flag: &str, value: Option<String>, least: u64) -> Result<u64, Stop> {
    let value = value.ok_or_else(|| Stop::Usage(format!("{flag} needs a number behind it")))?;
    match value.parse() {
        Ok(number) if number >= least => Ok(number),
        _ => Err(Stop::Usage(format!("{flag} takes a whole number from {least} on, not {value:?}"))),
    }
}

pub fn run(options: &Options, mut print: impl FnMut(String)) -> Result<(), Stop> {
    if options.help {
        print(USAGE.to_owned());
        return Ok(());
    }
    if options.reconstruction {
        return reconstruction(options, print);
    }
    let train = corpus(&options.files[0], options.column)?;
    let test = corpus(&options.files[1], options.column)?;
    let samples: Vec<(&str, Vec<String>)> =
        options.files[2..].iter().map(|path| Ok((file_name(path), lines(path)?))).collect::<Result<_, Stop>>()?;
    let judge = Judge::new(&train, &test, unit(options, &train))
        .map_err(|error| Stop::Input(format!("{}, {}: {error}", options.files[0], options.files[1])))?;
    if !options.json {
        print(SampleReport::header());
    }
    // Each row is printed as soon as it is there.
    if options.real {
        print(line(&judge.real_row(), options.json)?);
    }
    if options.kn {
        print(line(&judge.kn_row(options.seed), options.json)?);
    }
    for (name, texts) in &samples {
        print(line(&judge.report(name, texts), options.json)?);
    }
    Ok(())
}

fn reconstruction(options: &Options, mut print: impl FnMut(String)) -> Result<(), Stop> {
    let [decoded, originals] = [&options.files[0], &options.files[1]];
    let (hypotheses, references) = (lines(decoded)?, corpus(originals, options.column)?);
    if hypotheses.len() != references.len() {
        let (h, r) = (hypotheses.len(), references.len());
        return Err(Stop::Input(format!(
            "{decoded} has {h} lines but {originals} has {r}; line i of one must be the decoding of line i of the other"
        )));
    }
    let unit = unit(options, &references);
    let pairs: Vec<(String, String)> = hypotheses.into_iter().zip(references).collect();
    let report = ReconstructionReport::new(&pairs, unit);
    if options.json {
        print(json(&report)?);
        return Ok(());
    }
    let row = |length: &str, n: usize, bleu4: f64, exact: f64, accuracy: f64| {
        format!("{length:<8} {n:>7} {bleu4:>7.2} {exact:>7.4} {accuracy:>14.4}")
    };
    print(format!("{:<8} {:>7} {:>7} {:>7} {:>14}", "length", "n", "BLEU-4", "exact", "token accuracy"));
    print(row("all", report.n, report.bleu4, report.exact, report.token_accuracy));
    for b in &report.by_length {
        let to = b.to.map_or_else(|| "+".to_owned(), |to| format!("-{to}"));
        print(row(&format!("{}{to}", b.from), b.n, b.bleu4, b.exact, b.token_accuracy));
    }
    Ok(())
}

/// The unit asked for, or a guess from the texts, which is told.
fn unit(options: &Options, texts: &[String]) -> Unit {
    options.unit.unwrap_or_else(|| {
        let unit = Unit::guess(texts);
        eprintln!("judge: counting {unit:?} (guessed; --chars or --words decides)");
        unit
    })
}

fn line(report: &(impl Display + Serialize), as_json: bool) -> Result<String, Stop> {
    if as_json { json(report) } else { Ok(report.to_string()) }
}

fn json(report: &impl Serialize) -> Result<String, Stop> {
    serde_json::to_string(report).map_err(|error| Stop::Input(format!("the report cannot be written as JSON: {error}")))
}

/// The texts of TRAIN or TEST: whole lines, or one column of a .tsv file.
fn corpus(path: &str, column: Option<usize>) -> Result<Vec<String>, Stop> {
    let texts = lines(path)?;
    if !Path::new(path).extension().is_some_and(|e| e.eq_ignore_ascii_case("tsv")) {
        return Ok(texts);
    }
    let Some(column) = column else {
        return Err(Stop::Usage(format!("{path} has columns; say which one holds the text: --column N")));
    };
    let field = |(at, text): (usize, &String)| {
        text.split('\t').nth(column - 1).map(str::to_owned).ok_or_else(|| {
            let fields = text.split('\t').count();
            Stop::Input(format!("{path}:{}: no column {column}, the line has {fields}", at + 1))
        })
    };
    texts.iter().enumerate().filter(|(_, text)| !text.is_empty()).map(field).collect()
}

/// The lines of a text file; bytes that are no UTF-8 read as replacement characters.
fn lines(path: &str) -> Result<Vec<String>, Stop> {
    let bytes = std::fs::read(path).map_err(|error| Stop::Input(format!("{path}: cannot be read: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
}

fn file_name(path: &str) -> &str {
    Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or(path)
}
