//! Whether a candidate leads back to where it came from: minus the squared distance of z and `encode(x)`.

use super::{Candidates, Score};
use crate::{Error, Model};

/// See the module.
pub struct Verification {
    model: Model,
}

impl Verification {
    /// By a model that encodes texts.
    ///
    /// # Errors
    /// If it does not.
    pub fn new(model: &Model) -> Result<Self, Error> {
        model.needs_encoder()?;
        Ok(Verification { model: model.copy() })
    }
}

impl Score for Verification {
    fn score(&mut self, candidates: &Candidates) -> Result<Vec<f64>, Error> {
        let back = self.model.encode(&candidates.texts);
        let distance = |i: usize| {
            let pairs = back.row(i).iter().zip(candidates.latents.row(i / candidates.each));
            pairs.map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>()
        };
        Ok((0..candidates.texts.len()).map(|i| -distance(i)).collect())
    }
}
