//! What is minimised besides the loss of reconstruction: a regulariser shapes the latents.
//!
//! A regulariser adds its part of the autoencoder's loss ([`Regulariser::loss`]) and may have networks of its own,
//! named `adversary.*`, which are frozen in that pass and trained right after it on the latents that it saw
//! ([`Regulariser::train_own`]).

pub(crate) mod adversarial;
mod arae;
pub(crate) mod dense;
mod kl;
pub(crate) mod mmd;
mod phase;
#[cfg(test)]
pub(crate) mod testing;

use rand::Rng;
use strait_engine::{Params, Tape, ops::gaussian, optim::Optimiser};

use crate::{
    config::{LatentConfig, RegulariserConfig},
    latent::Code,
    prior::Generator,
};

/// Figures of a batch by name, for the log.
pub type Figures = Vec<(&'static str, f64)>;

/// Where the training stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// This step, from 0.
    pub step: u64,
    /// Steps planned.
    pub steps: u64,
}

impl Progress {
    /// The share of the steps made, in [0, 1].
    pub fn share(self) -> f64 {
        self.step as f64 / self.steps.max(1) as f64
    }
}

/// The divergence of the posteriors from N(0, I) in nats, summed over the texts; of points 0.
fn divergence(tape: &Tape, code: Code) -> f64 {
    let Some(log_variance) = code.log_variance else { return 0.0 };
    let pairs = tape.value(code.mean).iter().zip(tape.value(log_variance));
    pairs.map(|(&m, &v)| gaussian::reference(f64::from(m), f64::from(v))).sum()
}

/// A regulariser with its weights' handles and the figures of its last batch.
#[derive(Debug)]
pub enum Regulariser {
    None,
    Kl(kl::Kl),
    Mmd(mmd::Mmd),
    Adversarial(adversarial::Adversarial),
    Arae(arae::Arae),
}

impl Regulariser {
    /// What the names of its own networks' weights start with.
    pub const PREFIX: &'static str = "adversary.";

    /// Whether a weight of this name is the objective's, and not the encoder's, the latent's or the decoder's.
    pub fn owns(name: &str) -> bool {
        name.starts_with(Self::PREFIX) || name.starts_with("objective.")
    }

    /// Adds the weights `adversary.*` and the untrained state `objective.*`, if there are any.
    pub fn new(params: &mut Params, config: &RegulariserConfig, latent: &LatentConfig, rng: &mut impl Rng) -> Self {
        match config {
            RegulariserConfig::None => Regulariser::None,
            RegulariserConfig::Kl(c) => Regulariser::Kl(kl::Kl::new(params, c)),
            RegulariserConfig::Mmd(c) => Regulariser::Mmd(mmd::Mmd::new(c)),
            RegulariserConfig::Adversarial(c) => {
                Regulariser::Adversarial(adversarial::Adversarial::new(params, c, latent.size, rng))
            }
            RegulariserConfig::Arae(c) => Regulariser::Arae(arae::Arae::new(params, c, latent, rng)),
        }
    }

    /// Whether it has networks of its own.
    pub fn is_adversarial(config: &RegulariserConfig) -> bool {
        matches!(config, RegulariserConfig::Adversarial(_) | RegulariserConfig::Arae(_))
    }

    /// Adds its part of the autoencoder's loss to the tape; a sum over the batch's texts counts `scale`. Returns the
    /// divergence of the posteriors from N(0, I) in nats, summed over the texts, or 0 without one.
    pub fn loss(
        &mut self,
        tape: &mut Tape,
        params: &mut Params,
        code: Code,
        (progress, scale): (Progress, f32),
        rng: &mut impl Rng,
    ) -> f64 {
        match self {
            Regulariser::None => 0.0,
            Regulariser::Kl(kl) => kl.loss(tape, params, code, progress, scale),
            Regulariser::Mmd(mmd) => mmd.loss(tape, code, scale, rng),
            Regulariser::Adversarial(adversarial) => adversarial.loss(tape, params, code, scale),
            Regulariser::Arae(arae) => arae.loss(tape, params, code, (progress, scale)),
        }
    }

    /// Trains its own networks on the latents that [`Regulariser::loss`] saw.
    ///
    /// # Errors
    /// If a loss or a gradient is not finite.
    pub fn train_own(
        &mut self,
        tape: &mut Tape,
        params: &mut Params,
        optimiser: &mut Optimiser,
        rng: &mut impl Rng,
    ) -> Result<(), strait_engine::Error> {
        match self {
            Regulariser::None | Regulariser::Kl(_) | Regulariser::Mmd(_) => Ok(()),
            Regulariser::Adversarial(adversarial) => adversarial.train_own(tape, params, optimiser, rng),
            Regulariser::Arae(arae) => arae.train_own(tape, params, optimiser, rng),
        }
    }

    /// The prior that it has learned beside the autoencoder, if it learns one.
    pub fn prior(&self, params: &Params) -> Option<Generator> {
        match self {
            Regulariser::Arae(arae) => Some(arae.prior(params)),
            _ => None,
        }
    }

    /// Figures of the last batch; of its own networks those of the batch before.
    pub fn figures(&self) -> Figures {
        match self {
            Regulariser::None => Vec::new(),
            Regulariser::Kl(kl) => kl.figures(),
            Regulariser::Mmd(mmd) => mmd.figures(),
            Regulariser::Adversarial(adversarial) => adversarial.figures(),
            Regulariser::Arae(arae) => arae.figures(),
        }
    }
}
