//! Whether draws from the prior lie where texts lie: a classifier that cannot tell them apart has an AUC of 0.5.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use strait_eval::Spread;
use strait_model::{
    latent::Posterior,
    prior::{Prior, two_sample_auc},
};

use crate::{EvaluateError, diagonal::Diagonal};

/// Fewest vectors of a set; see [`two_sample_auc`].
const LEAST: usize = 20;

/// How well a prior's draws can be told from encoded held-out texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PriorFit {
    /// What was compared.
    pub compared: String,
    /// Vectors of each set.
    pub n: usize,
    /// Area under the curve over the seeds: 0.5 alike, 1 told apart.
    pub auc: Spread,
}

/// Compares the fitted prior, and N(0, I) where there is a posterior, with the latents of held-out texts; last, halves
/// of the latents with each other, which shows the noise of the measure.
pub(crate) fn prior_fit(prior: &Prior, posterior: &Posterior, seeds: &[u64]) -> Result<Vec<PriorFit>, EvaluateError> {
    let dim = prior.dim();
    let n = posterior.mean.len() / dim.max(1);
    if n < 2 * LEAST {
        return Ok(Vec::new());
    }
    let mut fits = vec![compare(
        "draws of the fitted prior, latents of held-out texts",
        n,
        seeds,
        |rng| (prior.sample_many(n, rng), posterior.mean.clone()),
        dim,
    )?];
    if let Some(log_variance) = &posterior.log_variance {
        let standard = Prior::standard_normal(dim);
        let draws = |rng: &mut ChaCha8Rng| {
            let mut out = Vec::with_capacity(n * dim);
            for (mean, log_variance) in posterior.mean.chunks_exact(dim).zip(log_variance.chunks_exact(dim)) {
                Diagonal { mean, log_variance }.draw(rng, &mut out);
            }
            out
        };
        fits.push(compare(
            "draws of N(0, I), draws of the posteriors",
            n,
            seeds,
            |rng| (standard.sample_many(n, rng), draws(rng)),
            dim,
        )?);
    }
    // Two interleaved halves: an ordered file does not tell them apart.
    let half = |first: usize| -> Vec<f32> {
        posterior.mean.chunks_exact(dim).skip(first).step_by(2).flatten().copied().collect()
    };
    fits.push(compare(
        "noise of the measure: every other latent, the rest",
        n / 2,
        seeds,
        |_| (half(0), half(1)),
        dim,
    )?);
    Ok(fits)
}

fn compare(
    compared: &str,
    n: usize,
    seeds: &[u64],
    sets: impl Fn(&mut ChaCha8Rng) -> (Vec<f32>, Vec<f32>),
    dim: usize,
) -> Result<PriorFit, EvaluateError> {
    let auc = seeds.iter().map(|&seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(3);
        let (a, b) = sets(&mut rng);
        two_sample_auc(&a, &b, dim, seed)
    });
    let auc: Vec<f64> = auc.collect::<Result<_, _>>()?;
    Ok(PriorFit { compared: compared.into(), n, auc: Spread::new(&auc) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prior_that_fits_is_not_told_apart_and_one_beside_is() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mean = Prior::standard_normal(2).sample_many(600, &mut rng);
        let right = Posterior { mean: mean.clone(), log_variance: None };
        let wrong = Posterior { mean: mean.iter().map(|v| v + 4.0).collect(), log_variance: Some(vec![-2.0; 1200]) };
        let prior = Prior::standard_normal(2);
        let fits = prior_fit(&prior, &right, &[1, 2]).expect("finite latents");
        assert_eq!(fits.len(), 2);
        assert!(fits.iter().all(|f| (f.auc.mean - 0.5).abs() < 0.1), "{fits:?}");
        let fits = prior_fit(&prior, &wrong, &[1, 2]).expect("finite latents");
        assert_eq!((fits.len(), fits[0].n), (3, 600));
        assert!(fits[0].auc.mean > 0.95 && fits[1].auc.mean > 0.95, "{fits:?}");
    }

    #[test]
    fn too_few_latents_are_not_compared() {
        let few = Posterior { mean: vec![0.0; 20], log_variance: None };
        assert!(prior_fit(&Prior::standard_normal(2), &few, &[1]).expect("nothing to do").is_empty());
    }
}
