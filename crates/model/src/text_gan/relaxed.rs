//! Gradients through relaxed tokens: GANs by the Gumbel-softmax (Kusner & Hernandez-Lobato 2016; Jang et al. 2017; Nie et
//! al. 2019) and TextGAN's feature matching (Zhang et al. 2017).
//!
//! A sample y is drawn as always. With logits l (N, V) at its places, Gumbel noise n is drawn given that `argmax(l + n)` is
//! y (Maddison et al. 2014), so that `p = softmax((l + n) / tau)` is a relaxation of this very y. The discriminator reads
//! y; going back, its gradient for y's one-hot row is taken as that for p (straight through). What a token does to the
//! tokens after it is left out, as they are fed: so a pass over whole texts does, whatever the decoder.
//!
//! Gumbel: minimised is `-ln D(y)`. TextGAN: the squared maximum mean discrepancy between the discriminator's features of
//! samples and of as many texts, each feature divided by its deviation over the texts.

use rand::{Rng, RngExt as _};
use strait_engine::{Tape, Var, ops::losses::Weighting};

use super::{TextGan, samples::Samples};
use crate::{
    Autoencoder,
    batch::{Batch, Corruption},
    config::{Kernel, TextGanMethod},
    decoder::Task,
    objective::mmd,
};

/// Noise for logits (N, V): Gumbel, given that the largest of logit + noise is at each row's target.
fn gumbels(logits: &[f32], targets: &[u32], rng: &mut impl Rng) -> Vec<f32> {
    let vocabulary = logits.len() / targets.len().max(1);
    let mut gumbel = || {
        let u: f32 = rng.random();
        -(-(u.max(1e-9)).ln()).max(1e-9).ln()
    };
    let mut noise = Vec::with_capacity(logits.len());
    for (row, &target) in logits.chunks_exact(vocabulary.max(1)).zip(targets) {
        let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = row.iter().map(|l| (l - most).exp()).sum();
        // The largest of logit + Gumbel is itself Gumbel around the log of the sum, whichever place it is at.
        let top = most + sum.ln() + gumbel();
        noise.extend(row.iter().enumerate().map(|(v, &l)| match v == target as usize {
            true => top - l,
            false => {
                let free = l + gumbel();
                // -ln(exp(-top) + exp(-free)): the same noise, cut off at the top.
                let (low, high) = (free.min(top), free.max(top));
                low - (low - high).exp().ln_1p() - l
            }
        }));
    }
    noise
}

impl Autoencoder {
    /// Adds the generator's loss for samples, times `factor`. Returns the discriminator's mean chance that they are real.
    pub(super) fn relaxed_loss(
        &mut self,
        tape: &mut Tape,
        gan: &TextGan,
        (samples, texts): (&Samples, &[Vec<u32>]),
        factor: f32,
        rng: &mut impl Rng,
    ) -> f64 {
        let batch = Batch::new(&samples.ids, Corruption::default(), rng);
        let (z, features, states, row_weights) = (None, None, None, None);
        let (label_smoothing, unlikelihood, scale) = (0.0, 0.0, factor);
        let task = Task { z, features, states, batch: &batch, label_smoothing, unlikelihood, row_weights, scale };
        let Some(logits) = self.decoder().logits(tape, &self.params, self.embedding(), &task, rng) else { return 0.0 };
        let tokens = relax(tape, logits, &batch.targets, gan.config.temperature, rng);
        let x = tape.linear_transposed(&self.params, tokens, gan.discriminator.embedding());
        let features = gan.discriminator.features_of(tape, &self.params, (x, &batch.packing), rng);
        let verdict = gan.discriminator.head(tape, &self.params, features);
        let rows = samples.ids.len().max(1);
        let chances = tape.value(verdict).iter().map(|&l| 0.5 + 0.5 * (0.5 * f64::from(l)).tanh());
        let chance = chances.sum::<f64>() / rows as f64;
        match gan.config.method {
            TextGanMethod::Textgan => {
                let real = gan.rows(&self.params, texts, rng);
                match_features(tape, features, &real, factor);
            }
            _ => {
                let weighting = Weighting { row_weights: None, scale: factor / rows as f32 };
                tape.binary_cross_entropy(verdict, &vec![1.0; rows], weighting);
            }
        }
        chance
    }
}

/// The one-hot rows of targets (N, V), whose gradient goes to a relaxation of them.
fn relax(tape: &mut Tape, logits: Var, targets: &[u32], temperature: f32, rng: &mut impl Rng) -> Var {
    let (rows, vocabulary) = tape.shape(logits);
    let noise = gumbels(tape.value(logits), targets, rng);
    let disturbed = tape.add_constant(logits, &noise);
    let sharpened = tape.scale(disturbed, 1.0 / temperature);
    let soft = tape.softmax(sharpened);
    let mut hard = vec![0.0; rows * vocabulary];
    targets.iter().enumerate().for_each(|(i, &target)| hard[i * vocabulary + target as usize] = 1.0);
    tape.straight_through(soft, &hard)
}

