//! How much a candidate tells of its latent: `log p(x|z) - lambda log p(x)` (maximum mutual information, Li et al. 2016,
//! <https://arxiv.org/abs/1510.03055>), with `p(x) = mean over z' of p(x|z')` over latents z' drawn from the prior.
//!
//! What any latent might say scores low, so that a text says what its own latent says.

use super::{Candidates, Score};
use crate::{Error, Model};

/// Latents over which p(x) is a mean: each costs as much as p(x|z).
const DRAWS: usize = 8;
/// The seed of those latents: the same for all texts, whichever part of a whole they are.
const SEED: u64 = 0;

/// See the module.
pub struct Information {
    model: Model,
    weight: f64,
    /// (DRAWS, Z).
    others: Vec<f32>,
}

impl Information {
    /// By a model with latents; `weight` is lambda.
    ///
    /// # Errors
    /// If it has no latents.
    pub fn new(model: &Model, weight: f64) -> Result<Self, Error> {
        model.needs_latents()?;
        Ok(Information { model: model.copy(), weight, others: model.draw(DRAWS, SEED).data().to_vec() })
    }
}

impl Score for Information {
    fn score(&mut self, candidates: &Candidates) -> Result<Vec<f64>, Error> {
        let ids = self.model.tokenizer.encode_batch(&candidates.texts);
        let mut own = Vec::new();
        self.model.model.score_from(&ids, &candidates.own_latents(), &mut own);
        let mut given = Vec::new();
        for other in self.others.chunks_exact(self.model.model.latent_size()) {
            let mut nats = Vec::new();
            self.model.model.score_from(&ids, &other.repeat(ids.len()), &mut nats);
            given.push(nats);
        }
        let marginal = |i: usize| log_mean_exp(given.iter().map(|nats| -nats[i]));
        Ok(own.iter().enumerate().map(|(i, nats)| -nats - self.weight * marginal(i)).collect())
    }
}

/// log of the mean of exp(x).
fn log_mean_exp(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    let (sum, n) = logs.fold((0.0, 0.0), |(sum, n), log| (sum + (log - top).exp(), n + 1.0));
    top + (sum / n).ln()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_mean_in_logs() {
        let mean = super::log_mean_exp([0.2_f64, 0.4, 0.9].map(f64::ln).into_iter());
        assert!((mean - 0.5_f64.ln()).abs() < 1e-12);
        assert!((super::log_mean_exp([-2000.0, -2000.0].into_iter()) + 2000.0).abs() < 1e-9);
    }
}
