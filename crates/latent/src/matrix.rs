//! A checked view of row-major values: n rows (texts) of d values (dimensions of the latent).
//!
//! Whatever holds the values, [`Matrix`] borrows them and [`MatrixBuf`] owns them. Both have at least one row, and all
//! values are finite and below [`LIMIT`] in size, so nothing behind them looks for NaN again.

use crate::error::LatentError;

/// Values are smaller than this in size, so that a sum of their squares is a finite f32.
pub const LIMIT: f32 = 1e15;

/// A borrowed matrix, (n, d).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matrix<'a> {
    data: &'a [f32],
    dim: usize,
}

/// An owned matrix, (n, d).
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixBuf {
    data: Vec<f32>,
    dim: usize,
}

impl<'a> Matrix<'a> {
    /// A view of row-major `data` with `dim` values a row.
    ///
    /// ```
    /// use strait_latent::{LatentError, Matrix};
    /// let x = Matrix::new(&[1.0, 2.0, 3.0, 4.0], 2)?;
    /// assert_eq!((x.rows(), x.dim(), x.row(1)), (2, 2, &[3.0, 4.0][..]));
    /// assert_eq!(Matrix::new(&[1.0, 2.0, 3.0], 2), Err(LatentError::Ragged { values: 3, dim: 2 }));
    /// # Ok::<(), LatentError>(())
    /// ```
    ///
    /// # Errors
    /// When there are no values, they do not fill whole rows, or one is not finite or not below [`LIMIT`] in size.
    pub fn new(data: &'a [f32], dim: usize) -> Result<Self, LatentError> {
        if data.is_empty() || dim == 0 {
            return Err(LatentError::Empty);
        }
        if !data.len().is_multiple_of(dim) {
            return Err(LatentError::Ragged { values: data.len(), dim });
        }
        match data.iter().position(|v| !v.is_finite() || v.abs() >= LIMIT) {
            Some(at) => Err(LatentError::NotFinite { row: at / dim, column: at % dim, value: data[at] }),
            None => Ok(Self { data, dim }),
        }
    }

    /// Number of rows, n >= 1.
    pub fn rows(&self) -> usize {
        self.data.len() / self.dim
    }

    /// Number of values in a row, d >= 1.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Row `i`, d values.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, i: usize) -> &'a [f32] {
        &self.data[i * self.dim..][..self.dim]
    }

    /// All rows in order.
    pub fn iter(&self) -> std::slice::ChunksExact<'a, f32> {
        self.data.chunks_exact(self.dim)
    }

    /// All values, row-major.
    pub fn data(&self) -> &'a [f32] {
        self.data
    }

    /// The rows at `indices`, in that order.
    ///
    /// # Errors
    /// When there are no indices.
    ///
    /// # Panics
    /// If one is not a row.
    pub fn select(&self, indices: &[usize]) -> Result<MatrixBuf, LatentError> {
        MatrixBuf::new(indices.iter().flat_map(|&i| self.row(i)).copied().collect(), self.dim)
    }

    /// Fails unless rows have `dim` values.
    ///
    /// # Errors
    /// [`LatentError::Dim`].
    pub fn expect_dim(&self, dim: usize) -> Result<(), LatentError> {
        if self.dim == dim { Ok(()) } else { Err(LatentError::Dim { expected: dim, found: self.dim }) }
    }

    /// Fails unless something of length `found` (named `what`, plural) has one entry for each row.
    ///
    /// # Errors
    /// [`LatentError::Length`].
    pub fn expect_len(&self, what: &'static str, found: usize) -> Result<(), LatentError> {
        let expected = self.rows();
        if expected == found { Ok(()) } else { Err(LatentError::Length { what, expected, found }) }
    }
}

impl MatrixBuf {
    /// Takes row-major `data` with `dim` values a row.
    ///
    /// # Errors
    /// Those of [`Matrix::new`].
    pub fn new(data: Vec<f32>, dim: usize) -> Result<Self, LatentError> {
        Matrix::new(&data, dim)?;
        Ok(Self { data, dim })
    }

