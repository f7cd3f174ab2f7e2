//! What the model gives held-out texts: `-log p(x)`.
//!
//! A language model's is exact. An autoencoder's whose latent has a posterior is bounded from above by importance
//! sampling, see [`importance`](crate::importance), under N(0, I) and under the prior that was fitted afterwards.
//! Deterministic, quantised and adversarial autoencoders define none; how well texts come back given their latent is a
//! figure of reconstruction, whatever its unit.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use strait_model::{
    Recipe,
    config::{BagOutput, LatentKind, NetworkKind, RegulariserConfig},
    prior::Prior,
};

use crate::{
    EvaluateError,
    counts::{Counts, Rate},
    diagonal::Diagonal,
    importance::{effective_draws, estimate, sizes},
    material::Material,
    request::{Hear, Progress, Subject, places},
};

/// Rows that are scored together at least, where texts have fewer draws.
const ROWS: usize = 512;

/// What the model gives held-out texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Likelihood {
    /// A language model's, exact.
    Exact {
        counts: Counts,
        #[serde(flatten)]
        rate: Rate,
    },
    /// Upper bounds on the cost by importance sampling.
    ImportanceWeighted(ImportanceWeighted),
    /// There is none; `reason` is a sentence.
    None { reason: String },
}

/// Upper bounds on the cost of texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportanceWeighted {
    /// The texts estimated, of how many.
    pub counts: Counts,
    pub of: usize,
    /// Seed of the draws.
    pub seed: u64,
    /// Whether training minimised the bound; otherwise it may be loose.
    pub trained_for_it: bool,
    /// Under N(0, I), and under the fitted prior if that is another.
    pub priors: Vec<UnderPrior>,
}

/// The bounds under one prior.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnderPrior {
    /// What it is.
    pub prior: String,
    /// By rising number of draws; the first is minus the evidence lower bound.
    pub bounds: Vec<Bound>,
    /// Nats per text from the evidence lower bound to the bound with most draws.
    pub gap: f64,
    /// Of the most draws, as many as equal weights would be worth as much, on average over the texts: near 1 means that
    /// more draws would lower the bound further.
    pub effective_draws: f64,
}

/// An upper bound with so many draws.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bound {
    /// S.
    pub draws: usize,
    #[serde(flatten)]
    pub rate: Rate,
    /// Standard error of `nats_per_text` over other draws of the same texts.
    pub monte_carlo_error: f64,
}

/// Measures it; `importance` draws for each of at most `most` texts.
pub(crate) fn likelihood(
    subject: &mut Subject<'_>,
    material: &Material<'_>,
    (importance, most): (usize, usize),
    seed: u64,
    hear: Hear<'_>,
) -> Result<Likelihood, EvaluateError> {
    let recipe = subject.model.recipe().clone();
    if recipe.is_language_model() {
        let mut nats = Vec::new();
        subject.model.score(&material.ids, &mut nats);
        finite(&nats, |i| i)?;
        let counts = material.counts(subject.tokenizer);
        return Ok(Likelihood::Exact { rate: counts.rate(&nats), counts });
    }
    if let Some(reason) = why_none(&recipe) {
        return Ok(Likelihood::None { reason: reason.into() });
    }
    let chosen: Vec<usize> = places(material.ids.len(), most).collect();
    let part = material.part(&chosen);
    let costs = Costs::measure(subject, &part, importance, seed, hear)?;
    finite(&costs.of_first(), |i| chosen[i])?;
    let counts = part.counts(subject.tokenizer);
    Ok(Likelihood::ImportanceWeighted(ImportanceWeighted {
        of: material.ids.len(),
        seed,
        trained_for_it: matches!(recipe.objective.regulariser, RegulariserConfig::Kl(_)),
        priors: costs.report(&counts),
        counts,
    }))
}

/// Why a recipe's models define no likelihood.
fn why_none(recipe: &Recipe) -> Option<&'static str> {
    match (&recipe.latent.kind, &recipe.objective.regulariser) {
        (LatentKind::Point, _) => Some("the latent is a point: the model defines no distribution over texts"),
        (LatentKind::Quantised, _) => Some("the latent is a code: the model defines no distribution over codes"),
        (_, RegulariserConfig::Adversarial(_) | RegulariserConfig::Arae(_)) => {
            Some("it was trained against an adversary, not for a likelihood: a bound would say little")
        }
        _ if !gives_probabilities(recipe) => Some("the decoder gives no probabilities of tokens"),
        _ => None,
    }
}

/// Whether a recipe's decoder gives probabilities, not only scores.
pub(crate) fn gives_probabilities(recipe: &Recipe) -> bool {
    !(recipe.decoder.kind == NetworkKind::Bag && recipe.decoder.output == BagOutput::Mse)
}

