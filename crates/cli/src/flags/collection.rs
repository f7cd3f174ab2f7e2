//! Texts to search, group or learn from: a file, or a folder that `strait index` made of one.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    time::{Duration, Instant},
};

use anyhow::Result;
use strait::{
    Collection, Model, TextEncoder,
    text::{Corpus, ReadOptions},
};

use crate::{
    complaint::Usage,
    flags::CorpusFlags,
    input,
    talk::{number, say},
};

/// A word on the way is given after this long, and again after as long.
const PATIENCE: Duration = Duration::from_secs(3);

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
    let mut said = Instant::now();
    let collection = Collection::encode(model, corpus, &mut |done, of| {
        if said.elapsed() > PATIENCE && done < of {
            say!("Encoded {} of {} texts ...", number(done as u64), number(of as u64));
            said = Instant::now();
        }
    })?;
    Ok(collection)
}
