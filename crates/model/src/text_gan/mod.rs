//! Adversarial training of language models: a discriminator learns to tell samples from texts, the generator learns to
//! write what passes for real: by policy gradient, where methods differ in how the discriminator's opinion becomes the weight
//! of a token, or by the discriminator's gradient through a relaxation of the tokens.
//!
//! The generator is the recipe's decoder, so that the result is a language model like others; the discriminator's weights
//! are `adversary.*`, and with LeakGAN a manager ([`crate::decoder::manager`]) has `objective.manager.*`. A step is a function of the weights and of its random numbers: nothing else is kept.

mod advantage;
mod convolution;
mod discriminator;
pub(crate) mod lagged;
mod leakgan;
mod maligan;
#[cfg(test)]
mod oracle;
mod phase;
mod policy;
mod rankgan;
mod relaxed;
mod samples;
mod scratchgan;
mod seqgan;

use std::sync::Arc;

use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use strait_engine::{Error, Params, Tape, Var, ops::losses::Weighting, optim::Optimiser};

use self::{
    discriminator::Discriminator,
    lagged::Lagged,
    rankgan::{Sets, Units},
    samples::Samples,
    seqgan::Rollouts,
};
use crate::{
    Autoencoder, Figures, StepLoss,
    autoencoder::{BATCH_TOKENS, ranges},
    batch::Sequences,
    config::{TextGanConfig, TextGanMethod},
    decoder::Manager,
    objective::Regulariser,
};

pub(crate) use phase::Phase;

/// What a step is made on.
#[derive(Clone, Copy)]
pub struct TextGanTask<'a> {
    /// The texts whose likelihood counts in this step, as ids.
    pub picked: &'a [&'a [u32]],
    /// All training texts, of which the discriminator sees some.
    pub texts: &'a [Vec<u32>],
    /// Most tokens of a sample.
    pub longest: usize,
}

impl TextGanTask<'_> {
    /// `n` texts, drawn with replacement.
    fn real(&self, n: usize, rng: &mut impl Rng) -> Vec<Vec<u32>> {
        (0..n).map(|_| self.texts[rng.random_range(0..self.texts.len())].clone()).collect()
    }
}

/// What a discriminator learns from.
struct Lesson<'a> {
    real: &'a [Vec<u32>],
    samples: &'a [Vec<u32>],
    /// RankGAN: real texts by which others are ranked.
    references: &'a [Vec<u32>],
}

/// The discriminator, and how it is used.
#[derive(Debug)]
pub(crate) struct TextGan {
    config: TextGanConfig,
    discriminator: Discriminator,
    /// By which samples are completed.
    lagged: Lagged,
}

impl TextGan {
    /// Adds the weights `adversary.*`, for a vocabulary of so many tokens, and with a lag `objective.rollout.*`; the weights so
    /// far are the generator's.
    pub(crate) fn new(params: &mut Params, config: &TextGanConfig, vocabulary: usize, rng: &mut impl Rng) -> Self {
        let lagged = Lagged::new(params, config.lag);
        let discriminator = Discriminator::new(params, config, vocabulary, rng);
        TextGan { config: config.clone(), discriminator, lagged }
    }

    /// A manager for a generator whose output layer reads rows of so many columns, with weights `objective.manager.*` and
    /// `objective.worker.*`; none unless the method has one.
    pub(crate) fn manager(&self, params: &mut Params, columns: usize, rng: &mut impl Rng) -> Option<Manager> {
        let leak = self.config.method.leaks().then(|| self.discriminator.leak()).flatten();
        leak.map(|leak| Manager::new(params, &self.config, leak, columns, rng))
    }

    /// After an adversarial update of the generator.
    pub(crate) fn follow(&self, params: &mut Params) {
        self.lagged.follow(params);
    }

    /// Before the first adversarial step.
    pub(crate) fn begin(&self, params: &mut Params) {
        self.lagged.begin(params);
    }

    /// The logit of each text, in order; of a discriminator that judges prefixes the last.
    fn logits(&self, params: &Params, texts: &[Vec<u32>], rng: &mut impl Rng) -> Vec<f64> {
        if self.config.method.judges_prefixes() {
            let last = |logits: &Vec<f64>| logits.last().copied().unwrap_or(0.0);
            return self.token_logits(params, texts, rng).iter().map(last).collect();
        }
        let rows = self.each(texts, |tape, source| self.discriminator.logits(tape, params, source, rng));
        rows.into_iter().map(|row| f64::from(row[0])).collect()
    }

    /// The features of texts, in order.
    fn features(&self, params: &Params, texts: &[Vec<u32>], rng: &mut impl Rng) -> Units {
        let rows = self.rows(params, texts, rng);
        Units::new(&rows, rows.len() / texts.len().max(1))
    }

