//! From texts to a model, as a library user does it.

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Instant,
};

use strait_model::Recipe;
use strait_text::{Corpus, split::split};
use strait_train::{Budget, GivenVectors, Listener, Outcome, Request, Size};

use crate::{Error, Latents};

/// A training to be run. Fields have defaults; see [`Training::new`].
pub struct Training {
    /// The model folder to make.
    pub out: PathBuf,
    /// What to train on.
    pub train: Corpus,
    /// What to validate on; without it a part of `train` is put aside by a hash of each text.
    pub valid: Option<Corpus>,
    /// Share of the texts put aside when there is no `valid`.
    pub valid_fraction: f64,
    pub recipe: Recipe,
    /// What a frozen encoder (`encoder.kind` pretrained or vectors) reads of the records of `train`, a row each, and of those of
    /// `valid`.
    pub vectors: Option<Latents>,
    pub valid_vectors: Option<Latents>,
    /// The network's size; chosen by the minutes when absent.
    pub size: Option<Size>,
    pub budget: Budget,
    pub seed: u64,
    /// Replace a model or an unfinished training at `out`.
    pub replace: bool,
    /// When the clock of [`Budget::Minutes`] began.
    pub started: Instant,
}

impl Training {
    /// Five minutes with the default recipe, seed 1.
    pub fn new(out: impl Into<PathBuf>, train: Corpus) -> Self {
        Training {
            out: out.into(),
            train,
            valid: None,
            valid_fraction: 0.05,
            recipe: Recipe::built_in().into_iter().next().unwrap_or_default(),
            vectors: None,
            valid_vectors: None,
            size: None,
            budget: Budget::Minutes(5.0),
            seed: 1,
            replace: false,
            started: Instant::now(),
        }
    }

    /// Runs to the end, or until `stop` is set; then [`resume`] goes on.
    ///
    /// # Errors
    /// Whatever is wrong with the data, the recipe or the folder, said so that it can be mended.
    pub fn run(self, listener: &mut dyn Listener, stop: &AtomicBool) -> Result<Outcome, Error> {
        let report = &self.train.report;
        let (name, hash) = (report.name.clone(), report.hash.clone());
        let texts = |corpus: Corpus| corpus.records.into_iter().map(|r| r.text).collect::<Vec<_>>();
        let check = |vectors: &Option<Latents>, texts: &[String]| match vectors {
            Some(v) if v.len() != texts.len() => Err(Error::Rows { vectors: v.len(), records: texts.len() }),
            _ => Ok(()),
        };
        let all = texts(self.train);
        check(&self.vectors, &all)?;
        let (train, valid, vectors) = match self.valid {
            Some(valid) => {
                let valid = texts(valid);
                check(&self.valid_vectors, &valid)?;
                let vectors = match (self.vectors, self.valid_vectors) {
                    (Some(train), Some(valid)) if train.dim() == valid.dim() => {
                        let columns = train.dim();
                        Some(GivenVectors { columns, train: train.into_data(), valid: valid.into_data() })
                    }
                    (Some(train), Some(valid)) => {
                        return Err(Error::Dimensions { found: valid.dim(), expected: train.dim() });
                    }
                    (None, None) => None,
                    _ => return Err(Error::HalfOfVectors),
                };
                (all, valid, vectors)
            }
            None => {
                let (train, valid) = split(&all, self.valid_fraction, self.seed);
                let vectors = self.vectors.map(|v| {
                    let rows = |which: &[usize]| which.iter().flat_map(|&i| v.row(i)).copied().collect();
                    GivenVectors { columns: v.dim(), train: rows(&train), valid: rows(&valid) }
                });
                let pick = |which: Vec<usize>| which.into_iter().map(|i| all[i].clone()).collect::<Vec<_>>();
                (pick(train), pick(valid), vectors)
            }
        };
        let request = Request {
            out: self.out,
            name,
            hash,
            train,
            valid,
            recipe: self.recipe,
            vectors,
            size: self.size,
            budget: self.budget,
            seed: self.seed,
            replace: self.replace,
            started: self.started,
        };
        Ok(strait_train::start(request, listener, stop)?)
    }
}

/// Goes on with an unfinished training of `out`.
///
/// # Errors
/// If there is none, or its state is damaged.
pub fn resume(out: impl AsRef<Path>, listener: &mut dyn Listener, stop: &AtomicBool) -> Result<Outcome, Error> {
    Ok(strait_train::resume(out.as_ref(), listener, stop)?)
}
