//! Vectors drawn by a network that has learned others: a generative adversarial network over latents, or over any rows
//! of numbers.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use strait_model::{
    gan::{Gan, GanConfig, GanReport},
    prior::{Prior, two_sample_auc},
};

use crate::{Error, Latents};

/// A network that draws vectors like those it was trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorGenerator {
    prior: Prior,
}

impl VectorGenerator {
    /// Trains one; `listener` hears the losses and the discriminator's accuracy on the way. The same vectors, settings
    /// and seed give the same bits.
    ///
    /// # Errors
    /// If the settings or the vectors make no sense, or the numbers overflow.
    pub fn train(
        vectors: &Latents,
        config: &GanConfig,
        seed: u64,
        listener: &mut dyn FnMut(&GanReport),
    ) -> Result<Self, Error> {
        let gan = Gan::train(vectors.data(), vectors.dim(), config, seed, listener)?;
        Ok(VectorGenerator { prior: Prior::Generator(gan.generator) })
    }

    /// Reads what [`VectorGenerator::to_bytes`] gave; a model's `prior.safetensors` works too.
    ///
    /// # Errors
    /// If it is something else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Ok(VectorGenerator { prior: Prior::from_bytes(bytes)? })
    }

    /// As a safetensors file.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.prior.to_bytes()
    }

    /// `n` vectors; the same for the same seed.
    pub fn draw(&self, n: usize, seed: u64) -> Latents {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(1);
        Latents::new(self.prior.sample_many(n, &mut rng), self.prior.dim())
    }
}

/// How well a classifier tells two sets of vectors apart: .5 not at all, 1 always.
///
/// # Errors
/// If there are fewer than ten of either, or their dimensions differ.
pub fn auc(a: &Latents, b: &Latents, seed: u64) -> Result<f64, Error> {
    if a.dim() != b.dim() {
        return Err(Error::Dimensions { found: b.dim(), expected: a.dim() });
    }
    Ok(two_sample_auc(a.data(), b.data(), a.dim(), seed)?)
}
