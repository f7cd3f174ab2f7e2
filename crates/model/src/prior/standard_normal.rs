//! The standard normal `p(z) = N(0, I)`, what a VAE's KL term pulls the posterior towards; nothing is fitted.
//! Also the one source of normal deviates that all priors draw from.

use std::f64::consts::{PI, TAU};

use rand::{Rng, RngExt};

/// `N(0, I)` over Z dimensions.
#[derive(Clone, Debug, PartialEq)]
pub struct StandardNormal {
    dim: usize,
}

impl StandardNormal {
    /// The standard normal over `dim` dimensions.
    pub fn new(dim: usize) -> Self {
        Self { dim }
    }

    /// Z.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// `log p(z) = -1/2 (|z|^2 + Z log 2 pi)` in nats; `z` (Z). NaN for a slice of another length.
    pub fn log_density(&self, z: &[f32]) -> f64 {
        if z.len() != self.dim {
            return f64::NAN;
        }
        let norm: f64 = z.iter().map(|&v| f64::from(v).powi(2)).sum();
        -0.5 * (norm + self.dim as f64 * (2.0 * PI).ln())
    }

    /// One draw (Z).
    pub fn sample(&self, rng: &mut impl Rng) -> Vec<f32> {
        normals(self.dim, rng).into_iter().map(|v| v as f32).collect()
    }
}

/// `n` independent standard normal deviates by Box and Muller's transform.
pub(super) fn normals(n: usize, rng: &mut impl Rng) -> Vec<f64> {
    let mut out = vec![0.0; n];
    for pair in out.chunks_mut(2) {
        // 1 - u lies in (0, 1], so the logarithm is finite.
        let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
        let angle = TAU * rng.random::<f64>();
        pair[0] = radius * angle.cos();
        if let Some(second) = pair.get_mut(1) {
            *second = radius * angle.sin();
        }
    }
    out
}
