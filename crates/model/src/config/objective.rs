//! What training minimises: the loss of reconstruction, noise, and one regulariser of the latents.

use serde::{Deserialize, Serialize};
use strait_text::Noise;

use super::{RiskConfig, TextGanConfig};

/// What training minimises.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectiveConfig {
    /// Noise on the encoder's input (none: a plain autoencoder).
    pub noise: Noise,
    pub label_smoothing: f32,
    /// Weight of `-log(1 - p)` of the tokens that a text had before, each time it does not go on with them
    /// (unlikelihood, Welleck et al. 2020): against repetition; 1 is usual, 0 off.
    pub unlikelihood: f32,
    /// Share of the steps trained as a plain autoencoder at first; then the decoder starts afresh and the regulariser
    /// counts (Li et al. 2019).
    pub pretrain: f32,
    pub regulariser: RegulariserConfig,
    /// Seq2seq: minimise the risk of what is written, too; for a model that has been trained (`--from`).
    pub risk: Option<RiskConfig>,
    /// Language models: adversarial training after the likelihood's.
    pub text_gan: Option<TextGanConfig>,
}

/// What shapes the latents.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RegulariserConfig {
    #[default]
    None,
    Kl(KlConfig),
    Mmd(MmdConfig),
    Adversarial(AdversarialConfig),
    Arae(AraeConfig),
}

/// How the weight of the divergence moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KlSchedule {
    Constant,
    /// From 0 over the first share of the steps (Bowman et al. 2016).
    #[default]
    Linear,
    /// The same again and again (Fu et al. 2019).
    Cyclical,
}

/// `weight * KL(q(z|x) || N(0, I))`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KlConfig {
    /// beta (Higgins et al. 2017); with a target, where the controller begins.
    pub weight: f32,
    pub schedule: KlSchedule,
    /// Share of the steps (cyclical: of a cycle) over which the weight rises.
    pub warmup: f32,
    pub cycles: u32,
    /// Nats of each dimension that cost nothing, on average over a batch (Kingma et al. 2016).
    pub free: f32,
    /// Nats of the whole latent that cost nothing, on average over a batch.
    pub free_total: f32,
    /// Nats a sentence that the latent shall carry: a controller holds it there by the weight.
    pub target: Option<f32>,
}

impl Default for KlConfig {
    fn default() -> Self {
        KlConfig {
            weight: 1.0,
            schedule: KlSchedule::Linear,
            warmup: 0.2,
            cycles: 4,
            free: 0.0,
            free_total: 0.0,
            target: None,
        }
    }
}

/// The kernels of the maximum mean discrepancy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kernel {
    /// `C / (C + d^2)`, a sum over scales (Tolstikhin et al. 2018).
    #[default]
    Imq,
    /// `exp(-d^2 / C)`, a sum over scales.
    Rbf,
}

/// `weight * MMD(q(z), N(0, I))` (Tolstikhin et al. 2018).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MmdConfig {
    pub weight: f32,
    pub kernel: Kernel,
}

impl Default for MmdConfig {
    fn default() -> Self {
        MmdConfig { weight: 10.0, kernel: Kernel::Imq }
    }
}

/// A discriminator tells latents from draws of N(0, I), the encoder misleads it (Makhzani et al. 2015).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdversarialConfig {
    /// Weight of misleading the discriminator.
    pub weight: f32,
    /// Weight of `|log variance|` of a Gaussian posterior, which keeps its noise from fading (LAAE: Rubenstein et al.
    /// 2018; Shen et al. 2020).
    pub log_variance: f32,
    /// Hidden units of the discriminator's layers.
    pub hidden: Vec<usize>,
    /// Its learning rate and Adam's beta1.
    pub rate: f32,
    pub beta1: f32,
}

impl Default for AdversarialConfig {
    fn default() -> Self {
        AdversarialConfig { weight: 10.0, log_variance: 0.0, hidden: vec![512], rate: 5e-4, beta1: 0.5 }
    }
}

/// A generator learns the latents, a critic compares, the encoder meets it half-way (Zhao et al. 2018).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AraeConfig {
    /// Dimensions of the generator's noise.
    pub noise: usize,
    /// Hidden units of the generator's and the critic's layers.
    pub generator: Vec<usize>,
    pub critic: Vec<usize>,
    /// Updates of the critic for each of the generator.
    pub critic_steps: u32,
    /// Weight of the gradient penalty (Gulrajani et al. 2017).
    pub penalty: f32,
    /// Weight of the critic in the encoder's loss.
    pub weight: f32,
    /// Learning rate of generator and critic, and Adam's beta1.
    pub rate: f32,
    pub beta1: f32,
}

impl Default for AraeConfig {
    fn default() -> Self {
        AraeConfig {
            noise: 100,
            generator: vec![300, 300],
            critic: vec![300, 300],
            critic_steps: 5,
            penalty: 10.0,
            weight: 0.1,
            rate: 1e-4,
            beta1: 0.0,
        }
    }
}
