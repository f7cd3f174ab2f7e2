//! A checked view of row-major latents (N, Z), and deterministic subsampling of it.

use rand::{Rng, RngExt};

use super::PriorError;

/// The most dimensions a prior is fitted over: a full covariance of more is no longer practical.
pub(super) const MOST_DIMS: usize = 4096;

/// Latents (N, Z), row-major, every value finite if they came through [`Rows::checked`].
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub values: &'a [f32],
    pub dim: usize,
}

impl<'a> Rows<'a> {
    /// A view whose shape is already known to be right.
    pub fn new(values: &'a [f32], dim: usize) -> Self {
        Self { values, dim }
    }

    /// Checks the shape, the count and that every value is finite. `what` names the argument in the error.
    pub fn checked(what: &'static str, values: &'a [f32], dim: usize, least: usize) -> Result<Self, PriorError> {
        if dim == 0 || dim > MOST_DIMS {
            return Err(PriorError::Dim { dim, most: MOST_DIMS });
        }
        if !values.len().is_multiple_of(dim) {
            return Err(PriorError::Ragged { what, len: values.len(), dim });
        }
        let rows = values.len() / dim;
        if rows < least {
            return Err(PriorError::TooFew { what, rows, least });
        }
        match values.iter().position(|v| !v.is_finite()) {
            Some(at) => Err(PriorError::NotFinite { what, row: at / dim, column: at % dim, value: values[at] }),
            None => Ok(Self { values, dim }),
        }
    }

    /// N.
    pub fn len(&self) -> usize {
        self.values.len() / self.dim
    }

    /// Row `n`, (Z).
    pub fn row(&self, n: usize) -> &'a [f32] {
        &self.values[n * self.dim..(n + 1) * self.dim]
    }

    /// All rows in order.
    pub fn iter(&self) -> std::slice::ChunksExact<'a, f32> {
        self.values.chunks_exact(self.dim)
    }

    /// At most `most` rows: one drawn from each of `most` equal stretches, so that an ordered corpus is covered from
    /// end to end and a periodic one is not sampled in step with its period.
    pub fn spread(&self, most: usize, rng: &mut impl Rng) -> Vec<f32> {
        let n = self.len();
        if n <= most {
            return self.values.to_vec();
        }
        (0..most).flat_map(|i| self.row(rng.random_range(i * n / most..(i + 1) * n / most))).copied().collect()
    }

    /// Mean per dimension (Z), summed in row order.
    pub fn mean(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.dim];
        for row in self.iter() {
            for (m, &x) in mean.iter_mut().zip(row) {
                *m += f64::from(x);
            }
        }
        let n = self.len().max(1) as f64;
        mean.iter_mut().for_each(|m| *m /= n);
        mean
    }

    /// Unbiased variance per dimension (Z) around `mean`; zeros for a single row.
    pub fn variances(&self, mean: &[f64]) -> Vec<f64> {
        let mut variances = vec![0.0; self.dim];
        for row in self.iter() {
            for ((v, &x), m) in variances.iter_mut().zip(row).zip(mean) {
                *v += (f64::from(x) - m).powi(2);
            }
        }
        let n = self.len().saturating_sub(1).max(1) as f64;
        variances.iter_mut().for_each(|v| *v /= n);
        variances
    }
}
