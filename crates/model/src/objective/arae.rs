//! Adversarially regularised autoencoder (Zhao et al. 2018): a generator G learns to make latents from noise, a critic D
//! compares them with the encoder's, and the encoder moves its latents towards what the generator makes.
//!
//! z (B, Z) the latents without training noise, e (B, E) ~ N(0, I), D(z) a score (B, 1). In the Wasserstein form with
//! gradient penalty (Gulrajani et al. 2017):
//! - critic:    `1/B sum_i [D(G(e_i)) - D(z_i)] + penalty/B sum_i (|slope of D at x_i| - 1)^2`, with x_i at random
//!   between z_i and G(e_i), `critic_steps` times with new noise on the same z;
//! - generator: `-1/B sum_i D(G(e_i))`, once;
//! - encoder:   `weight sum_i D(z_i)` beside the loss of reconstruction.
//!
//! Where latents lie on a sphere (normalised by layer), so do the generator's. The two networks circle each other rather
//! than settle, so their rate falls to 0 over the last half of the training, and a running average over the generator's
//! weights (`objective.generator.*`: Yazici et al. 2019) becomes the model's prior.

use rand::{Rng, RngExt};
use strait_engine::{Error, Params, Tape, Var, init, ops::activation::Activation, optim::Optimiser};

use super::{
    Figures, Progress,
    dense::{Dense, fade, keep, scaled},
    divergence,
};
use crate::{
    config::{AraeConfig, LatentConfig, LatentKind, Normalise},
    latent::Code,
    prior::Generator,
};

/// What the names of the critic's weights start with.
const CRITIC: &str = "adversary.critic";
/// Share of the steps that the average of the generator remembers.
const MEMORY: f32 = 0.25;
/// Added to variances on a sphere, as the latent does.
const EPS: f32 = 1e-5;
/// The slope of the critic's activation below 0.
const LEAK: f32 = 0.2;

/// Generator and critic, and what they last saw.
#[derive(Debug)]
pub struct Arae {
    config: AraeConfig,
    generator: Dense,
    /// Its running average.
    average: Dense,
    critic: Dense,
    /// Whether latents are normalised by layer.
    sphere: bool,
    size: usize,
    /// The last batch's latents without noise (B, Z), for [`Arae::train_own`].
    latents: Vec<f32>,
    /// When it saw them.
    progress: Progress,
    figures: Figures,
}

impl Arae {
    /// Adds `adversary.generator.*`, `adversary.critic.*` and, not trained, `objective.generator.*`.
    pub fn new(params: &mut Params, config: &AraeConfig, latent: &LatentConfig, rng: &mut impl Rng) -> Self {
        let widths = |from: usize, hidden: &[usize], to: usize| -> Vec<usize> {
            [from].into_iter().chain(hidden.iter().copied()).chain([to]).collect()
        };
        let sizes = widths(config.noise, &config.generator, latent.size);
        let generator = Dense::new(params, "adversary.generator", &sizes, Activation::Relu, rng);
        let sizes = widths(latent.size, &config.critic, 1);
        let critic = Dense::new(params, CRITIC, &sizes, Activation::LeakyRelu(LEAK), rng);
        Arae {
            config: config.clone(),
            average: generator.copy(params, "objective.generator"),
            generator,
            critic,
            sphere: latent.normalise == Normalise::Layer && latent.kind == LatentKind::Point,
            size: latent.size,
            latents: Vec::new(),
            progress: Progress { step: 0, steps: 1 },
            figures: Figures::new(),
        }
    }

    /// Adds the encoder's part to the loss; a sum over texts counts `scale`. Returns the divergence of the posteriors.
    pub fn loss(&mut self, tape: &mut Tape, params: &Params, code: Code, (progress, scale): (Progress, f32)) -> f64 {
        self.progress = progress;
        self.latents.clear();
        self.latents.extend_from_slice(tape.value(code.mean));
        let scores = self.critic.forward(tape, params, code.mean);
        tape.sum_loss(scores, scaled(self.config.weight * scale));
        divergence(tape, code)
    }

