//! `strait score`: how odd each text is.

use std::{
    io::{self, BufRead as _, BufReader, IsTerminal as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;
use strait::{Model, Oddness, PValue, PublishedLanguageModel, Usual, text::ReadOptions};

use crate::{
    flags::{CHUNK, ModelFlag, RecordsFlags, WritingFlags},
    input,
    output::Output,
    quote::one_line,
    talk::{number, say},
};

/// Tokens of a text that are marked: the costliest, if they cost so many nats at least.
const MARKED: usize = 3;
const COSTLY: f32 = 6.0;

/// Tell how odd each text is
///
/// Prints the p-value, the nats that a token costs, and the text, its least likely tokens marked. The p-value is the share
/// of usual texts that are as odd or odder, by their tokens or their latents: of usual texts, one in a hundred is below
/// 0.01. Usual are the texts that the model was validated on, or those of --usual, which must not be texts that it was
/// trained on. Standard input is read and answered line by line.
#[derive(Args)]
pub struct Score {
    #[command(flatten)]
    model: ModelFlag,
    /// The texts (txt, csv, tsv, jsonl, also .gz or .zst); `-` is standard input, a text a line, answered at once
    file: PathBuf,
    /// Usual texts that the model was not trained on, a few hundred or more [default: its validation's]
    #[arg(long, value_name = "FILE")]
    usual: Option<PathBuf>,
    /// Print only texts whose p-value is at most this
    #[arg(long, value_name = "P", value_parser = share)]
    below: Option<f64>,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    records: RecordsFlags,
}

fn share(value: &str) -> Result<f64, String> {
    value.parse().ok().filter(|p| (0.0..=1.0).contains(p)).ok_or_else(|| "must be between 0 and 1".into())
}

#[derive(Serialize)]
struct Line<'a> {
    row: usize,
    text: &'a str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    p: Option<Ps>,
    #[serde(flatten)]
    odd: &'a Oddness,
}

/// P-values under names of their own: `tokens` is taken.
#[derive(Serialize)]
struct Ps {
    p: f64,
    p_tokens: f64,
    p_latent: Option<f64>,
}

/// What finds texts odd: a model of ours, or a published language model.
enum Scorer {
    Own(Box<Model>),
    Published(Box<PublishedLanguageModel>),
}

impl Scorer {
    fn oddness<S: AsRef<str> + Sync>(&mut self, texts: &[S]) -> Result<Vec<Oddness>, strait::Error> {
        match self {
            Scorer::Own(model) => model.oddness(texts),
            Scorer::Published(model) => Ok(model.oddness(texts)),
        }
    }

    fn usual(&self) -> Result<Option<Usual>, strait::Error> {
        match self {
            Scorer::Own(model) => model.usual(),
            Scorer::Published(_) => Ok(None),
        }
    }
}

impl Score {
    pub fn run(self) -> Result<()> {
        let mut model = match self.model.published_language_model()? {
            Some(model) => Scorer::Published(Box::new(model)),
            None => Scorer::Own(Box::new(self.model.open()?)),
        };
        let usual = self.usual(&mut model)?;
        let mut out = self.writing.open()?;
        if self.file == Path::new("-") {
            self.stream(&mut model, usual.as_ref(), &mut out)?;
        } else {
            let corpus = input::corpus(&self.file, &self.records.resolve(ReadOptions::one_to_one()))?;
            for (i, part) in corpus.records.chunks(CHUNK).enumerate() {
                let texts: Vec<&str> = part.iter().map(|r| r.text.as_str()).collect();
                self.write(&mut model, usual.as_ref(), &mut out, (i * CHUNK, &texts))?;
            }
        }
        out.finish()
    }

    fn usual(&self, model: &mut Scorer) -> Result<Option<Usual>> {
        let (usual, which) = match &self.usual {
            Some(file) => {
                let corpus = input::corpus(file, &self.records.resolve(ReadOptions::default()))?;
                (Some(Usual::new(&model.oddness(&corpus.records)?)?), "")
            }
            None => (model.usual()?, " of its validation"),
        };
        match &usual {
            None => say!("The model has no usual texts of its own: without --usual FILE there are no p-values."),
            Some(usual) => {
                let least = 1.0 / (usual.texts() as f64 + 1.0);
                let n = number(usual.texts() as u64);
                say!("Held against {n} usual texts{which}: no p-value is below {least:.4}.");
            }
        }
        Ok(usual)
    }

    /// Standard input, as many lines at a time as are there.
    fn stream(&self, model: &mut Scorer, usual: Option<&Usual>, out: &mut Output) -> Result<()> {
        let mut stdin = BufReader::new(io::stdin());
        let (mut row, mut lines) = (0, Vec::new());
        loop {
            let mut line = String::new();
            let read = stdin.read_line(&mut line).context("standard input: cannot be read as UTF-8 text")?;
            if read > 0 {
                lines.push(line.trim_end_matches(['\n', '\r']).to_owned());
            }
            let more = stdin.buffer().contains(&b'\n');
            if !lines.is_empty() && (read == 0 || !more || lines.len() == CHUNK) {
                let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
                self.write(model, usual, out, (row, &texts))?;
                row += lines.len();
                lines.clear();
                out.flush_part()?;
            }
            if read == 0 {
                return Ok(());
            }
        }
    }

    fn write(
        &self,
        model: &mut Scorer,
        usual: Option<&Usual>,
        out: &mut Output,
        (first, texts): (usize, &[&str]),
    ) -> Result<()> {
        let odd = model.oddness(texts)?;
        let p: Vec<Option<PValue>> = match usual {
            Some(usual) => usual.p_values(&odd)?.into_iter().map(Some).collect(),
            None => vec![None; texts.len()],
        };
        let colour = self.writing.output.is_none() && io::stdout().is_terminal();
        for (i, ((text, odd), p)) in texts.iter().zip(&odd).zip(p).enumerate() {
            if self.below.zip(p).is_some_and(|(below, p)| p.p > below) {
                continue;
            }
            if self.writing.json {
                let p = p.map(|p| Ps { p: p.p, p_tokens: p.tokens, p_latent: p.latent });
                out.json(&Line { row: first + i, text, p, odd })?;
                continue;
            }
            let p = p.map_or(String::new(), |p| format!("{:.4}\t", p.p));
            out.line(&format!("{p}{:.3}\t{}", odd.nats_per_token, marked(text, odd, colour)))?;
        }
        Ok(())
    }
}

/// The text with its costliest tokens in colour, or as it is.
fn marked(text: &str, odd: &Oddness, colour: bool) -> String {
    let mut order: Vec<usize> = (0..odd.tokens.len()).filter(|&i| odd.tokens[i].1 >= COSTLY).collect();
    order.sort_by(|&a, &b| odd.tokens[b].1.total_cmp(&odd.tokens[a].1));
    order.truncate(MARKED);
    if !colour || order.is_empty() {
        return text.to_owned();
    }
    let token = |(i, (word, _)): (usize, &(String, f32))| match order.contains(&i) {
        true => format!("\u{1b}[31;1m{}\u{1b}[0m", one_line(word)),
        false => one_line(word).into_owned(),
    };
    odd.tokens.iter().enumerate().map(token).collect()
}
