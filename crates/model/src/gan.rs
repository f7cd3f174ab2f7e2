//! A plain generative adversarial network (Goodfellow et al. 2014) over vectors of a fixed size, such as latents.
//!
//! x (N, D) the data, e (B, E) ~ N(0, I), G: E -> D the generator, D: D -> 1 the discriminator (a logit), s the logistic
//! function. Each step draws B rows and updates the discriminator by
//! `1/B sum_i [-ln s(D(x_i)) - ln(1 - s(D(G(e_i))))]`, then with new noise the generator by
//! `1/B sum_i -ln s(D(G(e_i)))` (the form that does not saturate), both by Adam. Vectors are standardised for the
//! training; the generator's last layer takes that back. The two networks circle each other rather than settle; against
//! that Adam has no momentum (Gidel et al. 2019), rates fall to 0 over the last half of the steps, and the generator that
//! is kept is a running average over its weights (Yazici et al. 2019).

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use strait_engine::{
    Error, ParamId, Params, Tape, Var, init,
    ops::activation::Activation,
    optim::{Optimiser, Rule},
};

use crate::{
    objective::{
        Progress,
        adversarial::{Judged, TwoSets, train_discriminator},
        dense::{Dense, fade, keep, scaled},
    },
    prior::{Generator, PriorError, check_rows},
};

/// Fewest vectors to learn from.
const LEAST_ROWS: usize = 16;
/// Times that progress is told over a training.
const REPORTS: u64 = 50;
/// The slope of the discriminator's activation below 0.
const LEAK: f32 = 0.2;

/// The networks and how they are trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GanConfig {
    /// Dimensions of the generator's noise, E.
    pub noise: usize,
    /// Hidden units of each layer.
    pub generator: Vec<usize>,
    pub discriminator: Vec<usize>,
    pub steps: u64,
    /// Vectors in a batch, B.
    pub batch: usize,
    /// Learning rate of both, and Adam's beta1.
    pub rate: f32,
    pub beta1: f32,
    /// How long the running average of the generator's weights remembers, as a share of the steps; 0: the last weights
    /// are kept.
    pub average: f32,
}

impl Default for GanConfig {
    fn default() -> Self {
        GanConfig {
            noise: 128,
            generator: vec![1024],
            discriminator: vec![1024, 128],
            steps: 2000,
            batch: 64,
            rate: 1e-4,
            beta1: 0.0,
            average: 0.25,
        }
    }
}

/// How a training goes: means over the steps since the last report.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GanReport {
    /// Steps made, and planned.
    pub step: u64,
    pub steps: u64,
    /// Nats of a generated vector; `ln 2` where the discriminator is at evens.
    pub generator_loss: f64,
    /// Nats of a real and a generated vector together; `2 ln 2` at evens.
    pub discriminator_loss: f64,
    /// Share of the vectors that it told right.
    pub discriminator_accuracy: f64,
}

