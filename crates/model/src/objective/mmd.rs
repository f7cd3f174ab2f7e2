//! Wasserstein autoencoder with the maximum mean discrepancy (Tolstikhin et al. 2018): the latents z of a batch should
//! look like as many draws p of N(0, I).
//!
//! z, p (B, Z). The unbiased estimate (Gretton et al. 2012)
//! `MMD^2 = 1/(B(B-1)) sum_(i != j) [k(z_i, z_j) + k(p_i, p_j)] - 2/B^2 sum_ij k(z_i, p_j)`
//! is 0 on average for equal distributions, and may fall below. `k = sum_s k_s` over the scales `C = 2 Z s`, where 2 Z
//! is the expected squared distance of two draws: `C / (C + d^2)` or `exp(-d^2 / C)`. Gradient for z_i, with k' the
//! derivative for d^2: `4/(B(B-1)) sum_j k'(z_i, z_j) (z_i - z_j) - 4/B^2 sum_j k'(z_i, p_j) (z_i - p_j)`.
//! Each row's sums run in order inside one task, so the number of threads changes no bit.

use rand::Rng;
use rayon::prelude::*;
use strait_engine::{Tape, init};

use super::{Figures, divergence};
use crate::{
    config::{Kernel, MmdConfig},
    latent::Code,
};

/// Shares of the expected squared distance at which kernels are centred, as in the authors' code.
const SCALES: [f64; 7] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

/// The discrepancy as a regulariser.
#[derive(Debug)]
pub struct Mmd {
    config: MmdConfig,
    /// Of the last batch.
    seen: Option<f64>,
}

impl Mmd {
    pub fn new(config: &MmdConfig) -> Self {
        Mmd { config: config.clone(), seen: None }
    }

    /// Adds `weight B MMD^2 scale` to the loss: for each text of the batch as much as the estimate. One text has none.
    /// Returns the divergence of the posteriors.
    pub fn loss(&mut self, tape: &mut Tape, code: Code, scale: f32, rng: &mut impl Rng) -> f64 {
        let (rows, dim) = tape.shape(code.z);
        let draws = init::normal(rows * dim, 1.0, rng);
        if rows < 2 {
            return divergence(tape, code);
        }
        let mut found = discrepancy(self.config.kernel, tape.value(code.z), &draws, dim);
        let factor = self.config.weight * rows as f32 * scale;
        found.gradient.iter_mut().for_each(|g| *g *= factor);
        tape.custom_loss(code.z, f64::from(factor) * found.value, &found.gradient);
        self.seen = Some(found.value);
        divergence(tape, code)
    }

    /// `mmd`: the estimate of MMD^2 on the last batch.
    pub fn figures(&self) -> Figures {
        self.seen.map(|mmd| ("mmd", mmd)).into_iter().collect()
    }
}

/// An estimate of MMD^2 and its gradient for the first sample.
pub(crate) struct Discrepancy {
    pub(crate) value: f64,
    /// (B, Z).
    pub(crate) gradient: Vec<f32>,
}

/// What one row z_i gives to the sums.
struct Row {
    /// `sum_(j != i) k(z_i, z_j)`, the same of p, and `sum_j k(z_i, p_j)`.
    sums: [f64; 3],
    /// The gradient of the estimate for z_i.
    gradient: Vec<f32>,
}

/// The estimate for z and p (B, Z) each, B at least 2.
pub(crate) fn discrepancy(kernel: Kernel, z: &[f32], p: &[f32], dim: usize) -> Discrepancy {
    let n = (z.len() / dim) as f64;
    let (within, across) = (1.0 / (n * (n - 1.0)), 1.0 / (n * n));
    let one = |(i, a): (usize, &[f32])| {
        let (mut sums, mut gradient) = ([0.0; 3], vec![0.0; dim]);
        let b = &p[i * dim..][..dim];
        for (j, (c, d)) in z.chunks_exact(dim).zip(p.chunks_exact(dim)).enumerate() {
            if i != j {
                let (k, slope) = value_and_slope(kernel, squared_distance(a, c), dim);
                sums[0] += k;
                sums[1] += value_and_slope(kernel, squared_distance(b, d), dim).0;
                add_difference(&mut gradient, 4.0 * within * slope, a, c);
            }
            let (k, slope) = value_and_slope(kernel, squared_distance(a, d), dim);
            sums[2] += k;
            add_difference(&mut gradient, -4.0 * across * slope, a, d);
        }
        Row { sums, gradient }
    };
    let rows: Vec<Row> = z.par_chunks_exact(dim).enumerate().map(one).collect();
    let sum = |which: usize| rows.iter().map(|r| r.sums[which]).sum::<f64>();
    let value = within * (sum(0) + sum(1)) - 2.0 * across * sum(2);
    Discrepancy { value, gradient: rows.into_iter().flat_map(|r| r.gradient).collect() }
}

