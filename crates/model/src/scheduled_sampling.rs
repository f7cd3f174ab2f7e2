//! Scheduled sampling in two passes (Bengio et al. 2015, <https://arxiv.org/abs/1506.03099>; for decoders that see a whole
//! text at once Mihaylova & Martins 2019, <https://arxiv.org/abs/1906.07651>).
//!
//! The first pass reads the batch as it is, without dropout, and draws from the model at each position. The second, which is
//! the training step, is fed the token drawn at the place before instead of the text's own with a chance that rises over the
//! training. Ends that were drawn are not fed: nothing comes after them. Draws carry no gradient.

use rand::{Rng, RngExt as _};
use strait_engine::{Tape, Var};
use strait_text::tokenizer::EOS;

use crate::{Autoencoder, Progress, autoencoder::Conditions, batch::Batch};

impl Autoencoder {
    /// The chance at this step that the decoder is fed what it has drawn.
    fn chance(&self, progress: Progress) -> f64 {
        let decoder = &self.recipe().decoder;
        f64::from(decoder.scheduled_sampling) * decoder.sampling_schedule.at(progress.share())
    }

    /// The batch with some inputs replaced by the model's own draws; none where nothing is replaced. `given` lies on `tape`.
    pub(crate) fn drafted(
        &self,
        tape: &Tape,
        given: Conditions,
        (batch, progress): (&Batch, Progress),
        rng: &mut impl Rng,
    ) -> Option<Batch> {
        let chance = self.chance(progress);
        if chance <= 0.0 {
            return None;
        }
        let mut first = Tape::inference();
        let mut copy = |v: Var| first.input(tape.value(v), tape.shape(v));
        let [z, features, states] = [given.z, given.features, given.states].map(|v| v.map(&mut copy));
        let task = Conditions { z, features, states }.task(&mut first, (batch, 0.0, 1.0), None);
        let uniforms: Vec<f32> = (0..batch.tokens()).map(|_| rng.random()).collect();
        let drawn = self.decoder().draw(&mut first, &self.params, self.embedding(), (&task, &uniforms), rng);
        let mut inputs = batch.inputs.clone();
        for t in 1..batch.packing.steps() {
            for b in 0..batch.packing.active(t) {
                let token = drawn[batch.packing.row(b, t - 1)];
                if rng.random::<f64>() < chance && token != EOS {
                    inputs[batch.packing.row(b, t)] = token;
                }
            }
        }
        Some(Batch { inputs, ..batch.clone() })
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::{Recipe, config::SamplingSchedule, decoding::NextToken as _};

    fn model(recipe: &str, chance: f32) -> Autoencoder {
        let mut recipe = Recipe::find(recipe).unwrap();
        (recipe.encoder.embedding, recipe.encoder.hidden, recipe.decoder.hidden) = (8, 6, 8);
        (recipe.encoder.heads, recipe.decoder.heads, recipe.decoder.scheduled_sampling) = (2, 2, chance);
        if recipe.latent.size > 0 {
            recipe.latent.size = 4;
            recipe.latent.slots = 1;
        }
        Autoencoder::new(&recipe, 13, 5)
    }

    /// Each input is what the model, stepping through the text itself, draws with the same number.
    #[test]
    fn inputs_are_what_stepping_draws() {
        for recipe in ["lm-lstm", "lm-transformer"] {
            let model = model(recipe, 1.0);
            let texts: [&[u32]; 3] = [&[5, 6, 7, 8, 9], &[10, 11], &[12, 5, 5]];
            let batch = model.training_batch(&texts, &mut ChaCha8Rng::seed_from_u64(1));
            let end = Progress { step: 10, steps: 10 };
            let rng = || ChaCha8Rng::seed_from_u64(7);
            let drafted = model.drafted(&Tape::new(), Conditions::default(), (&batch, end), &mut rng()).unwrap();
            let mut numbers = rng();
            let uniforms: Vec<f32> = (0..batch.tokens()).map(|_| numbers.random()).collect();
            let mut replaced = 0;
            for b in 0..texts.len() {
                let mut generator = model.generator(&[], 1);
                let mut logits = Vec::new();
                for t in 0..batch.packing.lengths()[b] - 1 {
                    let row = batch.packing.row(b, t);
                    generator.step(&[batch.inputs[row]], &mut logits);
                    let sum: f64 = logits.iter().map(|&l| f64::from(l).exp()).sum();
                    let (mut reached, mut token) = (0.0, 0);
                    while token < 12 && reached + f64::from(logits[token]).exp() / sum <= f64::from(uniforms[row]) {
                        reached += f64::from(logits[token]).exp() / sum;
                        token += 1;
                    }
                    let next = batch.packing.row(b, t + 1);
                    let expected = if token as u32 == EOS { batch.inputs[next] } else { token as u32 };
                    assert_eq!(drafted.inputs[next], expected, "{recipe}, sequence {b}, place {t}");
                    replaced += usize::from(token as u32 != EOS);
                }
            }
            assert!(replaced >= 5, "{replaced}");
            assert_eq!((&drafted.targets, drafted.source_of.len()), (&batch.targets, 3));
        }
    }

    #[test]
    fn the_chance_rises_as_the_schedule_says() {
        let model = model("lm-lstm", 0.5);
        let share = |step| model.chance(Progress { step, steps: 100 });
        assert_eq!([share(0), share(50), share(100)], [0.0, 0.25, 0.5]);
        let sigmoid = SamplingSchedule::Sigmoid;
        assert!(sigmoid.at(0.0) < 0.01 && sigmoid.at(1.0) > 0.99 && (sigmoid.at(0.5) - 0.5).abs() < 1e-12);
        let none = Autoencoder::new(&Recipe::find("lm-lstm").unwrap(), 9, 1);
        assert_eq!(none.chance(Progress { step: 9, steps: 10 }), 0.0);
    }

    /// With latents, with a source, and twice the same: a step is a function of its seed.
    #[test]
    fn steps_train_on_drafts() {
        for recipe in ["dae", "transformer-dae", "bn-vae", "seq2seq-lstm", "seq2seq-transformer"] {
            let run = |chance: f32| {
                let mut model = model(recipe, chance);
                let texts: [&[u32]; 2] = [&[5, 6, 7, 8], &[10, 11]];
                let mut rng = ChaCha8Rng::seed_from_u64(3);
                let batch = match model.is_seq2seq() {
                    true => model.training_pairs(&texts, &texts, &mut rng),
                    false => model.training_batch(&texts, &mut rng),
                };
                let progress = Progress { step: 9, steps: 10 };
                model.train(&mut Tape::new(), &batch, progress, &mut rng).unwrap().0.nats
            };
            assert_eq!(run(1.0), run(1.0), "{recipe}");
            assert_ne!(run(1.0), run(0.0), "{recipe}");
        }
    }
}
