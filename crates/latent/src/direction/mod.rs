//! Directions: what to add to a latent so that one attribute of its text changes and others stay.
//!
//! ```text
//! reading  r           a score of the attribute, r z, from examples of two sides (see `Method`)
//! move     v = C r     the least unlikely change that moves the reading: C is the covariance of the corpus, and
//!                      v = argmin v^T C^-1 v for a given r v (the pattern of Haufe et al. 2014)
//! removal  v -= sum_j <v, a_j> a_j   with <v, a> = v^T C^-1 a, for the patterns a_j of attributes to be left alone,
//!                      made orthonormal: after it the best linear readings C^-1 a_j no longer change along v
//! scale    strength 1 is the distance of the means of both sides along v, as examples left out see it
//! ```
//!
//! Moving along the reading itself, as is often done, was the worst by far on synthetic and real latents: it goes where
//! no text is. Which [`Method`] is best with 20 examples a side is said there.
//!
//! Beside directions there are [`analogy`], ways between latents ([`straight`], [`spherical`], [`Manifold`]) and
//! [`effects`], which says what else a direction changes.

mod analogy;
mod effects;
mod manifold;
mod method;
mod path;
mod pattern;
mod sides;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use analogy::analogy;
pub use effects::{Effect, effects};
pub use manifold::{Manifold, ManifoldOptions, Way};
pub use method::Method;
pub use path::{along, spherical, straight};
pub use pattern::{Attribute, Pattern};
pub use sides::Sides;

use crate::anomaly::auc;
use crate::correlation::ScoreError;
use crate::density::{DensityError, Gaussian};
use crate::error::LatentError;
use crate::labels::LabelError;
use crate::probe::{ProbeError, stratified};
use method::dot;

/// Parts that examples are dealt into to see how far a direction holds for those left out, and how many where there are
/// more than [`MANY`].
const FOLDS: usize = 10;
const FOLDS_OF_MANY: usize = 3;
const MANY: usize = 400;
/// The examples left out may shrink the scale to this part at most.
const LEAST_SHRINKAGE: f64 = 0.1;
/// A direction of which less than this part is left, in length, is rounding.
const LEAST_KEPT: f64 = 1e-6;

