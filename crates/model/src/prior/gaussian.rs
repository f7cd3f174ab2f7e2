//! One Gaussian with full covariance, `p(z) = N(m, L L^T)`, and the shrinkage that keeps it sane when N is small.
//!
//! The covariance is `s_i s_j (1 - a) r_ij` off the diagonal and `s_i^2` on it, with `s` the standard deviations, `r`
//! the sample correlations, and `a` the intensity that minimises the expected squared error of the correlations,
//! `a = sum_(i != j) Var(r_ij) / sum_(i != j) r_ij^2` (Schaefer and Strimmer 2005, after Ledoit and Wolf 2004).

use std::f64::consts::PI;

use nalgebra::DMatrix;
use rand::Rng;

use super::kernel::{Scatter, Whitening};
use super::rows::Rows;
use super::standard_normal::normals;

/// Off-diagonal entries always shrink at least this much, which bounds the condition of the correlation matrix.
const LEAST_SHRINKAGE: f64 = 1e-5;
/// A dimension's variance counts as at least this part of the mean variance: a constant dimension stays a density.
const LEAST_VARIANCE: f64 = 1e-6;
/// And at least this much outright, for data that is one point repeated.
const LEAST_VARIANCE_AT_ALL: f64 = 1e-12;

/// `N(m, L L^T)` with `L` lower triangular. Mean and factor are f32, as they are on disk; the arithmetic is f64.
#[derive(Clone, Debug)]
pub struct Gaussian {
    mean: Vec<f32>,
    /// Rows of `L` up to the diagonal, one after another, Z (Z + 1) / 2 values.
    factor: Vec<f32>,
    whitening: Whitening,
    /// `-Z/2 log 2 pi - sum_i log L_ii`.
    log_norm: f64,
}

impl PartialEq for Gaussian {
    fn eq(&self, other: &Self) -> bool {
        self.mean == other.mean && self.factor == other.factor
    }
}

impl Gaussian {
    /// Fits mean and shrunk covariance to rows (N, Z), N >= 1.
    pub(super) fn fit(rows: Rows) -> Self {
        let (n, dim) = (rows.len() as f64, rows.dim);
        let mean = rows.mean();
        let mut variances = rows.variances(&mean);
        let floor = least_variance(&variances);
        variances.iter_mut().for_each(|v| *v = v.max(floor));
        let sd: Vec<f64> = variances.iter().map(|v| v.sqrt()).collect();
        let gather = |power: i32| {
            let mut sum = Scatter::new(dim);
            for row in rows.iter() {
                sum.push((0..dim).map(|i| ((f64::from(row[i]) - mean[i]) / sd[i]).powi(power)));
            }
            sum.finish()
        };
        let (products, squares) = rayon::join(|| gather(1), || gather(2));
        let kept = 1.0 - shrinkage(&products, &squares, n, dim);
        let mut covariance = products;
        for i in 0..dim {
            for j in 0..dim {
                let c = &mut covariance[i * dim + j];
                *c = if i == j { variances[i] } else { kept * *c / (n - 1.0).max(1.0) * sd[i] * sd[j] };
            }
        }
        Self::from_moments(&mean, &covariance)
    }

    /// From a mean (Z) and a covariance (Z, Z), symmetric with a positive diagonal.
    pub(super) fn from_moments(mean: &[f64], covariance: &[f64]) -> Self {
        let lower = cholesky(covariance, mean.len());
        let dim = mean.len();
        let factor = (0..dim).flat_map(|i| lower[i * dim..][..=i].iter().map(|&v| to_f32(v))).collect();
        Self::from_parts(mean.iter().map(|&v| to_f32(v)).collect(), factor)
    }

    /// From a mean (Z) and the packed factor (Z (Z + 1) / 2), diagonal positive.
    pub(super) fn from_parts(mean: Vec<f32>, factor: Vec<f32>) -> Self {
        let dim = mean.len();
        let mut lower = vec![0.0; dim * dim];
        for i in 0..dim {
            for j in 0..=i {
                lower[i * dim + j] = f64::from(factor[i * (i + 1) / 2 + j]);
            }
        }
        let log_diagonal: f64 = (0..dim).map(|i| lower[i * dim + i].ln()).sum();
        let wide: Vec<f64> = mean.iter().map(|&v| f64::from(v)).collect();
        let whitening = Whitening::new(&wide, &lower);
        Self { mean, factor, whitening, log_norm: -0.5 * dim as f64 * (2.0 * PI).ln() - log_diagonal }
    }

    /// Z.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// The mean (Z).
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// The lower Cholesky factor `L` of the covariance, its rows up to the diagonal, Z (Z + 1) / 2 values.
    pub fn factor(&self) -> &[f32] {
        &self.factor
    }

