//! The importance-weighted estimate of one text's likelihood (Burda et al. 2016).
//!
//! With draws `z_s ~ q(z|x)` and weights `w_s = p(x|z_s) p(z_s) / q(z_s|x)`,
//!
//! ```text
//! -log p(x)  <=  E[-log 1/S sum_s w_s]
//! ```
//!
//! which falls as S grows: S = 1 is the evidence lower bound (as a cost), S to infinity the likelihood. From one set of
//! draws every smaller S is estimated too, as the mean over as many groups of S draws as there are: where S divides
//! the larger one, the estimates fall strictly, as the expectations do.

use crate::log_space::{log_mean_exp, log_sum_exp};

/// The sizes S that a number of draws is reported for: 1, 50, 500, 5000 below it, and itself.
pub(crate) fn sizes(draws: usize) -> Vec<usize> {
    [1, 50, 500, 5000].into_iter().filter(|&s| s < draws).chain([draws]).collect()
}

/// The estimate from groups of `size` of the log weights, and its variance over other draws.
pub(crate) fn estimate(log_weights: &[f64], size: usize) -> (f64, f64) {
    let groups: Vec<&[f64]> = log_weights.chunks_exact(size).collect();
    let n = groups.len() as f64;
    let costs: Vec<f64> = groups.iter().map(|g| -log_mean_exp(g)).collect();
    let mean = costs.iter().sum::<f64>() / n;
    let variance = match groups.len() {
        1 => variance_of_log_mean(groups[0]),
        _ => costs.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / (n - 1.0) / n,
    };
    (mean, variance)
}

/// Of `log 1/S sum_s w_s` to first order: the squared relative error of the mean weight.
fn variance_of_log_mean(log_weights: &[f64]) -> f64 {
    let s = log_weights.len() as f64;
    if s < 2.0 { 0.0 } else { (1.0 / effective_draws(log_weights) - 1.0 / s) * s / (s - 1.0) }
}

/// `(sum_s w_s)^2 / sum_s w_s^2`: as many equal weights would be worth as much.
pub(crate) fn effective_draws(log_weights: &[f64]) -> f64 {
    let doubled: Vec<f64> = log_weights.iter().map(|w| 2.0 * w).collect();
    (2.0 * log_sum_exp(log_weights) - log_sum_exp(&doubled)).exp()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use strait_model::prior::StandardNormal;

    use super::*;
    use crate::diagonal::Diagonal;

    /// z ~ N(0, 1), x = a z + noise of standard deviation s: x ~ N(0, a^2 + s^2), and the posterior is known.
    struct LinearGaussian {
        a: f64,
        s: f64,
        x: f64,
    }

    impl LinearGaussian {
        fn nats(&self) -> f64 {
            let variance = self.a * self.a + self.s * self.s;
            0.5 * (std::f64::consts::TAU * variance).ln() + 0.5 * self.x * self.x / variance
        }
        fn log_weights(&self, q: Diagonal<'_>, draws: usize, seed: u64) -> Vec<f64> {
            let (mut rng, mut z) = (ChaCha8Rng::seed_from_u64(seed), Vec::new());
            (0..draws).for_each(|_| q.draw(&mut rng, &mut z));
            z.chunks(1)
                .map(|z| {
                    let off = (self.x - self.a * f64::from(z[0])) / self.s;
                    let given = -0.5 * off * off - 0.5 * std::f64::consts::TAU.ln() - self.s.ln();
                    given + StandardNormal::new(1).log_density(z) - q.log_density(z)
                })
                .collect()
        }
    }

    const CASE: LinearGaussian = LinearGaussian { a: 2.0, s: 0.5, x: 1.7 };

    #[test]
    fn with_the_exact_posterior_every_draw_gives_the_exact_likelihood() {
        let precision = 1.0 + CASE.a * CASE.a / (CASE.s * CASE.s);
        let mean = CASE.a * CASE.x / (CASE.s * CASE.s) / precision;
        let q = Diagonal { mean: &[mean as f32], log_variance: &[-(precision.ln()) as f32] };
        let weights = CASE.log_weights(q, 50, 1);
        for size in [1, 50] {
            let (nats, variance) = estimate(&weights, size);
            assert!((nats - CASE.nats()).abs() < 1e-5 && variance < 1e-10, "{nats} {variance}");
        }
        assert!((effective_draws(&weights) - 50.0).abs() < 1e-3);
    }

    #[test]
    fn with_a_wrong_posterior_the_bound_falls_to_the_exact_likelihood() {
        let q = Diagonal { mean: &[0.5], log_variance: &[-1.0] };
        let weights = CASE.log_weights(q, 5000, 2);
        let costs: Vec<f64> = sizes(5000).into_iter().map(|s| estimate(&weights, s).0).collect();
        assert_eq!(costs.len(), 4);
        assert!(costs.windows(2).all(|c| c[0] > c[1]), "{costs:?}");
        assert!(costs[0] > CASE.nats() + 1.0, "the bound is far above: {costs:?}");
        assert!((costs[3] - CASE.nats()).abs() < 0.05, "{costs:?} {}", CASE.nats());
        // S = 1: the bound that integrates out in closed form, -E log p(x|z) + KL.
        let q_variance = (-1.0f64).exp();
        let off = CASE.x - CASE.a * 0.5;
        let given = 0.5 * (std::f64::consts::TAU * CASE.s * CASE.s).ln()
            + 0.5 * (off * off + CASE.a * CASE.a * q_variance) / (CASE.s * CASE.s);
        let divergence = 0.5 * (0.25 + q_variance + 1.0 - 1.0);
        assert!((costs[0] - given - divergence).abs() < 0.2, "{costs:?}");
    }

    #[test]
    fn the_error_told_is_that_over_seeds() {
        let q = Diagonal { mean: &[0.6], log_variance: &[-1.0] };
        for (draws, size) in [(200, 200), (200, 20)] {
            let runs: Vec<(f64, f64)> =
                (0..400).map(|seed| estimate(&CASE.log_weights(q, draws, seed), size)).collect();
            let mean = runs.iter().map(|r| r.0).sum::<f64>() / 400.0;
            let variance = runs.iter().map(|r| (r.0 - mean).powi(2)).sum::<f64>() / 399.0;
            let told = runs.iter().map(|r| r.1).sum::<f64>() / 400.0;
            assert!((told / variance).ln().abs() < 0.5, "{size}: {told} {variance}");
        }
    }

    #[test]
    fn sizes_end_with_the_draws() {
        assert_eq!(sizes(500), [1, 50, 500]);
        assert_eq!(sizes(200), [1, 50, 200]);
        assert_eq!(sizes(1), [1]);
        assert_eq!(sizes(5000), [1, 50, 500, 5000]);
    }
}