    /// The features of texts (n, W), in order.
    fn rows(&self, params: &Params, texts: &[Vec<u32>], rng: &mut impl Rng) -> Vec<f32> {
        self.each(texts, |tape, source| self.discriminator.features(tape, params, source, rng)).concat()
    }

    /// A row for each text, in order, of what `read` makes of packed texts.
    fn each(&self, texts: &[Vec<u32>], mut read: impl FnMut(&mut Tape, &Sequences) -> Var) -> Vec<Vec<f32>> {
        let mut tape = Tape::inference();
        let mut out = vec![Vec::new(); texts.len()];
        for range in ranges(texts, BATCH_TOKENS) {
            tape.reset();
            let source = Sequences::sources(&texts[range.clone()]);
            let v = read(&mut tape, &source);
            let width = tape.shape(v).1;
            for (row, &place) in tape.value(v).chunks_exact(width).zip(&source.order) {
                out[range.start + place as usize] = row.to_vec();
            }
        }
        out
    }

    /// The logits at the tokens of each text, its end's last, in order.
    fn token_logits(&self, params: &Params, texts: &[Vec<u32>], rng: &mut impl Rng) -> Vec<Vec<f64>> {
        let mut tape = Tape::inference();
        let mut out = vec![Vec::new(); texts.len()];
        for range in ranges(texts, BATCH_TOKENS) {
            tape.reset();
            let source = Sequences::sources(&texts[range.clone()]);
            let v = self.discriminator.token_logits(&mut tape, params, &source, rng);
            for (&logit, b) in tape.value(v).iter().zip(source.packing.sequence_of_rows()) {
                out[range.start + source.order[b] as usize].push(f64::from(logit));
            }
        }
        out
    }

    /// The value Q of each token of each sample, and the mean reward of a sample.
    fn values(
        &self,
        model: &Autoencoder,
        samples: &Samples,
        task: &TextGanTask<'_>,
        rng: &mut impl Rng,
    ) -> (Vec<Vec<f64>>, f64) {
        let (config, params) = (&self.config, &model.params);
        let rollouts = Rollouts { each: config.rollouts, longest: task.longest };
        if config.method == TextGanMethod::Scratchgan || config.rollouts == 0 {
            let logits = self.token_logits(params, &samples.ids, &mut still());
            let values = logits.iter().map(|l| scratchgan::returns(l, f64::from(config.discount)));
            return (values.collect(), mean(&chances(&logits.concat())));
        }
        let values = if config.method == TextGanMethod::Rankgan {
            let [among, references] =
                [0, 1].map(|_| self.features(params, &task.real(config.references, rng), &mut still()));
            let reward = |texts: &[Vec<u32>]| {
                let texts = self.features(params, texts, &mut still());
                rankgan::ranks(&texts, &among, &references, f64::from(config.sharpness))
            };
            seqgan::values(model, samples, rollouts, reward, rng)
        } else {
            let reward = |texts: &[Vec<u32>]| chances(&self.logits(params, texts, &mut still()));
            seqgan::values(model, samples, rollouts, reward, rng)
        };
        let reward = mean(&values.iter().filter_map(|v| v.last().copied()).collect::<Vec<_>>());
        (values, reward)
    }

    /// The weight of each token of each sample, and the mean reward of a sample.
    fn weights(
        &self,
        model: &Autoencoder,
        samples: &Samples,
        task: &TextGanTask<'_>,
        rng: &mut impl Rng,
    ) -> (Vec<Vec<f64>>, f64) {
        if self.config.method == TextGanMethod::Maligan {
            let logits = self.logits(&model.params, &samples.ids, &mut still());
            let weights = maligan::weights(&logits);
            let all = samples.ids.iter().zip(&weights).map(|(ids, &w)| vec![w; ids.len() + 1]);
            return (all.collect(), mean(&chances(&logits)));
        }
        let (values, reward) = self.values(model, samples, task, rng);
        (advantage::advantages(&values), reward)
    }

    /// Plays the discriminator's loss backward: its nats, and the share that it has right.
    fn learn(
        &self,
        tape: &mut Tape,
        params: &mut Params,
        texts: &Lesson<'_>,
        rng: &mut impl Rng,
    ) -> Result<(f64, f64), Error> {
        tape.reset();
        let mut of = |tape: &mut Tape, texts: &[Vec<u32>]| {
            let source = Sequences::sources(texts);
            match self.config.method {
                method if method.judges_prefixes() => self.discriminator.token_logits(tape, params, &source, rng),
                TextGanMethod::Rankgan => self.discriminator.features(tape, params, &source, rng),
                _ => self.discriminator.logits(tape, params, &source, rng),
            }
        };
        let (real, samples) = (of(tape, texts.real), of(tape, texts.samples));
        let judged = match self.config.method {
            TextGanMethod::Rankgan => {
                let references = of(tape, texts.references);
                rankgan::loss(tape, Sets { real, samples, references }, f64::from(self.config.sharpness))
            }
            _ => {
                let (a, b) = (told(tape, real, true), told(tape, samples, false));
                (a.0 + b.0, 0.5 * (a.1 + b.1))
            }
        };
        tape.backward(params)?;
        Ok(judged)
    }
}

