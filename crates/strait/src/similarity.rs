//! How alike two texts are to a model.

use serde::Serialize;
use strait_latent::{correlation::cosine, matrix::squared_distance};

use crate::{Error, Latents, Model, TextEncoder};

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
    /// How alike two texts are to whatever encodes them.
    ///
    /// # Errors
    /// [`Error::NoLatents`] for a language model; if a latent is not finite, as those of a damaged model.
    pub fn new(encoder: &dyn TextEncoder, a: &str, b: &str) -> Result<Self, Error> {
        let latents = encoder.latents(&[a, b])?;
        let distance = apart(&latents, 0, 1);
        let of_usual = encoder.usual_distance().map(|usual| distance / usual);
        Ok(Similarity { cosine: cosine(latents.row(0), latents.row(1))?, distance, of_usual })
    }
}

impl Model {
    /// How alike two texts are.
    ///
    /// # Errors
    /// As [`Similarity::new`].
    pub fn similarity(&self, a: &str, b: &str) -> Result<Similarity, Error> {
        Similarity::new(self, a, b)
    }

    /// The mean distance of two draws from the prior.
    pub(crate) fn mean_distance(&self) -> f64 {
        let draws = self.draw(2 * PAIRS, 1);
        (0..PAIRS).map(|i| apart(&draws, 2 * i, 2 * i + 1)).sum::<f64>() / PAIRS as f64
    }
}

fn apart(latents: &Latents, i: usize, j: usize) -> f64 {
    f64::from(squared_distance(latents.row(i), latents.row(j))).sqrt()
}