    /// Updates of the critic on the latents that [`Arae::loss`] saw, then one of the generator.
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
        let (mut last, rate) = (Compared::default(), self.config.rate * fade(self.progress));
        for _ in 0..self.config.critic_steps {
            last = self.critic_loss(tape, params, rng);
            tape.backward(params)?;
            optimiser.step(params, rate, 0.0)?;
        }
        // The critic only passes the gradient on.
        params.set_trainable(CRITIC, false);
        self.generator_loss(tape, params, rng);
        let result = tape.backward(params).and_then(|()| optimiser.step(params, rate, 0.0));
        params.set_trainable(CRITIC, true);
        result?;
        self.average.follow(params, &self.generator, keep(MEMORY, self.progress));
        self.figures = vec![("critic_distance", last.distance), ("critic_penalty", last.penalty)];
        Ok(())
    }

    /// Records the critic's loss with new noise.
    fn critic_loss(&self, tape: &mut Tape, params: &Params, rng: &mut impl Rng) -> Compared {
        let rows = self.latents.len() / self.size;
        let made = self.made(params, rows, rng);
        let between = self.latents.chunks_exact(self.size).zip(made.chunks_exact(self.size)).flat_map(|(z, g)| {
            let t: f32 = rng.random();
            z.iter().zip(g).map(move |(z, g)| t * z + (1.0 - t) * g)
        });
        let between: Vec<f32> = between.collect();
        let (shape, each) = ((rows, self.size), 1.0 / rows.max(1) as f32);
        tape.reset();
        let mut scores = |vectors: &[f32], scale: f32| {
            let x = tape.input(vectors, shape);
            let scores = self.critic.forward(tape, params, x);
            tape.sum_loss(scores, scaled(scale))
        };
        let distance = scores(&self.latents, -each) - scores(&made, each);
        let x = tape.input(&between, shape);
        let penalty = self.critic.gradient_penalty(tape, params, x, self.config.penalty * each);
        Compared { distance: distance * f64::from(each), penalty: penalty * f64::from(each) }
    }

    /// Records the generator's loss with new noise.
    fn generator_loss(&self, tape: &mut Tape, params: &Params, rng: &mut impl Rng) {
        let rows = self.latents.len() / self.size;
        let each = 1.0 / rows.max(1) as f32;
        tape.reset();
        let made = self.generate(tape, params, rows, rng);
        let scores = self.critic.forward(tape, params, made);
        tape.sum_loss(scores, scaled(-each));
    }

    /// New latents (rows, Z) on a tape.
    fn generate(&self, tape: &mut Tape, params: &Params, rows: usize, rng: &mut impl Rng) -> Var {
        let noise = init::normal(rows * self.config.noise, 1.0, rng);
        let noise = tape.input(&noise, (rows, self.config.noise));
        let z = self.generator.forward(tape, params, noise);
        if self.sphere { tape.layer_norm(params, z, None, EPS) } else { z }
    }

    /// New latents (rows, Z) as numbers.
    fn made(&self, params: &Params, rows: usize, rng: &mut impl Rng) -> Vec<f32> {
        let mut tape = Tape::inference();
        let z = self.generate(&mut tape, params, rows, rng);
        tape.value(z).to_vec()
    }

    /// The generator as a prior: the average over its weights.
    pub fn prior(&self, params: &Params) -> Generator {
        Generator::of(params, &self.average, None, self.sphere)
    }

    /// Of the update before: `critic_distance`, how far apart the critic finds the encoder's latents and the
    /// generator's, and `critic_penalty`, without its weight.
    pub fn figures(&self) -> Figures {
        self.figures.clone()
    }
}

/// What the critic found.
#[derive(Debug, Clone, Copy, Default)]
struct Compared {
    /// The mean score of latents minus that of generated ones.
    distance: f64,
    /// The mean of (|slope| - 1)^2.
    penalty: f64,
}

#[cfg(test)]
mod tests {
    use strait_engine::optim::Rule;

    use super::*;
    use crate::{
        objective::testing::{check_gradients, numbers, rng},
        prior::{Prior, two_sample_auc},
    };

    const START: Progress = Progress { step: 0, steps: 100 };

    fn latent(size: usize, normalise: Normalise) -> LatentConfig {
        LatentConfig { size, normalise, ..LatentConfig::default() }
    }

    fn config() -> AraeConfig {
        let (generator, critic) = (vec![64, 64], vec![64, 64]);
        AraeConfig { noise: 3, generator, critic, rate: 1e-3, penalty: 1.0, ..AraeConfig::default() }
    }

    fn small(normalise: Normalise) -> (Params, Arae) {
        let mut params = Params::new();
        let config = AraeConfig { generator: vec![5], critic: vec![6], penalty: 2.0, weight: 0.7, ..config() };
        let mut arae = Arae::new(&mut params, &config, &latent(4, normalise), &mut rng(3));
        // Biases away from 0: where no unit of the generator is above it, the critic would stand on its corners.
        for bias in ["generator.0", "generator.1", "critic.0"] {
            let id = params.find(&format!("adversary.{bias}.bias")).unwrap();
            let values = numbers(params.shape(id).1, 2);
            params.assign(id, &values);
        }
        arae.latents = numbers(20, 8);
        (params, arae)
    }

