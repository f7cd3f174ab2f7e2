//! What the worker needs of a model; tests put others in its place.

use strait::{Decoded, Decoding, Error, Latents, Model};

/// A model as the worker sees it.
pub trait Engine: Send + Sync + 'static {
    /// Texts to token ids, in order.
    fn tokens(&self, texts: &[String]) -> Vec<Vec<u32>>;
    /// Token ids to latents, in order.
    fn encode(&self, ids: &[&[u32]]) -> Result<Latents, Error>;
    /// Latents to texts, each row with a seed of its own.
    fn decode(&self, latents: &Latents, decoding: &Decoding, seeds: &[u64]) -> Result<Vec<Decoded>, Error>;
}

impl Engine for Model {
    fn tokens(&self, texts: &[String]) -> Vec<Vec<u32>> {
        self.tokenizer().encode_batch(texts)
    }
    fn encode(&self, ids: &[&[u32]]) -> Result<Latents, Error> {
        self.encode_tokens(ids)
    }
    fn decode(&self, latents: &Latents, decoding: &Decoding, seeds: &[u64]) -> Result<Vec<Decoded>, Error> {
        self.decode_rows(latents, decoding, seeds)
    }
}