/// Refuses a cost that is no number; `place` finds the text among all.
fn finite(nats: &[f64], place: impl Fn(usize) -> usize) -> Result<(), EvaluateError> {
    match nats.iter().position(|x| !x.is_finite()) {
        Some(i) => Err(EvaluateError::NotFinite { text: place(i) + 1 }),
        None => Ok(()),
    }
}

/// The costs of texts for each prior and each number of draws.
struct Costs {
    sizes: Vec<usize>,
    priors: Vec<PriorCosts>,
}

struct PriorCosts {
    prior: Prior,
    /// For each size, (nats of each text, their variances over draws).
    by_size: Vec<(Vec<f64>, Vec<f64>)>,
    effective: Vec<f64>,
}

impl Costs {
    fn measure(
        subject: &mut Subject<'_>,
        part: &Material<'_>,
        draws: usize,
        seed: u64,
        hear: Hear<'_>,
    ) -> Result<Self, EvaluateError> {
        let z = subject.model.latent_size();
        let mut costs = Costs::new(sizes(draws), subject.prior);
        let posterior = subject.model.posterior(&part.ids);
        let Some(log_variance) = &posterior.log_variance else { return Ok(costs) };
        let together = ROWS.div_ceil(draws);
        let (mut latents, mut nats) = (Vec::new(), Vec::new());
        for first in (0..part.ids.len()).step_by(together) {
            let range = first..(first + together).min(part.ids.len());
            hear(Progress { part: "likelihood", done: first, of: part.ids.len() });
            let of =
                |i: usize| Diagonal { mean: &posterior.mean[i * z..][..z], log_variance: &log_variance[i * z..][..z] };
            latents.clear();
            for i in range.clone() {
                // A text's draws do not depend on the other texts.
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(i as u64);
                (0..draws).for_each(|_| of(i).draw(&mut rng, &mut latents));
            }
            let texts: Vec<&[u32]> = range.clone().flat_map(|i| std::iter::repeat_n(part.ids[i], draws)).collect();
            subject.model.score_from(&texts, &latents, &mut nats);
            for (at, i) in range.enumerate() {
                let (latents, nats) = (&latents[at * draws * z..][..draws * z], &nats[at * draws..][..draws]);
                let given: Vec<f64> =
                    latents.chunks_exact(z).zip(nats).map(|(row, nats)| -nats - of(i).log_density(row)).collect();
                costs.add(latents, &given)?;
            }
        }
        Ok(costs)
    }

    /// Nothing measured yet; `fitted` is the prior fitted after training.
    fn new(sizes: Vec<usize>, fitted: &Prior) -> Self {
        let standard = Prior::standard_normal(fitted.dim());
        let all = if *fitted == standard { vec![standard] } else { vec![standard, fitted.clone()] };
        let empty =
            |prior| PriorCosts { prior, by_size: vec![(Vec::new(), Vec::new()); sizes.len()], effective: Vec::new() };
        Costs { priors: all.into_iter().map(empty).collect(), sizes }
    }

    /// Takes up a text's draws (S, Z) and `log p(x|z) - log q(z|x)` of each (S).
    fn add(&mut self, latents: &[f32], given: &[f64]) -> Result<(), EvaluateError> {
        for costs in &mut self.priors {
            let prior = costs.prior.log_densities(latents)?;
            let weights: Vec<f64> = given.iter().zip(prior).map(|(g, p)| g + p).collect();
            costs.effective.push(effective_draws(&weights));
            for (&size, (nats, variances)) in self.sizes.iter().zip(&mut costs.by_size) {
                let (cost, variance) = estimate(&weights, size);
                nats.push(cost);
                variances.push(variance);
            }
        }
        Ok(())
    }

    /// The nats of each text for the first prior with most draws.
    fn of_first(&self) -> Vec<f64> {
        self.priors.first().and_then(|p| p.by_size.last()).map(|b| b.0.clone()).unwrap_or_default()
    }

    fn report(self, counts: &Counts) -> Vec<UnderPrior> {
        let n = counts.texts.max(1) as f64;
        let bounds = |by_size: &[(Vec<f64>, Vec<f64>)]| -> Vec<Bound> {
            let each = self.sizes.iter().zip(by_size);
            each.map(|(&draws, (nats, variances))| Bound {
                draws,
                rate: counts.rate(nats),
                monte_carlo_error: variances.iter().sum::<f64>().sqrt() / n,
            })
            .collect()
        };
        let report = |costs: &PriorCosts| {
            let bounds = bounds(&costs.by_size);
            let ends = bounds.first().zip(bounds.last());
            UnderPrior {
                prior: name(&costs.prior),
                gap: ends.map_or(0.0, |(first, last)| first.rate.nats_per_text - last.rate.nats_per_text),
                effective_draws: costs.effective.iter().sum::<f64>() / n,
                bounds,
            }
        };
        self.priors.iter().map(report).collect()
    }
}

