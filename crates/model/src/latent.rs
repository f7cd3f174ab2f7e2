//! The latent: normalised, and in training blurred by Gaussian noise.
//!
//! With batch normalisation `z = (u - mean) / sqrt(var + eps)` per dimension, over the batch in training and with
//! running statistics afterwards; with layer normalisation the same over the dimensions of one latent. Noise
//! `z + s n, n ~ N(0, I)` on latents of unit variance bounds the information a dimension can carry by
//! `0.5 ln(1 + 1/s^2)` nats, and makes neighbours in latent space decode to similar texts.

use rand::Rng;
use strait_engine::{ParamId, Params, Tape, Var, init};

use crate::config::{LatentConfig, Normalise};

/// How much of the running statistics each batch replaces.
const MOMENTUM: f32 = 0.02;
/// Added to variances.
const EPS: f32 = 1e-5;

/// The latent's settings and running statistics.
#[derive(Debug)]
pub struct Latent {
    config: LatentConfig,
    /// Running mean and variance (1, Z), stored with the weights but not trained.
    statistics: Option<(ParamId, ParamId)>,
}

impl Latent {
    /// Adds `latent.mean` and `latent.variance` if they are needed.
    pub fn new(params: &mut Params, config: &LatentConfig) -> Self {
        let statistics = (config.normalise == Normalise::Batch).then(|| {
            let z = config.size;
            let mean = params.add("latent.mean", (1, z), vec![0.0; z]);
            let variance = params.add("latent.variance", (1, z), vec![1.0; z]);
            params.set_trainable("latent.", false);
            (mean, variance)
        });
        Latent { config: config.clone(), statistics }
    }

    /// Dimensions, Z.
    pub fn size(&self) -> usize {
        self.config.size
    }

    /// u (B, Z) -> z (B, Z) with the stored statistics and without noise.
    pub fn infer(&self, tape: &mut Tape, params: &Params, u: Var) -> Var {
        match (self.config.normalise, self.statistics) {
            (Normalise::Batch, Some((mean, variance))) => {
                tape.standardise(u, params.value(mean), params.value(variance), EPS)
            }
            (Normalise::Layer, _) => tape.layer_norm(params, u, None, EPS),
            _ => u,
        }
    }

    /// As [`Latent::infer`] with the batch's statistics, which move the running ones, and with noise.
    pub fn train(&self, tape: &mut Tape, params: &mut Params, u: Var, rng: &mut impl Rng) -> Var {
        let z = match self.statistics {
            // The statistics of one sequence say nothing.
            Some((mean, variance)) if tape.shape(u).0 > 1 => {
                let (z, batch) = tape.batch_norm(u, EPS);
                for (id, new) in [(mean, &batch.mean), (variance, &batch.variance)] {
                    let moved = params.value(id).iter().zip(new).map(|(&old, &new)| old + MOMENTUM * (new - old));
                    let moved: Vec<f32> = moved.collect();
                    params.assign(id, &moved);
                }
                z
            }
            _ => self.infer(tape, params, u),
        };
        if self.config.noise == 0.0 {
            return z;
        }
        let (b, n) = tape.shape(z);
        let noise = init::normal(b * n, self.config.noise, rng);
        tape.add_constant(z, &noise)
    }
}
