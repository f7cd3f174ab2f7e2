//! `strait topics`: what the dimensions of a bag model's latent say about the words.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use strait::{TopicReport, text::ReadOptions};

use crate::{
    flags::{ModelFlag, RecordsFlags, WritingFlags, at_least_one},
    input,
    output::Output,
    talk::{count, number},
};

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

impl Topics {
    pub fn run(self) -> Result<()> {
        let model = self.model.open()?;
        // Refuses a model without topics before a file is read.
        model.topics(1)?;
        let texts = self.texts()?;
        let report = model.topic_report(&texts, &model.encode(&texts), self.words)?;
        let mut out = self.writing.open()?;
        if self.writing.json {
            out.json(&report)?;
        } else {
            print(&report, &mut out)?;
        }
        out.finish()
    }

    fn texts(&self) -> Result<Vec<String>> {
        let Some(file) = &self.file else { return Ok(Vec::new()) };
        let corpus = input::corpus(file, &self.records.resolve(ReadOptions::default()))?;
        Ok(corpus.records.into_iter().map(|r| r.text).collect())
    }
}

fn print(report: &TopicReport, out: &mut Output) -> Result<()> {
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