/// Why a training failed.
#[derive(Debug, thiserror::Error)]
pub enum GanError {
    #[error("{field} is {value}, but must be {expected}")]
    Config { field: &'static str, value: String, expected: &'static str },
    /// The vectors.
    #[error(transparent)]
    Vectors(#[from] PriorError),
    /// The numbers went wrong.
    #[error("step {step}: {source}; a lower learning rate may help")]
    Numbers { step: u64, source: Error },
}

/// A trained network.
#[derive(Debug, Clone, PartialEq)]
pub struct Gan {
    /// Draws vectors like those it was trained on.
    pub generator: Generator,
    /// Every report, from first to last.
    pub reports: Vec<GanReport>,
}

impl Gan {
    /// Trains on `vectors` (N, D); the same vectors, settings and seed give the same bits. `listener` hears about 50
    /// reports on the way.
    ///
    /// # Errors
    /// If the settings or the vectors make no sense, or the numbers overflow.
    pub fn train(
        vectors: &[f32],
        dim: usize,
        config: &GanConfig,
        seed: u64,
        listener: &mut dyn FnMut(&GanReport),
    ) -> Result<Gan, GanError> {
        config.check()?;
        check_rows("vectors", vectors, dim, LEAST_ROWS)?;
        let scale = Scale::of(vectors, dim);
        let data = scale.standardised(vectors);
        let mut game = Game::new(config, dim, &mut ChaCha8Rng::seed_from_u64(seed));
        let (mut reports, mut meter) = (Vec::new(), Meter::default());
        for step in 0..config.steps {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(step + 1);
            let made = game.step(&data, step, &mut rng).map_err(|source| GanError::Numbers { step, source })?;
            meter.add(made);
            let made = step + 1;
            if made % config.steps.div_ceil(REPORTS) == 0 || made == config.steps {
                let report = meter.report(made, config.steps);
                listener(&report);
                reports.push(report);
            }
        }
        Ok(Gan { generator: game.finish(&scale), reports })
    }
}

impl GanConfig {
    /// Refuses values with which nothing could be trained.
    ///
    /// # Errors
    /// The first such field.
    pub fn check(&self) -> Result<(), GanError> {
        let widths = [("noise", self.noise), ("batch", self.batch)].into_iter();
        let widths = widths.chain(self.generator.iter().map(|&w| ("generator", w)));
        for (field, width) in widths.chain(self.discriminator.iter().map(|&w| ("discriminator", w))) {
            if !(1..=65_536).contains(&width) {
                return Err(GanError::Config { field, value: width.to_string(), expected: "between 1 and 65536" });
            }
        }
        if self.steps == 0 {
            return Err(GanError::Config { field: "steps", value: "0".into(), expected: "at least 1" });
        }
        for (field, share) in [("beta1", self.beta1), ("average", self.average)] {
            if !(0.0..1.0).contains(&share) {
                let expected = "at least 0 and below 1";
                return Err(GanError::Config { field, value: share.to_string(), expected });
            }
        }
        if !(self.rate > 0.0 && self.rate.is_finite()) {
            return Err(GanError::Config { field: "rate", value: self.rate.to_string(), expected: "above 0" });
        }
        Ok(())
    }
}

/// Mean and standard deviation of each dimension (D each).
struct Scale {
    means: Vec<f32>,
    deviations: Vec<f32>,
}

impl Scale {
    fn of(vectors: &[f32], dim: usize) -> Self {
        let n = (vectors.len() / dim) as f64;
        let mean = |f: &dyn Fn(usize, f64) -> f64| {
            let mut sums = vec![0.0; dim];
            for row in vectors.chunks_exact(dim) {
                sums.iter_mut().zip(row).enumerate().for_each(|(j, (s, &x))| *s += f(j, f64::from(x)));
            }
            sums.iter_mut().for_each(|s| *s /= n);
            sums
        };
        let means = mean(&|_, x| x);
        let variances = mean(&|j, x| (x - means[j]).powi(2));
        // A dimension that never moves stays where it is.
        let deviations = variances.iter().map(|v| if *v > 0.0 { v.sqrt() as f32 } else { 1.0 }).collect();
        Scale { means: means.iter().map(|&m| m as f32).collect(), deviations }
    }

    fn standardised(&self, vectors: &[f32]) -> Vec<f32> {
        let dim = self.means.len();
        vectors.iter().enumerate().map(|(i, x)| (x - self.means[i % dim]) / self.deviations[i % dim]).collect()
    }
}

/// The two networks with their optimisers.
struct Game<'a> {
    config: &'a GanConfig,
    dim: usize,
    params: Params,
    generator: Dense,
    discriminator: Dense,
    optimisers: (Optimiser, Optimiser),
    /// The running average of the generator.
    average: Dense,
    tape: Tape,
}

impl<'a> Game<'a> {
    fn new(config: &'a GanConfig, dim: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut params = Params::new();
        let widths = |from: usize, hidden: &[usize], to: usize| -> Vec<usize> {
            [from].into_iter().chain(hidden.iter().copied()).chain([to]).collect()
        };
        let sizes = widths(config.noise, &config.generator, dim);
        let generator = Dense::new(&mut params, "generator", &sizes, Activation::Relu, rng);
        let sizes = widths(dim, &config.discriminator, 1);
        let discriminator = Dense::new(&mut params, "discriminator", &sizes, Activation::LeakyRelu(LEAK), rng);
        let ids = |prefix: &str| -> Vec<ParamId> {
            params.iter().filter(|(_, p)| p.name().starts_with(prefix)).map(|(id, _)| id).collect()
        };
        let rule = Rule::Adam { beta1: config.beta1, beta2: 0.999, eps: 1e-8, decay: 0.0 };
        let over = |prefix| Optimiser::over(rule, &params, ids(prefix));
        let optimisers = (over("generator"), over("discriminator"));
        let average = generator.copy(&mut params, "average");
        Game { config, dim, generator, discriminator, optimisers, average, params, tape: Tape::new() }
    }

