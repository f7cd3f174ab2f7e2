//! How alike two texts are to a model.

use serde::Serialize;
use strait_latent::{correlation::cosine, matrix::squared_distance};

use crate::{Error, Model, TextEncoder};

/// Pairs of draws whose distance is the usual one.
const PAIRS: usize = 500;

/// How alike two latents are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Similarity {
    /// Of the angle between them, 1 for the same direction.
    pub cosine: f64,
    /// Euclidean.
    pub distance: f64,
    /// The distance as a share of the mean distance of two draws from the prior; none without a prior.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_usual: Option<f64>,
}

impl Similarity {
    /// Of two latents; `usual` is the mean distance of two draws from the prior, where there is one
    /// ([`Model::usual_distance`]).
    ///
    /// # Errors
    /// If they have different dimensions, or are not finite.
    pub fn new(a: &[f32], b: &[f32], usual: Option<f64>) -> Result<Self, Error> {
        let distance = apart(a, b);
        Ok(Similarity { cosine: cosine(a, b)?, distance, of_usual: usual.map(|usual| distance / usual) })
    }

    /// How alike two texts are to whatever encodes them.
    ///
    /// # Errors
    /// As [`TextEncoder::latents`]; if a latent is not finite, as those of a damaged model.
    pub fn of_texts(encoder: &dyn TextEncoder, a: &str, b: &str) -> Result<Self, Error> {
        let latents = encoder.latents(&[a, b])?;
        Similarity::new(latents.row(0), latents.row(1), encoder.usual_distance())
    }
}

impl Model {
    /// How alike two texts are.
    ///
    /// # Errors
    /// As [`Similarity::of_texts`].
    pub fn similarity(&self, a: &str, b: &str) -> Result<Similarity, Error> {
        Similarity::of_texts(self, a, b)
    }

    /// The mean distance of two draws from the prior; 0 in a language model.
    pub fn usual_distance(&self) -> f64 {
        let draws = self.draw(2 * PAIRS, 1);
        (0..PAIRS).map(|i| apart(draws.row(2 * i), draws.row(2 * i + 1))).sum::<f64>() / PAIRS as f64
    }
}

fn apart(a: &[f32], b: &[f32]) -> f64 {
    f64::from(squared_distance(a, b)).sqrt()
}
