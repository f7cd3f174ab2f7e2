//! The penalty that tells unseen rows best, and how well they are told.
//!
//! [`CrossValidation::choose`] takes the penalty of the smallest mean log loss on rows left out. A score at a penalty
//! chosen on the same rows would be a little too good, so [`CrossValidation::validate`] chooses anew inside of each
//! fold's training rows (nested cross-validation, Varma and Simon 2006).

use rayon::prelude::*;
use serde::Serialize;

use super::{Probe, ProbeError, fit_path, largest, stratified};
use crate::classification::Confusion;
use crate::error::LatentError;
use crate::labels::Labels;
use crate::matrix::Matrix;

/// How to validate.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossValidation {
    /// Parts the rows are dealt into, each left out once.
    pub folds: usize,
    /// Penalties to choose from; with one there is nothing to choose, which saves most of the work.
    pub penalties: Vec<f64>,
    /// Decides which row goes into which part.
    pub seed: u64,
}

impl Default for CrossValidation {
    fn default() -> Self {
        Self { folds: 5, penalties: vec![1000.0, 100.0, 10.0, 1.0, 0.1, 0.01], seed: 1 }
    }
}

/// A chosen penalty.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// The penalty of the smallest loss, the first of equals.
    pub penalty: f64,
    /// Mean log loss of the rows left out, nats a row, for each penalty offered, infinite where a fold had no probe in the
    /// steps of a fit; empty where there was one only.
    pub log_losses: Vec<f64>,
}

/// Rows told by probes that had not seen them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Validation {
    /// Which class was taken for which.
    pub confusion: Confusion,
    /// Mean of `-ln p` of the true class, nats a row.
    pub log_loss: f64,
    /// Accuracy in each fold: its spread shows how far the figure depends on the rows.
    pub accuracies: Vec<f64>,
    /// Penalty used for each fold.
    pub penalties: Vec<f64>,
    /// The likeliest class of each row (n).
    pub predicted: Vec<usize>,
    /// Probability of each class for each row (n, K).
    pub probabilities: Vec<f64>,
}

impl Validation {
    /// Share of right rows, 0..1.
    pub fn accuracy(&self) -> f64 {
        self.confusion.accuracy()
    }
}

impl CrossValidation {
    /// Chooses the penalty on all rows (n, d) and fits to all of them.
    ///
    /// # Errors
    /// When labels and rows differ in number, a class has fewer rows than there are folds, or a setting is impossible.
    pub fn fit(&self, rows: Matrix, labels: &Labels) -> Result<Probe, ProbeError> {
        Probe::fit(rows, labels, self.choose(rows, labels)?.penalty)
    }

    /// Chooses a penalty on all rows (n, d).
    ///
    /// # Errors
    /// Those of [`CrossValidation::fit`].
    pub fn choose(&self, rows: Matrix, labels: &Labels) -> Result<Choice, ProbeError> {
        self.check(rows, labels)?;
        self.choose_among(rows, labels, &(0..rows.rows()).collect::<Vec<_>>())
    }