    /// One update of each; data (N, D) standardised.
    fn step(&mut self, data: &[f32], step: u64, rng: &mut ChaCha8Rng) -> Result<Made, Error> {
        let progress = Progress { step, steps: self.config.steps };
        let rate = self.config.rate * fade(progress);
        let judged = self.discriminator_step(data, rate, rng)?;
        let nats = self.generator_step(rate, rng)?;
        self.average.follow(&mut self.params, &self.generator, keep(self.config.average, progress));
        Ok(Made { judged, nats })
    }

    fn discriminator_step(&mut self, data: &[f32], rate: f32, rng: &mut ChaCha8Rng) -> Result<Judged, Error> {
        let rows = data.len() / self.dim;
        let pick = |_| &data[rng.random_range(0..rows) * self.dim..][..self.dim];
        let real: Vec<f32> = (0..self.config.batch).flat_map(pick).copied().collect();
        let mut tape = Tape::inference();
        let made = generate(&mut tape, &self.params, &self.generator, self.config, rng);
        let sets = TwoSets { real: &real, fake: tape.value(made), dim: self.dim };
        let judged = train_discriminator(&self.discriminator, &sets, &mut self.tape, &mut self.params)?;
        self.optimisers.1.step(&mut self.params, rate, 0.0)?;
        Ok(judged)
    }

    /// Returns the loss.
    fn generator_step(&mut self, rate: f32, rng: &mut ChaCha8Rng) -> Result<f64, Error> {
        let (tape, params, batch) = (&mut self.tape, &mut self.params, self.config.batch);
        tape.reset();
        params.set_trainable("discriminator", false);
        let made = generate(tape, params, &self.generator, self.config, rng);
        let logits = self.discriminator.forward(tape, params, made);
        tape.binary_cross_entropy(logits, &vec![1.0; batch], scaled(1.0 / batch as f32));
        let loss = tape.loss();
        let result = tape.backward(params).and_then(|()| self.optimisers.0.step(params, rate, 0.0));
        params.set_trainable("discriminator", true);
        result.map(|_| loss)
    }

    fn finish(&self, scale: &Scale) -> Generator {
        Generator::of(&self.params, &self.average, Some((&scale.deviations, &scale.means)), false)
    }
}

/// A batch from the generator, standardised (B, D).
fn generate(tape: &mut Tape, params: &Params, generator: &Dense, config: &GanConfig, rng: &mut ChaCha8Rng) -> Var {
    let noise = init::normal(config.batch * config.noise, 1.0, rng);
    let noise = tape.input(&noise, (config.batch, config.noise));
    generator.forward(tape, params, noise)
}

/// What a step did.
struct Made {
    judged: Judged,
    nats: f64,
}

/// Sums since the last report.
#[derive(Default)]
struct Meter {
    steps: f64,
    /// Generator's loss, discriminator's loss, accuracy.
    sums: [f64; 3],
}

impl Meter {
    fn add(&mut self, made: Made) {
        self.steps += 1.0;
        let now = [made.nats, made.judged.nats, made.judged.accuracy];
        self.sums.iter_mut().zip(now).for_each(|(s, x)| *s += x);
    }

