//! The latent between them.

use serde::{Deserialize, Serialize};

/// What a latent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LatentKind {
    /// A vector, perhaps with noise in training.
    #[default]
    Point,
    /// A Gaussian posterior with diagonal covariance (Kingma & Welling 2014).
    Gaussian,
    /// The nearest vectors of a codebook (van den Oord et al. 2017).
    Quantised,
}

/// What keeps latents in one scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalise {
    /// Nothing: the encoder may move latents apart until latent noise no longer matters.
    None,
    /// Each dimension to mean 0 and variance 1 over the batch (running statistics afterwards). Of a Gaussian
    /// posterior: the means, to a fixed variance, so that the rate cannot fall to 0 (Zhu et al. 2020).
    #[default]
    Batch,
    /// Each latent to mean 0 and variance 1 over its dimensions (a sphere).
    Layer,
}

/// The codebook of a quantised latent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuantiserConfig {
    /// Vectors in the codebook of each slot, K.
    pub codes: usize,
    /// One codebook for all slots instead of one for each.
    pub shared: bool,
    /// How much of a code's running mean stays at each update (van den Oord et al. 2017, appendix A.1).
    pub decay: f32,
    /// Weight of the distance between the encoder's output and its code.
    pub commitment: f32,
    /// Codes used less often than this share of an even use are moved to where the data are; 0: never.
    pub restart: f32,
}

impl Default for QuantiserConfig {
    fn default() -> Self {
        QuantiserConfig { codes: 256, shared: false, decay: 0.99, commitment: 0.25, restart: 0.05 }
    }
}

/// The latent z.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LatentConfig {
    pub kind: LatentKind,
    /// Number of dimensions, Z (a language model: 0).
    pub size: usize,
    /// Vectors of which it consists, each of Z / slots dimensions: positions that a Transformer attends to, codes of a
    /// quantised latent.
    pub slots: usize,
    pub normalise: Normalise,
    /// Standard deviation that normalisation gives to the means of a Gaussian posterior.
    pub spread: f32,
    /// Standard deviation of the Gaussian noise added to a point in training.
    pub noise: f32,
    /// Chance that a dimension is set to 0 in training.
    pub dropout: f32,
    pub quantiser: QuantiserConfig,
}

impl Default for LatentConfig {
    fn default() -> Self {
        LatentConfig {
            kind: LatentKind::Point,
            size: 128,
            slots: 1,
            normalise: Normalise::Batch,
            spread: 0.7,
            noise: 0.3,
            dropout: 0.0,
            quantiser: QuantiserConfig::default(),
        }
    }
}