    /// Tells each row (n, d) by a probe that was fitted, with its penalty, to the rows of the other folds.
    ///
    /// # Errors
    /// Those of [`CrossValidation::fit`].
    pub fn validate(&self, rows: Matrix, labels: &Labels) -> Result<Validation, ProbeError> {
        self.check(rows, labels)?;
        let (n, k, all) = (rows.rows(), labels.classes(), (0..rows.rows()).collect::<Vec<_>>());
        let folds = stratified(&all, labels.codes(), self.folds, self.seed);
        let told = folds
            .par_iter()
            .map(|fold| -> Result<(f64, Vec<f64>), ProbeError> {
                let others = without(&all, fold);
                let penalty = self.choose_among(rows, labels, &others)?.penalty;
                let probe = fit_path(rows, labels, &others, &[penalty])?.remove(0);
                Ok((penalty, probe.probabilities(rows.select(fold)?.view())?))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut probabilities = vec![0.0; n * k];
        for (fold, (_, found)) in folds.iter().zip(&told) {
            for (&row, p) in fold.iter().zip(found.chunks_exact(k)) {
                probabilities[row * k..][..k].copy_from_slice(p);
            }
        }
        let predicted: Vec<usize> = probabilities.chunks_exact(k).map(largest).collect();
        let right = |fold: &Vec<usize>| fold.iter().filter(|&&i| predicted[i] == labels.codes()[i]).count();
        Ok(Validation {
            confusion: Confusion::new(labels.codes(), &predicted, k)?,
            log_loss: all.iter().map(|&i| loss(&probabilities[i * k..][..k], labels.codes()[i])).sum::<f64>()
                / n as f64,
            accuracies: folds.iter().map(|fold| right(fold) as f64 / fold.len() as f64).collect(),
            penalties: told.into_iter().map(|t| t.0).collect(),
            predicted,
            probabilities,
        })
    }

    fn check(&self, rows: Matrix, labels: &Labels) -> Result<(), ProbeError> {
        rows.expect_len("labels", labels.len())?;
        let setting = |what, value, expected: &str| LatentError::Setting { what, value, expected: expected.to_owned() };
        if self.folds < 2 {
            return Err(setting("the number of folds", self.folds as f64, "2 or more").into());
        }
        if self.penalties.is_empty() {
            return Err(setting("the number of penalties", 0.0, "1 or more").into());
        }
        // A class must be left in two parts of the training rows where a penalty is chosen among them.
        let least = if self.penalties.len() > 1 { self.folds.max(3) } else { self.folds };
        Ok(labels.expect_each(least)?)
    }

    /// Chooses on some rows.
    fn choose_among(&self, rows: Matrix, labels: &Labels, which: &[usize]) -> Result<Choice, ProbeError> {
        if let [penalty] = self.penalties[..] {
            return Ok(Choice { penalty, log_losses: Vec::new() });
        }
        let here = labels.select(which);
        let smallest = here.counts().into_iter().min().unwrap_or(0);
        let folds = stratified(which, here.codes(), self.folds.min(smallest), self.seed ^ 1);
        let losses = folds
            .par_iter()
            .map(|fold| -> Result<Vec<f64>, ProbeError> {
                let probes = fit_path(rows, labels, &without(which, fold), &self.penalties)?;
                let left_out = rows.select(fold)?;
                let total = |probe: &Probe| -> Result<f64, ProbeError> {
                    let told = probe.probabilities(left_out.view())?;
                    let told = told.chunks_exact(labels.classes()).zip(fold);
                    Ok(told.map(|(p, &i)| loss(p, labels.codes()[i])).sum())
                };
                probes.iter().map(total).collect()
            })
            .collect::<Result<Vec<_>, _>>()?;
        // No probe was found for a penalty that a fold lacks.
        let of = |fold: &Vec<f64>, at: usize| fold.get(at).copied().unwrap_or(f64::INFINITY);
        let mean = |at: usize| losses.iter().map(|fold| of(fold, at)).sum::<f64>() / which.len() as f64;
        let log_losses: Vec<f64> = (0..self.penalties.len()).map(mean).collect();
        let best = (1..log_losses.len()).fold(0, |best, i| if log_losses[i] < log_losses[best] { i } else { best });
        Ok(Choice { penalty: self.penalties[best], log_losses })
    }
}

/// `-ln p` of the true class; a probability that rounding made 0 counts as the smallest there is.
fn loss(probabilities: &[f64], class: usize) -> f64 {
    -probabilities[class].max(f64::MIN_POSITIVE).ln()
}

/// The rows that are not in a fold; both are in rising order.
fn without(all: &[usize], fold: &[usize]) -> Vec<usize> {
    all.iter().copied().filter(|i| fold.binary_search(i).is_err()).collect()
}