/// Adds the discrepancy of features (B, W) from those of as many texts, times `factor`.
fn match_features(tape: &mut Tape, features: Var, real: &[f32], factor: f32) {
    let (rows, width) = tape.shape(features);
    if rows < 2 || real.len() != rows * width {
        return;
    }
    let n = rows as f32;
    let column = |j: usize| real.iter().skip(j).step_by(width);
    let deviations: Vec<f32> = (0..width)
        .map(|j| {
            let mean = column(j).sum::<f32>() / n;
            (column(j).map(|x| (x - mean).powi(2)).sum::<f32>() / n).sqrt().max(1e-2)
        })
        .collect();
    let divided = |x: &[f32]| -> Vec<f32> { x.iter().enumerate().map(|(i, x)| x / deviations[i % width]).collect() };
    let mut found = mmd::discrepancy(Kernel::Rbf, &divided(tape.value(features)), &divided(real), width);
    found.gradient.iter_mut().enumerate().for_each(|(i, g)| *g *= factor / deviations[i % width]);
    tape.custom_loss(features, f64::from(factor) * found.value, &found.gradient);
}

#[cfg(test)]
mod tests {
    use strait_engine::Params;

    use super::{super::oracle, *};
    use crate::{
        config::DiscriminatorKind,
        objective::testing::{check_gradients, numbers, rng},
    };

    #[test]
    fn noise_puts_the_target_on_top_and_is_gumbel() {
        let logits = [2.0f32, 0.0, -1.0];
        let odds: Vec<f64> = logits.iter().map(|l| f64::from(*l).exp()).collect();
        let total: f64 = odds.iter().sum();
        let rng = &mut rng(1);
        // Over targets drawn from the softmax the noise is Gumbel at every place: its mean is Euler's constant.
        let (mut sums, draws) = ([0.0; 3], 20_000);
        for _ in 0..draws {
            let mut u = rng.random::<f64>() * total;
            let target = odds
                .iter()
                .position(|o| {
                    u -= o;
                    u < 0.0
                })
                .unwrap_or(2) as u32;
            let noise = gumbels(&logits, &[target], rng);
            let moved: Vec<f32> = logits.iter().zip(&noise).map(|(l, n)| l + n).collect();
            assert!(moved.iter().all(|&m| m <= moved[target as usize]), "{moved:?} {target}");
            sums.iter_mut().zip(&noise).for_each(|(s, &n)| *s += f64::from(n));
        }
        assert!(sums.iter().all(|s| (s / f64::from(draws) - 0.5772).abs() < 0.04), "{sums:?}");
    }

    #[test]
    fn tokens_are_whole_and_their_gradient_that_of_the_relaxation() {
        let logits = numbers(8, 1);
        let (targets, weights) = ([3, 0], numbers(8, 2));
        let mut tape = Tape::new();
        let v = tape.variable(&logits, (2, 4));
        let hard = relax(&mut tape, v, &targets, 0.7, &mut rng(5));
        assert_eq!(tape.value(hard), [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
        tape.custom_loss(hard, 0.0, &weights);
        tape.backward(&mut Params::new()).unwrap();
        let through = tape.grad(v).to_vec();
        // The same loss of the relaxation itself, by differences, the noise held fixed.
        let noise = gumbels(&logits, &targets, &mut rng(5));
        let loss = |logits: &[f32]| -> f64 {
            let soft = |row: usize| {
                let z: Vec<f64> =
                    (0..4).map(|v| f64::from(logits[row * 4 + v] + noise[row * 4 + v]) / f64::from(0.7f32)).collect();
                strait_engine::ops::softmax::reference(&z)
            };
            (0..2).flat_map(soft).zip(&weights).map(|(p, &w)| p * f64::from(w)).sum()
        };
        for j in 0..8 {
            let moved = |by: f32| {
                let mut logits = logits.clone();
                logits[j] += by;
                loss(&logits)
            };
            let numeric = (moved(1e-3) - moved(-1e-3)) / 2e-3;
            assert!((f64::from(through[j]) - numeric).abs() < 2e-3, "{j}: {} {numeric}", through[j]);
        }
    }

    #[test]
    fn gradients_of_feature_matching() {
        let (features, real) = (numbers(12, 1), numbers(12, 2));
        check_gradients(&mut Params::new(), &[(&features, (4, 3))], &mut |tape, _, v| {
            match_features(tape, v[0], &real, 0.7);
        });
    }

    #[test]
    fn samples_come_closer_to_the_oracle() {
        for (method, least) in [(TextGanMethod::Gumbel, 0.03), (TextGanMethod::Textgan, 0.0)] {
            let (before, after, distinct) = oracle::train(method, DiscriminatorKind::Recurrent);
            assert!(after < before - least, "{method:?}: {before} {after}");
            assert!(distinct > 0.5, "{method:?}: {distinct}");
        }
    }
}
