//! `strait topics`: what the dimensions of a bag model's latent say about the words.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use strait::{
    Model,
    eval::{Unit, npmi, topic_diversity},
    text::ReadOptions,
};

use crate::{
    flags::{CHUNK, ModelFlag, RecordsFlags, WritingFlags, at_least_one},
    input,
    output::Output,
    talk::{count, number},
};

/// Draws from the prior whose shares stand for those of the corpus when no texts are given.
const DRAWS: usize = 4096;

/// Show the topics of a model with a bag decoder (`--recipe topics`), the largest first
///
/// A topic's words are those it raises most above the background, weighed with how frequent they are in it. With FILE:
/// how far its words belong together in those texts (NPMI, -1 to 1, about 0 for words that meet by chance), and its share
/// of them; without, shares are those of texts the model would draw itself.
#[derive(Args)]
pub struct Topics {
    #[command(flatten)]
    model: ModelFlag,
    /// Texts to measure the topics on, such as those of the training (txt, csv, tsv, jsonl, also .gz or .zst); `-` is
    /// standard input
    file: Option<PathBuf>,
    /// Words a topic
    #[arg(long, value_name = "N", default_value = "10", value_parser = at_least_one)]
    words: usize,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    records: RecordsFlags,
}

/// All topics, and how good they are together.
#[derive(Serialize)]
struct Report {
    topics: Vec<Line>,
    /// Mean over the topics.
    npmi: Option<f64>,
    diversity: f64,
    words: usize,
    /// Texts measured on.
    texts: usize,
}

#[derive(Serialize)]
struct Line {
    topic: String,
    share: f64,
    npmi: Option<f64>,
    words: Vec<String>,
}

impl Topics {
    pub fn run(self) -> Result<()> {
        let model = self.model.open()?;
        // Refuses a model without topics before a file is read.
        model.topics(1)?;
        let report = report(&model, self.texts()?.as_deref(), self.words)?;
        let mut out = self.writing.open()?;
        if self.writing.json {
            out.json(&report)?;
        } else {
            print(&report, &mut out)?;
        }
        out.finish()
    }

    fn texts(&self) -> Result<Option<Vec<String>>> {
        let Some(file) = &self.file else { return Ok(None) };
        let corpus = input::corpus(file, &self.records.resolve(ReadOptions::default()))?;
        Ok(Some(corpus.records.into_iter().map(|r| r.text).collect()))
    }
}

fn report(model: &Model, texts: Option<&[String]>, words: usize) -> Result<Report> {
    let topics = model.topics(words)?;
    let lists: Vec<Vec<String>> = topics.iter().map(|t| t.words.clone()).collect();
    let coherence = texts.map(|texts| npmi(&lists, texts, Unit::guess(texts)));
    let shares = match texts {
        Some(texts) => shares(model, texts)?,
        None => model.topic_shares(&model.draw(DRAWS, 1))?,
    };
    let known = |x: &f64| x.is_finite();
    let mut lines: Vec<Line> = topics
        .into_iter()
        .enumerate()
        .map(|(i, topic)| {
            let npmi = coherence.as_ref().and_then(|c| c.get(i)).copied().filter(known);
            let share = shares.get(i).copied().unwrap_or(0.0);
            Line { topic: topic.name(), share, npmi, words: topic.words }
        })
        .collect();
    lines.sort_by(|a, b| b.share.total_cmp(&a.share));
    let found: Vec<f64> = lines.iter().filter_map(|l| l.npmi).collect();
    let mean = (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64);
    let texts = texts.map_or(0, <[String]>::len);
    Ok(Report { topics: lines, npmi: mean, diversity: topic_diversity(&lists, words), words, texts })
}

/// The share of each topic in the texts.
fn shares(model: &Model, texts: &[String]) -> Result<Vec<f64>> {
    let mut sums: Vec<f64> = Vec::new();
    for part in texts.chunks(CHUNK) {
        let shares = model.topic_shares(&model.encode(part))?;
        sums.resize(shares.len(), 0.0);
        sums.iter_mut().zip(shares).for_each(|(sum, share)| *sum += share * part.len() as f64 / texts.len() as f64);
    }
    Ok(sums)
}

fn print(report: &Report, out: &mut Output) -> Result<()> {
    let measured = report.texts > 0;
    let column = |text: &str| if measured { format!("{text:>6}  ") } else { String::new() };
    out.line(&format!("topic   share  {}words", column("NPMI")))?;
    for line in &report.topics {
        let npmi = line.npmi.map_or("-".into(), |x| format!("{x:.3}"));
        let share = format!("{:.1} %", 100.0 * line.share);
        out.line(&format!("{:>5} {share:>7}  {}{}", line.topic, column(&npmi), line.words.join(" ")))?;
    }
    let on = report
        .npmi
        .map_or(String::new(), |mean| format!(", mean NPMI {mean:.3} over {} texts", number(report.texts as u64)));
    let topics = count(report.topics.len(), "topic");
    out.line(&format!("{topics}{on}, topic diversity {:.2} ({} words each)", report.diversity, report.words))
}
