//! Whether draws from the prior lie where texts lie: a classifier that cannot tell them apart has an AUC of 0.5.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use strait_eval::Spread;
use strait_model::{
    latent::Posterior,
    prior::{Prior, two_sample_auc},
};

use crate::EvaluateError;

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

/// Compares the fitted prior, and N(0, I) where there is a posterior, with latents of held-out texts: a draw from each
/// posterior, as the prior was fitted to. Last, halves of the latents with each other, which shows the noise of the
/// measure.
pub(crate) fn prior_fit(prior: &Prior, posterior: &Posterior, seeds: &[u64]) -> Result<Vec<PriorFit>, EvaluateError> {
    let dim = prior.dim();
    let n = posterior.mean.len() / dim.max(1);
    if n < 2 * LEAST {
        return Ok(Vec::new());
    }
    let of_prior = |prior: &Prior, name: &str| {
        let sets = |rng: &mut ChaCha8Rng| (prior.sample_many(n, rng), posterior.draw(rng));
        compare(format!("draws of {name}, latents of held-out texts"), (n, dim), seeds, sets)
    };
    // Every other latent and the rest: the order of the file does not tell them apart.
    let halves = |rng: &mut ChaCha8Rng| {
        let latents = posterior.draw(rng);
        let half = |first: usize| latents.chunks_exact(dim).skip(first).step_by(2).flatten().copied().collect();
        (half(0), half(1))
    };
    let standard = Prior::standard_normal(dim);
    let mut fits = vec![of_prior(prior, "the fitted prior")?];
    if posterior.log_variance.is_some() && *prior != standard {
        fits.push(of_prior(&standard, "N(0, I)")?);
    }
    fits.push(compare("two halves of those latents: the noise of the measure".into(), (n / 2, dim), seeds, halves)?);
    Ok(fits)
}

fn compare(
    compared: String,
    (n, dim): (usize, usize),
    seeds: &[u64],
    sets: impl Fn(&mut ChaCha8Rng) -> (Vec<f32>, Vec<f32>),
) -> Result<PriorFit, EvaluateError> {
    let auc = seeds.iter().map(|&seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(3);
        let (a, b) = sets(&mut rng);
        two_sample_auc(&a, &b, dim, seed)
    });
    let auc: Vec<f64> = auc.collect::<Result<_, _>>()?;
    Ok(PriorFit { compared, n, auc: Spread::new(&auc) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prior_that_fits_is_not_told_apart_and_one_beside_is() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let prior = Prior::standard_normal(2);
        let mean = prior.sample_many(600, &mut rng);
        let right = Posterior { mean: mean.clone(), log_variance: None };
        let fits = prior_fit(&prior, &right, &[1, 2]).expect("finite latents");
        assert_eq!(fits.len(), 2);
        assert!(fits.iter().all(|f| (f.auc.mean - 0.5).abs() < 0.1), "{fits:?}");
        // Means of variance 1 and noise of variance 3 around them: together told apart from variance 1.
        let wide = Posterior { mean, log_variance: Some(vec![3.0f32.ln(); 1200]) };
        let fits = prior_fit(&prior, &wide, &[1, 2]).expect("finite latents");
        assert_eq!((fits.len(), fits[0].n, fits[1].n), (2, 600, 300)); // the fitted prior is N(0, I)
        assert!(fits[0].auc.mean > 0.7 && (fits[1].auc.mean - 0.5).abs() < 0.1, "{fits:?}");
    }

    #[test]
    fn too_few_latents_are_not_compared() {
        let few = Posterior { mean: vec![0.0; 20], log_variance: None };
        assert!(prior_fit(&Prior::standard_normal(2), &few, &[1]).expect("nothing to do").is_empty());
    }
}
