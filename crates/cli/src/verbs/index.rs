//! `strait index`: texts encoded once, to be searched often.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::train::beside;
use crate::{
    flags::{CorpusFlags, ModelFlag, collection},
    output::Output,
    quote,
    talk::{count, say},
};

/// Encode texts once, for searching them often
///
/// Makes a folder with the texts, their labels and latents; of many texts also an index, which is mapped into memory when
/// it is searched. Every verb that takes texts to search, group or learn from takes such a folder too.
#[derive(Args)]
pub struct MakeIndex {
    #[command(flatten)]
    model: ModelFlag,
    /// The texts (txt, csv, tsv, jsonl, also .gz or .zst); `-` is standard input
    file: PathBuf,
    /// The folder to make [default: FILE's name with .index, in the current folder]
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the index that is there
    #[arg(long)]
    force: bool,
    /// Report what was done as a JSON object on standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    corpus: CorpusFlags,
}

#[derive(Serialize)]
struct Report {
    texts: usize,
    dimensions: usize,
    /// Share of the nearest texts that searches find.
    recall: f32,
    output: String,
}

impl MakeIndex {
    pub fn run(self) -> Result<()> {
        let dir = self.out.clone().unwrap_or_else(|| beside(&self.file, ".index"));
        let model = self.model.open_encoder()?;
        strait::check_collection_place(&dir, self.force)?;
        let mut texts = collection(&*model, &self.file, &self.corpus)?;
        texts.index()?;
        texts.save(&dir, &*model, self.force)?;
        let (n, recall) = (texts.len(), texts.recall());
        let (name, model_name) = (dir.display().to_string(), self.model.model.display().to_string());
        let found = if recall < 1.0 {
            format!("; searches find {:.1} % of the nearest", 100.0 * recall)
        } else {
            String::new()
        };
        say!("Indexed {}{found}: {name}", count(n, "text"));
        say!("Now: {}", quote::command(&["strait", "search", "-m", &model_name, "--in", &name, "what you look for"]));
        if !self.json {
            return Ok(());
        }
        let mut out = Output::open(None)?;
        out.json(&Report { texts: n, dimensions: model.latent_size(), recall, output: name })?;
        out.finish()
    }
}
