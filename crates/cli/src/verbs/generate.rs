//! `strait generate`: a target for each source.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use strait::{AttentionMatrix, Generated, Model, attention_page, text::ReadOptions};

use crate::{
    flags::{CHUNK, DecodingFlags, ModelFlag, RecordsFlags, WritingFlags, at_least_one},
    input,
    output::Output,
};

/// Pairs whose attention is kept for the picture.
const EXPLAINED: usize = 100;

/// Write a target for each source, one line a record, in order: translations, descriptions of data
///
/// The model is one trained on pairs (`strait train PAIRS --task seq2seq`). The best of a beam is written, unless the flags
/// say otherwise.
#[derive(Args)]
pub struct Generate {
    #[command(flatten)]
    model: ModelFlag,
    /// The sources (txt, csv, tsv, jsonl, also .gz or .zst); `-` is standard input
    file: PathBuf,
    /// Write so many targets for each source, each on its line
    #[arg(short, value_name = "N", default_value = "1", value_parser = at_least_one)]
    n: usize,
    /// Also write a page with a picture of where the model looked to this file
    #[arg(long, value_name = "FILE")]
    explain: Option<PathBuf>,
    /// Seed of the draws, with --temperature and its kin
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    records: RecordsFlags,
    #[command(flatten)]
    decoding: DecodingFlags,
}

/// The object of a target.
#[derive(Serialize)]
struct Line<'a> {
    source: &'a str,
    /// 1 is the best of a beam.
    rank: usize,
    text: &'a str,
    log_probability: f64,
    score: f64,
    tokens: usize,
    finished: bool,
}

impl Generate {
    pub fn run(self) -> Result<()> {
        let model = self.model.open()?;
        if !model.is_seq2seq() {
            return Err(
                anyhow::Error::new(strait::Error::KnowsNoSources).context(self.model.model.display().to_string())
            );
        }
        let decoding = self.decoding.resolve(&model.config().decoding);
        let corpus = input::corpus(&self.file, &self.records.resolve(ReadOptions::one_to_one()))?;
        let mut out = self.writing.open()?;
        let mut matrices = Vec::new();
        for (i, part) in corpus.records.chunks(CHUNK).enumerate() {
            let written = model.generate((part, i * CHUNK), self.n, &decoding, self.seed)?;
            for (record, targets) in part.iter().zip(&written) {
                for (at, target) in targets.iter().enumerate() {
                    self.writing.text(&mut out, &target.text, &line(&record.text, at + 1, target))?;
                }
                if let Some(best) = targets.first().filter(|_| self.explain.is_some() && matrices.len() < EXPLAINED) {
                    matrices.push(matrix(&model, &record.text, best)?);
                }
            }
            out.flush_part()?;
        }
        out.finish()?;
        let Some(file) = &self.explain else { return Ok(()) };
        let mut page = Output::open(Some(file))?;
        page.bytes(attention_page(&format!("Where {} looked", self.model.model.display()), &matrices).as_bytes())?;
        page.finish()
    }
}

fn line<'a>(source: &'a str, rank: usize, target: &'a Generated) -> Line<'a> {
    let &Generated { ref text, ref ids, finished, log_probability, score } = target;
    Line { source, rank, text, log_probability, score, tokens: ids.len(), finished }
}

fn matrix(model: &Model, source: &str, target: &Generated) -> Result<AttentionMatrix> {
    let found = model.alignment(source, &target.ids)?;
    Ok(AttentionMatrix { source: found.source, written: found.written, weights: found.weights })
}
