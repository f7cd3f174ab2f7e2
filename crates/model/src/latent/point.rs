//! A point: normalised, and in training blurred by Gaussian noise.
//!
//! Noise `z + s n, n ~ N(0, I)` on latents of unit variance bounds the information a dimension can carry by
//! `0.5 ln(1 + 1/s^2)` nats, and makes neighbours in latent space decode to similar texts.

use rand::Rng;
use strait_engine::{Params, Tape, Var, init};

use super::{Code, normalise::Normaliser};
use crate::config::LatentConfig;

/// Settings and running statistics.
#[derive(Debug)]
pub struct Point {
    noise: f32,
    dropout: f32,
    normaliser: Normaliser,
}

impl Point {
    /// Adds `latent.mean` and `latent.variance` if they are needed.
    pub fn new(params: &mut Params, config: &LatentConfig) -> Self {
        Point { noise: config.noise, dropout: config.dropout, normaliser: Normaliser::new(params, config) }
    }

    /// u (B, Z) -> z (B, Z) with the stored statistics and without noise.
    pub fn infer(&self, tape: &mut Tape, params: &Params, u: Var) -> Code {
        Code::point(self.normaliser.infer(tape, params, u))
    }

    /// As [`Point::infer`] with the batch's statistics, which move the running ones.
    pub fn plain(&self, tape: &mut Tape, params: &mut Params, u: Var) -> Code {
        Code::point(self.normaliser.train(tape, params, u))
    }

    /// As [`Point::plain`] with noise.
    pub fn train(&self, tape: &mut Tape, params: &mut Params, u: Var, rng: &mut impl Rng) -> Code {
        let mean = self.plain(tape, params, u).mean;
        let mut blurred = mean;
        if self.noise > 0.0 {
            let noise = init::normal(tape.value(mean).len(), self.noise, rng);
            blurred = tape.add_constant(mean, &noise);
        }
        let z = tape.dropout(blurred, self.dropout, rng);
        Code { z, mean, log_variance: None }
    }
}
