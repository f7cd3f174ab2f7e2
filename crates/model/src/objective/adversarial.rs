//! Adversarial autoencoder (Makhzani et al. 2015): a discriminator D learns to tell latents from draws of N(0, I), the
//! encoder learns to mislead it.
//!
//! z, p (B, Z), D(z) a logit (B, 1), s the logistic function. The discriminator minimises
//! `1/B sum_i [-ln s(D(p_i)) - ln(1 - s(D(z_i)))]`, the encoder `weight sum_i -ln s(D(z_i))` beside the loss of
//! reconstruction (the form that does not saturate: Goodfellow et al. 2014), nats. Of a Gaussian posterior z is a draw,
//! and `log_variance sum_ij |ln variance_ij|` keeps the encoder from making it a point (LAAE: Rubenstein et al. 2018;
//! Shen et al. 2020). With noise on the tokens it is the denoising adversarial autoencoder (DAAE: Shen et al. 2020).

use rand::Rng;
use strait_engine::{Error, Params, Tape, init, ops::activation::Activation, optim::Optimiser};

use super::{
    Figures,
    dense::{Dense, scaled},
    divergence,
};
use crate::{config::AdversarialConfig, latent::Code};

/// The discriminator and what it last saw.
#[derive(Debug)]
pub struct Adversarial {
    config: AdversarialConfig,
    discriminator: Dense,
    /// The last batch's latents (B, Z), for [`Adversarial::train_own`].
    latents: Vec<f32>,
    size: usize,
    encoder: Figures,
    own: Figures,
}

impl Adversarial {
    /// Adds `adversary.discriminator.*`. `latent` is Z.
    pub fn new(params: &mut Params, config: &AdversarialConfig, latent: usize, rng: &mut impl Rng) -> Self {
        let sizes: Vec<usize> = [latent].into_iter().chain(config.hidden.iter().copied()).chain([1]).collect();
        let discriminator = Dense::new(params, "adversary.discriminator", &sizes, Activation::Relu, rng);
        Adversarial {
            config: config.clone(),
            discriminator,
            latents: Vec::new(),
            size: latent,
            encoder: Figures::new(),
            own: Figures::new(),
        }
    }

    /// Adds the encoder's part to the loss; a sum over texts counts `scale`. Returns the divergence of the posteriors.
    pub fn loss(&mut self, tape: &mut Tape, params: &Params, code: Code, scale: f32) -> f64 {
        let rows = tape.shape(code.z).0;
        self.latents.clear();
        self.latents.extend_from_slice(tape.value(code.z));
        let logits = self.discriminator.forward(tape, params, code.z);
        let nats = tape.binary_cross_entropy(logits, &vec![1.0; rows], scaled(self.config.weight * scale));
        self.encoder = vec![("generator_loss", nats / rows.max(1) as f64)];
        let Some(log_variance) = code.log_variance else { return 0.0 };
        let weight = self.config.log_variance * scale;
        let values = tape.value(log_variance);
        let sum: f64 = values.iter().map(|&v| f64::from(v.abs())).sum();
        if weight > 0.0 {
            let gradient: Vec<f32> = values.iter().map(|&v| if v == 0.0 { 0.0 } else { weight * v.signum() }).collect();
            tape.custom_loss(log_variance, f64::from(weight) * sum, &gradient);
        }
        self.encoder.push(("log_variance", sum / rows.max(1) as f64));
        divergence(tape, code)
    }

    /// One update of the discriminator on the latents that [`Adversarial::loss`] saw and as many draws.
    ///
    /// # Errors
    /// If a loss or a gradient is not finite.
    pub fn train_own(
        &mut self,
        tape: &mut Tape,
        params: &mut Params,
        optimiser: &mut Optimiser,
        rng: &mut impl Rng,
    ) -> Result<(), Error> {
        let draws = init::normal(self.latents.len(), 1.0, rng);
        let sets = TwoSets { real: &draws, fake: &self.latents, dim: self.size };
        let figures = train_discriminator(&self.discriminator, &sets, tape, params)?;
        optimiser.step(params, self.config.rate, 0.0)?;
        self.own = vec![("discriminator_loss", figures.nats), ("discriminator_accuracy", figures.accuracy)];
        Ok(())
    }

    /// `generator_loss` (the encoder's, nats a text) and, of the update before, `discriminator_loss` (nats a pair; at
    /// evens 2 ln 2) and `discriminator_accuracy`; with a posterior `log_variance`, the sum of its absolute values.
    pub fn figures(&self) -> Figures {
        self.own.iter().chain(&self.encoder).copied().collect()
    }
}

