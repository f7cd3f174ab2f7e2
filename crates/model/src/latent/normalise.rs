//! What keeps latents in one scale: normalisation over the batch, over the dimensions of a latent, or none.
//!
//! With batch normalisation `y = (u - mean) / sqrt(var + eps)` per dimension, over the batch in training and with
//! running statistics afterwards; with layer normalisation the same over the dimensions of one latent.

use strait_engine::{ParamId, Params, Tape, Var};

use crate::config::{LatentConfig, Normalise};

/// How much of the running statistics each batch replaces.
const MOMENTUM: f32 = 0.02;
/// Added to variances.
const EPS: f32 = 1e-5;

/// The kind of normalisation and its running statistics.
#[derive(Debug)]
pub(super) struct Normaliser {
    kind: Normalise,
    /// Running mean and variance (1, Z), stored with the weights but not trained.
    statistics: Option<(ParamId, ParamId)>,
}

impl Normaliser {
    /// Adds `latent.mean` and `latent.variance` if they are needed.
    pub(super) fn new(params: &mut Params, config: &LatentConfig) -> Self {
        let statistics = (config.normalise == Normalise::Batch).then(|| {
            let z = config.size;
            let mean = params.add("latent.mean", (1, z), vec![0.0; z]);
            let variance = params.add("latent.variance", (1, z), vec![1.0; z]);
            params.set_trainable("latent.", false);
            (mean, variance)
        });
        Normaliser { kind: config.normalise, statistics }
    }

    /// u (B, Z) -> y (B, Z) with the stored statistics.
    pub(super) fn infer(&self, tape: &mut Tape, params: &Params, u: Var) -> Var {
        match (self.kind, self.statistics) {
            (Normalise::Batch, Some((mean, variance))) => {
                tape.standardise(u, params.value(mean), params.value(variance), EPS)
            }
            (Normalise::Layer, _) => tape.layer_norm(params, u, None, EPS),
            _ => u,
        }
    }

    /// As [`Normaliser::infer`] with the batch's statistics, which move the stored ones.
    pub(super) fn train(&self, tape: &mut Tape, params: &mut Params, u: Var) -> Var {
        match self.statistics {
            // The statistics of one sequence say nothing.
            Some((mean, variance)) if tape.shape(u).0 > 1 => {
                let (y, batch) = tape.batch_norm(u, EPS);
                for (id, new) in [(mean, &batch.mean), (variance, &batch.variance)] {
                    let moved = params.value(id).iter().zip(new).map(|(&old, &new)| old + MOMENTUM * (new - old));
                    let moved: Vec<f32> = moved.collect();
                    params.assign(id, &moved);
                }
                y
            }
            _ => self.infer(tape, params, u),
        }
    }
}
