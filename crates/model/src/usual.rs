//! How odd texts are that a model was not trained on: what other texts are held against (`usual.json`).

use serde::{Deserialize, Serialize};

use crate::{
    Autoencoder,
    prior::{Prior, PriorError},
};

/// Scores of texts that are usual, one a text.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usual {
    /// Nats that a token costs given the text's own latent (a language model: alone), the end included.
    pub nats_per_token: Vec<f64>,
    /// Log density of the latent under the prior; empty where there is none.
    pub log_density: Vec<f64>,
}

impl Usual {
    /// Scores texts, given as ids.
    ///
    /// # Errors
    /// If a latent is not finite.
    pub fn measure<T: AsRef<[u32]>>(model: &mut Autoencoder, prior: &Prior, texts: &[T]) -> Result<Self, PriorError> {
        let latents = model.encode(texts);
        let mut nats = Vec::new();
        model.score_from(texts, &latents, &mut nats);
        let tokens = |text: &T| (text.as_ref().len() + 1) as f64;
        Ok(Usual {
            nats_per_token: nats.iter().zip(texts).map(|(nats, text)| nats / tokens(text)).collect(),
            log_density: match model.latent_size() > 0 && prior.has_density() {
                true => prior.log_densities(&latents)?,
                false => Vec::new(),
            },
        })
    }

    /// Whether it holds scores that go together.
    pub fn is_sound(&self) -> bool {
        let sizes = [0, self.nats_per_token.len()];
        let finite = self.nats_per_token.iter().chain(&self.log_density).all(|score| score.is_finite());
        finite && sizes[1] > 0 && sizes.contains(&self.log_density.len())
    }
}
