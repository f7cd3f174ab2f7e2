//! Priors that are networks: the generator that the regulariser has learned beside the autoencoder, and a generative
//! adversarial network over the latents, if the recipe asks for one.
//!
//! They have no density, so they meet the best of the fitted priors in a two-sample test: the one whose draws a
//! classifier tells from held-out latents least is kept.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use strait_model::{
    Autoencoder,
    gan::{Gan, GanConfig},
    prior::{Candidate, Fit, Prior, two_sample_auc},
};

use crate::TrainError;

/// Fewest latents that a network is trained on, and fewest held-out ones for the test.
const LEAST_FITTED: usize = 16;
const LEAST_HELD_OUT: usize = 10;

/// The latents of a model: what it was fitted to, and held-out ones (N, Z) and (M, Z).
pub(crate) struct Latents<'a> {
    pub fitted: &'a [f32],
    pub held_out: &'a [f32],
}

/// Lets the model's generators compete with the prior that was chosen by its density; `fit` then holds the winner, and
/// says so.
///
/// # Errors
/// If latents or the numbers of a training are not finite.
pub(crate) fn compete(model: &Autoencoder, fit: &mut Fit, latents: &Latents<'_>, seed: u64) -> Result<(), TrainError> {
    let dim = model.latent_size();
    let mut generators: Vec<(&str, Prior)> =
        model.learned_prior().map(|p| ("learned in training", p)).into_iter().collect();
    let wanted = model.recipe().prior.generator;
    if latents.held_out.len() / dim < LEAST_HELD_OUT || (wanted && latents.fitted.len() / dim < LEAST_FITTED) {
        if wanted || !generators.is_empty() {
            fit.reason += " No generator was tried: too few latents to compare it with.";
        }
        return Ok(());
    }
    if wanted {
        let gan = Gan::train(latents.fitted, dim, &GanConfig::default(), seed, &mut |_| {})?;
        generators.push(("trained on the latents", Prior::Generator(gan.generator)));
    }
    if generators.is_empty() {
        return Ok(());
    }
    let auc = |prior: &Prior| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let draws = prior.sample_many(latents.held_out.len() / dim, &mut rng);
        two_sample_auc(latents.held_out, &draws, dim, seed)
    };
    let mut best = auc(&fit.prior)?;
    fit.reason += &format!(" A classifier tells held-out latents from its draws with AUC {best:.3}");
    for (origin, prior) in generators {
        let found = auc(&prior)?;
        fit.reason += &format!(", from those of the generator {origin} with {found:.3}");
        let chosen = found < best;
        if chosen {
            fit.tried.iter_mut().for_each(|c| c.chosen = false);
        }
        fit.tried.push(Candidate {
            name: format!("generator {origin}"),
            held_out_nats_per_vector: f64::NAN,
            behind_best: f64::NAN,
            behind_best_error: f64::NAN,
            auc: found,
            parameters: prior.parameters(),
            steps: 0,
            chosen,
        });
        if chosen {
            (best, fit.prior) = (found, prior);
        }
    }
    fit.reason += " (.5: not at all); the lowest is kept.";
    Ok(())
}

#[cfg(test)]
mod tests {
    use strait_model::{
        Recipe,
        config::{AraeConfig, RegulariserConfig},
        prior,
    };

    use super::*;

    fn model(recipe: &Recipe) -> Autoencoder {
        Autoencoder::new(recipe, 20, 1)
    }

    fn recipe(arae: bool, generator: bool) -> Recipe {
        let mut r = Recipe::default();
        (r.encoder.embedding, r.encoder.hidden, r.decoder.hidden, r.latent.size) = (8, 8, 8, 2);
        r.prior.generator = generator;
        if arae {
            r.objective.regulariser =
                RegulariserConfig::Arae(AraeConfig { generator: vec![8], critic: vec![8], ..AraeConfig::default() });
        }
        r
    }

    /// A ring, which no Gaussian is.
    fn ring(n: usize) -> Vec<f32> {
        (0..n).flat_map(|i| [(i as f32 * 2.4).cos() * 3.0, (i as f32 * 2.4).sin() * 3.0]).collect()
    }

    fn fitted(latents: &[f32], held_out: &[f32]) -> Fit {
        let budget = prior::Budget { multiply_adds: 0, ..prior::Budget::default() };
        prior::fit(latents, held_out, 2, 1, &budget).unwrap()
    }

    #[test]
    fn a_worse_generator_is_tried_and_not_kept() {
        let (train, held_out) = (ring(400), ring(200));
        let mut fit = fitted(&train, &held_out);
        let before = fit.prior.clone();
        let latents = Latents { fitted: &train, held_out: &held_out };
        // A generator that has learned nothing, around 0.
        compete(&model(&recipe(true, false)), &mut fit, &latents, 1).unwrap();
        let last = fit.tried.last().unwrap();
        assert!(last.auc > 0.5 && !last.chosen && fit.prior == before, "{last:?}");
        assert_eq!(fit.tried.iter().filter(|c| c.chosen).count(), 1);
        assert!(fit.reason.contains("learned in training"), "{}", fit.reason);
    }

    #[test]
    fn without_generators_nothing_changes() {
        let train = ring(100);
        let mut fit = fitted(&train, &train);
        let reason = fit.reason.clone();
        compete(&model(&recipe(false, false)), &mut fit, &Latents { fitted: &train, held_out: &train }, 1).unwrap();
        assert_eq!(fit.reason, reason);
    }

    #[test]
    fn too_few_latents_are_said_to_be() {
        let train = ring(9);
        for (arae, generator) in [(true, false), (false, true)] {
            let mut fit = fitted(&train, &train);
            let latents = Latents { fitted: &train, held_out: &train };
            compete(&model(&recipe(arae, generator)), &mut fit, &latents, 1).unwrap();
            assert!(fit.reason.contains("too few latents"), "{}", fit.reason);
        }
    }
}
