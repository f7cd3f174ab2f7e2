//! How much of a text its latent carries.
//!
//! ```text
//! I(x; z)  =  E KL(q(z|x) || p(z))  -  KL(q(z) || p(z))  =  E log q(z|x) / q(z)
//! ```
//!
//! (Hoffman and Johnson 2016) with `q(z) = 1/N sum_n q(z|x_n)` over all N texts at once, not over a minibatch, and one
//! draw from each posterior. The estimate cannot exceed `ln N`: a latent that tells every text from every other gives
//! exactly that. A dimension is active when the posterior's mean varies over the texts by more than 0.01 (Burda et al.
//! 2016).

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use strait_eval::Spread;
use strait_model::latent::Posterior;

use crate::request::{Hear, Progress};

/// Texts below which the aggregate posterior says little.
pub const ENOUGH: usize = 5000;
/// Texts that are compared with each other at most.
pub(crate) const MOST: usize = 10_000;

/// Use of the latent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LatentUse {
    /// Which texts.
    pub texts: String,
    /// Number of texts.
    pub n: usize,
    /// Dimensions, Z, and how many of them are active.
    pub dimensions: usize,
    pub active_units: usize,
    /// Variance of each dimension's mean, the largest first, (Z).
    pub variances: Vec<f64>,
    /// Where the latent has a posterior.
    pub posterior: Option<PosteriorUse>,
}

/// What the posterior carries, in nats per text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PosteriorUse {
    /// `KL(q(z|x) || N(0, I))`, in closed form.
    pub divergence: f64,
    /// I(x; z) over the seeds of the draws.
    pub mutual_information: Spread,
    /// `KL(q(z) || N(0, I))`: the divergence less the mutual information.
    pub aggregate_divergence: Spread,
    /// `ln N`: the mutual information cannot be told above it.
    pub cap: f64,
}

impl LatentUse {
    /// Measures the posteriors of texts, each over Z dimensions.
    pub(crate) fn new(texts: &str, posterior: &Posterior, dim: usize, seeds: &[u64], hear: Hear<'_>) -> Self {
        let mut variances = posterior.mean_variances(dim);
        variances.sort_by(|a, b| b.total_cmp(a));
        LatentUse {
            texts: texts.into(),
            n: posterior.mean.len() / dim.max(1),
            dimensions: dim,
            active_units: posterior.active_units(dim),
            variances,
            posterior: PosteriorUse::new(posterior, dim, seeds, hear),
        }
    }
}

impl PosteriorUse {
    fn new(posterior: &Posterior, dim: usize, seeds: &[u64], hear: Hear<'_>) -> Option<Self> {
        let n = posterior.mean.len() / dim.max(1);
        let divergence = posterior.divergences(dim).iter().sum::<f64>() / n.max(1) as f64;
        let information = seeds.iter().enumerate().map(|(i, &seed)| {
            hear(Progress { part: "use of the latent", done: i, of: seeds.len() });
            let z = posterior.draw(&mut ChaCha8Rng::seed_from_u64(seed));
            posterior.mutual_information(&z, dim)
        });
        let information: Vec<f64> = information.collect::<Option<_>>()?;
        let rest: Vec<f64> = information.iter().map(|i| divergence - i).collect();
        Some(PosteriorUse {
            divergence,
            mutual_information: Spread::new(&information),
            aggregate_divergence: Spread::new(&rest),
            cap: (n as f64).ln(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(mean: Vec<f32>, log_variance: Vec<f32>, dim: usize) -> LatentUse {
        let posterior = Posterior { mean, log_variance: Some(log_variance) };
        LatentUse::new("some", &posterior, dim, &[1, 2, 3], &mut |_| {})
    }

    #[test]
    fn identical_posteriors_tell_nothing() {
        let mean: Vec<f32> = std::iter::repeat_n([0.3, -1.0], 50).flatten().collect();
        let seen = report(mean, vec![-0.5; 100], 2);
        let posterior = seen.posterior.expect("it has variances");
        assert!(posterior.mutual_information.mean.abs() < 1e-9, "{posterior:?}");
        assert!(posterior.divergence > 0.1 && seen.active_units == 0);
        assert!((posterior.aggregate_divergence.mean - posterior.divergence).abs() < 1e-9);
    }

    #[test]
    fn well_separated_posteriors_tell_every_text_from_every_other() {
        let mean: Vec<f32> = (0..80).flat_map(|i| [10.0 * i as f32, 0.0]).collect();
        let seen = report(mean, vec![-2.0; 160], 2);
        let posterior = seen.posterior.expect("it has variances");
        assert!((posterior.mutual_information.mean - 80.0f64.ln()).abs() < 1e-9, "{posterior:?}");
        assert_eq!(posterior.cap, 80.0f64.ln());
        assert_eq!((seen.n, seen.dimensions, seen.active_units), (80, 2, 1));
    }

    #[test]
    fn a_gaussian_channel_carries_what_shannon_says() {
        // m ~ N(0, s) and noise of variance v: I = 1/2 ln(1 + s/v), far below the cap.
        let (n, v) = (3000, 0.25f64);
        let mean = strait_model::prior::Prior::standard_normal(1).sample_many(n, &mut ChaCha8Rng::seed_from_u64(5));
        let seen = report(mean, vec![v.ln() as f32; n], 1);
        let (posterior, s) = (seen.posterior.expect("it has variances"), seen.variances[0]);
        let expected = 0.5 * (1.0 + s / v).ln();
        assert!((posterior.mutual_information.mean - expected).abs() < 0.03, "{posterior:?} {expected}");
        // q(z) = N(0, s + v) then: KL from N(0, 1) in closed form.
        let aggregate = 0.5 * (s + v - 1.0 - (s + v).ln());
        assert!((posterior.aggregate_divergence.mean - aggregate).abs() < 0.03, "{posterior:?} {aggregate}");
    }

    #[test]
    fn a_point_has_units_but_no_posterior() {
        let posterior = Posterior { mean: vec![0.0, 1.0, 0.05, -1.0], log_variance: None };
        let seen = LatentUse::new("some", &posterior, 2, &[1], &mut |_| {});
        assert_eq!((seen.active_units, seen.variances[0]), (1, 1.0));
        assert!(seen.posterior.is_none());
    }
}
