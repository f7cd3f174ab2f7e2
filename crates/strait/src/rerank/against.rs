//! How much likelier a candidate is to its model than to a language model: `log p(x|z) - lambda log q(x)`.
//!
//! As [`super::Information`], with the marginal of a language model q of the same language.

use super::{Candidates, Score};
use crate::{Error, Model};

/// See the module.
pub struct Against {
    model: Model,
    other: Model,
    weight: f64,
}

impl Against {
    /// By a model and a language model; `weight` is lambda.
    ///
    /// # Errors
    /// If the second is no language model, or the first writes targets for sources.
    pub fn new(model: &Model, other: Model, weight: f64) -> Result<Self, Error> {
        if model.is_seq2seq() {
            return Err(Error::NeedsSources);
        }
        if !other.is_language_model() {
            return Err(Error::NoLanguageModel);
        }
        Ok(Against { model: model.copy(), other, weight })
    }
}

impl Score for Against {
    fn score(&mut self, candidates: &Candidates) -> Result<Vec<f64>, Error> {
        let (mut own, mut other) = (Vec::new(), Vec::new());
        let ids = self.model.tokenizer.encode_batch(&candidates.texts);
        self.model.model.score_from(&ids, &candidates.own_latents(), &mut own);
        self.other.model.score_from(&self.other.tokenizer.encode_batch(&candidates.texts), &[], &mut other);
        Ok(own.iter().zip(&other).map(|(own, other)| self.weight * other - own).collect())
    }
}
