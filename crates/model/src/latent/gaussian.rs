//! A Gaussian posterior `q(z|x) = N(mu, diag(sigma^2))` (Kingma & Welling 2014).
//!
//! The head gives 2 Z numbers for a text: u for the mean and v for the log variance.
//!
//! - `mu = u`; normalised, `mu = spread y + shift` with y of mean 0 and variance 1 over the batch (or over the
//!   dimensions), a shift that is learned and a spread that is not. The KL divergence from N(0, I) is then at least
//!   `Z (spread^2 + shift^2) / 2` nats on average, so that the posterior cannot collapse (Zhu et al. 2020).
//! - `log sigma^2 = 8 tanh(v / 8)`: v itself near 0, and never so far out that a variance overflows or vanishes.
//!
//! In training `z = mu + sigma e`, e ~ N(0, I); afterwards z is the mean.

use rand::Rng;
use strait_engine::{ParamId, Params, Tape, Var, init, ops::activation::Activation};

use super::{Code, normalise::Normaliser};
use crate::config::{LatentConfig, Normalise};

/// Where log variances saturate, on both sides.
const LARGEST: f32 = 8.0;

/// Settings, the learned shift and running statistics.
#[derive(Debug)]
pub struct Gaussian {
    size: usize,
    spread: f32,
    dropout: f32,
    normaliser: Normaliser,
    /// (1, Z); only of normalised means.
    shift: Option<ParamId>,
}

impl Gaussian {
    /// Adds `encoder.latent.shift`, `latent.mean` and `latent.variance` if they are needed.
    pub fn new(params: &mut Params, config: &LatentConfig) -> Self {
        let z = config.size;
        let shifted = config.normalise != Normalise::None;
        let shift = shifted.then(|| params.add("encoder.latent.shift", (1, z), vec![0.0; z]));
        let normaliser = Normaliser::new(params, config);
        Gaussian { size: z, spread: config.spread, dropout: config.dropout, normaliser, shift }
    }

    /// The head's output (B, 2 Z) -> the posterior, with z its mean.
    pub fn infer(&self, tape: &mut Tape, params: &Params, head: Var) -> Code {
        let u = tape.slice_columns(head, 0..self.size);
        let y = self.normaliser.infer(tape, params, u);
        self.code(tape, params, head, y)
    }

    /// As [`Gaussian::infer`] with the batch's statistics, which move the running ones.
    pub fn plain(&self, tape: &mut Tape, params: &mut Params, head: Var) -> Code {
        let u = tape.slice_columns(head, 0..self.size);
        let y = self.normaliser.train(tape, params, u);
        self.code(tape, params, head, y)
    }

    /// As [`Gaussian::plain`] with z drawn from the posterior.
    pub fn train(&self, tape: &mut Tape, params: &mut Params, head: Var, rng: &mut impl Rng) -> Code {
        let code = self.plain(tape, params, head);
        let noise = init::normal(tape.value(code.mean).len(), 1.0, rng);
        let z = code.draw(tape, &noise);
        Code { z: tape.dropout(z, self.dropout, rng), ..code }
    }

    fn code(&self, tape: &mut Tape, params: &Params, head: Var, y: Var) -> Code {
        let mean = match self.shift {
            Some(shift) => {
                let y = tape.scale(y, self.spread);
                let rows = vec![0; tape.shape(y).0];
                let shift = tape.embedding(params, shift, &rows);
                tape.add(y, shift)
            }
            None => y,
        };
        Code { z: mean, mean, log_variance: Some(log_variance(tape, head, self.size)) }
    }
}

/// The log variances of a head (B, 2 Z): (B, Z).
pub(super) fn log_variance(tape: &mut Tape, head: Var, size: usize) -> Var {
    let v = tape.slice_columns(head, size..2 * size);
    let v = tape.scale(v, 1.0 / LARGEST);
    let v = tape.activation(v, Activation::Tanh);
    tape.scale(v, LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::LatentKind, latent::Posterior};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn gaussian(normalise: Normalise) -> (Gaussian, Params) {
        let config = LatentConfig { kind: LatentKind::Gaussian, size: 2, normalise, spread: 0.5, ..Default::default() };
        let mut params = Params::new();
        (Gaussian::new(&mut params, &config), params)
    }

    #[test]
    fn by_hand() {
        let (g, mut params) = gaussian(Normalise::None);
        let mut tape = Tape::new();
        let head = tape.variable(&[1.0, -2.0, 0.08, 800.0], (1, 4));
        let code = g.infer(&mut tape, &params, head);
        assert_eq!(tape.value(code.mean), [1.0, -2.0]);
        let log_variance = code.log_variance.unwrap();
        let lv = tape.value(log_variance);
        assert!((lv[0] - 0.08).abs() < 1e-4 && (lv[1] - 8.0).abs() < 1e-5, "{lv:?}");
        // Draws have the posterior's mean and standard deviation.
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let head: Vec<f32> = [3.0, 0.0, 0.25f32.ln(), 0.0].repeat(20_000);
        let head = tape.input(&head, (20_000, 4));
        let code = g.train(&mut tape, &mut params, head, &mut rng);
        let first: Vec<f64> = tape.value(code.z).chunks_exact(2).map(|z| z[0] as f64).collect();
        let mean = first.iter().sum::<f64>() / first.len() as f64;
        let variance = first.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / first.len() as f64;
        assert!((mean - 3.0).abs() < 0.02 && (variance - 0.25).abs() < 0.01, "{mean} {variance}");
    }

    #[test]
    fn normalised_means_keep_their_spread_and_their_nats() {
        let (g, mut params) = gaussian(Normalise::Batch);
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let shift = params.find("encoder.latent.shift").unwrap();
        params.assign(shift, &[0.0, 2.0]);
        // Means of hardly any variance, log variances 0.
        let head: Vec<f32> =
            (0..64).flat_map(|i| [1e-2 * (i % 7) as f32, 3.0 + 1e-2 * (i % 5) as f32, 0.0, 0.0]).collect();
        let mut tape = Tape::new();
        let head = tape.input(&head, (64, 4));
        let code = g.train(&mut tape, &mut params, head, &mut rng);
        let host = |v: Var| tape.value(v).to_vec();
        let posterior = Posterior { mean: host(code.mean), log_variance: code.log_variance.map(host) };
        for (j, expected) in [0.0, 2.0].into_iter().enumerate() {
            let column: Vec<f64> = posterior.mean.chunks_exact(2).map(|m| m[j] as f64).collect();
            let mean = column.iter().sum::<f64>() / 64.0;
            let variance = column.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / 64.0;
            assert!((mean - expected).abs() < 1e-5 && (variance - 0.25).abs() < 0.03, "{mean} {variance}");
        }
        // (spread^2 + shift^2) / 2 in each dimension, up to the eps of the normalisation.
        let nats = posterior.divergences(2).iter().sum::<f64>() / 64.0;
        assert!((nats - (2.0 * 0.25 + 4.0) / 2.0).abs() < 0.03, "{nats}");
        assert!(params.value(params.find("latent.mean").unwrap())[1] > 0.05, "running statistics move");
    }

    #[test]
    fn a_draw_without_variances_is_the_mean() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let point = Posterior { mean: vec![1.0, 2.0], log_variance: None };
        assert_eq!((point.draw(&mut rng), point.divergences(2)), (vec![1.0, 2.0], vec![0.0]));
        let narrow = Posterior { log_variance: Some(vec![-40.0, 0.0]), ..point };
        let draw = narrow.draw(&mut rng);
        assert!((draw[0] - 1.0).abs() < 1e-6 && draw[1] != 2.0);
    }
}