    fn report(&mut self, step: u64, steps: u64) -> GanReport {
        let [generator_loss, discriminator_loss, discriminator_accuracy] = self.sums.map(|s| s / self.steps.max(1.0));
        *self = Meter::default();
        GanReport { step, steps, generator_loss, discriminator_loss, discriminator_accuracy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objective::testing::rng,
        prior::{Prior, two_sample_auc},
    };

    fn small(steps: u64) -> GanConfig {
        GanConfig {
            noise: 16,
            generator: vec![64],
            discriminator: vec![64, 32],
            rate: 1e-3,
            steps,
            ..GanConfig::default()
        }
    }

    /// Mean and covariance (D, D) of rows.
    fn moments(rows: &[f32], dim: usize) -> (Vec<f64>, Vec<f64>) {
        let n = (rows.len() / dim) as f64;
        let column = |j: usize| rows.iter().skip(j).step_by(dim).map(|&x| f64::from(x));
        let mean: Vec<f64> = (0..dim).map(|j| column(j).sum::<f64>() / n).collect();
        let product =
            |i: usize, j: usize| column(i).zip(column(j)).map(|(a, b)| (a - mean[i]) * (b - mean[j])).sum::<f64>() / n;
        let covariance = (0..dim * dim).map(|e| product(e / dim, e % dim)).collect();
        (mean, covariance)
    }

    #[test]
    fn the_moments_of_a_gaussian_in_eight_dimensions_are_matched() {
        // x = m + A e, with neighbours correlated by a half and different scales.
        let draw = |n: usize, seed: u64| -> Vec<f32> {
            let one = |e: &[f32]| {
                (0..8)
                    .map(|j| (j as f32 - 3.0) + (1.0 + 0.2 * j as f32) * (0.8 * e[j] + 0.6 * e[j + 1]))
                    .collect::<Vec<_>>()
            };
            init::normal(n * 9, 1.0, &mut rng(seed)).chunks(9).flat_map(one).collect()
        };
        let data = draw(4000, 1);
        let mut heard = 0;
        let gan = Gan::train(&data, 8, &small(2000), 3, &mut |_| heard += 1).unwrap();
        assert_eq!((heard, gan.reports.len()), (50, 50));
        let made = Prior::Generator(gan.generator.clone()).sample_many(4000, &mut rng(5));
        let ((mean, covariance), (made_mean, made_covariance)) = (moments(&data, 8), moments(&made, 8));
        for i in 0..8 {
            let sd = covariance[i * 9].sqrt();
            assert!((mean[i] - made_mean[i]).abs() < 0.2 * sd, "mean {i}: {} {}", mean[i], made_mean[i]);
            for j in 0..8 {
                let unit = sd * covariance[j * 9].sqrt();
                let (want, got) = (covariance[i * 8 + j] / unit, made_covariance[i * 8 + j] / unit);
                assert!((want - got).abs() < 0.25, "covariance {i} {j}: {want} {got}");
            }
        }
        let last = gan.reports[49];
        assert!((last.discriminator_accuracy - 0.5).abs() < 0.15, "{last:?}");
        let auc = two_sample_auc(&draw(4000, 2), &made, 8, 1).unwrap();
        assert!(auc < 0.65, "{auc}");
    }

    #[test]
    fn a_ring_is_a_ring() {
        let angle = |i: usize| i as f32 * 0.618_034 * std::f32::consts::TAU;
        let data: Vec<f32> = (0..1000).flat_map(|i| [3.0 * angle(i).cos() + 10.0, 3.0 * angle(i).sin()]).collect();
        let config = GanConfig { noise: 2, generator: vec![64, 64], ..small(2000) };
        let gan = Gan::train(&data, 2, &config, 1, &mut |_| {}).unwrap();
        let made = gan.generator.sample_many(1000, &mut rng(2));
        let radius = |z: &[f32]| (z[0] - 10.0).hypot(z[1]);
        let near = made.chunks(2).filter(|z| (radius(z) - 3.0).abs() < 0.75).count();
        let mut sectors = [0; 8];
        made.chunks(2)
            .for_each(|z| sectors[((z[1].atan2(z[0] - 10.0) / std::f32::consts::TAU + 0.5) * 7.999) as usize] += 1);
        assert!(near > 900 && sectors.iter().all(|&s| s > 60), "{near} {sectors:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_and_another_another() {
        let data = init::normal(300, 1.0, &mut rng(1));
        let train = |seed| Gan::train(&data, 3, &small(20), seed, &mut |_| {}).unwrap();
        assert_eq!(train(1), train(1));
        assert_ne!(train(1).generator, train(2).generator);
    }

    #[test]
    fn nonsense_is_refused() {
        let train =
            |data: &[f32], config: &GanConfig| Gan::train(data, 2, config, 1, &mut |_| {}).unwrap_err().to_string();
        let data = [0.5; 64];
        assert!(train(&data, &GanConfig { steps: 0, ..small(1) }).contains("steps is 0"));
        assert!(train(&data, &GanConfig { noise: 0, ..small(1) }).contains("noise is 0"));
        assert!(train(&data, &GanConfig { rate: f32::NAN, ..small(1) }).contains("rate is NaN"));
        assert!(train(&data[..20], &small(1)).contains("at least 16"));
        assert!(train(&data[..33], &small(1)).contains("whole rows"));
        assert!(train(&[f32::NAN; 64], &small(1)).contains("NaN"));
    }
}
