//! The folder of a training that goes on: what it is, its texts, its tokenizers and what it starts from. It is whole or absent.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use strait_model::folder::{self, FolderError, write_flushed};

use crate::{
    Plan, TrainError,
    pairs::{Sources, Tokenizers},
    parts::Parts,
};

/// The weights that a training starts from, if it starts from a model's.
pub(crate) const START: &str = "start.safetensors";

/// What a training is, kept in its folder as `job.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    pub name: String,
    pub hash: String,
    pub seed: u64,
    pub replace: bool,
    pub plan: Plan,
}

/// The texts of a training, kept as `texts.json`: the file it came from may change or be standard input.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Texts {
    pub(crate) train: Vec<String>,
    pub(crate) valid: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sources: Option<Sources>,
}

/// A training's folder under another name until it is whole.
pub(crate) struct NewFolder(PathBuf);

impl NewFolder {
    /// Begins it with what is known before the plan: also the weights that it starts from, and what its networks are given.
    pub(crate) fn open(
        dir: &Path,
        texts: &Texts,
        learned: &Tokenizers,
        (start, parts): (Option<&[u8]>, &Parts),
    ) -> Result<Self, TrainError> {
        let mut name = dir.file_name().unwrap_or_default().to_os_string();
        name.push(".new");
        let new = NewFolder(dir.with_file_name(name));
        new.clear(&new.0)?;
        fs::create_dir_all(&new.0).map_err(new.io("make the folder"))?;
        write_json(&new.0.join("texts.json"), texts)?;
        write_flushed(&new.0.join("tokenizer.json"), &learned.tokenizer.to_bytes()?)?;
        if let Some(source) = &learned.source {
            write_flushed(&new.0.join(folder::SOURCE_TOKENIZER), &source.to_bytes()?)?;
        }
        if let Some(start) = start {
            write_flushed(&new.0.join(START), start)?;
        }
        parts.write(&new.0)?;
        Ok(new)
    }

    /// Writes the job and puts the folder in its place.
    pub(crate) fn finish(self, dir: &Path, job: &Job) -> Result<(), TrainError> {
        write_json(&self.0.join("job.json"), job)?;
        self.clear(dir)?;
        fs::rename(&self.0, dir).map_err(self.io("put the folder in place"))?;
        Ok(())
    }

    fn clear(&self, dir: &Path) -> Result<(), TrainError> {
        match dir.exists() {
            true => Ok(fs::remove_dir_all(dir).map_err(self.io("clear the folder"))?),
            false => Ok(()),
        }
    }

    fn io(&self, what: &'static str) -> impl Fn(std::io::Error) -> FolderError {
        let path = self.0.clone();
        move |source| FolderError::Io { path: path.clone(), what, source }
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        // Gone already where it was finished.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), TrainError> {
    let bytes = serde_json::to_vec(value).map_err(|e| TrainError::Damaged { file: path.into(), why: e.to_string() })?;
    Ok(write_flushed(path, &bytes)?)
}

pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, TrainError> {
    serde_json::from_slice(&read(path)?).map_err(|e| TrainError::Damaged { file: path.into(), why: e.to_string() })
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, TrainError> {
    fs::read(path).map_err(|source| FolderError::Io { path: path.into(), what: "read the file", source }.into())
}
