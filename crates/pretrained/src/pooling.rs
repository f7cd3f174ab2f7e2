//! From hidden states to one vector a text, as the folder of a sentence encoder says.
//!
//! `modules.json` lists what follows the network: pooling, whose kind is in the module's own `config.json`, and perhaps
//! normalisation to length 1. Without that file: the mean over all positions, as it is.

use std::{path::Path, sync::Arc};

use serde::Deserialize;
use strait_engine::{Packing, Tape, Var};

use crate::{
    Error,
    config::{Config, Keys},
    tensors::read,
};

pub(crate) const MODULES: &str = "modules.json";
pub(crate) const LIMITS: &str = "sentence_bert_config.json";

/// How hidden states become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// The first position's: that of the special token before the text.
    First,
    /// The mean over all positions, special tokens included.
    Mean,
    /// The maximum over all positions.
    Max,
}

/// What follows the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pooling {
    pub pool: Pool,
    /// Whether vectors have length 1.
    pub normalise: bool,
    /// Texts are cut to so many tokens, special ones included.
    pub longest: usize,
    /// Whether texts are put in lower case before the tokenizer sees them.
    pub lowercase: bool,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    r#type: String,
}

impl Pooling {
    /// As the files of `dir` say; `longest` is what the network has places for.
    pub(crate) fn open(dir: &Path, config: &Config, longest: usize) -> Result<Self, Error> {
        let mut pooling = Pooling { pool: Pool::Mean, normalise: false, longest, lowercase: false };
        let limits = dir.join(LIMITS);
        if limits.is_file() {
            let keys = Keys::open(limits)?;
            pooling.longest = keys.size_if("max_seq_length")?.map_or(longest, |n| n.min(longest));
            pooling.lowercase = keys.flag("do_lower_case", false)?;
        }
        for Module { path, r#type } in modules(dir)? {
            let file = || dir.join(MODULES);
            match r#type.rsplit('.').next().unwrap_or_default() {
                "Transformer" => {}
                "Pooling" => pooling.pool = pool(&dir.join(plain(&path, &file())?).join("config.json"), config)?,
                "Normalize" => pooling.normalise = true,
                _ => {
                    let why = format!("is {:?}; Transformer, Pooling and Normalize are read", r#type);
                    return Err(Error::Key { file: file(), key: "type".into(), why });
                }
            }
        }
        Ok(pooling)
    }

    /// Hidden states (N, D) packed -> vectors (B, D) in packed order, whatever their lengths.
    pub(crate) fn pool(&self, tape: &mut Tape, y: Var, packing: &Arc<Packing>) -> Var {
        match self.pool {
            Pool::First => tape.slice_rows(y, 0..packing.batch()),
            Pool::Mean => tape.mean_over_time(y, packing),
            Pool::Max => tape.max_over_time(y, packing),
        }
    }

    /// The same as numbers, of length 1 if so it is said.
    pub(crate) fn apply(&self, tape: &mut Tape, y: Var, packing: &Arc<Packing>) -> Vec<f32> {
        let d = tape.shape(y).1;
        let pooled = self.pool(tape, y, packing);
        let mut vectors = tape.value(pooled).to_vec();
        if self.normalise {
            for row in vectors.chunks_exact_mut(d) {
                let length = row.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-12);
                row.iter_mut().for_each(|x| *x /= length);
            }
        }
        vectors
    }
}

fn modules(dir: &Path) -> Result<Vec<Module>, Error> {
    let file = dir.join(MODULES);
    match file.is_file() {
        false => Ok(Vec::new()),
        true => serde_json::from_slice(&read(&file)?).map_err(|e| Error::Json { file, why: e.to_string() }),
    }
}

/// The files of the modules of `dir` that are there, relative to it.
pub(crate) fn module_files(dir: &Path) -> Result<Vec<String>, Error> {
    Ok(named_files(dir)?.into_iter().filter(|name| dir.join(name).is_file()).collect())
}

/// The files of the modules of `dir`, relative to it, wherever they are.
pub(crate) fn named_files(dir: &Path) -> Result<Vec<String>, Error> {
    let pooling = modules(dir)?.into_iter().filter(|m| m.r#type.ends_with(".Pooling"));
    pooling.map(|m| Ok(format!("{}/config.json", plain(&m.path, &dir.join(MODULES))?))).collect()
}

/// A module's folder lies beside the file that names it.
fn plain<'a>(path: &'a str, file: &Path) -> Result<&'a str, Error> {
    match Path::new(path).file_name() == Some(path.as_ref()) {
        true => Ok(path),
        false => {
            let why = format!("is {path:?}, which is not a plain name");
            Err(Error::Key { file: file.into(), key: "path".into(), why })
        }
    }
}

fn pool(file: &Path, config: &Config) -> Result<Pool, Error> {
    let keys = Keys::open(file.into())?;
    if let Some(width) = keys.size_if("word_embedding_dimension")?.filter(|&n| n != config.shape.width) {
        let why = format!("is {width}, but the network's width is {}", config.shape.width);
        return Err(keys.fault("word_embedding_dimension", why));
    }
    let known = [
        ("pooling_mode_cls_token", Some(Pool::First)),
        ("pooling_mode_mean_tokens", Some(Pool::Mean)),
        ("pooling_mode_max_tokens", Some(Pool::Max)),
        ("pooling_mode_mean_sqrt_len_tokens", None),
        ("pooling_mode_weightedmean_tokens", None),
        ("pooling_mode_lasttoken", None),
    ];
    let mut chosen = Vec::new();
    match keys.text("pooling_mode")? {
        Some("cls") => chosen.push(("pooling_mode", Some(Pool::First))),
        Some("mean") => chosen.push(("pooling_mode", Some(Pool::Mean))),
        Some("max") => chosen.push(("pooling_mode", Some(Pool::Max))),
        Some(other) => return Err(keys.fault("pooling_mode", format!("is {other:?}; cls, mean and max are read"))),
        None => {
            for (key, pool) in known {
                if keys.flag(key, false)? {
                    chosen.push((key, pool));
                }
            }
        }
    }
    match chosen[..] {
        [(_, Some(pool))] => Ok(pool),
        [(key, None)] => Err(keys.fault(key, "is true; pooling by the first token, mean or maximum is read".into())),
        [] => Err(keys.fault("pooling_mode_mean_tokens", "is not true, nor is another pooling_mode".into())),
        [_, (key, _), ..] => Err(keys.fault(key, "is true besides another; one pooling_mode is read".into())),
    }
}
