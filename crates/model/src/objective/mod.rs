//! What is minimised besides the loss of reconstruction: a regulariser shapes the latents.
//!
//! A regulariser adds its part of the autoencoder's loss ([`Regulariser::loss`]) and may have networks of its own,
//! named `adversary.*`, which are frozen in that pass and trained right after it on the latents that it saw
//! ([`Regulariser::train_own`]).

mod kl;
mod phase;

use rand::Rng;
use strait_engine::{Params, Tape, optim::Optimiser};

use crate::{config::RegulariserConfig, latent::Code};

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

/// A regulariser with its weights' handles and the figures of its last batch.
#[derive(Debug)]
pub enum Regulariser {
    None,
    Kl(kl::Kl),
}

impl Regulariser {
    /// What the names of its own networks' weights start with.
    pub const PREFIX: &'static str = "adversary.";

    /// Adds the weights `adversary.*` and the untrained state `objective.*`, if there are any. `latent` is Z.
    pub fn new(params: &mut Params, config: &RegulariserConfig, _latent: usize, _rng: &mut impl Rng) -> Self {
        match config {
            RegulariserConfig::None => Regulariser::None,
            RegulariserConfig::Kl(c) => Regulariser::Kl(kl::Kl::new(params, c)),
            _ => todo!(),
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
        _rng: &mut impl Rng,
    ) -> f64 {
        match self {
            Regulariser::None => 0.0,
            Regulariser::Kl(kl) => kl.loss(tape, params, code, progress, scale),
        }
    }

    /// Trains its own networks on the latents that [`Regulariser::loss`] saw.
    ///
    /// # Errors
    /// If a loss or a gradient is not finite.
    pub fn train_own(
        &mut self,
        _tape: &mut Tape,
        _params: &mut Params,
        _optimiser: &mut Optimiser,
        _rng: &mut impl Rng,
    ) -> Result<(), strait_engine::Error> {
        match self {
            Regulariser::None | Regulariser::Kl(_) => Ok(()),
        }
    }

    /// Figures of the last batch.
    pub fn figures(&self) -> Figures {
        match self {
            Regulariser::None => Vec::new(),
            Regulariser::Kl(kl) => kl.figures(),
        }
    }
}
