//! A linear probe: what a straight cut through the latents tells of a label.
//!
//! Softmax regression with a penalty on the squared weights: `p(k | x) = exp(w_k x + b_k) / sum_j exp(w_j x + b_j)`.
//! Columns are standardised before they are penalised. The penalty is the precision of a normal prior on each weight,
//! so it means the same for any number of rows; it is scikit-learn's 1 / C. (With two classes scikit-learn has one
//! weight vector where there are two here, so its 1 / C is half of this penalty.)
//!
//! [`CrossValidation`] chooses the penalty and measures how well unseen rows are told;
//! [`permutation_test`](crate::permutation::permutation_test) says whether that is more than chance.

mod cross_validation;
mod folds;
mod lbfgs;
mod objective;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use cross_validation::{Choice, CrossValidation, Validation};
pub(crate) use folds::stratified;

use crate::error::LatentError;
use crate::labels::{LabelError, Labels};
use crate::matrix::Matrix;
use objective::{Objective, logits, softmax};

/// No entry of the gradient, in nats a row, is larger than this at the end of a fit.
const TOLERANCE: f64 = 1e-6;
/// Steps of a fit.
const MOST_STEPS: usize = 2000;
/// Rows a task.
const CHUNK: usize = 256;

/// Why a probe cannot be fitted, used or read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProbeError {
    /// What is wrong with the latents.
    #[error(transparent)]
    Latents(#[from] LatentError),
    /// What is wrong with the labels.
    #[error(transparent)]
    Labels(#[from] LabelError),
    /// The steps did not suffice.
    #[error("a probe with penalty {penalty} was not found in {steps} steps; use a larger penalty")]
    Diverged { penalty: f64, steps: usize },
    /// A probe read from a file contradicts itself.
    #[error("the probe is damaged: {0}; fit it again")]
    Damaged(String),
}

/// A fitted probe: d values to K classes. Reading it with serde checks it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Probe {
    names: Vec<String>,
    dim: usize,
    weights: Vec<f64>,
    biases: Vec<f64>,
    penalty: f64,
    examples: usize,
}

/// What is read, before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    names: Vec<String>,
    dim: usize,
    weights: Vec<f64>,
    biases: Vec<f64>,
    penalty: f64,
    examples: usize,
}

impl TryFrom<Stored> for Probe {
    type Error = ProbeError;

    fn try_from(Stored { names, dim, weights, biases, penalty, examples }: Stored) -> Result<Self, ProbeError> {
        let classes = names.len();
        let damaged = |what: String| Err(ProbeError::Damaged(what));
        if classes < 2 || dim == 0 {
            return damaged(format!("{classes} classes of {dim} dimensions"));
        }
        if classes.checked_mul(dim) != Some(weights.len()) || biases.len() != classes {
            let (w, b) = (weights.len(), biases.len());
            return damaged(format!("{w} weights and {b} biases for {classes} classes of {dim} dimensions"));
        }
        if weights.iter().chain(&biases).any(|v| !v.is_finite()) {
            return damaged("a weight is not finite".to_owned());
        }
        Ok(Self { names, dim, weights, biases, penalty, examples })
    }
}

impl Probe {
    /// Fits to rows (n, d) with their labels.
    ///
    /// # Errors
    /// When labels and rows differ in number, a class is missing or alone, or the penalty is not above 0.
    pub fn fit(rows: Matrix, labels: &Labels, penalty: f64) -> Result<Self, ProbeError> {
        rows.expect_len("labels", labels.len())?;
        labels.expect_each(1)?;
        let all: Vec<usize> = (0..rows.rows()).collect();
        let mut path = fit_path(rows, labels, &all, &[penalty])?;
        Ok(path.remove(0))
    }

    /// Names of the classes (K).
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of classes, K.
    pub fn classes(&self) -> usize {
        self.names.len()
    }

    /// d.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Weights of a class (d), for rows as they are, not standardised.
    ///
    /// # Panics
    /// If there is no such class.
    pub fn weights(&self, class: usize) -> &[f64] {
        &self.weights[class * self.dim..][..self.dim]
    }

    /// Biases (K).
    pub fn biases(&self) -> &[f64] {
        &self.biases
    }

    /// The penalty it was fitted with.
    pub fn penalty(&self) -> f64 {
        self.penalty
    }

    /// Rows it was fitted to.
    pub fn examples(&self) -> usize {
        self.examples
    }

    /// `w_k x + b_k` of each row and class, (n, K).
    ///
    /// # Errors
    /// When the rows have another dimension.
    pub fn logits(&self, rows: Matrix) -> Result<Vec<f64>, ProbeError> {
        rows.expect_dim(self.dim)?;
        let mut out = vec![0.0; rows.rows() * self.classes()];
        out.par_chunks_mut(self.classes() * CHUNK).enumerate().for_each(|(chunk, out)| {
            for (i, out) in out.chunks_exact_mut(self.classes()).enumerate() {
                logits(&self.weights, &self.biases, rows.row(chunk * CHUNK + i), out);
            }
        });
        Ok(out)
    }

    /// Probability of each class for each row, (n, K).
    ///
    /// # Errors
    /// When the rows have another dimension.
    pub fn probabilities(&self, rows: Matrix) -> Result<Vec<f64>, ProbeError> {
        let mut out = self.logits(rows)?;
        out.chunks_exact_mut(self.classes()).for_each(|p| {
            softmax(p);
        });
        Ok(out)
    }

    /// The likeliest class of each row (n), the first of equals.
    ///
    /// # Errors
    /// When the rows have another dimension.
    pub fn predict(&self, rows: Matrix) -> Result<Vec<usize>, ProbeError> {
        Ok(self.logits(rows)?.chunks_exact(self.classes()).map(largest).collect())
    }
}

/// The place of the largest value, the first of equals.
fn largest(values: &[f64]) -> usize {
    (1..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

/// A probe for each penalty, fitted to some rows; each fit starts where the one before it ended. The path ends before the
/// first penalty at which none is found, if there is one before.
fn fit_path(rows: Matrix, labels: &Labels, which: &[usize], penalties: &[f64]) -> Result<Vec<Probe>, ProbeError> {
    let examples: Vec<(usize, usize)> = which.iter().map(|&i| (i, labels.codes()[i])).collect();
    let n = examples.len();
    let mut objective = Objective::new(rows, examples, labels.classes(), 1.0);
    let mut start = vec![0.0; objective.parameters()];
    let mut fit = |&penalty: &f64| -> Result<Probe, ProbeError> {
        if !(penalty > 0.0 && penalty.is_finite()) {
            let expected = "above 0: without a penalty separable classes have no best probe".to_owned();
            return Err(LatentError::Setting { what: "the penalty", value: penalty, expected }.into());
        }
        objective.set_penalty(penalty);
        let found = lbfgs::minimise(std::mem::take(&mut start), TOLERANCE, MOST_STEPS, |at, gradient| {
            objective.evaluate(at, gradient)
        });
        if !found.converged {
            return Err(ProbeError::Diverged { penalty, steps: found.steps });
        }
        let (weights, biases) = objective.unfolded(&found.at);
        start = found.at;
        Ok(Probe { names: labels.names().to_vec(), dim: rows.dim(), weights, biases, penalty, examples: n })
    };
    let mut path = Vec::with_capacity(penalties.len());
    for penalty in penalties {
        match fit(penalty) {
            Err(ProbeError::Diverged { .. }) if !path.is_empty() => break,
            found => path.push(found?),
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests;