fn name(prior: &Prior) -> String {
    match prior {
        Prior::StandardNormal(_) => "N(0, I)".into(),
        fitted => format!("fitted: {}", fitted.describe()),
    }
}

#[cfg(test)]
mod tests {
    use strait_eval::Unit;

    use super::*;
    use crate::{
        log_space::log_sum_exp,
        testing::{Whole, language_model, texts, variational},
    };

    fn measured(whole: &mut Whole, texts: &[String], importance: usize) -> Likelihood {
        let ids = whole.tokenizer.encode_batch(texts);
        let material = Material::new(texts, &ids, Unit::Words);
        likelihood(&mut whole.subject(), &material, (importance, 1000), 1, &mut |_| {}).expect("finite numbers")
    }

    /// `-log of the integral of p(x|z) N(z; 0, 1) dz` over one dimension, by the trapezoid rule.
    fn exact(whole: &mut Whole, text: &str) -> f64 {
        let ids = whole.tokenizer.encode(text);
        let grid: Vec<f32> = (-700..=700).map(|i| i as f32 * 0.01).collect();
        let (all, mut nats) = (vec![&ids[..]; grid.len()], Vec::new());
        whole.model.score_from(&all, &grid, &mut nats);
        let prior = Prior::standard_normal(1);
        let logs: Vec<f64> = grid.iter().zip(nats).map(|(z, nats)| prior.log_density(&[*z]) - nats).collect();
        -(log_sum_exp(&logs) + 0.01f64.ln())
    }

    #[test]
    fn the_bounds_of_an_autoencoder_fall_to_the_integral_over_its_latent() {
        let mut whole = Whole::new(&variational(1), 60);
        let texts = texts(20);
        let exact = texts.iter().map(|t| exact(&mut whole, t)).sum::<f64>() / 20.0;
        let Likelihood::ImportanceWeighted(bounds) = measured(&mut whole, &texts, 500) else { panic!("it has some") };
        assert_eq!((bounds.priors.len(), bounds.of, bounds.counts.texts), (1, 20, 20)); // its prior is N(0, I)
        let costs: Vec<f64> = bounds.priors[0].bounds.iter().map(|b| b.rate.nats_per_text).collect();
        assert!(costs[0] > costs[1] && costs[1] > costs[2], "{costs:?}");
        assert!((costs[2] - exact).abs() < 0.01 && costs[0] > exact + 0.001, "{costs:?} {exact}");
        // The evidence lower bound is what training and validation report.
        let mut each = Vec::new();
        let ids = whole.tokenizer.encode_batch(&texts);
        let bound = whole.model.score(&ids, &mut each).bound() / 20.0;
        assert!((costs[0] - bound).abs() < 1.0, "{costs:?} {bound}");
    }

    #[test]
    fn a_language_model_is_exact() {
        let mut whole = Whole::new(&language_model(), 20);
        let texts = texts(25);
        let Likelihood::Exact { rate, counts } = measured(&mut whole, &texts, 500) else { panic!("it is exact") };
        let ids = whole.tokenizer.encode_batch(&texts);
        let total = whole.model.score(&ids, &mut Vec::new());
        assert!((rate.nats_per_text - total.nats / 25.0).abs() < 1e-6);
        // A word is a token here, so that the perplexity is that of the tokens.
        assert!((rate.word_perplexity - (total.nats / total.tokens as f64).exp()).abs() < 1e-6);
        assert_eq!((counts.texts, counts.words_and_ends), (25, total.tokens));
    }

    #[test]
    fn a_point_has_none_and_says_why() {
        let mut recipe = variational(2);
        recipe.latent.kind = LatentKind::Point;
        recipe.objective.regulariser = RegulariserConfig::None;
        let Likelihood::None { reason } = measured(&mut Whole::new(&recipe, 1), &texts(20), 5) else { panic!("none") };
        assert!(reason.contains("point"));
        recipe.latent.kind = LatentKind::Gaussian;
        recipe.objective.regulariser = RegulariserConfig::Adversarial(Default::default());
        assert!(why_none(&recipe).is_some_and(|why| why.contains("adversary")));
    }

    #[test]
    fn a_damaged_model_is_named() {
        let mut whole = Whole::new(&language_model(), 1);
        let (id, n) = whole.model.params.iter().map(|(id, p)| (id, p.value().len())).next().expect("weights");
        whole.model.params.assign(id, &vec![f32::NAN; n]);
        let texts = texts(20);
        let ids = whole.tokenizer.encode_batch(&texts);
        let material = Material::new(&texts, &ids, Unit::Words);
        let error = likelihood(&mut whole.subject(), &material, (5, 5), 1, &mut |_| {}).expect_err("not finite");
        assert!(error.to_string().contains("text 1"), "{error}");
    }
}
