//! A generator that lags behind, by which samples are completed (the code published with Yu et al. 2017; the paper
//! completes by the generator itself).
//!
//! Its weights are a moving average, `a = lag a + (1 - lag) w` after each adversarial update of the generator's w, equal to
//! w before the first. They lie beside w as `objective.rollout.*` and are not trained. To be used they change places with
//! w, so that everything that reads the generator reads them.

use strait_engine::{ParamId, Params};

/// What the names of its weights start with.
pub(crate) const PREFIX: &str = "objective.rollout.";

/// The handles of its weights.
#[derive(Debug)]
pub(super) struct Lagged {
    lag: f32,
    /// Its weights, and the generator's.
    pairs: Vec<(ParamId, ParamId)>,
}

impl Lagged {
    /// Adds a copy of all weights, which are the generator's; none without a lag.
    pub(super) fn new(params: &mut Params, lag: f32) -> Self {
        let generator: Vec<(ParamId, String)> = match lag > 0.0 {
            true => params.iter().map(|(id, p)| (id, format!("{PREFIX}{}", p.name()))).collect(),
            false => Vec::new(),
        };
        let pairs = generator.into_iter().map(|(id, name)| (params.add_copy(name, id), id)).collect();
        params.set_trainable(PREFIX, false);
        Lagged { lag, pairs }
    }

    /// Starts from the generator as it is.
    pub(super) fn begin(&self, params: &mut Params) {
        self.pairs.iter().for_each(|&(lagged, own)| params.follow(lagged, own, 0.0));
    }

    /// Goes after the generator by one update.
    pub(super) fn follow(&self, params: &mut Params) {
        self.pairs.iter().for_each(|&(lagged, own)| params.follow(lagged, own, self.lag));
    }

    /// Puts its weights in the generator's place and those in its own; done again, everything is as it was.
    pub(super) fn exchange(&self, params: &mut Params) {
        self.pairs.iter().for_each(|&(lagged, own)| params.swap(lagged, own));
    }
}

#[cfg(test)]
mod tests {
    use strait_engine::Tape;

    use super::*;
    use crate::{
        Autoencoder, Progress, Recipe, Trainer,
        objective::testing::rng,
        text_gan::{TextGanTask, samples::complete},
    };

    const STEPS: u64 = 6;

    fn model(lag: f32) -> Autoencoder {
        let mut recipe = Recipe::find("seqgan").unwrap();
        (recipe.encoder.embedding, recipe.decoder.hidden) = (6, 5);
        let gan = recipe.objective.text_gan.as_mut().unwrap();
        (gan.lag, gan.pretrain, gan.samples, gan.embedding, gan.hidden) = (lag, 0.5, 6, 4, 4);
        gan.generator_rate = 0.05;
        Autoencoder::new(&recipe, 9, 3)
    }

    /// Trains, and shows the model after each step.
    fn train(model: &mut Autoencoder, mut see: impl FnMut(u64, &Autoencoder)) {
        let texts = [vec![6, 7, 8], vec![6, 5], vec![7, 7, 8, 6]];
        let picked: Vec<&[u32]> = texts.iter().map(|t| &t[..]).collect();
        let (mut trainer, mut tape) = (Trainer::new(model), Tape::new());
        for step in 0..STEPS {
            let (task, progress) =
                (TextGanTask { picked: &picked, texts: &texts, longest: 6 }, Progress { step, steps: STEPS });
            trainer.step_text_gan(model, &mut tape, &task, progress, &mut rng(20 + step)).unwrap();
            see(step, model);
        }
    }

    /// All that is not the lagging copy.
    fn own(model: &Autoencoder) -> Vec<(String, Vec<f32>)> {
        let own = model.params.iter().filter(|(_, p)| !p.name().starts_with(PREFIX));
        own.map(|(_, p)| (p.name().to_string(), p.value().to_vec())).collect()
    }

    #[test]
    fn it_is_the_average_by_hand() {
        let mut average = Vec::new();
        train(&mut model(0.75), |step, model| {
            let value = |name: &str| model.params.value(model.params.find(name).unwrap()).to_vec();
            let w = value("decoder.rnn.weight_hh_l0");
            let found = value("objective.rollout.decoder.rnn.weight_hh_l0");
            match step {
                0 | 1 => return,
                // The last step of the likelihood: the average starts from here.
                2 => average.clone_from(&w),
                _ => average.iter_mut().zip(&w).for_each(|(a, w)| *a = 0.75 * *a + 0.25 * w),
            }
            if step > 2 {
                assert_eq!(found, average, "{step}");
                assert_ne!(found, w, "{step}");
            }
        });
    }

    #[test]
    fn without_a_lag_nothing_is_added_and_with_one_only_completions_change() {
        let [mut plain, mut lagged] = [0.0, 0.9].map(model);
        assert_eq!(own(&plain), own(&lagged));
        assert_eq!(own(&plain).len(), plain.params.len());
        let mut steps = Vec::new();
        train(&mut plain, |_, model| steps.push(own(model)));
        let mut same = Vec::new();
        train(&mut lagged, |step, model| same.push(own(model) == steps[step as usize]));
        // In the first adversarial step both complete by the same weights.
        assert_eq!(same, [true, true, true, true, false, false]);
    }

    #[test]
    fn exchanged_it_writes_the_completions_and_back_all_is_as_before() {
        let mut model = model(0.5);
        let completions = |model: &Autoencoder| -> Vec<Vec<u32>> {
            complete(model, &vec![vec![6]; 20], 8, &mut rng(1)).into_iter().map(|o| o.tokens).collect()
        };
        let (first, before) = (own(&model), completions(&model));
        let gan = model.text_gan().unwrap();
        // Away from the copy, which stays as the model began.
        let ids: Vec<_> = gan.lagged.pairs.iter().map(|pair| pair.1).collect();
        for id in ids {
            let moved: Vec<f32> = model.params.value(id).iter().map(|w| 3.0 * w + 0.5).collect();
            model.params.assign(id, &moved);
        }
        let (moved, after) = (own(&model), completions(&model));
        assert_ne!(before, after);
        gan.lagged.exchange(&mut model.params);
        assert_eq!((own(&model), completions(&model)), (first, before));
        gan.lagged.exchange(&mut model.params);
        assert_eq!((own(&model), completions(&model)), (moved, after));
    }
}