    /// `log p(z) = -1/2 |L^-1 (z - m)|^2 - sum_i log L_ii - Z/2 log 2 pi` in nats; `z` (Z).
    /// NaN for a slice of another length.
    pub fn log_density(&self, z: &[f32]) -> f64 {
        super::mixture::log_density(std::slice::from_ref(self), &[0.0], z)
    }

    /// One draw `m + L e`, `e ~ N(0, I)`, (Z).
    pub fn sample(&self, rng: &mut impl Rng) -> Vec<f32> {
        self.colour(&normals(self.dim(), rng))
    }

    /// `m + L e` for `e` (Z), (Z).
    pub(super) fn colour(&self, noise: &[f64]) -> Vec<f32> {
        let value = |i: usize| {
            let row = &self.factor[i * (i + 1) / 2..][..=i];
            let moved: f64 = row.iter().zip(noise).map(|(&l, e)| f64::from(l) * e).sum();
            to_f32(f64::from(self.mean[i]) + moved)
        };
        (0..self.dim()).map(value).collect()
    }

    /// `L^-1 (z - m)` of every row (N, Z), (N, Z): the inverse of [`Gaussian::colour`].
    pub(super) fn whiten(&self, rows: Rows) -> Vec<f32> {
        let padded = self.whitening.shift.len();
        let mut sums = vec![0.0; padded];
        let mut white = Vec::with_capacity(rows.values.len());
        for row in rows.iter() {
            sums.iter_mut().zip(&self.whitening.shift).for_each(|(sum, shift)| *sum = -shift);
            for (column, &z) in self.whitening.transposed.chunks_exact(padded).zip(row) {
                sums.iter_mut().zip(column).for_each(|(sum, w)| *sum += w * f64::from(z));
            }
            white.extend(sums[..rows.dim].iter().map(|&v| v as f32));
        }
        white
    }

    /// Free parameters: mean and covariance.
    pub fn parameters(&self) -> usize {
        self.mean.len() + self.factor.len()
    }

    pub(super) fn whitening(&self) -> &Whitening {
        &self.whitening
    }

    pub(super) fn log_norm(&self) -> f64 {
        self.log_norm
    }
}

/// The floor under a dimension's variance, from all dimensions' variances (Z).
pub(super) fn least_variance(variances: &[f64]) -> f64 {
    let mean = variances.iter().sum::<f64>() / variances.len().max(1) as f64;
    (LEAST_VARIANCE * mean).max(LEAST_VARIANCE_AT_ALL)
}

/// The intensity `a` from `sum_n u u^T` and `sum_n u^2 (u^2)^T` of the standardised rows, both (Z, Z).
fn shrinkage(products: &[f64], squares: &[f64], n: f64, dim: usize) -> f64 {
    if n < 2.0 {
        return 1.0;
    }
    let (mut noise, mut signal) = (0.0, 0.0);
    for i in 0..dim {
        for j in 0..i {
            let at = i * dim + j;
            noise += n / (n - 1.0).powi(3) * (squares[at] - products[at] * products[at] / n);
            signal += (products[at] / (n - 1.0)).powi(2);
        }
    }
    // With a handful of points the noise estimate itself collapses (at N = 2 it is zero): 1/N keeps it honest.
    let least = LEAST_SHRINKAGE.max(1.0 / n);
    if signal > 0.0 { (noise / signal).clamp(least, 1.0) } else { 1.0 }
}

/// Lower factor (Z, Z, row-major). A matrix that rounding left indefinite is shrunk towards its diagonal until it is
/// not, so this always succeeds on a positive diagonal.
fn cholesky(covariance: &[f64], dim: usize) -> Vec<f64> {
    for kept in [1.0, 1.0 - 1e-6, 1.0 - 1e-4, 0.99, 0.5] {
        let shrunk = DMatrix::from_fn(dim, dim, |i, j| covariance[i * dim + j] * if i == j { 1.0 } else { kept });
        if let Some(factor) = shrunk.cholesky() {
            let l = factor.unpack();
            if l.iter().all(|v| v.is_finite()) && (0..dim).all(|i| l[(i, i)] > 0.0) {
                return (0..dim * dim).map(|t| l[(t / dim, t % dim)]).collect();
            }
        }
    }
    let diagonal = |t: usize| if t / dim == t % dim { covariance[t].max(LEAST_VARIANCE_AT_ALL).sqrt() } else { 0.0 };
    (0..dim * dim).map(diagonal).collect()
}

/// To f32 without ever reaching infinity.
fn to_f32(v: f64) -> f32 {
    v.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
}
