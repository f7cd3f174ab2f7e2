//! What the worker needs of a model; tests put others in its place.

use std::sync::{Arc, Mutex, PoisonError};

use strait::{Decoded, Decoding, Error, Latents, Model, Oddness};

/// A model as the worker sees it.
pub trait Engine: Send + Sync + 'static {
    /// Texts to token ids, in order.
    fn tokens(&self, texts: &[String]) -> Vec<Vec<u32>>;
    /// Token ids to latents, in order.
    fn encode(&self, ids: &[&[u32]]) -> Result<Latents, Error>;
    /// Token ids to latents and how odd the texts are, in order.
    fn score(&self, ids: &[&[u32]]) -> Result<(Latents, Vec<Oddness>), Error>;
    /// Latents to texts, each row with a seed of its own.
    fn decode(&self, latents: &Latents, decoding: &Decoding, seeds: &[u64]) -> Result<Vec<Decoded>, Error>;
}

/// A model, and a copy of it for scoring, made when it is first asked for: scoring needs a model to itself.
pub struct Engines {
    model: Arc<Model>,
    scorer: Mutex<Option<Model>>,
}

impl Engines {
    pub fn new(model: Arc<Model>) -> Self {
        Engines { model, scorer: Mutex::default() }
    }
}

impl Engine for Engines {
    fn tokens(&self, texts: &[String]) -> Vec<Vec<u32>> {
        self.model.tokenizer().encode_batch(texts)
    }
    fn encode(&self, ids: &[&[u32]]) -> Result<Latents, Error> {
        self.model.encode_tokens(ids)
    }
    fn score(&self, ids: &[&[u32]]) -> Result<(Latents, Vec<Oddness>), Error> {
        let mut scorer = self.scorer.lock().unwrap_or_else(PoisonError::into_inner);
        scorer.get_or_insert_with(|| self.model.copy()).oddness_tokens(ids)
    }
    fn decode(&self, latents: &Latents, decoding: &Decoding, seeds: &[u64]) -> Result<Vec<Decoded>, Error> {
        self.model.decode_rows(latents, decoding, seeds)
    }
}