/// Random numbers where nothing is drawn.
fn still() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(0)
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len().max(1) as f64
}

/// The chances of logits.
fn chances(logits: &[f64]) -> Vec<f64> {
    logits.iter().map(|l| 0.5 + 0.5 * (0.5 * l).tanh()).collect()
}

/// Adds the mean cross-entropy of logits (N, 1) that all are real, or all are not; returns it, and the share that is right.
fn told(tape: &mut Tape, logits: Var, real: bool) -> (f64, f64) {
    let rows = tape.shape(logits).0;
    let each = 1.0 / rows.max(1) as f64;
    let right = tape.value(logits).iter().filter(|&&l| if real { l > 0.0 } else { l < 0.0 }).count();
    let weighting = Weighting { row_weights: None, scale: each as f32 };
    let nats = tape.binary_cross_entropy(logits, &vec![f32::from(u8::from(real)); rows], weighting);
    (nats * each, right as f64 * each)
}

impl Autoencoder {
    /// How real the discriminator finds each text, in order, as the logit of its chance; none without a discriminator, or
    /// with one that only ranks (RankGAN).
    pub fn realness(&self, texts: &[Vec<u32>]) -> Option<Vec<f64>> {
        let gan = self.text_gan()?;
        let ranks = gan.config.method == TextGanMethod::Rankgan;
        (!ranks).then(|| gan.logits(&self.params, texts, &mut still()))
    }

    /// One adversarial step of the generator up to the gradients. The loss reported is the cross-entropy of the texts
    /// picked. Figures: the mean `reward` of a sample (0.5 where the discriminator cannot tell; of RankGAN the rank), the
    /// `entropy` of the generator (nats a token), the share of `distinct` samples; with a manager `goal`, the mean cosine of its
    /// goals with what the samples did.
    ///
    /// # Errors
    /// If the loss is not finite.
    pub(crate) fn train_policy(
        &mut self,
        tape: &mut Tape,
        gan: &Arc<TextGan>,
        task: &TextGanTask<'_>,
        rng: &mut impl Rng,
    ) -> Result<(StepLoss, Figures), Error> {
        self.params.set_trainable(Regulariser::PREFIX, false);
        let samples = Samples::draw(self, (gan.config.samples, task.longest), rng);
        tape.reset();
        let share = gan.config.likelihood;
        tape.set_dropout(false);
        let mut figures = vec![("entropy", samples.entropy), ("distinct", samples.distinct())];
        let reward = if gan.config.method.relaxes() {
            let texts = task.real(samples.ids.len(), rng);
            self.relaxed_loss(tape, gan, (&samples, &texts), 1.0 - share, rng)
        } else if gan.config.method.leaks() {
            let (values, reward) = gan.values(self, &samples, task, rng);
            let goal = self.leak_loss(tape, &gan.config, (&samples, &values), 1.0 - share, rng);
            figures.push(("goal", goal));
            reward
        } else {
            gan.lagged.exchange(&mut self.params);
            let (weights, reward) = gan.weights(self, &samples, task, rng);
            gan.lagged.exchange(&mut self.params);
            self.policy_loss(tape, &samples, &weights, 1.0 - share, rng);
            reward
        };
        tape.set_dropout(true);
        let loss = self.likelihood(tape, task.picked, share, rng);
        tape.backward(&mut self.params)?;
        figures.insert(0, ("reward", reward));
        Ok((loss, figures))
    }

    /// One update of the discriminator on fresh samples and as many texts: `discriminator_loss` (nats a pair; 2 ln 2 where
    /// it cannot tell, but for RankGAN) and `discriminator_accuracy`.
    ///
    /// # Errors
    /// If the loss or a gradient is not finite.
    pub(crate) fn train_discriminator(
        &mut self,
        tape: &mut Tape,
        (gan, optimiser): (&Arc<TextGan>, &mut Optimiser),
        task: &TextGanTask<'_>,
        rng: &mut impl Rng,
    ) -> Result<Figures, Error> {
        let n = gan.config.samples;
        let samples = Samples::draw(self, (n, task.longest), rng);
        let (real, references) = (task.real(n, rng), task.real(gan.config.references, rng));
        let lesson = Lesson { real: &real, samples: &samples.ids, references: &references };
        self.params.set_trainable(Regulariser::PREFIX, true);
        let (nats, right) = gan.learn(tape, &mut self.params, &lesson, rng)?;
        let clip = self.recipe().training.clip;
        optimiser.step(&mut self.params, gan.config.rate, clip)?;
        Ok(vec![("discriminator_loss", nats), ("discriminator_accuracy", right)])
    }
}
