//! A latent between source x and target y (conditional VAE: Sohn et al. 2015; with text, Zhao et al. 2017).
//!
//! The recognition network sees both: `q(z|x, y) = N(m, e^v)`, `[m, v] = W [f(x); f(y)] + b`; the prior network the
//! source alone: `p(z|x) = N(a, e^w)`, `[a, w] = W_2 tanh(W_1 f(x) + b_1) + b_2`; f are the encoder's features, of the
//! source and, read by the same encoder, of the target. Log variances saturate at 8, as elsewhere. In training z is drawn
//! from q and `KL(q || p)` is charged; afterwards it is drawn from p.

use rand::Rng;
use strait_engine::{Params, Tape, Var, ops::activation::Activation};

use super::{Code, gaussian};
use crate::transformer::{Dense, dense};

/// The weights of both networks.
#[derive(Debug)]
pub struct Conditional {
    size: usize,
    /// (2 Z, 2 F).
    recognition: Dense,
    /// (F, F), (2 Z, F).
    prior: [Dense; 2],
}

impl Conditional {
    /// Adds `conditional.*` for Z = `size` and features of F columns.
    pub fn new(params: &mut Params, size: usize, features: usize, rng: &mut impl Rng) -> Self {
        let name = |part: &str| (format!("conditional.{part}.weight"), format!("conditional.{part}.bias"));
        let recognition = dense(params, name("recognition"), (2 * size, 2 * features), 1.0, rng);
        let hidden = dense(params, name("prior.hidden"), (features, features), 1.0, rng);
        let prior = [hidden, dense(params, name("prior.out"), (2 * size, features), 1.0, rng)];
        Conditional { size, recognition, prior }
    }

    /// Dimensions of z.
    pub fn size(&self) -> usize {
        self.size
    }

    /// q(z|x, y): features of sources and of their targets (B, F) -> the posterior, with z its mean.
    pub fn recognise(&self, tape: &mut Tape, params: &Params, [x, y]: [Var; 2]) -> Code {
        let both = tape.concat(&[x, y]);
        let head = tape.linear(params, both, self.recognition.0, Some(self.recognition.1));
        self.code(tape, head)
    }

    /// p(z|x): features of sources (B, F) -> the prior, with z its mean.
    pub fn expect(&self, tape: &mut Tape, params: &Params, x: Var) -> Code {
        let [hidden, out] = self.prior;
        let h = tape.linear_activation(params, x, (hidden.0, Some(hidden.1)), Activation::Tanh);
        let head = tape.linear(params, h, out.0, Some(out.1));
        self.code(tape, head)
    }

    fn code(&self, tape: &mut Tape, head: Var) -> Code {
        let mean = tape.slice_columns(head, 0..self.size);
        Code { z: mean, mean, log_variance: Some(gaussian::log_variance(tape, head, self.size)) }
    }
}

impl Code {
    /// In the scale of `prior`, so that its divergence from N(0, I) is that from the prior. Codes without variances stay
    /// as they are.
    pub fn relative_to(self, tape: &mut Tape, prior: Code) -> Code {
        let (Some(v), Some(w)) = (self.log_variance, prior.log_variance) else { return self };
        let [mean, log_variance] = tape.relative_gaussian([self.mean, v], [prior.mean, w]);
        Code { mean, log_variance: Some(log_variance), ..self }
    }
}
