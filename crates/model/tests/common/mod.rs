//! What the tests of whole networks share: a toy corpus, a short training, what comes back.
#![allow(dead_code, reason = "each test file is a program of its own and uses a part")]

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use strait_engine::Tape;
use strait_model::{Autoencoder, Progress, Recipe, Trainer, decoding::Options};
use strait_text::{TokenizerKind, tokenizer::SPECIALS};

/// Vocabulary of the toy corpus.
pub const VOCABULARY: usize = 12;

/// All sequences of up to three of four tokens.
pub fn texts() -> Vec<Vec<u32>> {
    let mut all = vec![vec![]];
    for _ in 0..3 {
        let longer: Vec<Vec<u32>> = all
            .iter()
            .flat_map(|t: &Vec<u32>| (0..4).map(|k| t.iter().copied().chain([SPECIALS + k]).collect()))
            .collect();
        all.extend(longer);
        all.sort();
        all.dedup();
    }
    all
}

/// A model of so many steps on batches that `pick` draws, seed 5.
pub fn trained_on<T: AsRef<[u32]>>(
    recipe: &Recipe,
    vocabulary: usize,
    steps: usize,
    mut pick: impl FnMut(&mut ChaCha8Rng) -> Vec<T>,
) -> Autoencoder {
    let mut model = Autoencoder::new(recipe, vocabulary, 5);
    let mut trainer = Trainer::new(&model);
    let mut tape = Tape::new();
    for step in 0..steps {
        let mut rng = ChaCha8Rng::seed_from_u64(step as u64);
        let picked = pick(&mut rng);
        let batch = model.training_batch(&picked, &mut rng);
        let progress = Progress { step: step as u64, steps: steps as u64 };
        trainer.step(&mut model, &mut tape, &batch, progress, &mut rng).unwrap();
    }
    model
}

/// A model of the toy corpus.
pub fn trained(recipe: &Recipe, steps: usize) -> Autoencoder {
    trained_on(recipe, VOCABULARY, steps, |_| texts())
}

/// Share of the toy corpus that comes back whole.
pub fn exact(model: &Autoencoder, options: &Options) -> f64 {
    let texts = texts();
    let decoded = model.decode(&model.encode(&texts), options, TokenizerKind::Subword, &vec![0; texts.len()]);
    decoded.iter().zip(&texts).filter(|(d, t)| d.tokens == **t).count() as f64 / texts.len() as f64
}

/// Greedy decoding of the toy corpus.
pub fn greedy() -> Options {
    Options { max_len: 8, ..Options::default() }
}
