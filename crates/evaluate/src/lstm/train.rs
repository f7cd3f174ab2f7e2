//! Training of a language model for a bounded number of updates, with early stopping.

use std::time::Instant;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use strait_engine::Tape;
use strait_model::{
    Autoencoder, Progress as Place, Recipe, Trainer,
    config::{NetworkKind, RegulariserConfig},
};
use strait_text::{Batches, Noise};

use crate::{
    EvaluateError,
    request::{Hear, JudgeBudget, Progress, places},
};

/// Fewest texts that a model is trained on.
pub(super) const LEAST_TEXTS: usize = 10;
/// One text in so many is put aside to stop by, at most so many in all.
const ASIDE: usize = 10;
const MOST_ASIDE: usize = 500;
/// Looks at the texts put aside in a whole training, and looks without gain before it stops.
const LOOKS: u64 = 20;
const PATIENCE: u32 = 3;
/// Tokens and texts in a batch at most.
const BATCH: (usize, usize) = (1024, 256);

/// How long to train, and with which randomness: the same for all models of a judge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Budget {
    pub steps: u64,
    pub seed: u64,
}

impl Budget {
    /// Turns minutes into updates by timing a few on `texts`.
    pub fn new(budget: JudgeBudget, texts: &[Vec<u32>], vocabulary: usize, seed: u64) -> Result<Self, EvaluateError> {
        const WARM_UP: u64 = 2;
        const TIMED: u64 = 6;
        let steps = match budget {
            JudgeBudget::Steps(steps) => steps,
            JudgeBudget::Minutes(minutes) => {
                let mut run = Run::new(texts, vocabulary, Budget { steps: 1_000_000, seed });
                (0..WARM_UP).try_for_each(|step| run.step(step))?;
                let started = Instant::now();
                (WARM_UP..WARM_UP + TIMED).try_for_each(|step| run.step(step))?;
                let each = started.elapsed().as_secs_f64() / TIMED as f64;
                (minutes * 60.0 / each.max(1e-6)) as u64
            }
        };
        Ok(Budget { steps: steps.max(1), seed })
    }
}

/// What came of a training.
pub(super) struct Trained {
    /// With the weights of the best look.
    pub model: Autoencoder,
    /// Updates made.
    pub steps: u64,
}

/// Perplexity per word, the end of each text counted; NaN without a text.
pub(super) fn perplexity(model: &mut Autoencoder, texts: &[Vec<u32>]) -> f64 {
    let scored = model.score(texts, &mut Vec::new());
    (scored.nats / scored.tokens as f64).exp()
}

/// Trains on all texts but a tenth, by which it stops.
pub(super) fn train(
    texts: &[Vec<u32>],
    vocabulary: usize,
    budget: Budget,
    (name, hear): (&str, Hear<'_>),
) -> Result<Trained, EvaluateError> {
    let aside: Vec<usize> = places(texts.len(), (texts.len() / ASIDE).clamp(1, MOST_ASIDE)).collect();
    let held: Vec<Vec<u32>> = aside.iter().map(|&i| texts[i].clone()).collect();
    let rest: Vec<Vec<u32>> =
        (0..texts.len()).filter(|i| aside.binary_search(i).is_err()).map(|i| texts[i].clone()).collect();
    let mut run = Run::new(if rest.is_empty() { texts } else { &rest }, vocabulary, budget);
    let look_every = (budget.steps / LOOKS).max(1);
    let mut best = (f64::INFINITY, run.weights());
    let (mut waited, mut made) = (0, 0);
    while made < budget.steps && waited < PATIENCE {
        run.step(made)?;
        made += 1;
        if made % look_every == 0 || made == budget.steps {
            hear(Progress { part: name, done: made as usize, of: budget.steps as usize });
            let now = perplexity(&mut run.model, &held);
            if now < best.0 {
                (best, waited) = ((now, run.weights()), 0);
            } else {
                waited += 1;
            }
        }
    }
    run.restore(&best.1);
    Ok(Trained { model: run.model, steps: made })
}

/// A training under way.
struct Run<'a> {
    texts: &'a [Vec<u32>],
    lengths: Vec<usize>,
    budget: Budget,
    model: Autoencoder,
    trainer: Trainer,
    tape: Tape,
    epoch: u64,
    /// Batches left of this epoch.
    left: Vec<Vec<usize>>,
}

impl<'a> Run<'a> {
    fn new(texts: &'a [Vec<u32>], vocabulary: usize, budget: Budget) -> Self {
        let model = Autoencoder::new(&recipe(), vocabulary, budget.seed);
        Run {
            texts,
            lengths: texts.iter().map(|t| t.len() + 1).collect(),
            budget,
            trainer: Trainer::new(&model),
            model,
            tape: Tape::new(),
            epoch: 0,
            left: Vec::new(),
        }
    }

