//! The generator's losses: the weighted nats of its samples, and the likelihood of texts beside them.

use rand::Rng;
use strait_engine::Tape;

use super::samples::Samples;
use crate::{
    Autoencoder, StepLoss,
    autoencoder::Conditions,
    batch::{Batch, Corruption},
    decoder::Task,
};

impl Autoencoder {
    /// Adds `factor / tokens * sum_it A_it nats_it`. The end of a sample that was cut counts nothing: it was not drawn.
    pub(super) fn policy_loss(
        &mut self,
        tape: &mut Tape,
        samples: &Samples,
        weights: &[Vec<f64>],
        factor: f32,
        rng: &mut impl Rng,
    ) {
        let batch = Batch::new(&samples.ids, Corruption::default(), rng);
        let order = Batch::order(&samples.ids);
        let mut rows = vec![0.0; batch.tokens()];
        for (b, &i) in order.iter().enumerate() {
            let i = i as usize;
            let drawn = samples.ids[i].len() + usize::from(samples.finished[i]);
            for (t, &weight) in weights[i].iter().take(drawn).enumerate() {
                rows[batch.packing.row(b, t)] = weight as f32;
            }
        }
        let (label_smoothing, unlikelihood, row_weights) = (0.0, 0.0, Some(&rows[..]));
        let scale = factor / batch.tokens().max(1) as f32;
        let (z, states) = (None, None);
        let features = None;
        let task = Task { z, features, states, batch: &batch, label_smoothing, unlikelihood, scale, row_weights };
        self.decoder_loss(tape, &task, rng);
    }

    /// Adds the mean cross-entropy of texts times `share`; without a share it is only measured.
    pub(super) fn likelihood(&mut self, tape: &mut Tape, texts: &[&[u32]], share: f32, rng: &mut impl Rng) -> StepLoss {
        let batch = self.training_batch(texts, rng);
        match share > 0.0 {
            true => {
                let scale = share / batch.tokens().max(1) as f32;
                self.training_loss(tape, Conditions::default(), (&batch, scale), rng)
            }
            false => self.decode_loss(&mut Tape::inference(), Conditions::default(), (&batch, 0.0, 1.0), rng),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::Recipe;

    /// The gradient of the weighted nats along a direction in the generator's weights, dropout switched off.
    #[test]
    fn the_gradient_is_that_of_the_weighted_nats() {
        let mut recipe = Recipe::find("lm-lstm").unwrap();
        (recipe.encoder.embedding, recipe.decoder.hidden) = (6, 7);
        let mut model = Autoencoder::new(&recipe, 11, 3);
        let samples =
            Samples { ids: vec![vec![6, 7], vec![], vec![5, 8, 9]], finished: vec![true, true, false], entropy: 0.0 };
        let weights = [vec![0.5, -1.0, 0.2], vec![0.7], vec![-0.3, 0.1, 0.9, 8.0]];
        let rng = &mut ChaCha8Rng::seed_from_u64(5);
        let mut tape = Tape::new();
        tape.set_dropout(false);
        model.policy_loss(&mut tape, &samples, &weights, 8.0, rng);
        tape.backward(&mut model.params).unwrap();
        let ids: Vec<_> = model.params.iter().map(|(id, _)| id).collect();
        let values: Vec<Vec<f32>> = ids.iter().map(|&id| model.params.value(id).to_vec()).collect();
        let direction: Vec<Vec<f32>> = values.iter().map(|v| strait_engine::init::normal(v.len(), 1.0, rng)).collect();
        let dot = |g: &[f32], d: &[f32]| g.iter().zip(d).map(|(&g, &d)| f64::from(g) * f64::from(d)).sum::<f64>();
        let analytic: f64 = ids.iter().zip(&direction).map(|(&id, d)| dot(model.params.get(id).grad(), d)).sum();
        let mut moved = |by: f32| -> f64 {
            for ((&id, v), d) in ids.iter().zip(&values).zip(&direction) {
                model.params.assign(id, &v.iter().zip(d).map(|(v, d)| v + by * d).collect::<Vec<_>>());
            }
            let nats = model.token_nats_from(&samples.ids, &[]).unwrap();
            let drawn = nats.iter().zip(&weights).zip(&samples.ids).zip(&samples.finished);
            drawn
                .map(|(((nats, w), ids), &end)| {
                    let n = ids.len() + usize::from(end);
                    nats[..n].iter().zip(w).map(|(&n, w)| f64::from(n) * w).sum::<f64>()
                })
                .sum()
        };
        // 8 tokens with the ends, and the factor 8.
        let h = 1e-3;
        let numeric = (moved(h) - moved(-h)) / f64::from(2.0 * h);
        assert!((numeric - analytic).abs() < 2e-3 * (1.0 + analytic.abs()), "{numeric} {analytic}");
    }
}
