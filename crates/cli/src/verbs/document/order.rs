//! `strait document order` and `summarise`: sentences that are there.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::{DocumentModelFlag, GivenFlag, sentences};
use crate::{
    flags::{DecodingFlags, WritingFlags, at_least_one},
    talk::say,
};

/// A sentence of a text.
#[derive(Serialize)]
struct Sentence<'a> {
    /// Its place in the text, from 0.
    index: usize,
    text: &'a str,
}

/// Put shuffled sentences in their likeliest order
#[derive(Args)]
pub struct Order {
    #[command(flatten)]
    model: DocumentModelFlag,
    /// The sentences; `-` is standard input
    file: PathBuf,
    /// They are a part of a document, not all of it
    #[arg(long)]
    part: bool,
    #[command(flatten)]
    given: GivenFlag,
    #[command(flatten)]
    writing: WritingFlags,
}

impl Order {
    pub fn run(self) -> Result<()> {
        let model = self.model.open()?;
        let text = sentences(&self.file)?;
        let order = model.order(&text, &self.given.read()?, !self.part)?;
        let mut out = self.writing.open()?;
        for index in order {
            self.writing.text(&mut out, &text[index], &Sentence { index, text: &text[index] })?;
        }
        out.finish()
    }
}

/// Print the sentences nearest to what a text is about on the whole, in its order
///
/// That is the mean of its sentences' latents; decoded, it is said, too.
#[derive(Args)]
pub struct Summarise {
    #[command(flatten)]
    model: DocumentModelFlag,
    /// The text; `-` is standard input
    file: PathBuf,
    /// How many sentences
    #[arg(short, value_name = "K", default_value = "3", value_parser = at_least_one)]
    k: usize,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    decoding: DecodingFlags,
}

/// The object of a summary.
#[derive(Serialize)]
struct Report<'a> {
    sentences: Vec<Sentence<'a>>,
    /// The mean latent, decoded.
    centre: &'a str,
}

impl Summarise {
    pub fn run(self) -> Result<()> {
        let model = self.model.open()?;
        let text = sentences(&self.file)?;
        let decoding = self.decoding.resolve(&model.sentence_model().config().decoding);
        let summary = model.summarise(&text, self.k, &decoding)?;
        let mut out = self.writing.open()?;
        if self.writing.json {
            let sentences = summary.sentences.iter().map(|&index| Sentence { index, text: &text[index] }).collect();
            out.json(&Report { sentences, centre: &summary.centre })?;
        } else {
            summary.sentences.iter().try_for_each(|&i| out.line(&text[i]))?;
            say!("The mean latent says: {}", summary.centre);
        }
        out.finish()
    }
}
