//! From texts to a model, as a library user does it.

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Instant,
};

use strait_model::Recipe;
use strait_text::{Corpus, Pairs, split::split};
use strait_train::{Budget, Listener, Outcome, Request, Size, Sources};

use crate::Error;

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
        let (train, valid, sources) = match self.valid {
            Some(valid) => {
                let sources = Sources { train: self.sources, valid: self.valid_sources };
                (texts(self.train), texts(valid), sources)
            }
            None => {
                let all = texts(self.train);
                // Of pairs by the source, so that no source is on both sides.
                let by = if paired { &self.sources } else { &all };
                let (train, valid) = split(by, self.valid_fraction, self.seed);
                let pick =
                    |from: &[String], which: &[usize]| which.iter().map(|&i| from[i].clone()).collect::<Vec<_>>();
                let sources = match paired {
                    true => Sources { train: pick(&self.sources, &train), valid: pick(&self.sources, &valid) },
                    false => Sources::default(),
                };
                (pick(&all, &train), pick(&all, &valid), sources)
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
