//! Principal directions: where the latents vary most.
//!
//! With the rows centred, `X = U S V^T`; the columns of V are the directions, in falling order of their variances
//! `S^2 / (n - 1)` (Pearson 1901, Hotelling 1933). They come from the eigenvectors of the covariance (d, d), or, where
//! there are fewer rows than dimensions, of the products of the rows with each other (n, n). Either takes a time of the
//! cube of the smaller one. The largest entry of each direction is positive, so that signs do not depend on rounding.
//! Checked against scikit-learn.

use nalgebra::{DMatrix, SymmetricEigen};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::density::{column_means, scatter};
use crate::error::LatentError;
use crate::matrix::{Matrix, MatrixBuf};

/// Directions whose variance is below this part of the whole are rounding.
const LEAST: f64 = 1e-12;

/// K orthogonal directions of unit length in d dimensions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Principal {
    /// Mean of each column (d).
    pub mean: Vec<f64>,
    /// A direction (d) each, (K, d) in all.
    pub directions: Vec<Vec<f64>>,
    /// Variance along each direction (K), falling.
    pub variances: Vec<f64>,
    /// Variance along all directions, also those left out.
    pub total: f64,
}

impl Principal {
    /// The `most` directions of the largest variance of rows (n, d), fewer where the rows vary along fewer.
    ///
    /// ```
    /// use strait_latent::{Matrix, principal::Principal};
    /// let rows = [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0];
    /// let found = Principal::fit(Matrix::new(&rows, 2)?, 2)?;
    /// assert_eq!(found.directions.len(), 1); // all rows lie on the diagonal
    /// assert!((found.directions[0][0] - 0.5f64.sqrt()).abs() < 1e-12 && (found.explained()[0] - 1.0).abs() < 1e-12);
    /// # Ok::<(), strait_latent::LatentError>(())
    /// ```
    ///
    /// # Errors
    /// With fewer than two rows, or when `most` is 0.
    pub fn fit(rows: Matrix, most: usize) -> Result<Self, LatentError> {
        let setting = |what, value, expected: &str| LatentError::Setting { what, value, expected: expected.to_owned() };
        if rows.rows() < 2 {
            return Err(setting("the number of rows", 1.0, "2 or more"));
        }
        if most == 0 {
            return Err(setting("the number of directions", 0.0, "1 or more"));
        }
        let (n, dim) = (rows.rows(), rows.dim());
        let mean = column_means(rows);
        let centre = |row: &[f32]| row.iter().zip(&mean).map(|(&x, m)| f64::from(x) - m).collect::<Vec<f64>>();
        let centred: Vec<Vec<f64>> = rows.iter().map(centre).collect();
        let divisor = (n - 1) as f64;
        let total = centred.iter().flatten().map(|v| v * v).sum::<f64>() / divisor;
        let kept = |value: f64| value / divisor > LEAST * total;
        let (values, directions) = if n >= dim {
            let (values, vectors) = eigen(scatter(&centred, dim), dim, most);
            let count = values.iter().take_while(|v| kept(**v)).count();
            (values[..count].to_vec(), vectors[..count].to_vec())
        } else {
            let (values, vectors) = eigen(gram(&centred), n, most);
            let count = values.iter().take_while(|v| kept(**v)).count();
            (values[..count].to_vec(), vectors[..count].iter().map(|u| combination(&centred, u)).collect())
        };
        Ok(Self {
            directions: directions.into_iter().map(|v| signed(unit(v))).collect(),
            variances: values.into_iter().map(|v| v / divisor).collect(),
            total,
            mean,
        })
    }

    /// Share of the whole variance along each direction (K), 0..1.
    pub fn explained(&self) -> Vec<f64> {
        self.variances.iter().map(|v| v / self.total).collect()
    }

    /// d.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// Coordinates of rows (n, d) along the directions, `V^T (x - mean)`, (n, K).
    ///
    /// # Errors
    /// When the rows have another dimension, or there is no direction because all rows of the fit were equal.
    pub fn project(&self, rows: Matrix) -> Result<MatrixBuf, LatentError> {
        rows.expect_dim(self.dim())?;
        let one = |row: &[f32]| {
            let centred: Vec<f64> = row.iter().zip(&self.mean).map(|(&x, m)| f64::from(x) - m).collect();
            self.directions.iter().map(|v| dot(v, &centred) as f32).collect::<Vec<f32>>()
        };
        let parts: Vec<Vec<f32>> = rows.data().par_chunks_exact(rows.dim()).map(one).collect();
        MatrixBuf::new(parts.concat(), self.directions.len())
    }

    /// The points (n, d) that have coordinates (n, K): `mean + V c`.
    ///
    /// # Errors
    /// When the coordinates are not K a row.
    pub fn unproject(&self, coordinates: Matrix) -> Result<MatrixBuf, LatentError> {
        coordinates.expect_dim(self.directions.len())?;
        let one = |row: &[f32]| {
            let mut at = self.mean.clone();
            for (v, &c) in self.directions.iter().zip(row) {
                at.iter_mut().zip(v).for_each(|(a, v)| *a += f64::from(c) * v);
            }
            at.into_iter().map(|a| a as f32).collect::<Vec<f32>>()
        };
        MatrixBuf::new(coordinates.iter().flat_map(one).collect(), self.dim())
    }
}

/// At most `most` eigenvalues of a symmetric matrix (m, m), falling, and their eigenvectors.
fn eigen(matrix: Vec<f64>, m: usize, most: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
    let found = SymmetricEigen::new(DMatrix::from_row_slice(m, m, &matrix));
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|&a, &b| found.eigenvalues[b].total_cmp(&found.eigenvalues[a]));
    order.truncate(most);
    let vector = |&i: &usize| found.eigenvectors.column(i).iter().copied().collect();
    (order.iter().map(|&i| found.eigenvalues[i]).collect(), order.iter().map(vector).collect())
}