    /// From rows that are kept apart.
    ///
    /// # Errors
    /// Those of [`Matrix::new`], and [`LatentError::Dim`] when rows differ in length.
    pub fn from_rows<R: AsRef<[f32]>>(rows: &[R]) -> Result<Self, LatentError> {
        let dim = rows.first().map_or(0, |r| r.as_ref().len());
        if let Some(other) = rows.iter().find(|r| r.as_ref().len() != dim) {
            return Err(LatentError::Dim { expected: dim, found: other.as_ref().len() });
        }
        Self::new(rows.iter().flat_map(|r| r.as_ref()).copied().collect(), dim)
    }

    /// A borrowed matrix.
    pub fn view(&self) -> Matrix<'_> {
        Matrix { data: &self.data, dim: self.dim }
    }

    /// Number of rows, n >= 1.
    pub fn rows(&self) -> usize {
        self.view().rows()
    }

    /// Number of values in a row, d >= 1.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Row `i`, d values.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, i: usize) -> &[f32] {
        self.view().row(i)
    }

    /// All values, row-major.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// The values themselves, row-major.
    pub fn into_data(self) -> Vec<f32> {
        self.data
    }
}

/// Scalar product. Eight partial sums in a fixed order, so that it vectorises and never depends on threads.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    lanes(a, b, |x, y| x * y)
}

/// Squared Euclidean distance, summed as in [`dot`].
pub fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    lanes(a, b, |x, y| (x - y) * (x - y))
}

#[inline(always)]
fn lanes(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    debug_assert_eq!(a.len(), b.len());
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0f32; 8];
    for (a, b) in a.iter().zip(b) {
        for i in 0..8 {
            sums[i] += term(a[i], b[i]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(&x, &y)| term(x, y)).sum();
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7])) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_values_are_named() {
        assert_eq!(Matrix::new(&[], 3), Err(LatentError::Empty));
        assert_eq!(Matrix::new(&[1.0], 0), Err(LatentError::Empty));
        let error = Matrix::new(&[0.0, 1.0, 2.0, f32::INFINITY], 2).unwrap_err();
        assert_eq!(error, LatentError::NotFinite { row: 1, column: 1, value: f32::INFINITY });
        assert!(matches!(Matrix::new(&[0.0, f32::NAN], 1), Err(LatentError::NotFinite { row: 1, column: 0, .. })));
        assert!(matches!(Matrix::new(&[-1e15], 1), Err(LatentError::NotFinite { row: 0, .. })));
        assert_eq!(MatrixBuf::from_rows(&[vec![1.0], vec![]]), Err(LatentError::Dim { expected: 1, found: 0 }));
        assert_eq!(MatrixBuf::from_rows::<Vec<f32>>(&[]), Err(LatentError::Empty));
    }

    #[test]
    fn rows_can_be_selected() {
        let x = MatrixBuf::from_rows(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).unwrap();
        assert_eq!(x.view().select(&[2, 0]).unwrap().data(), [5.0, 6.0, 1.0, 2.0]);
        assert_eq!(x.view().select(&[]), Err(LatentError::Empty));
        assert_eq!(x.view().iter().map(|r| r[0]).collect::<Vec<_>>(), [1.0, 3.0, 5.0]);
    }

    #[test]
    fn products_and_distances_of_any_length() {
        for d in [1, 7, 8, 9, 30] {
            let a: Vec<f32> = (0..d).map(|i| i as f32 - 3.0).collect();
            let b: Vec<f32> = (0..d).map(|i| (i * i % 5) as f32).collect();
            let plain = |f: fn(f32, f32) -> f32| a.iter().zip(&b).map(|(&x, &y)| f(x, y)).sum::<f32>();
            assert_eq!(dot(&a, &b), plain(|x, y| x * y));
            assert_eq!(squared_distance(&a, &b), plain(|x, y| (x - y) * (x - y)));
        }
    }
}
