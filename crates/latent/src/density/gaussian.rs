//! One Gaussian, `N(m, C)` with `C = L L^T`:
//!
//! ```text
//! ln p(z) = -1/2 |L^-1 (z - m)|^2 - sum_i ln L_ii - d/2 ln 2 pi
//! ```
//!
//! It is also the metric in which directions are compared: lengths and angles after whitening, `L^-1 v`.

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::{DensityError, shrunken_covariance};
use crate::error::LatentError;
use crate::matrix::Matrix;

/// `N(m, L L^T)` over d dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Gaussian {
    mean: Vec<f64>,
    /// Lower factor, row-major (d, d).
    factor: Vec<f64>,
    log_norm: f64,
}

impl Gaussian {
    /// Fits mean and shrunken covariance (Ledoit and Wolf 2004) to rows (n, d). As few as two rows will do, though only
    /// many make it a good description.
    ///
    /// # Errors
    /// When all rows are equal.
    pub fn fit(rows: Matrix) -> Result<Self, DensityError> {
        let mean = column_means(rows);
        let covariance =
            shrunken_covariance(rows, |_| &mean[..]).ok_or(DensityError::NoSpread { rows: rows.rows() })?;
        Self::new(mean, &covariance)
    }

    /// From a mean (d) and a covariance, row-major (d, d), of which the lower triangle is read.
    ///
    /// ```
    /// use strait_latent::density::Gaussian;
    /// let standard = Gaussian::new(vec![0.0, 0.0], &[1.0, 0.0, 0.0, 1.0])?;
    /// let nats = standard.log_density(&[1.0, 1.0])?;
    /// assert!((nats - (-1.0 - std::f64::consts::TAU.ln())).abs() < 1e-12);
    /// # Ok::<(), strait_latent::density::DensityError>(())
    /// ```
    ///
    /// # Errors
    /// When the numbers of values do not match, one is not finite, or the covariance is not positive definite.
    pub fn new(mean: Vec<f64>, covariance: &[f64]) -> Result<Self, DensityError> {
        let dim = mean.len();
        expect("covariance", dim * dim, covariance, dim)?;
        let lower = DMatrix::from_row_slice(dim, dim, covariance).cholesky().ok_or(DensityError::NotPositive)?.unpack();
        Self::from_lower(mean, lower.transpose().as_slice().to_vec())
    }

    /// From a mean (d) and the variances of independent dimensions (d).
    ///
    /// # Errors
    /// Those of [`Gaussian::new`].
    pub fn diagonal(mean: Vec<f64>, variances: &[f64]) -> Result<Self, DensityError> {
        let dim = mean.len();
        expect("variances", dim, variances, dim)?;
        let entry = |at: usize| if at / dim == at % dim { variances[at / dim].sqrt() } else { 0.0 };
        Self::from_lower(mean, (0..dim * dim).map(entry).collect())
    }

    /// From a mean (d) and the rows of the lower Cholesky factor up to the diagonal, d (d + 1) / 2 values, which is how
    /// model folders keep their priors.
    ///
    /// # Errors
    /// Those of [`Gaussian::new`].
    pub fn from_factor(mean: &[f32], packed: &[f32]) -> Result<Self, DensityError> {
        let dim = mean.len();
        let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        let packed = wide(packed);
        expect("factor", dim * (dim + 1) / 2, &packed, dim)?;
        let entry = |at: usize| {
            let (i, j) = (at / dim, at % dim);
            if j <= i { packed[i * (i + 1) / 2 + j] } else { 0.0 }
        };
        Self::from_lower(wide(mean), (0..dim * dim).map(entry).collect())
    }

    fn from_lower(mean: Vec<f64>, factor: Vec<f64>) -> Result<Self, DensityError> {
        let dim = mean.len();
        if dim == 0 {
            return Err(LatentError::Empty.into());
        }
        expect("mean", dim, &mean, dim)?;
        let diagonal = || (0..dim).map(|i| factor[i * dim + i]);
        if !diagonal().all(|l| l.is_finite() && l > 0.0) {
            return Err(DensityError::NotPositive);
        }
        let log_norm = -0.5 * dim as f64 * std::f64::consts::TAU.ln() - diagonal().map(f64::ln).sum::<f64>();
        Ok(Self { mean, factor, log_norm })
    }

