//! `strait serve`: models over HTTP.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Result;
use clap::Args;
use strait::text::ReadOptions;
use strait_server::{ApiKey, Batching, Event, LearnedPlace, Limits, ModelPlace, Options, ServeError, TextsPlace, run};

use crate::{
    complaint::Usage,
    flags::{RecordsFlags, at_least_one, positive},
    talk::say,
};

/// Where the API key may stand besides a file.
const KEY_VARIABLE: &str = "STRAIT_API_KEY";

/// Serve models over HTTP: what the other verbs do, for programs and pages (/docs explains it)
#[derive(Args)]
#[command(after_help = "Ctrl-C stops it, and finishes what has begun. A model folder that is replaced is read again. \
                        With an API key, from --api-key-file or in the variable STRAIT_API_KEY, /v1/* asks for it.")]
pub struct Serve {
    /// A model: a folder made by `strait train`, or NAME=DIR; may be given several times
    #[arg(short, long, value_name = "DIR", required_unless_present = "document")]
    model: Vec<String>,
    /// A document model: a folder made by `strait document train`, or NAME=DIR; may be given several times, also without -m
    #[arg(long, value_name = "DIR")]
    document: Vec<String>,
    /// Texts to search, group and map: FILE or NAME=FILE for the model NAME [default: the first one], also a folder that
    /// `strait index` made; may be given several times
    #[arg(long, value_name = "FILE")]
    texts: Vec<String>,
    /// Directions that `strait directions` has learned: FILE or NAME=FILE; may be given several times
    #[arg(long, value_name = "FILE")]
    directions: Vec<String>,
    /// A classifier that `strait classify` has learned: FILE or NAME=FILE; may be given several times
    #[arg(long, value_name = "FILE")]
    classifier: Vec<String>,
    /// Show the trainings in this folder, finished or going on
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// Address to listen on; 0.0.0.0 for all that this machine has
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    host: String,
    /// Port to listen on; 0 takes a free one and says which
    #[arg(long, value_name = "PORT", default_value = "8017")]
    port: u16,
    /// The first line of this file is the API key
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// Pages of this origin may read answers (* for all); may be given several times [default: none]
    #[arg(long, value_name = "ORIGIN")]
    cors: Vec<String>,
    /// Seconds that a request may take
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = positive)]
    timeout: f64,
    /// Seconds for what has begun when it is asked to stop
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = positive)]
    grace: f64,
    /// Requests that may wait for a model; more are refused
    #[arg(long, value_name = "N", default_value = "256", value_parser = at_least_one)]
    queue: usize,
    /// Tokens that are worked on together
    #[arg(long, value_name = "N", default_value = "4096", value_parser = at_least_one)]
    batch_tokens: usize,
    /// Texts, latents or variations in a request
    #[arg(long, value_name = "N", default_value = "1024", value_parser = at_least_one)]
    max_texts: usize,
    /// Characters of a text
    #[arg(long, value_name = "N", default_value = "10000", value_parser = at_least_one)]
    max_chars: usize,
    /// Megabytes of a request
    #[arg(long, value_name = "MB", default_value = "8", value_parser = at_least_one)]
    max_body: usize,
    /// Leave out the line for each request
    #[arg(long)]
    quiet: bool,
    #[command(flatten)]
    corpus: RecordsFlags,
}

impl Serve {
    pub fn run(self) -> Result<()> {
        let quiet = self.quiet;
        let listener = move |event: &Event| {
            if !(quiet && matches!(event, Event::Request(_))) {
                say!("{} {event}", utc(SystemTime::now()));
            }
        };
        match run(self.options()?, Arc::new(listener)) {
            // A message of its own, so that hints for it are found.
            Err(ServeError::Model(e)) => Err(e.into()),
            Err(
                e @ (ServeError::SameName(_)
                | ServeError::Origin(_)
                | ServeError::NoSuchModel { .. }
                | ServeError::NoModelFor { .. }
                | ServeError::NoDocumentModel(_)
                | ServeError::Twice { .. }),
            ) => Err(Usage(e.to_string()).into()),
            result => Ok(result?),
        }
    }

    fn options(self) -> Result<Options> {
        let limits = Limits {
            body_bytes: self.max_body.saturating_mul(1_000_000),
            texts: self.max_texts,
            n: self.max_texts,
            chars: self.max_chars,
            queue: self.queue,
            seconds: self.timeout,
            ..Limits::default()
        };
        let key = self.api_key_file.as_deref().map(key_of).transpose()?;
        let key = key.or_else(|| std::env::var(KEY_VARIABLE).ok().filter(|key| !key.is_empty()));
        let read = self.corpus.resolve(ReadOptions::default());
        let texts = |place: &String| {
            let (model, path) = named(place);
            TextsPlace { model, path, read: read.clone() }
        };
        let learned = |place: &String| {
            let (model, path) = named(place);
            LearnedPlace { model, path }
        };
        Ok(Options {
            documents: self.document.iter().map(|model| place(model)).collect(),
            texts: self.texts.iter().map(texts).collect(),
            directions: self.directions.iter().map(learned).collect(),
            classifiers: self.classifier.iter().map(learned).collect(),
            runs: self.runs.map(folder).transpose()?,
            host: self.host,
            port: self.port,
            api_key: key.as_deref().map(ApiKey::new),
            cors: self.cors,
            limits,
            batching: Batching { tokens: self.batch_tokens, ..Batching::default() },
            grace: Duration::try_from_secs_f64(self.grace).unwrap_or(Duration::MAX),
            ..Options::new(self.model.iter().map(|model| place(model)).collect())
        })
    }
}

/// `PATH` or `NAME=PATH`; what is there under its whole name, a `=` in it, has no other name.
fn named(place: &str) -> (Option<String>, PathBuf) {
    match place.split_once('=') {
        Some((name, path)) if !name.is_empty() && !Path::new(place).exists() => (Some(name.into()), path.into()),
        _ => (None, place.into()),
    }
}

fn place(model: &str) -> ModelPlace {
    match named(model) {
        (Some(name), dir) => ModelPlace { name, dir },
        (None, dir) => ModelPlace::new(dir),
    }
}

fn folder(dir: PathBuf) -> Result<PathBuf> {
    match dir.is_dir() {
        true => Ok(dir),
        false => Err(Usage(format!("{}: there is no such folder to show trainings of (--runs)", dir.display())).into()),
    }
}

fn key_of(file: &Path) -> Result<String, ServeError> {
    let wrong = |why: String| ServeError::KeyFile { file: file.into(), why };
    let text = fs::read_to_string(file).map_err(|e| wrong(format!("cannot be read: {e}")))?;
    match text.lines().next().map(str::trim) {
        Some(key) if !key.is_empty() => Ok(key.to_owned()),
        _ => Err(wrong("its first line is empty".into())),
    }
}

/// `2026-01-31T23:59:59Z`.
fn utc(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days to a date as by Howard Hinnant (civil_from_days): years begin in March, eras have 400 of them.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + next;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_dates() {
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_210_096, "2024-02-29T12:34:56Z"),
            (4_102_444_799, "2099-12-31T23:59:59Z"),
        ] {
            assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(seconds)), date);
        }
    }

    #[test]
    fn models_may_have_names_of_their_own() {
        assert_eq!(place("a=b/c"), ModelPlace { name: "a".into(), dir: "b/c".into() });
        assert_eq!(place("b/c.strait").name, "c");
    }
}
