//! A mixture of Gaussians, `ln p(z) = ln sum_k w_k N(z; m_k, C_k)`, summed in log space.

use rayon::prelude::*;

use super::{DensityError, Gaussian};
use crate::error::LatentError;
use crate::matrix::Matrix;

/// `sum_k w_k N(m_k, C_k)` over d dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    log_weights: Vec<f64>,
    components: Vec<Gaussian>,
}

impl Mixture {
    /// From weights (K), which sum to 1, and components (K), K >= 1.
    ///
    /// # Errors
    /// When there is no component, they differ in dimension, or the weights are not those of a mixture.
    pub fn new(weights: &[f64], components: Vec<Gaussian>) -> Result<Self, DensityError> {
        let Some(first) = components.first() else { return Err(LatentError::Empty.into()) };
        components.iter().try_for_each(|c| first.expect_dim(c.dim()))?;
        let sum: f64 = weights.iter().sum();
        let whole = (sum - 1.0).abs() < 1e-3; // false for NaN
        if weights.len() != components.len() || weights.iter().any(|w| *w < 0.0) || !whole {
            return Err(DensityError::Weights { sum });
        }
        Ok(Self { log_weights: weights.iter().map(|w| (w / sum).ln()).collect(), components })
    }

    /// d.
    pub fn dim(&self) -> usize {
        self.components[0].dim()
    }

    /// `ln p(z)` in nats; `z` (d), finite.
    ///
    /// # Errors
    /// When `z` has another dimension.
    pub fn log_density(&self, z: &[f32]) -> Result<f64, DensityError> {
        self.components[0].expect_dim(z.len())?;
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

    fn log_density_unchecked(&self, z: &[f32]) -> f64 {
        let parts: Vec<f64> =
            self.components.iter().zip(&self.log_weights).map(|(c, w)| w + c.log_density_unchecked(z)).collect();
        let most = parts.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        most + parts.iter().map(|p| (p - most).exp()).sum::<f64>().ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mean: f64, variance: f64) -> Gaussian {
        Gaussian::diagonal(vec![mean], &[variance]).unwrap()
    }

    #[test]
    fn the_density_is_the_weighted_sum_even_far_away() {
        let mixture = Mixture::new(&[0.25, 0.75, 0.0], vec![at(0.0, 1.0), at(3.0, 4.0), at(1.0, 1.0)]).unwrap();
        let p = |z: f64, m: f64, v: f64| (-0.5 * (z - m).powi(2) / v).exp() / (std::f64::consts::TAU * v).sqrt();
        let expected = (0.25 * p(1.0, 0.0, 1.0) + 0.75 * p(1.0, 3.0, 4.0)).ln();
        assert!((mixture.log_density(&[1.0]).unwrap() - expected).abs() < 1e-12);
        let far = mixture.log_densities(Matrix::new(&[1e4], 1).unwrap()).unwrap()[0];
        let only = 0.75f64.ln() + at(3.0, 4.0).log_density(&[1e4]).unwrap();
        assert!(far.is_finite() && (far - only).abs() < 1e-6, "{far} {only}");
    }

    #[test]
    fn impossible_mixtures_are_refused() {
        assert_eq!(Mixture::new(&[], vec![]), Err(LatentError::Empty.into()));
        assert_eq!(Mixture::new(&[0.5], vec![at(0.0, 1.0)]), Err(DensityError::Weights { sum: 0.5 }));
        assert_eq!(Mixture::new(&[0.5, 0.5], vec![at(0.0, 1.0)]), Err(DensityError::Weights { sum: 1.0 }));
        assert!(Mixture::new(&[f64::NAN], vec![at(0.0, 1.0)]).is_err());
        let wide = Gaussian::diagonal(vec![0.0; 2], &[1.0; 2]).unwrap();
        let error = Mixture::new(&[0.5, 0.5], vec![at(0.0, 1.0), wide]);
        assert_eq!(error, Err(LatentError::Dim { expected: 1, found: 2 }.into()));
    }
}