    /// d.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// m, (d).
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// `ln p(z)` in nats; `z` (d), finite.
    ///
    /// # Errors
    /// When `z` has another dimension.
    pub fn log_density(&self, z: &[f32]) -> Result<f64, DensityError> {
        self.expect_dim(z.len())?;
        Ok(self.log_density_unchecked(z))
    }

    /// `ln p` of each row (n, d), in nats.
    ///
    /// # Errors
    /// When the rows have another dimension.
    pub fn log_densities(&self, rows: Matrix) -> Result<Vec<f64>, DensityError> {
        rows.expect_dim(self.dim())?;
        Ok(rows.data().par_chunks_exact(self.dim()).map(|z| self.log_density_unchecked(z)).collect())
    }

    pub(super) fn log_density_unchecked(&self, z: &[f32]) -> f64 {
        let moved: Vec<f64> = z.iter().zip(&self.mean).map(|(&z, m)| f64::from(z) - m).collect();
        self.log_norm - 0.5 * self.whiten(&moved).iter().map(|v| v * v).sum::<f64>()
    }

    pub(super) fn expect_dim(&self, found: usize) -> Result<(), DensityError> {
        if found == self.dim() { Ok(()) } else { Err(LatentError::Dim { expected: self.dim(), found }.into()) }
    }

    /// `L^-1 v` of a difference of latents (d): its length is the Mahalanobis length of `v`.
    ///
    /// # Panics
    /// If `v` has another dimension.
    pub fn whiten(&self, v: &[f64]) -> Vec<f64> {
        let dim = self.dim();
        assert_eq!(v.len(), dim, "dimensions");
        let mut out: Vec<f64> = Vec::with_capacity(dim);
        for (line, v) in self.factor.chunks_exact(dim).zip(v) {
            let i = out.len();
            let known: f64 = line.iter().zip(&out).map(|(l, o)| l * o).sum();
            out.push((v - known) / line[i]);
        }
        out
    }

    /// `C^-1 v`, (d).
    ///
    /// # Panics
    /// If `v` has another dimension.
    pub fn solve(&self, v: &[f64]) -> Vec<f64> {
        let dim = self.dim();
        let mut out = self.whiten(v);
        for i in (0..dim).rev() {
            let line = &self.factor[i * dim..][..=i];
            out[i] /= line[i];
            let done = out[i];
            out[..i].iter_mut().zip(line).for_each(|(o, l)| *o -= l * done);
        }
        out
    }

    /// `C v`, (d).
    ///
    /// # Panics
    /// If `v` has another dimension.
    pub fn multiply(&self, v: &[f64]) -> Vec<f64> {
        let dim = self.dim();
        assert_eq!(v.len(), dim, "dimensions");
        let mut inner = vec![0.0; dim];
        for (line, v) in self.factor.chunks_exact(dim).zip(v) {
            inner.iter_mut().zip(line).for_each(|(i, l)| *i += l * v);
        }
        self.factor.chunks_exact(dim).map(|line| line.iter().zip(&inner).map(|(l, i)| l * i).sum()).collect()
    }
}

/// The mean of each column (d).
pub(crate) fn column_means(rows: Matrix) -> Vec<f64> {
    let mut means = vec![0.0; rows.dim()];
    for row in rows.iter() {
        means.iter_mut().zip(row).for_each(|(m, &x)| *m += f64::from(x));
    }
    means.iter_mut().for_each(|m| *m /= rows.rows() as f64);
    means
}