/// Vectors to be told apart, (N, dim) and (M, dim).
pub(crate) struct TwoSets<'a> {
    pub real: &'a [f32],
    pub fake: &'a [f32],
    pub dim: usize,
}

/// How a discriminator did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judged {
    /// Cross-entropy, the mean over the real plus the mean over the fake ones.
    pub nats: f64,
    /// Share of the vectors on the right side of 0, both sets counting the same.
    pub accuracy: f64,
}

/// Plays the discriminator's loss on two sets backward, into the gradients of its weights.
pub(crate) fn train_discriminator(
    discriminator: &Dense,
    sets: &TwoSets<'_>,
    tape: &mut Tape,
    params: &mut Params,
) -> Result<Judged, Error> {
    tape.reset();
    let mut judged = Judged { nats: 0.0, accuracy: 0.0 };
    for (vectors, target) in [(sets.real, 1.0), (sets.fake, 0.0)] {
        let rows = vectors.len() / sets.dim;
        let each = 1.0 / rows.max(1) as f64;
        let x = tape.input(vectors, (rows, sets.dim));
        let logits = discriminator.forward(tape, params, x);
        let right = tape.value(logits).iter().filter(|&&l| if target > 0.5 { l > 0.0 } else { l < 0.0 }).count();
        judged.accuracy += 0.5 * each * right as f64;
        judged.nats += each * tape.binary_cross_entropy(logits, &vec![target; rows], scaled(each as f32));
    }
    tape.backward(params)?;
    Ok(judged)
}

#[cfg(test)]
mod tests {
    use strait_engine::{Var, optim::Rule};

    use super::*;
    use crate::objective::testing::{check_gradients, numbers, rng};

    fn config() -> AdversarialConfig {
        AdversarialConfig { hidden: vec![32], rate: 2e-3, ..AdversarialConfig::default() }
    }

    fn point(z: Var) -> Code {
        Code { z, mean: z, log_variance: None }
    }

    fn figure(figures: &Figures, name: &str) -> f64 {
        figures.iter().find(|f| f.0 == name).map(|f| f.1).unwrap()
    }

    fn adam(params: &Params) -> Optimiser {
        Optimiser::new(Rule::Adam { beta1: 0.5, beta2: 0.999, eps: 1e-8, decay: 0.0 }, params)
    }

    #[test]
    fn gradients_for_the_encoder_with_a_frozen_discriminator() {
        let mut params = Params::new();
        let config = AdversarialConfig { hidden: vec![7], weight: 3.0, log_variance: 0.4, ..config() };
        let mut adversarial = Adversarial::new(&mut params, &config, 4, &mut rng(1));
        params.set_trainable("adversary.", false);
        let (z, mean, log_variance) = (numbers(12, 1), numbers(12, 2), numbers(12, 3));
        let shape = (3, 4);
        let inputs = [(&z[..], shape), (&mean[..], shape), (&log_variance[..], shape)];
        check_gradients(&mut params, &inputs, &mut |tape, params, v| {
            let code = Code { z: v[0], mean: v[1], log_variance: Some(v[2]) };
            adversarial.loss(tape, params, code, 0.5);
        });
        assert!(params.iter().all(|(_, p)| p.grad().is_empty()));
    }

    #[test]
    fn the_loss_by_hand() {
        let mut params = Params::new();
        let config = AdversarialConfig { hidden: vec![], weight: 3.0, log_variance: 0.5, ..config() };
        let mut adversarial = Adversarial::new(&mut params, &config, 2, &mut rng(1));
        let weight = params.find("adversary.discriminator.0.weight").unwrap();
        params.assign(weight, &[1.0, -1.0]);
        let mut tape = Tape::new();
        let z = tape.input(&[2.0, 1.0, 0.0, 0.0], (2, 2));
        let (mean, log_variance) =
            (tape.input(&[1.0, 0.0, 0.0, 0.0], (2, 2)), tape.input(&[0.0, -2.0, 1.0, 0.0], (2, 2)));
        let divergence = adversarial.loss(&mut tape, &params, Code { z, mean, log_variance: Some(log_variance) }, 0.1);
        let nats = (-1f64).exp().ln_1p() + 2f64.ln();
        assert!((tape.loss() - 0.1 * (3.0 * nats + 0.5 * 3.0)).abs() < 1e-6, "{}", tape.loss());
        // (1 + ((e^-2 - 1) + 2) + ((e - 1) - 1)) / 2.
        assert!((divergence - 0.5 * (1.0 + (-2f64).exp() + 1.0 + 1f64.exp() - 2.0)).abs() < 1e-6);
        assert!((figure(&adversarial.figures(), "generator_loss") - nats / 2.0).abs() < 1e-6);
        assert!((figure(&adversarial.figures(), "log_variance") - 1.5).abs() < 1e-6);
    }

