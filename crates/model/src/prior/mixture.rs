//! A mixture of full-covariance Gaussians, `p(z) = sum_k w_k N(z; m_k, L_k L_k^T)`, evaluated in log space.
//! The fit is in `em.rs`. A single Gaussian is evaluated here too, as the mixture of one.

use rand::{Rng, RngExt};
use rayon::prelude::*;

use super::gaussian::Gaussian;
use super::kernel::{LANES, panels_of, squared_norms};
use super::rows::Rows;

/// Rows per parallel task; part of no sum, so it only sets how finely work is shared.
const CHUNK: usize = 128;

/// `sum_k w_k N(m_k, L_k L_k^T)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    log_weights: Vec<f64>,
    components: Vec<Gaussian>,
}

impl Mixture {
    /// From log weights (K) and components (K), K >= 1, all of one dimension.
    pub(super) fn new(log_weights: Vec<f64>, components: Vec<Gaussian>) -> Self {
        Self { log_weights, components }
    }

    /// Z.
    pub fn dim(&self) -> usize {
        self.components.first().map_or(0, Gaussian::dim)
    }

    /// The components, K of them.
    pub fn components(&self) -> &[Gaussian] {
        &self.components
    }

    /// `log w_k` (K), nats.
    pub fn log_weights(&self) -> &[f64] {
        &self.log_weights
    }

    /// `log p(z) = log sum_k exp(log w_k + log N_k(z))` in nats; `z` (Z). NaN for a slice of another length.
    pub fn log_density(&self, z: &[f32]) -> f64 {
        log_density(&self.components, &self.log_weights, z)
    }

    /// `p(k | z)` for every component, (K); NaNs for a slice of another length.
    pub fn responsibilities(&self, z: &[f32]) -> Vec<f64> {
        let mut shares = vec![f64::NAN; self.components.len()];
        if z.len() == self.dim() {
            log_densities(&self.components, &self.log_weights, Rows::new(z, z.len()), Some(&mut shares));
        }
        shares
    }

    /// One draw (Z): a component by its weight, then a draw from it.
    pub fn sample(&self, rng: &mut impl Rng) -> Vec<f32> {
        let mut left: f64 = rng.random();
        let last = self.components.len() - 1;
        let at = self.log_weights[..last].iter().position(|w| {
            left -= w.exp();
            left < 0.0
        });
        self.components[at.unwrap_or(last)].sample(rng)
    }

    /// Free parameters: weights, means and covariances.
    pub fn parameters(&self) -> usize {
        self.components.iter().map(Gaussian::parameters).sum::<usize>() + self.components.len() - 1
    }
}

/// One row; the same code and so the same bits as [`log_densities`].
pub(super) fn log_density(components: &[Gaussian], log_weights: &[f64], z: &[f32]) -> f64 {
    match components.first() {
        Some(first) if first.dim() == z.len() => log_chunk(components, log_weights, Rows::new(z, z.len()), None)[0],
        _ => f64::NAN,
    }
}

/// `log p` of every row (N); with `shares` (N, K), also the responsibilities `p(k | z)`.
pub(super) fn log_densities(
    components: &[Gaussian],
    log_weights: &[f64],
    rows: Rows,
    shares: Option<&mut [f64]>,
) -> Vec<f64> {
    let k = components.len();
    let chunks = rows.values.par_chunks(CHUNK * rows.dim);
    let parts: Vec<Vec<f64>> = match shares {
        Some(shares) => chunks
            .zip(shares.par_chunks_mut(CHUNK * k))
            .map(|(part, shares)| log_chunk(components, log_weights, Rows::new(part, rows.dim), Some(shares)))
            .collect(),
        None => chunks.map(|part| log_chunk(components, log_weights, Rows::new(part, rows.dim), None)).collect(),
    };
    parts.concat()
}

fn log_chunk(components: &[Gaussian], log_weights: &[f64], rows: Rows, shares: Option<&mut [f64]>) -> Vec<f64> {
    let (n, k) = (rows.len(), components.len());
    let panels = panels_of(rows.values, rows.dim);
    let mut norms = vec![0.0; n.next_multiple_of(LANES)];
    let mut joint = vec![0.0; n * k];
    for (c, (gaussian, log_weight)) in components.iter().zip(log_weights).enumerate() {
        squared_norms(gaussian.whitening(), &panels, &mut norms);
        for row in 0..n {
            joint[row * k + c] = log_weight + (gaussian.log_norm() - 0.5 * norms[row]);
        }
    }
    let totals: Vec<f64> = joint.chunks_exact(k).map(log_sum_exp).collect();
    if let Some(shares) = shares {
        for (at, share) in shares.iter_mut().enumerate() {
            *share = (joint[at] - totals[at / k]).exp();
        }
    }
    totals
}

/// `log sum_i exp(v_i)`, exact for a single value.
fn log_sum_exp(values: &[f64]) -> f64 {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !most.is_finite() {
        return if values.iter().any(|v| v.is_nan()) { f64::NAN } else { most };
    }
    most + values.iter().map(|v| (v - most).exp()).sum::<f64>().ln()
}