/// Fails unless there are `expected` values, all finite.
fn expect(what: &'static str, expected: usize, values: &[f64], dim: usize) -> Result<(), DensityError> {
    if values.len() != expected {
        return Err(DensityError::Parameters { what, expected, found: values.len(), dim });
    }
    match values.iter().position(|v| !v.is_finite()) {
        Some(at) => Err(DensityError::NotFinite { what, at, value: values[at] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::normal;

    const COVARIANCE: [f64; 9] = [4.0, 1.0, 0.5, 1.0, 2.0, -0.3, 0.5, -0.3, 1.0];

    fn close(a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).for_each(|(x, y)| assert!((x - y).abs() < 1e-12, "{a:?} {b:?}"));
    }

    #[test]
    fn products_with_the_covariance_and_its_inverse() {
        let gaussian = Gaussian::new(vec![0.0; 3], &COVARIANCE).unwrap();
        let v = [1.0, -2.0, 3.0];
        let product: Vec<f64> = COVARIANCE.chunks(3).map(|l| l.iter().zip(&v).map(|(a, b)| a * b).sum()).collect();
        close(&gaussian.multiply(&v), &product);
        close(&gaussian.solve(&product), &v);
        let length: f64 = gaussian.whiten(&v).iter().map(|w| w * w).sum();
        let expected: f64 = gaussian.solve(&v).iter().zip(&v).map(|(a, b)| a * b).sum();
        close(&[length], &[expected]);
    }

    #[test]
    fn all_ways_to_give_a_gaussian_agree() {
        let z = [0.7, -0.2, 1.9];
        let full = Gaussian::new(vec![0.5, 0.0, 1.0], &[4.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.25]).unwrap();
        let diagonal = Gaussian::diagonal(vec![0.5, 0.0, 1.0], &[4.0, 1.0, 0.25]).unwrap();
        let packed = Gaussian::from_factor(&[0.5, 0.0, 1.0], &[2.0, 0.0, 1.0, 0.0, 0.0, 0.5]).unwrap();
        assert_eq!((&full, &full), (&diagonal, &packed));
        let nats = -0.5 * (0.2f64.powi(2) / 4.0 + 0.2f64.powi(2) + 0.9f64.powi(2) / 0.25)
            - 0.5 * 3.0 * std::f64::consts::TAU.ln();
        assert!((full.log_density(&z).unwrap() - nats).abs() < 1e-6); // z is f32
    }

    #[test]
    fn a_density_integrates_to_one() {
        let gaussian = Gaussian::new(vec![0.3, -0.2], &[1.0, 0.6, 0.6, 0.5]).unwrap();
        let grid: Vec<f32> =
            (0..200).flat_map(|i| (0..200).flat_map(move |j| [i, j])).map(|i| i as f32 * 0.06 - 6.0).collect();
        let densities = gaussian.log_densities(Matrix::new(&grid, 2).unwrap()).unwrap();
        let mass: f64 = densities.iter().map(|l| l.exp() * 0.06 * 0.06).sum();
        assert!((mass - 1.0).abs() < 1e-6, "{mass}");
    }

    #[test]
    fn a_fit_finds_the_parameters() {
        // Rows L e with L the factor of COVARIANCE.
        let truth = Gaussian::new(vec![1.0, 2.0, 3.0], &COVARIANCE).unwrap();
        let noise = normal(20_000, 3, 4);
        let rows: Vec<f32> = noise
            .view()
            .iter()
            .flat_map(|e| {
                let line = |i: usize| (0..=i).map(|j| truth.factor[i * 3 + j] * f64::from(e[j])).sum::<f64>();
                [0, 1, 2].map(|i| (truth.mean[i] + line(i)) as f32)
            })
            .collect();
        let fitted = Gaussian::fit(Matrix::new(&rows, 3).unwrap()).unwrap();
        for i in 0..3 {
            let mut unit = [0.0; 3];
            unit[i] = 1.0;
            let (found, expected) = (fitted.multiply(&unit), truth.multiply(&unit));
            found.iter().zip(&expected).for_each(|(f, e)| assert!((f - e).abs() < 0.15, "{found:?} {expected:?}"));
            assert!((fitted.mean[i] - truth.mean[i]).abs() < 0.06);
        }
    }

    #[test]
    fn impossible_parameters_are_refused() {
        assert_eq!(Gaussian::new(vec![0.0; 2], &[1.0, 2.0, 2.0, 1.0]), Err(DensityError::NotPositive));
        assert_eq!(Gaussian::diagonal(vec![0.0], &[-1.0]), Err(DensityError::NotPositive));
        assert!(matches!(Gaussian::new(vec![0.0; 2], &[1.0]), Err(DensityError::Parameters { expected: 4, .. })));
        assert!(matches!(Gaussian::diagonal(vec![f64::NAN], &[1.0]), Err(DensityError::NotFinite { at: 0, .. })));
        let equal = Matrix::new(&[1.0, 2.0, 1.0, 2.0], 2).unwrap();
        assert_eq!(Gaussian::fit(equal), Err(DensityError::NoSpread { rows: 2 }));
        let plain = Gaussian::diagonal(vec![0.0], &[1.0]).unwrap();
        assert_eq!(plain.log_densities(equal), Err(LatentError::Dim { expected: 1, found: 2 }.into()));
    }
}
