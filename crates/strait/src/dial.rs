//! The dial from sober to diverse samples: measured for a model, kept in its folder, and read from there.

use std::path::Path;

use strait_eval::Unit;
use strait_model::{Frontier, decoding::Options, folder};
use strait_train::calibrate::{Corpus, calibrate};

use crate::{Error, Model};

/// Fewer texts say nothing about samples.
pub const LEAST_TEXTS: usize = 100;

impl Model {
    /// How its samples trade quality for variety; none if it was not measured.
    pub fn frontier(&self) -> Option<&Frontier> {
        self.frontier.as_ref()
    }

    /// Its way of sampling at a position of the dial: 1 is sober, 0 diverse, on the frontier that was measured.
    ///
    /// # Errors
    /// If it was not measured, or the position is not between 0 and 1.
    pub fn sampling_at(&self, quality: f64) -> Result<Options, Error> {
        if !(0.0..=1.0).contains(&quality) {
            return Err(Error::Quality(quality));
        }
        let frontier = self.frontier().ok_or(Error::NoFrontier)?;
        Ok(frontier.at(quality).over(&self.config.sampling))
    }

    /// Measures samples against texts of its corpus, such as those that it was trained on: every tenth for variety, the rest
    /// for fluency.
    ///
    /// # Errors
    /// If it does not sample, or there are fewer than [`LEAST_TEXTS`] texts.
    pub fn measure_frontier<S: AsRef<str>>(&self, texts: &[S], seed: u64) -> Result<Frontier, Error> {
        if self.is_seq2seq() {
            return Err(Error::NeedsSources);
        }
        let (mut train, mut valid) = (Vec::new(), Vec::new());
        for (i, text) in texts.iter().enumerate() {
            if i % 10 == 9 { valid.push(text.as_ref().to_owned()) } else { train.push(text.as_ref().to_owned()) }
        }
        // What varied enough to be measured by has fifty texts.
        while valid.len() < LEAST_TEXTS / 2 && texts.len() >= LEAST_TEXTS {
            valid.extend(train.pop());
        }
        let corpus = Corpus { train: &train, valid: &valid, unit: Unit::guess(&train) };
        let parts = (&self.model, &self.prior, &self.tokenizer);
        let found = calibrate(parts, corpus, self.config.sampling.max_len, seed).frontier;
        found.ok_or(Error::TooFewTexts { found: texts.len(), least: LEAST_TEXTS })
    }
}

/// Keeps a frontier in a model's folder.
///
/// # Errors
/// If the folder cannot be read or written; then it is as it was.
pub fn keep_frontier(dir: &Path, frontier: &Frontier) -> Result<(), Error> {
    Ok(folder::set_frontier(dir, frontier)?)
}
