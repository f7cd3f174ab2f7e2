//! The latent: from the encoder's features to z.
//!
//! `u = W f + b` for features f (B, F), then by kind: a point (normalised, blurred in training), a Gaussian posterior,
//! or the nearest codes of a codebook.

mod conditional;
mod gaussian;
mod normalise;
mod point;
mod posterior;
mod quantised;

use rand::Rng;
use strait_engine::{ParamId, Params, Tape, Var, init};

use crate::config::{LatentConfig, LatentKind};

pub use conditional::Conditional;
pub use posterior::Posterior;
pub use quantised::{Codebook, perplexity};

/// The latents of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Code {
    /// What the decoder is given (B, Z).
    pub z: Var,
    /// The posterior's mean (B, Z); of a point or a code, z without noise.
    pub mean: Var,
    /// The posterior's log variance (B, Z), if it has one.
    pub log_variance: Option<Var>,
}

impl Code {
    /// A latent without a posterior.
    fn point(z: Var) -> Self {
        Code { z, mean: z, log_variance: None }
    }

    /// A draw from the posterior, given B Z standard normal numbers; without variances, z.
    pub fn draw(&self, tape: &mut Tape, noise: &[f32]) -> Var {
        match self.log_variance {
            Some(log_variance) => tape.reparameterise(self.mean, log_variance, noise),
            None => self.z,
        }
    }
}

/// The latent's weights, settings and running statistics.
#[derive(Debug)]
pub struct Latent {
    size: usize,
    /// W (U, F), b (1, U).
    head: (ParamId, ParamId),
    form: Form,
}

#[derive(Debug)]
enum Form {
    Point(point::Point),
    Gaussian(gaussian::Gaussian),
    Quantised(quantised::Quantised),
}

impl Latent {
    /// Adds `encoder.latent.*` and `latent.*`. `features` is F.
    pub fn new(params: &mut Params, config: &LatentConfig, features: usize, rng: &mut impl Rng) -> Self {
        let z = config.size;
        let rows = if config.kind == LatentKind::Gaussian { 2 * z } else { z };
        let weight = init::xavier((rows, features), rng);
        let weight = params.add("encoder.latent.weight", (rows, features), weight);
        let head = (weight, params.add("encoder.latent.bias", (1, rows), vec![0.0; rows]));
        let form = match config.kind {
            LatentKind::Point => Form::Point(point::Point::new(params, config)),
            LatentKind::Gaussian => Form::Gaussian(gaussian::Gaussian::new(params, config)),
            LatentKind::Quantised => Form::Quantised(quantised::Quantised::new(params, config)),
        };
        Latent { size: z, head, form }
    }

    /// Dimensions, Z.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The codebook of a quantised latent.
    pub fn codebook<'a>(&self, params: &'a Params) -> Option<Codebook<'a>> {
        match &self.form {
            Form::Quantised(q) => Some(q.codebook(params)),
            Form::Point(_) | Form::Gaussian(_) => None,
        }
    }

    /// Whether latents have a Gaussian posterior.
    pub fn is_gaussian(&self) -> bool {
        matches!(self.form, Form::Gaussian(_))
    }

    /// Features (B, F) -> latents without noise, with stored statistics.
    pub fn infer(&self, tape: &mut Tape, params: &Params, features: Var) -> Code {
        let u = tape.linear(params, features, self.head.0, Some(self.head.1));
        match &self.form {
            Form::Point(p) => p.infer(tape, params, u),
            Form::Gaussian(g) => g.infer(tape, params, u),
            Form::Quantised(q) => q.infer(tape, params, u),
        }
    }

    /// Features (B, F) -> latents as a plain autoencoder trains on them: with the batch's statistics, which move the
    /// stored ones, but without noise and without a codebook.
    pub fn plain(&self, tape: &mut Tape, params: &mut Params, features: Var) -> Code {
        let u = tape.linear(params, features, self.head.0, Some(self.head.1));
        match &self.form {
            Form::Point(p) => p.plain(tape, params, u),
            Form::Gaussian(g) => g.plain(tape, params, u),
            Form::Quantised(q) => q.plain(tape, params, u),
        }
    }

    /// Features (B, F) -> latents as training sees them: with noise and with the batch's statistics, which move the
    /// stored ones. May add losses of its own to the tape, for a batch whose losses are scaled by `scale`.
    pub fn train(
        &mut self,
        tape: &mut Tape,
        params: &mut Params,
        features: Var,
        scale: f32,
        rng: &mut impl Rng,
    ) -> Code {
        let u = tape.linear(params, features, self.head.0, Some(self.head.1));
        match &mut self.form {
            Form::Point(p) => p.train(tape, params, u, rng),
            Form::Gaussian(g) => g.train(tape, params, u, rng),
            Form::Quantised(q) => q.train(tape, params, u, scale, rng),
        }
    }

    /// Figures of the last batch, by name.
    pub fn figures(&self) -> crate::objective::Figures {
        match &self.form {
            Form::Point(_) | Form::Gaussian(_) => Vec::new(),
            Form::Quantised(q) => q.figures(),
        }
    }
}
