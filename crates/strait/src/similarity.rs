//! How alike two texts are to a model.

use serde::Serialize;
use strait_latent::{correlation::cosine, matrix::squared_distance};

use crate::{Error, Latents, Model};

/// Pairs of draws whose distance is the usual one.
const PAIRS: usize = 500;

/// How alike two latents are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Similarity {
    /// Of the angle between them, 1 for the same direction.
    pub cosine: f64,
    /// Euclidean.
    pub distance: f64,
    /// The distance as a share of the mean distance of two draws from the prior.
    pub of_usual: f64,
}

impl Model {
    /// How alike two texts are.
    ///
    /// # Errors
    /// [`Error::NoLatents`] for a language model; if a latent is not finite, as those of a damaged model.
    pub fn similarity(&self, a: &str, b: &str) -> Result<Similarity, Error> {
        self.needs_latents()?;
        let latents = self.encode(&[a, b]);
        let apart = |l: &Latents, i: usize, j: usize| f64::from(squared_distance(l.row(i), l.row(j))).sqrt();
        let draws = self.draw(2 * PAIRS, 1);
        let usual = (0..PAIRS).map(|i| apart(&draws, 2 * i, 2 * i + 1)).sum::<f64>() / PAIRS as f64;
        let distance = apart(&latents, 0, 1);
        Ok(Similarity { cosine: cosine(latents.row(0), latents.row(1))?, distance, of_usual: distance / usual })
    }
}
