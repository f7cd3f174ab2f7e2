//! The nearest latents of a latent: by reading all of them ([`Exact`]), or through an index file ([`Index`]).
//!
//! A cosine distance is half the squared Euclidean distance of the same rows scaled to length one,
//! `1 - cos(a, b) = ||a/|a| - b/|b|||^2 / 2`, which keeps its digits where a cosine of 0.9999999 has lost them. So both
//! metrics are one search over prepared rows, and only the last step differs.

mod best;
pub mod exact;
mod image;
pub mod index;

use std::borrow::Cow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::LatentError;
use crate::matrix::Matrix;

pub use exact::{Exact, Pair};
pub use index::{Index, IndexError, IndexOptions};

/// How far apart two latents are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// `||a - b||`.
    #[default]
    Euclidean,
    /// `1 - cos(a, b)`, 0..2. A row of zeros has no direction: it is 0.5 from all others, 0 from its like.
    Cosine,
}

impl Metric {
    /// The distance that belongs to a squared Euclidean distance of prepared rows.
    pub(crate) fn of_squared(self, squared: f32) -> f32 {
        match self {
            Metric::Euclidean => squared.sqrt(),
            Metric::Cosine => squared / 2.0,
        }
    }

    /// The squared Euclidean distance of prepared rows that belongs to a distance.
    pub(crate) fn squared(self, distance: f32) -> f32 {
        match self {
            Metric::Euclidean => distance * distance,
            Metric::Cosine => 2.0 * distance,
        }
    }

    /// Rows (n, d) made ready: unchanged, or scaled to length one.
    pub(crate) fn prepare<'a>(self, rows: Matrix<'a>) -> Cow<'a, [f32]> {
        match self {
            Metric::Euclidean => Cow::Borrowed(rows.data()),
            Metric::Cosine => {
                let mut unit = rows.data().to_vec();
                unit.par_chunks_mut(rows.dim()).for_each(scale_to_one);
                Cow::Owned(unit)
            }
        }
    }
}

fn scale_to_one(row: &mut [f32]) {
    let norm = row.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
    if norm > 0.0 {
        row.iter_mut().for_each(|v| *v = (f64::from(*v) / norm) as f32);
    }
}

/// A row that was found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Neighbour {
    /// Its number in the corpus.
    pub row: usize,
    /// Its distance from the query, in the metric of the search.
    pub distance: f32,
}

/// Share of the neighbours in `truth` that `found` holds too, 0..1, over all queries; NaN without any.
///
/// # Errors
/// [`LatentError::Length`] when the two are not of as many queries.
pub fn recall(found: &[Vec<Neighbour>], truth: &[Vec<Neighbour>]) -> Result<f64, LatentError> {
    if found.len() != truth.len() {
        return Err(LatentError::Length { what: "lists of neighbours", expected: truth.len(), found: found.len() });
    }
    let hits = |(found, truth): (&Vec<Neighbour>, &Vec<Neighbour>)| {
        truth.iter().filter(|t| found.iter().any(|f| f.row == t.row)).count()
    };
    let hits: usize = found.iter().zip(truth).map(hits).sum();
    Ok(hits as f64 / truth.iter().map(Vec::len).sum::<usize>() as f64)
}

/// Fails unless `1 <= k <= most`.
pub(crate) fn check_k(k: usize, most: usize) -> Result<(), LatentError> {
    if (1..=most).contains(&k) {
        return Ok(());
    }
    let expected = format!("between 1 and {most}, the rows there are");
    Err(LatentError::Setting { what: "the number of neighbours", value: k as f64, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recall_by_hand() {
        let list = |rows: &[usize]| rows.iter().map(|&row| Neighbour { row, distance: 0.0 }).collect::<Vec<_>>();
        let truth = [list(&[1, 2]), list(&[3, 4])];
        assert_eq!(recall(&[list(&[2, 9]), list(&[4, 3])], &truth), Ok(0.75));
        assert!(matches!(recall(&[], &truth), Err(LatentError::Length { expected: 2, found: 0, .. })));
    }

    #[test]
    fn cosine_keeps_its_digits() {
        // Two directions 1e-5 apart: 1 - cos = 5e-11, far below what 1 - 0.99999... can hold in f32.
        let x = [1.0, 0.0, 1.0, 1e-5];
        let unit = Metric::Cosine.prepare(Matrix::new(&x, 2).unwrap());
        let squared = crate::matrix::squared_distance(&unit[..2], &unit[2..]);
        assert!((Metric::Cosine.of_squared(squared) / 5e-11 - 1.0).abs() < 1e-3);
    }
}