/// Products of rows with each other, (n, n).
fn gram(rows: &[Vec<f64>]) -> Vec<f64> {
    let line = |a: &Vec<f64>| rows.iter().map(|b| dot(a, b)).collect::<Vec<f64>>();
    rows.par_iter().map(line).collect::<Vec<_>>().concat()
}

/// `sum_i u_i x_i`, (d).
fn combination(rows: &[Vec<f64>], u: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; rows[0].len()];
    for (row, u) in rows.iter().zip(u) {
        sum.iter_mut().zip(row).for_each(|(s, x)| *s += u * x);
    }
    sum
}

fn unit(mut v: Vec<f64>) -> Vec<f64> {
    let length = dot(&v, &v).sqrt();
    v.iter_mut().for_each(|v| *v /= length);
    v
}

/// Turned so that the entry largest in size, the first of nearly equals, is positive.
fn signed(mut v: Vec<f64>) -> Vec<f64> {
    let largest = v.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    if v.iter().find(|x| x.abs() > (1.0 - 1e-6) * largest).is_some_and(|x| *x < 0.0) {
        v.iter_mut().for_each(|x| *x = -*x);
    }
    v
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{in_threads, normal};

    /// Rows whose dimensions have standard deviations 5, 3, 1, 0.1 along turned axes.
    fn rows(n: usize) -> MatrixBuf {
        let noise = normal(n, 4, 1);
        let axes = [[0.5, 0.5, 0.5, 0.5], [0.5, -0.5, 0.5, -0.5], [-0.5, -0.5, 0.5, 0.5], [0.5, -0.5, -0.5, 0.5f32]];
        let turn = |e: &[f32]| {
            let scaled = [5.0 * e[0], 3.0 * e[1], e[2], 0.1 * e[3]];
            [0, 1, 2, 3].map(|j| 7.0 + (0..4).map(|i| scaled[i] * axes[i][j]).sum::<f32>())
        };
        MatrixBuf::new(noise.view().iter().flat_map(turn).collect(), 4).unwrap()
    }

    #[test]
    fn known_axes_are_found() {
        let found = Principal::fit(rows(5000).view(), 4).unwrap();
        let expected = [[0.5, 0.5, 0.5, 0.5], [0.5, -0.5, 0.5, -0.5], [0.5, 0.5, -0.5, -0.5], [0.5, -0.5, -0.5, 0.5]];
        for (i, (v, e)) in found.directions.iter().zip(&expected).enumerate() {
            assert!(dot(v, e).abs() > 0.999, "{i} {v:?}");
        }
        for (variance, sd) in found.variances.iter().zip([5.0, 3.0, 1.0, 0.1f64]) {
            assert!((variance.sqrt() / sd - 1.0).abs() < 0.04, "{variance} {sd}");
        }
        assert!((found.explained().iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!(found.mean.iter().all(|m| (m - 7.0).abs() < 0.2), "{:?}", found.mean);
    }

    #[test]
    fn directions_are_orthogonal_and_rows_come_back() {
        for (n, dim) in [(40, 6), (6, 40)] {
            let x = normal(n, dim, 2);
            let found = Principal::fit(x.view(), 100).unwrap();
            assert_eq!(found.directions.len(), dim.min(n - 1));
            for (i, a) in found.directions.iter().enumerate() {
                for (j, b) in found.directions.iter().enumerate() {
                    assert!((dot(a, b) - f64::from(u8::from(i == j))).abs() < 1e-9, "{i} {j}");
                }
                assert!(a.iter().fold(0.0, |m: f64, &v| if v.abs() > m.abs() { v } else { m }) > 0.0);
            }
            let back = found.unproject(found.project(x.view()).unwrap().view()).unwrap();
            back.data().iter().zip(x.data()).for_each(|(a, b)| assert!((a - b).abs() < 1e-4, "{a} {b}"));
        }
    }

    #[test]
    fn few_rows_and_many_find_the_same() {
        // The same 5 points, once in 4 and once, with zeros behind, in 9 dimensions.
        let x = normal(5, 4, 3);
        let wide: Vec<f32> = x.view().iter().flat_map(|r| [r, &[0.0; 5]].concat()).collect();
        let (narrow, wide) =
            (Principal::fit(x.view(), 4).unwrap(), Principal::fit(Matrix::new(&wide, 9).unwrap(), 4).unwrap());
        for (a, b) in narrow.directions.iter().zip(&wide.directions) {
            a.iter().zip(b).for_each(|(x, y)| assert!((x - y).abs() < 1e-9, "{a:?} {b:?}"));
        }
        narrow.variances.iter().zip(&wide.variances).for_each(|(a, b)| assert!((a - b).abs() < 1e-9));
    }

    #[test]
    fn threads_change_no_bit_and_bad_input_is_refused() {
        let x = normal(300, 20, 4);
        let fit = || Principal::fit(x.view(), 5).unwrap();
        assert_eq!(in_threads(1, fit), in_threads(3, fit));
        assert!(Principal::fit(Matrix::new(&[1.0, 2.0], 2).unwrap(), 1).is_err());
        assert!(Principal::fit(x.view(), 0).is_err());
        let equal = Principal::fit(Matrix::new(&[1.0, 1.0, 1.0], 1).unwrap(), 1).unwrap();
        assert!(equal.directions.is_empty() && equal.total == 0.0);
        assert_eq!(fit().project(normal(2, 3, 1).view()), Err(LatentError::Dim { expected: 20, found: 3 }));
    }
}
