//! From texts to a model, as a library user does it.

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Instant,
};

use strait_model::Recipe;
use strait_text::{Corpus, Pairs, split::split};
use strait_train::{Budget, GivenVectors, Listener, Outcome, Request, Size, Sources};

use crate::{Error, Latents};

/// A training to be run. Fields have defaults; see [`Training::new`].
pub struct Training {
    /// The model folder to make.
    pub out: PathBuf,
    /// What to train on.
    pub train: Corpus,
    /// What to validate on; without it a part of `train` is put aside by a hash of each text.
    pub valid: Option<Corpus>,
    /// The source of each record of `train` and `valid`, which then are the targets; empty for all other tasks.
    pub sources: Vec<String>,
    pub valid_sources: Vec<String>,
    /// Share of the texts put aside when there is no `valid`.
    pub valid_fraction: f64,
    pub recipe: Recipe,
    /// A model folder whose weights and vocabularies the training starts from.
    pub from: Option<PathBuf>,
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
            sources: Vec::new(),
            valid_sources: Vec::new(),
            valid_fraction: 0.05,
            recipe: Recipe::built_in().into_iter().next().unwrap_or_default(),
            from: None,
            vectors: None,
            valid_vectors: None,
            size: None,
            budget: Budget::Minutes(5.0),
            seed: 1,
            replace: false,
            started: Instant::now(),
        }
    }

    /// Five minutes on pairs of a source and a target, with a recipe that writes the one for the other.
    pub fn of_pairs(out: impl Into<PathBuf>, pairs: Pairs) -> Self {
        let (targets, sources) = pairs.into_parts();
        let recipe = Recipe::built_in().into_iter().find(Recipe::is_seq2seq).unwrap_or_default();
        Training { sources, recipe, ..Training::new(out, targets) }
    }

    /// The same with pairs to validate on.
    #[must_use]
    pub fn with_valid_pairs(mut self, pairs: Pairs) -> Self {
        let (targets, sources) = pairs.into_parts();
        (self.valid, self.valid_sources) = (Some(targets), sources);
        self
    }

    /// Runs to the end, or until `stop` is set; then [`resume`] goes on.
    ///
    /// # Errors
    /// Whatever is wrong with the data, the recipe or the folder, said so that it can be mended.
    pub fn run(self, listener: &mut dyn Listener, stop: &AtomicBool) -> Result<Outcome, Error> {
        let report = &self.train.report;
        let (name, hash) = (report.name.clone(), report.hash.clone());
        let texts = |corpus: Corpus| corpus.records.into_iter().map(|r| r.text).collect::<Vec<_>>();
        let paired = !self.sources.is_empty();
        let all = texts(self.train);
        check_rows(self.vectors.as_ref(), &all)?;
        let (train, valid, sources, vectors) = match self.valid {
            Some(valid) => {
                let valid = texts(valid);
                check_rows(self.valid_vectors.as_ref(), &valid)?;
                let sources = Sources { train: self.sources, valid: self.valid_sources };
                (all, valid, sources, both(self.vectors, self.valid_vectors)?)
            }
            None => {
                // Of pairs by the source, so that no source is on both sides.
                let by = if paired { &self.sources } else { &all };
                let (train, valid) = split(by, self.valid_fraction, self.seed);
                let pick =
                    |from: &[String], which: &[usize]| which.iter().map(|&i| from[i].clone()).collect::<Vec<_>>();
                let sources = match paired {
                    true => Sources { train: pick(&self.sources, &train), valid: pick(&self.sources, &valid) },
                    false => Sources::default(),
                };
                let vectors = self.vectors.map(|v| {
                    let rows = |which: &[usize]| which.iter().flat_map(|&i| v.row(i)).copied().collect();
                    GivenVectors { columns: v.dim(), train: rows(&train), valid: rows(&valid) }
                });
                (pick(&all, &train), pick(&all, &valid), sources, vectors)
            }
        };
        let request = Request {
            out: self.out,
            name,
            hash,
            train,
            valid,
            sources: paired.then_some(sources),
            recipe: self.recipe,
            from: self.from,
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

/// Whether there is a vector for each text, if there are vectors.
fn check_rows(vectors: Option<&Latents>, texts: &[String]) -> Result<(), Error> {
    match vectors {
        Some(v) if v.len() != texts.len() => Err(Error::Rows { vectors: v.len(), records: texts.len() }),
        _ => Ok(()),
    }
}

/// The vectors of both sides, or of none.
fn both(train: Option<Latents>, valid: Option<Latents>) -> Result<Option<GivenVectors>, Error> {
    match (train, valid) {
        (Some(train), Some(valid)) if train.dim() != valid.dim() => {
            Err(Error::Dimensions { found: valid.dim(), expected: train.dim() })
        }
        (Some(train), Some(valid)) => {
            let columns = train.dim();
            Ok(Some(GivenVectors { columns, train: train.into_data(), valid: valid.into_data() }))
        }
        (None, None) => Ok(None),
        _ => Err(Error::HalfOfVectors),
    }
}

/// Goes on with an unfinished training of `out`.
///
/// # Errors
/// If there is none, or its state is damaged.
pub fn resume(out: impl AsRef<Path>, listener: &mut dyn Listener, stop: &AtomicBool) -> Result<Outcome, Error> {
    Ok(strait_train::resume(out.as_ref(), listener, stop)?)
}