    fn step(&mut self, step: u64) -> Result<(), EvaluateError> {
        let picked = self.next_batch();
        let texts: Vec<&[u32]> = picked.iter().map(|&i| &self.texts[i][..]).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(self.budget.seed);
        rng.set_stream(step + 1);
        let batch = self.model.training_batch(&texts, &mut rng);
        let place = Place { step, steps: self.budget.steps };
        let made = self.trainer.step(&mut self.model, &mut self.tape, &batch, place, &mut rng);
        made.map(|_| ()).map_err(|source| EvaluateError::Training { step, source })
    }

    fn next_batch(&mut self) -> Vec<usize> {
        while self.left.is_empty() && !self.texts.is_empty() {
            let batches = Batches { max_tokens: BATCH.0, max_rows: BATCH.1, seed: self.budget.seed };
            self.left = batches.epoch(&self.lengths, self.epoch);
            self.left.reverse();
            self.epoch += 1;
        }
        self.left.pop().unwrap_or_default()
    }

    fn weights(&self) -> Vec<Vec<f32>> {
        self.model.params.iter().map(|(_, p)| p.value().to_vec()).collect()
    }

    fn restore(&mut self, weights: &[Vec<f32>]) {
        let ids: Vec<_> = self.model.params.iter().map(|(id, _)| id).collect();
        ids.into_iter().zip(weights).for_each(|(id, values)| self.model.params.assign(id, values));
    }
}

/// The language model of every judge.
fn recipe() -> Recipe {
    let mut r = Recipe { name: "judge".into(), ..Recipe::default() };
    (r.encoder.kind, r.encoder.embedding, r.latent.size) = (NetworkKind::None, 128, 0);
    (r.decoder.kind, r.decoder.hidden, r.decoder.layers) = (NetworkKind::Lstm, 256, 1);
    (r.decoder.dropout, r.decoder.word_dropout, r.decoder.tied) = (0.3, 0.0, true);
    (r.objective.noise, r.objective.regulariser) = (Noise::default(), RegulariserConfig::None);
    r.training.rate = 3e-3;
    r
}

#[cfg(test)]
mod tests {
    use strait_text::tokenizer::UNK;

    use super::*;

    const FIRST: u32 = UNK + 1;

    /// "3 a 3 b 3 a ...": a text of `n` pairs, a or b by lot at each.
    fn coins(texts: usize, n: usize, seed: u64) -> Vec<Vec<u32>> {
        use rand::RngExt;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..texts).map(|_| (0..n).flat_map(|_| [FIRST, FIRST + rng.random_range(1..3)]).collect()).collect()
    }

    #[test]
    fn it_is_a_language_model_that_its_own_check_accepts() {
        recipe().check().expect("a valid recipe");
        assert!(recipe().is_language_model());
    }

    #[test]
    fn it_learns_what_is_there_to_learn_and_no_more() {
        let budget = Budget { steps: 120, seed: 1 };
        let mut heard = 0;
        let trained = train(&coins(200, 4, 1), 7, budget, ("x", &mut |_| heard += 1)).expect("finite numbers");
        let mut model = trained.model;
        // Each text costs four coins in nine tokens, its end included.
        let ideal = (4.0 * std::f64::consts::LN_2 / 9.0).exp();
        let reached = perplexity(&mut model, &coins(100, 4, 2));
        assert!(reached > ideal - 0.02 && reached < ideal + 0.1, "{reached} {ideal}");
        assert!(perplexity(&mut model, &[vec![FIRST + 1; 8]]) > 2.0 * ideal);
        assert!(trained.steps <= 120 && heard > 3);
    }

    #[test]
    fn the_same_seed_gives_the_same_judge() {
        let texts = coins(30, 3, 1);
        let reached = |seed| {
            let trained = train(&texts, 7, Budget { steps: 6, seed }, ("x", &mut |_| {}));
            perplexity(&mut trained.expect("finite numbers").model, &texts)
        };
        assert_eq!(reached(1), reached(1));
        assert_ne!(reached(1), reached(2));
    }

    #[test]
    fn minutes_become_steps() {
        let budget = Budget::new(JudgeBudget::Minutes(0.05), &coins(20, 3, 1), 7, 1).expect("finite numbers");
        assert!(budget.steps > 1);
        assert_eq!(Budget::new(JudgeBudget::Steps(0), &[], 7, 1).expect("nothing timed").steps, 1);
    }
}