/// Why there is no direction or no way.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DirectionError {
    /// What is wrong with the latents.
    #[error(transparent)]
    Latents(#[from] LatentError),
    /// What is wrong with the labels.
    #[error(transparent)]
    Labels(#[from] LabelError),
    /// What is wrong with the metric.
    #[error(transparent)]
    Density(#[from] DensityError),
    /// What is wrong with the probe.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// What is wrong with a numeric attribute.
    #[error(transparent)]
    Numbers(#[from] ScoreError),
    /// Too few examples.
    #[error("one side has {found} examples, at least {least} are needed, and 20 or more are better")]
    TooFew { found: usize, least: usize },
    /// The sides do not differ.
    #[error("the latents of both sides are equal on average; give sides that differ")]
    NoDifference,
    /// Nothing is left of it.
    #[error("nothing of the direction is left without {removed}; do not remove what the sides differ in")]
    Removed { removed: String },
    /// An analogy without a pair.
    #[error("there is no pair to draw an analogy from; give at least one")]
    NoPair,
}

/// How to find a direction.
#[derive(Debug, Clone, Copy, Default)]
pub struct DirectionOptions<'a> {
    /// How the attribute is read.
    pub method: Method,
    /// Patterns of attributes that the direction leaves alone.
    pub remove: &'a [Pattern],
    /// Decides which examples are left out together.
    pub seed: u64,
}

/// A direction in d dimensions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Direction {
    /// Added at strength 1, (d).
    pub vector: Vec<f64>,
    /// Coefficients of the [position](Direction::position), (d); `reading vector = 1`.
    pub reading: Vec<f64>,
    /// Position of the origin.
    pub offset: f64,
    /// Mahalanobis length of strength 1: how many standard deviations of the corpus it moves by.
    pub deviations: f64,
    /// Distance of the sides' means along it in examples left out, over that in the examples it was made from: 1 where
    /// the examples suffice; 0.1 stands for anything below.
    pub shrinkage: f64,
    /// Share of pairs of examples of both sides, left out of the making, that their positions put in the right order,
    /// 0..1; 0.5 is chance: such a direction is noise.
    pub auc: f64,
    /// Part of the length that was left after the removal of other attributes, 0..1.
    pub kept: f64,
}

impl Direction {
    /// From examples: strength 1 leads from the low to the high side. `metric` is fitted to the corpus, or, where there
    /// is none, to all examples.
    ///
    /// ```
    /// use strait_latent::density::Gaussian;
    /// use strait_latent::direction::{Direction, DirectionOptions, Sides};
    /// use strait_latent::Matrix;
    /// let low = [0.0, 0.1, 0.2, -0.3, -0.2, 0.2, 0.1, 0.0];
    /// let high = low.map(|v| v + 2.0);
    /// let sides = Sides::new(Matrix::new(&low, 2)?, Matrix::new(&high, 2)?)?;
    /// let found = Direction::fit(&sides, &Gaussian::fit(sides.rows())?, &DirectionOptions::default())?;
    /// let moved = found.moved(&[0.0, 0.0], 1.0)?;
    /// assert!((moved[0] - 2.0).abs() < 0.3 && (moved[1] - 2.0).abs() < 0.3 && found.auc == 1.0);
    /// # Ok::<(), strait_latent::direction::DirectionError>(())
    /// ```
    ///
    /// # Errors
    /// When the examples are of another dimension than the metric, both sides are equal on average, or the removal
    /// leaves nothing.
    pub fn fit(sides: &Sides, metric: &Gaussian, options: &DirectionOptions) -> Result<Self, DirectionError> {
        sides.rows().expect_dim(metric.dim())?;
        let line = Line::fit(sides, metric, options)?;
        let (shrinkage, auc) = held_out(sides, metric, options)?;
        let shrinkage = shrinkage.clamp(LEAST_SHRINKAGE, 1.0);
        let size = line.separation * shrinkage;
        let vector: Vec<f64> = line.vector.iter().map(|v| v * size).collect();
        let reading: Vec<f64> = line.reading.iter().map(|r| r / size).collect();
        Ok(Self {
            offset: 0.5 - dot(&reading, &line.middle),
            deviations: metric.whiten(&vector).iter().map(|w| w * w).sum::<f64>().sqrt(),
            vector,
            reading,
            shrinkage,
            auc,
            kept: line.kept,
        })
    }

    /// d.
    pub fn dim(&self) -> usize {
        self.vector.len()
    }

    /// Where a latent (d) lies: 0 at the mean of the low side, 1 at that of the high side, as far as they differ in
    /// examples left out.
    ///
    /// # Errors
    /// When the latent has another dimension.
    pub fn position(&self, z: &[f32]) -> Result<f64, DirectionError> {
        self.expect_dim(z)?;
        Ok(self.offset + z.iter().zip(&self.reading).map(|(&z, r)| f64::from(z) * r).sum::<f64>())
    }

    /// `z + strength * vector`, (d).
    ///
    /// # Errors
    /// When the latent has another dimension.
    pub fn moved(&self, z: &[f32], strength: f64) -> Result<Vec<f32>, DirectionError> {
        self.expect_dim(z)?;
        Ok(z.iter().zip(&self.vector).map(|(&z, v)| (f64::from(z) + strength * v) as f32).collect())
    }

    /// The latent (d) moved along the direction until it lies at `position`.
    ///
    /// # Errors
    /// When the latent has another dimension.
    pub fn moved_to(&self, z: &[f32], position: f64) -> Result<Vec<f32>, DirectionError> {
        self.moved(z, position - self.position(z)?)
    }

    fn expect_dim(&self, z: &[f32]) -> Result<(), LatentError> {
        let (expected, found) = (self.dim(), z.len());
        if expected == found { Ok(()) } else { Err(LatentError::Dim { expected, found }) }
    }
}

/// A direction before it has a scale: `reading vector = 1`.
struct Line {
    vector: Vec<f64>,
    reading: Vec<f64>,
    /// Between the means of both sides (d).
    middle: Vec<f64>,
    /// Distance of the means along it.
    separation: f64,
    kept: f64,
}

impl Line {
    fn fit(sides: &Sides, metric: &Gaussian, options: &DirectionOptions) -> Result<Self, DirectionError> {
        let (low, high) = sides.means();
        let difference: Vec<f64> = high.iter().zip(&low).map(|(h, l)| h - l).collect();
        if difference.iter().all(|d| *d == 0.0) {
            return Err(DirectionError::NoDifference);
        }
        let mut vector = options.method.pattern(sides, &difference, metric)?;
        let length = |v: &[f64]| metric.whiten(v).iter().map(|w| w * w).sum::<f64>().sqrt();
        let before = length(&vector);
        pattern::remove(&mut vector, options.remove, metric)?;
        let kept = length(&vector) / before;
        let reading = metric.solve(&vector);
        let norm = dot(&reading, &vector);
        let separation = dot(&reading, &difference) / norm;
        if !(kept > LEAST_KEPT && separation > 0.0) {
            let names: Vec<&str> = options.remove.iter().map(Pattern::name).collect();
            return Err(DirectionError::Removed { removed: names.join(", ") });
        }
        Ok(Self {
            reading: reading.iter().map(|r| r / norm).collect(),
            vector,
            middle: high.iter().zip(&low).map(|(h, l)| 0.5 * (h + l)).collect(),
            separation,
            kept,
        })
    }

    /// Position of a row, 0 in the middle, the means 1 apart.
    fn place(&self, z: &[f32]) -> f64 {
        let moved = z.iter().zip(&self.middle).zip(&self.reading).map(|((&z, m), r)| (f64::from(z) - m) * r);
        moved.sum::<f64>() / self.separation
    }
}

/// Distance of the means of the sides along lines that had not seen them, in units of the distance that the line was
/// made with, and the area under the curve of their places.
fn held_out(sides: &Sides, metric: &Gaussian, options: &DirectionOptions) -> Result<(f64, f64), DirectionError> {
    let codes = sides.labels().codes();
    let folds = if codes.len() > MANY { FOLDS_OF_MANY } else { FOLDS.min(sides.fewest()) };
    let parts = stratified(&(0..codes.len()).collect::<Vec<_>>(), codes, folds, options.seed);
    let places = parts
        .par_iter()
        .map(|part| match Line::fit(&sides.without(part)?, metric, options) {
            Ok(line) => Ok(part.iter().map(|&i| line.place(sides.rows().row(i))).collect()),
            // What is left after the removal points the other way without these examples: they say nothing.
            Err(DirectionError::Removed { .. } | DirectionError::NoDifference) => Ok(vec![0.0; part.len()]),
            Err(error) => Err(error),
        })
        .collect::<Result<Vec<Vec<f64>>, DirectionError>>()?;
    let mut by_side = [Vec::new(), Vec::new()];
    for (&i, place) in parts.iter().flatten().zip(places.into_iter().flatten()) {
        by_side[codes[i]].push(place);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    Ok((mean(&by_side[1]) - mean(&by_side[0]), auc(&by_side[1], &by_side[0])?))
}

#[cfg(test)]
mod tests;