    #[test]
    fn gradients_of_the_discriminator() {
        let mut params = Params::new();
        let d = Dense::new(&mut params, "d", &[3, 5, 1], Activation::Relu, &mut rng(2));
        let (real, fake) = (numbers(12, 1), numbers(9, 2));
        let sets = TwoSets { real: &real, fake: &fake, dim: 3 };
        let mut tape = Tape::new();
        train_discriminator(&d, &sets, &mut tape, &mut params).unwrap();
        let gradients: Vec<Vec<f32>> = params.iter().map(|(_, p)| p.grad().to_vec()).collect();
        let ids: Vec<_> = params.iter().map(|(id, _)| id).collect();
        let mut loss = |params: &mut Params| {
            train_discriminator(&d, &sets, &mut tape, params).unwrap();
            tape.loss()
        };
        for (id, gradient) in ids.into_iter().zip(gradients) {
            for (j, g) in gradient.into_iter().enumerate() {
                params.nudge(id, j, 2e-3);
                let up = loss(&mut params);
                params.nudge(id, j, -4e-3);
                let down = loss(&mut params);
                params.nudge(id, j, 2e-3);
                assert!((f64::from(g) - (up - down) / 4e-3).abs() < 3e-3, "{} {j}", params.get(id).name());
            }
        }
    }

    #[test]
    fn it_separates_shifted_clouds() {
        let mut params = Params::new();
        let mut adversarial = Adversarial::new(&mut params, &config(), 4, &mut rng(3));
        let mut optimiser = adam(&params);
        let mut tape = Tape::new();
        for step in 0..150 {
            let rng = &mut rng(step);
            adversarial.latents = init::normal(64 * 4, 1.0, rng).into_iter().map(|z| z + 2.0).collect();
            adversarial.train_own(&mut tape, &mut params, &mut optimiser, rng).unwrap();
        }
        let accuracy = figure(&adversarial.figures(), "discriminator_accuracy");
        assert!(accuracy > 0.9, "{accuracy}");
    }

    /// An encoder that is free: one scale and one shift for each dimension of shifted noise.
    #[test]
    fn it_ends_near_evens_when_the_encoder_can_match() {
        let mut params = Params::new();
        let shape = (4, 4);
        let weight = params.add("encoder.weight", shape, numbers(16, 4));
        let bias = params.add("encoder.bias", (1, 4), vec![2.0; 4]);
        let mut adversarial = Adversarial::new(&mut params, &config(), 4, &mut rng(5));
        let own = [weight, bias].to_vec();
        let adversary = params.iter().map(|(id, _)| id).filter(|id| !own.contains(id)).collect();
        let rule = Rule::Adam { beta1: 0.5, beta2: 0.999, eps: 1e-8, decay: 0.0 };
        let mut optimisers = (Optimiser::over(rule, &params, own), Optimiser::over(rule, &params, adversary));
        let (mut tape, mut accuracy) = (Tape::new(), Vec::new());
        for step in 0..1200u64 {
            let rng = &mut rng(step);
            tape.reset();
            params.set_trainable("adversary.", false);
            let x = tape.input(&init::normal(64 * 4, 1.0, rng), (64, 4));
            let z = tape.linear(&params, x, weight, Some(bias));
            adversarial.loss(&mut tape, &params, point(z), 1.0 / 640.0);
            tape.backward(&mut params).unwrap();
            optimisers.0.step(&mut params, 2e-3, 0.0).unwrap();
            params.set_trainable("adversary.", true);
            adversarial.train_own(&mut tape, &mut params, &mut optimisers.1, rng).unwrap();
            accuracy.push(figure(&adversarial.figures(), "discriminator_accuracy"));
        }
        let mean = |a: &[f64]| a.iter().sum::<f64>() / a.len() as f64;
        let (early, late) = (mean(&accuracy[50..150]), mean(&accuracy[1000..]));
        assert!(early > 0.8 && (late - 0.5).abs() < 0.08, "{early} {late}");
        assert!(params.value(bias).iter().all(|b| b.abs() < 0.4), "{:?}", params.value(bias));
    }
}
