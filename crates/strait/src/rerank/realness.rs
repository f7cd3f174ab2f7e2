//! How real a candidate looks to the discriminator that its language model was trained against: the logit that it is a
//! text of the corpus (discriminator rejection sampling in its simplest form: the best of k).

use super::{Candidates, Score};
use crate::{Error, Model};

/// See the module.
pub struct Realness {
    model: Model,
}

impl Realness {
    /// By the model's own discriminator.
    ///
    /// # Errors
    /// If it has none that judges texts.
    pub fn new(model: &Model) -> Result<Self, Error> {
        match model.model.realness(&[]) {
            Some(_) => Ok(Realness { model: model.copy() }),
            None => Err(Error::NoDiscriminator),
        }
    }
}

impl Score for Realness {
    fn score(&mut self, candidates: &Candidates) -> Result<Vec<f64>, Error> {
        let ids = self.model.tokenizer.encode_batch(&candidates.texts);
        self.model.model.realness(&ids).ok_or(Error::NoDiscriminator)
    }
}
