//! `strait steer`: texts moved towards a label.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use strait::{Directions, Edit, SteerRequest, text::ReadOptions};

use crate::{
    complaint::Usage,
    flags::{CHUNK, DecodingFlags, ModelFlag, RecordsFlags, WritingFlags},
    input,
    talk::{count, say},
};

/// Rewrite texts towards a label
///
/// The latent moves along a direction that `strait directions` has learned, as little as it takes until the classifier
/// agrees (or by --strength), and the outcome is checked: label, words kept, fluency, density. Texts for which nothing
/// passes the checks come out as near as it got, or unchanged with --verify.
#[derive(Args)]
pub struct Steer {
    #[command(flatten)]
    model: ModelFlag,
    /// The text; `-` is standard input
    #[arg(required_unless_present = "file")]
    text: Option<String>,
    /// Many texts instead (txt, csv, tsv, jsonl, also .gz or .zst): one line for each, in order
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    file: Option<PathBuf>,
    /// The directions
    #[arg(long, value_name = "FILE")]
    by: PathBuf,
    /// The label to move towards
    #[arg(long, value_name = "LABEL")]
    toward: String,
    /// How far; 1 is as far as the labels are apart on average [default: the least that suffices]
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    strength: Option<f64>,
    /// Give a text back unchanged if no outcome passes the checks
    #[arg(long)]
    verify: bool,
    /// A word that must stay where a text has it; may be given several times
    #[arg(long, value_name = "WORD")]
    keep: Vec<String>,
    /// Least share of words that text and outcome have in common, 0 to 1
    #[arg(long, value_name = "F1", default_value = "0")]
    content: f64,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    records: RecordsFlags,
    #[command(flatten)]
    decoding: DecodingFlags,
}

#[derive(Serialize)]
struct Line<'a> {
    source: &'a str,
    #[serde(flatten)]
    edit: &'a Edit,
}

impl Steer {
    pub fn run(self) -> Result<()> {
        let mut model = self.model.open_autoencoder()?;
        let directions = Directions::open(&self.by, &model)?;
        directions.toward(&self.toward)?;
        let texts = self.texts()?;
        let decoding = self.decoding.resolve(&model.config().decoding);
        let request = SteerRequest {
            toward: self.toward.clone(),
            strength: self.strength,
            keep: self.keep.clone(),
            content: self.content,
        };
        let mut out = self.writing.open()?;
        let mut arrived = 0;
        for part in texts.chunks(CHUNK) {
            for (source, mut edit) in part.iter().zip(model.steer(&directions, part, &request, &decoding)?) {
                arrived += usize::from(edit.verified);
                if self.verify && !edit.verified {
                    edit.text.clone_from(source);
                }
                self.writing.text(&mut out, &edit.text, &Line { source, edit: &edit })?;
            }
        }
        out.finish()?;
        say!("{} of {} arrived at {}.", arrived, count(texts.len(), "text"), self.toward);
        Ok(())
    }

    fn texts(&self) -> Result<Vec<String>> {
        match (&self.text, &self.file) {
            (Some(text), _) => Ok(vec![input::text(text.clone())?]),
            (None, Some(file)) => {
                let corpus = input::corpus(file, &self.records.resolve(ReadOptions::one_to_one()))?;
                Ok(corpus.records.into_iter().map(|r| r.text).collect())
            }
            (None, None) => Err(Usage("nothing to steer: give a text, or --file FILE".into()).into()),
        }
    }
}
