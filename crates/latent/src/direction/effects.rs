//! What a direction changes beside what it is meant to: the scores of other attributes' probes.

use serde::Serialize;

use super::{Direction, DirectionError};
use crate::matrix::{Matrix, MatrixBuf};
use crate::probe::Probe;

/// What strength 1 does to one class of a probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effect {
    /// The class.
    pub class: String,
    /// Change of its score, nats: of its logit less the mean of all logits. With two classes it is half the change of
    /// the log odds.
    pub score: f64,
    /// The same in standard deviations of that score over the rows: below 0.1 or so is no effect.
    pub in_deviations: f64,
    /// Mean probability of the class over the rows, 0..1,
    pub before: f64,
    /// and with the rows moved by strength 1.
    pub after: f64,
}

/// The effects of a direction on each class (K) of a probe, over rows (n, d) of the corpus.
///
/// # Errors
/// When dimensions differ.
pub fn effects(direction: &Direction, probe: &Probe, rows: Matrix) -> Result<Vec<Effect>, DirectionError> {
    rows.expect_dim(direction.dim())?;
    let (k, n) = (probe.classes(), rows.rows() as f64);
    let logits = probe.logits(rows)?;
    let moved: Vec<f32> = rows.iter().map(|z| direction.moved(z, 1.0)).collect::<Result<Vec<_>, _>>()?.concat();
    let (before, after) = (probe.probabilities(rows)?, probe.probabilities(MatrixBuf::new(moved, rows.dim())?.view())?);
    let slopes: Vec<f64> =
        (0..k).map(|c| probe.weights(c).iter().zip(&direction.vector).map(|(w, v)| w * v).sum()).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let effect = |c: usize| {
        let scores: Vec<f64> = logits.chunks_exact(k).map(|l| l[c] - mean(l)).collect();
        let centre = mean(&scores);
        let deviation = (scores.iter().map(|s| (s - centre).powi(2)).sum::<f64>() / n).sqrt();
        let score = slopes[c] - mean(&slopes);
        let share = |p: &[f64]| p.iter().skip(c).step_by(k).sum::<f64>() / n;
        Effect {
            class: probe.names()[c].clone(),
            score,
            in_deviations: score / deviation,
            before: share(&before),
            after: share(&after),
        }
    };
    Ok((0..k).map(effect).collect())
}
