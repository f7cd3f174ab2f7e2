//! Texts to search, group or learn from: a file, or a folder that `strait index` made of one.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::Result;
use clap::Args;
use strait::{
    Collection, Model, TextEncoder,
    text::{Corpus, ReadOptions},
};

use crate::{complaint::Usage, flags::CorpusFlags, input, talk::on_the_way};

/// The texts that a verb is about, and how they are read.
#[derive(Args)]
pub struct TextsFlags {
    /// The texts, or a folder that `strait index` made; `-` is standard input
    #[arg(value_name = "TEXTS")]
    pub path: PathBuf,
    #[command(flatten)]
    corpus: CorpusFlags,
}

impl TextsFlags {
    /// Opens the texts under a model.
    pub fn open(&self, model: &dyn TextEncoder) -> Result<Collection> {
        collection(model, &self.path, &self.corpus)
    }
}

/// Examples of one label: `LABEL=FILE`.
#[derive(Clone)]
pub struct Side {
    label: String,
    file: PathBuf,
}

impl FromStr for Side {
    type Err = String;

    fn from_str(value: &str) -> Result<Self, String> {
        match value.split_once('=') {
            Some((label, file)) if !label.is_empty() && !file.is_empty() => {
                Ok(Side { label: label.into(), file: file.into() })
            }
            _ => Err("not LABEL=FILE".into()),
        }
    }
}

/// Examples of several labels as one collection.
pub fn sides(model: &Model, sides: &[Side], corpus: &CorpusFlags) -> Result<Collection> {
    let mut all: Option<Corpus> = None;
    for Side { label, file } in sides {
        let mut read = input::corpus(file, &corpus.resolve(ReadOptions::default()))?;
        read.records.iter_mut().for_each(|record| record.label = Some(label.clone()));
        match &mut all {
            Some(all) => all.records.extend(read.records),
            None => all = Some(read),
        }
    }
    let all = all.ok_or_else(|| Usage("give the examples of each label with --side LABEL=FILE".into()))?;
    Ok(model.collect(all, &mut |_, _| {})?)
}

/// Opens the texts at `path` under a model.
pub fn collection(model: &dyn TextEncoder, path: &Path, corpus: &CorpusFlags) -> Result<Collection> {
    if Collection::is_at(path) {
        return Ok(Collection::open(path, model)?);
    }
    let corpus = input::corpus(path, &corpus.resolve(ReadOptions::default()))?;
    Ok(Collection::encode(model, corpus, &mut on_the_way("Encoded", "texts"))?)
}