    #[test]
    fn gradients_for_the_encoder() {
        let (mut params, mut arae) = small(Normalise::Batch);
        params.set_trainable("adversary.", false);
        let z = numbers(20, 1);
        check_gradients(&mut params, &[(&z, (5, 4))], &mut |tape, params, v| {
            let noisy = tape.add_constant(v[0], &[0.1; 20]);
            arae.loss(tape, params, Code { z: noisy, mean: v[0], log_variance: None }, (START, 0.5));
        });
        // What its own networks will see is the latents without noise.
        let mut tape = Tape::new();
        let clean = tape.input(&z, (5, 4));
        let noisy = tape.add_constant(clean, &[0.1; 20]);
        arae.loss(&mut tape, &params, Code { z: noisy, mean: clean, log_variance: None }, (START, 0.5));
        assert_eq!(arae.latents, z);
    }

    #[test]
    fn gradients_of_the_critic() {
        let (mut params, arae) = small(Normalise::Layer);
        // The generator's latents are constants here.
        params.set_trainable("adversary.generator", false);
        check_gradients(&mut params, &[], &mut |tape, params, _| {
            arae.critic_loss(tape, params, &mut rng(5));
        });
    }

    #[test]
    fn gradients_of_the_generator() {
        for normalise in [Normalise::None, Normalise::Layer] {
            let (mut params, arae) = small(normalise);
            params.set_trainable(CRITIC, false);
            check_gradients(&mut params, &[], &mut |tape, params, _| {
                arae.generator_loss(tape, params, &mut rng(6));
            });
        }
    }

    #[test]
    fn a_round_moves_both_networks_and_leaves_no_gradient_behind() {
        let (mut params, mut arae) = small(Normalise::None);
        let mut optimiser = Optimiser::new(Rule::default(), &params);
        let before: Vec<Vec<f32>> = params.iter().map(|(_, p)| p.value().to_vec()).collect();
        let mut tape = Tape::new();
        arae.train_own(&mut tape, &mut params, &mut optimiser, &mut rng(1)).unwrap();
        // The critic's last bias cancels.
        let moves = |name: &str| !name.ends_with("critic.1.bias");
        assert!(params.iter().zip(&before).all(|((_, p), b)| p.value() != b || !moves(p.name())));
        assert!(params.iter().all(|(_, p)| p.trainable() != p.name().starts_with("objective.") && p.grad().iter().all(|&g| g == 0.0)));
        assert_eq!(optimiser.steps(), 6);
    }

    /// Two clumps, which no Gaussian is: the generator finds both.
    #[test]
    fn the_generator_learns_a_distribution_of_two_clumps() {
        let mut params = Params::new();
        let mut arae = Arae::new(&mut params, &config(), &latent(3, Normalise::None), &mut rng(4));
        let mut optimiser = Optimiser::new(Rule::Adam { beta1: 0.0, beta2: 0.9, eps: 1e-8, decay: 0.0 }, &params);
        let mut tape = Tape::new();
        let clumps = |n: usize, rng: &mut rand_chacha::ChaCha8Rng| -> Vec<f32> {
            let one = |_| {
                let side = if rng.random::<f32>() < 0.5 { 1.5 } else { -1.5 };
                init::normal(3, 0.4, rng).into_iter().map(move |x| x + side)
            };
            (0..n).flat_map(one).collect()
        };
        let held_out = clumps(2000, &mut rng(99));
        let auc = |arae: &Arae, params: &Params| {
            let draws = Prior::Generator(arae.prior(params)).sample_many(2000, &mut rng(7));
            let upper = draws.chunks(3).filter(|z| z[0] > 0.0).count() as f64 / 2000.0;
            (two_sample_auc(&held_out, &draws, 3, 1).unwrap(), upper)
        };
        let before = auc(&arae, &params).0;
        for step in 0..500 {
            let rng = &mut rng(step);
            arae.progress = Progress { step, steps: 500 };
            arae.latents = clumps(64, rng);
            arae.train_own(&mut tape, &mut params, &mut optimiser, rng).unwrap();
        }
        let (after, upper) = auc(&arae, &params);
        assert!(before > 0.9 && after < 0.75 && (upper - 0.5).abs() < 0.15, "{before} {after} {upper}");
    }
}
