//! `strait evaluate`: everything that can be measured of a model.

use std::{
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use strait::{Evaluation, EvaluationProgress, EvaluationRequest, JudgeBudget, Model, PairRequest, text::ReadOptions};

use crate::{
    complaint::Usage,
    flags::{CorpusFlags, ModelFlag, PairFlags, VectorsFlag, WritingFlags, at_least_one, positive},
    input,
    output::Output,
    talk::{duration, number, say},
};

/// Time between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Measure a model on held-out texts: likelihood, latent, reconstruction, prior, samples
///
/// What applies to the model is measured, each figure with its N and its spread over seeds; what is left out is said,
/// and how to get it. Of a model that writes targets for sources FILE holds pairs (a source may stand in several, each with a reference): what it
/// writes gets BLEU, chrF, TER, ROUGE-L, and SARI or slot error where they apply. Give texts that the model has not seen, and with --train those that it has.
#[derive(Args)]
pub struct Evaluate {
    #[command(flatten)]
    model: ModelFlag,
    /// Held-out texts (txt, csv, tsv, jsonl, also .gz or .zst); `-` is standard input
    file: PathBuf,
    /// What the model was trained on: samples are then judged by it, and copies of it found
    #[arg(long, value_name = "FILE")]
    train: Option<PathBuf>,
    #[command(flatten)]
    vectors: VectorsFlag,
    /// A language model whose likelihood stands beside the model's
    #[arg(long, value_name = "DIR")]
    beside: Option<PathBuf>,
    /// Fewer texts and draws, no LSTM judge: for a first look
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    effort: EffortFlags,
    #[command(flatten)]
    writing: WritingFlags,
    /// Also write a page for a browser to this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    corpus: CorpusFlags,
    #[command(flatten)]
    pairs: PairFlags,
    /// Columns of further references beside the targets, by name or number
    #[arg(long, value_name = "C,...", value_delimiter = ',', help_heading = "Reading")]
    references: Vec<String>,
}

#[derive(Args)]
#[command(next_help_heading = "Effort")]
struct EffortFlags {
    /// Draws of a text's latent for the likelihood [default: 500, quick: 50]
    #[arg(long, value_name = "S", value_parser = at_least_one)]
    importance: Option<usize>,
    /// Texts whose likelihood is estimated from them [default: 1000, quick: 200]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    importance_texts: Option<usize>,
    /// Samples of each seed [default and most: as many as FILE has texts, 10,000]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    samples: Option<usize>,
    /// Seeds over which spreads are told
    #[arg(long, value_name = "N", default_value = "3", value_parser = at_least_one)]
    seeds: usize,
    /// The first seed
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    /// Minutes that each LSTM judge may train at most, instead of 1000 steps
    #[arg(long, value_name = "M", value_parser = positive)]
    judge_minutes: Option<f64>,
    /// Judge samples by the Kneser-Ney model alone
    #[arg(long, conflicts_with = "judge_minutes")]
    no_lstm_judge: bool,
    /// Also draw samples at these temperatures: a curve
    #[arg(long, value_name = "T,...", value_delimiter = ',', value_parser = temperature)]
    temperatures: Vec<f32>,
}

fn temperature(value: &str) -> Result<f32, String> {
    positive(value).map(|t| t as f32)
}

impl Evaluate {
    pub fn run(self) -> Result<()> {
        let mut model = self.model.open()?;
        if model.is_seq2seq() {
            return self.pairs(&mut model);
        }
        if self.pairs.given() || !self.references.is_empty() {
            return Err(self.model.refuse(strait::Error::KnowsNoSources));
        }
        let request = self.request()?;
        self.vectors.give(&mut model, &self.model, &request.texts)?;
        let beside = self.beside.as_deref().map(|dir| Ok::<_, strait::Error>((dir, Model::open(dir)?))).transpose()?;
        let mut ticker = Ticker::new();
        let mut hear = |progress: EvaluationProgress<'_>| ticker.hear(progress);
        let evaluation = match beside {
            Some((dir, mut other)) => {
                model.evaluate_beside((&dir.display().to_string(), &mut other), &request, &mut hear)
            }
            None => model.evaluate(&request, &mut hear),
        };
        ticker.end();
        self.write(&evaluation?)
    }

    /// Of a model that writes targets for sources.
    fn pairs(&self, model: &mut Model) -> Result<()> {
        const QUICK: usize = 200;
        if self.vectors.vectors.is_some() {
            return Err(self.model.refuse(strait::Error::ReadsTexts));
        }
        let options = self.corpus.resolve(ReadOptions::default());
        let pairs = self.pairs.read_with((&self.file, self.pairs.targets()), &self.references, &options)?;
        say!("{}", pairs.found);
        let written = if self.quick { QUICK } else { usize::MAX };
        let name = self.file.display().to_string();
        let request =
            PairRequest { name, sources: pairs.sources, targets: pairs.targets, references: pairs.references, written };
        let decoding = strait::Decoding::default();
        let mut ticker = Ticker::new();
        let evaluation = model.evaluate_pairs(&request, &decoding, &mut |progress| ticker.hear(progress));
        ticker.end();
        let (evaluation, _) = evaluation?;
        let mut out = self.writing.open()?;
        match self.writing.json {
            true => out.json(&evaluation)?,
            false => out.bytes(evaluation.to_string().as_bytes())?,
        }
        out.finish()?;
        let Some(html) = &self.html else { return Ok(()) };
        let page = strait::pair_page(&self.model.model.display().to_string(), &evaluation);
        Output::write_whole(Some(html), page.as_bytes())
    }

    /// Reads the texts.
    fn request(&self) -> Result<EvaluationRequest> {
        // Each record has its vector.
        let base = if self.vectors.vectors.is_some() { ReadOptions::one_to_one() } else { ReadOptions::default() };
        let options = self.corpus.resolve(base);
        if self.file == Path::new("-") && self.train.as_deref() == Some(Path::new("-")) {
            return Err(Usage("only one of FILE and --train can be standard input".into()).into());
        }
        let texts = |file: &Path| -> Result<(String, Vec<String>)> {
            let corpus = input::corpus(file, &options)?;
            say!("{}", corpus.report);
            Ok((corpus.report.name.clone(), corpus.records.into_iter().map(|r| r.text).collect()))
        };
        let (name, held_out) = texts(&self.file)?;
        let train = self.train.as_deref().map(|file| texts(file).map(|read| read.1)).transpose()?;
        let request = EvaluationRequest { train, ..EvaluationRequest::new(name, held_out) };
        Ok(self.effort.resolve(if self.quick { request.quick() } else { request }))
    }

    fn write(&self, evaluation: &Evaluation) -> Result<()> {
        let mut out = self.writing.open()?;
        match self.writing.json {
            true => out.json(evaluation)?,
            false => out.bytes(evaluation.to_string().as_bytes())?,
        }
        out.finish()?;
        let Some(html) = &self.html else { return Ok(()) };
        Output::write_whole(Some(html), strait::evaluation_page(evaluation).as_bytes())
    }
}

impl EffortFlags {
    /// `base`, changed by the flags.
    fn resolve(&self, base: EvaluationRequest) -> EvaluationRequest {
        let judge = match (self.judge_minutes, self.no_lstm_judge) {
            (Some(minutes), _) => Some(JudgeBudget::Minutes(minutes)),
            (None, true) => None,
            (None, false) => base.judge,
        };
        EvaluationRequest {
            importance: self.importance.unwrap_or(base.importance),
            importance_texts: self.importance_texts.unwrap_or(base.importance_texts),
            samples: self.samples.or(base.samples),
            seeds: self.seeds,
            seed: self.seed,
            judge,
            temperatures: self.temperatures.clone(),
            ..base
        }
    }
}

/// Says how far it is: a bar, or a plain line now and then.
pub struct Ticker {
    /// None where standard error is no terminal.
    bar: Option<ProgressBar>,
    part: String,
    began: Instant,
    said: Instant,
}

impl Ticker {
    /// Nothing is shown yet.
    pub fn new() -> Self {
        let style = ProgressStyle::with_template("{bar:16} {wide_msg}");
        // The template is fixed; the training's progress has a test of it.
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─");
        let bar = |()| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
        let now = Instant::now();
        let bar = io::stderr().is_terminal().then_some(()).map(bar);
        Ticker { bar, part: String::new(), began: now, said: now }
    }

    /// Shows how far it is.
    pub fn hear(&mut self, progress: EvaluationProgress<'_>) {
        if self.part != progress.part || progress.done == 0 {
            (self.part, self.began) = (progress.part.into(), Instant::now());
        }
        if let Some(bar) = &self.bar {
            bar.set_length(progress.of as u64);
            bar.set_position(progress.done as u64);
            bar.set_message(self.line(progress));
        } else if self.said.elapsed() >= PLAIN_EVERY {
            say!("{}", self.line(progress));
            self.said = Instant::now();
        }
    }

    fn line(&self, progress: EvaluationProgress<'_>) -> String {
        let (done, of) = (progress.done, progress.of);
        let mut line = format!("{}: {} of {}", progress.part, number(done as u64), number(of as u64));
        if done > 0 {
            let left = self.began.elapsed().as_secs_f64() * (of.saturating_sub(done)) as f64 / done as f64;
            line += &format!("   {} left", duration(left));
        }
        line
    }

    /// Clears the bar.
    pub fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