/// The kernel at squared distance `d2`, and its derivative for it.
fn value_and_slope(kernel: Kernel, d2: f64, dim: usize) -> (f64, f64) {
    let mut total = (0.0, 0.0);
    for scale in SCALES {
        let c = 2.0 * dim as f64 * scale;
        let (k, slope) = match kernel {
            Kernel::Imq => (c / (c + d2), -c / (c + d2).powi(2)),
            Kernel::Rbf => ((-d2 / c).exp(), -(-d2 / c).exp() / c),
        };
        total = (total.0 + k, total.1 + slope);
    }
    total
}

/// `|a - b|^2` in eight partial sums, so that it vectorises and still has one order.
fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0f32; 8];
    for (a, b) in a.iter().zip(b) {
        for l in 0..8 {
            sums[l] += (a[l] - b[l]) * (a[l] - b[l]);
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    sums.iter().map(|&s| f64::from(s)).sum::<f64>() + rest
}

/// `gradient += factor (a - b)`.
fn add_difference(gradient: &mut [f32], factor: f64, a: &[f32], b: &[f32]) {
    let factor = factor as f32;
    gradient.iter_mut().zip(a.iter().zip(b)).for_each(|(g, (a, b))| *g += factor * (a - b));
}

#[cfg(test)]
mod tests {
    use strait_engine::Params;

    use super::*;
    use crate::objective::testing::{check_gradients, numbers, rng};

    const KERNELS: [Kernel; 2] = [Kernel::Imq, Kernel::Rbf];

    fn normal(n: usize, seed: u64) -> Vec<f32> {
        init::normal(n, 1.0, &mut rng(seed))
    }

    #[test]
    fn by_hand() {
        // z = {0, 1}, p = {0, 2} in one dimension: squared distances 1 within z, 4 within p, 0, 4, 1, 1 across.
        let k = |d2: f64| SCALES.iter().map(|s| 2.0 * s / (2.0 * s + d2)).sum::<f64>();
        let expected = k(1.0) + k(4.0) - 0.5 * (k(0.0) + k(4.0) + 2.0 * k(1.0));
        let found = discrepancy(Kernel::Imq, &[0.0, 1.0], &[0.0, 2.0], 1);
        assert!((found.value - expected).abs() < 1e-12, "{} {expected}", found.value);
        assert!((k(0.0) - 7.0).abs() < 1e-12);
        let (k, slope) = value_and_slope(Kernel::Rbf, 0.0, 1);
        let slopes: f64 = SCALES.iter().map(|s| -0.5 / s).sum();
        assert!((k - 7.0).abs() < 1e-12 && (slope - slopes).abs() < 1e-12);
    }

    #[test]
    fn gradients() {
        for kernel in KERNELS {
            let z = numbers(6 * 10, 1);
            let mut mmd = Mmd::new(&MmdConfig { weight: 30.0, kernel });
            check_gradients(&mut Params::new(), &[(&z, (6, 10))], &mut |tape, _, v| {
                let code = Code { z: v[0], mean: v[0], log_variance: None };
                mmd.loss(tape, code, 0.5, &mut rng(7));
            });
        }
    }

    #[test]
    fn equal_distributions_have_none_on_average_and_others_have_some() {
        for kernel in KERNELS {
            let mean = |change: &dyn Fn(f32) -> f32| {
                let one = |seed: u64| {
                    let z: Vec<f32> = normal(40 * 6, 2 * seed).into_iter().map(change).collect();
                    discrepancy(kernel, &z, &normal(40 * 6, 2 * seed + 1), 6).value
                };
                (0..60).map(one).sum::<f64>() / 60.0
            };
            let none = mean(&|x| x);
            assert!(none.abs() < 4e-3, "{kernel:?} {none}");
            for (what, some) in
                [("shifted", mean(&|x| x + 0.5)), ("narrow", mean(&|x| 0.5 * x)), ("wide", mean(&|x| 2.0 * x))]
            {
                assert!(some > 0.05, "{kernel:?} {what}: {some}");
            }
        }
    }

    #[test]
    fn descent_brings_moments_to_those_of_the_normal() {
        let mut z: Vec<f32> = normal(100 * 4, 1).into_iter().map(|x| 0.3 * x + 2.0).collect();
        for step in 0..400 {
            let found = discrepancy(Kernel::Imq, &z, &normal(100 * 4, 10 + step), 4);
            z.iter_mut().zip(&found.gradient).for_each(|(z, g)| *z -= 25.0 * g);
        }
        let mean = z.iter().sum::<f32>() / 400.0;
        let variance = z.iter().map(|z| (z - mean).powi(2)).sum::<f32>() / 400.0;
        assert!(mean.abs() < 0.1 && (variance - 1.0).abs() < 0.25, "{mean} {variance}");
    }

    #[test]
    fn one_text_costs_nothing() {
        let mut tape = Tape::new();
        let z = tape.variable(&[1.0, 2.0], (1, 2));
        let mut mmd = Mmd::new(&MmdConfig::default());
        mmd.loss(&mut tape, Code { z, mean: z, log_variance: None }, 1.0, &mut rng(1));
        assert!(tape.loss() == 0.0 && mmd.figures().is_empty());
    }
}
