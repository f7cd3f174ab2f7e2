//! Small models for tests.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use strait_engine::Tape;
use strait_model::{
    Autoencoder, Progress, Recipe, Trainer,
    config::{LatentKind, NetworkKind, Normalise, RegulariserConfig},
    decoding::Options,
    folder::{Config, Data, FORMAT, Training},
    prior::Prior,
};
use strait_text::{Tokenizer, TokenizerKind};

use crate::Subject;

/// A whole model in memory.
pub(crate) struct Whole {
    pub config: Config,
    pub model: Autoencoder,
    pub tokenizer: Tokenizer,
    pub prior: Prior,
}

/// Sentences of a tiny language.
pub(crate) fn texts(n: usize) -> Vec<String> {
    const WHO: [&str; 4] = ["a dog", "the cat", "my bird", "one fish"];
    const DOES: [&str; 5] = ["runs", "sleeps", "sings a song", "eats", "swims in the sea"];
    (0..n).map(|i| format!("{} {} .", WHO[i % 4], DOES[i * 7 % 5])).collect()
}

/// An autoencoder's recipe: a latent of `size` dimensions with a posterior.
pub(crate) fn variational(size: usize) -> Recipe {
    let mut r = Recipe { name: "tiny-vae".into(), ..Recipe::default() };
    (r.encoder.embedding, r.encoder.hidden, r.decoder.hidden) = (8, 8, 12);
    (r.latent.kind, r.latent.size, r.latent.normalise) = (LatentKind::Gaussian, size, Normalise::None);
    r.objective.regulariser = RegulariserConfig::Kl(Default::default());
    r.training.rate = 1e-2;
    r
}

/// A language model's recipe.
pub(crate) fn language_model() -> Recipe {
    let mut r = Recipe { name: "tiny-lm".into(), ..Recipe::default() };
    (r.encoder.kind, r.encoder.embedding, r.decoder.hidden, r.latent.size) = (NetworkKind::None, 8, 12, 0);
    r.training.rate = 1e-2;
    r
}

impl Whole {
    /// A model of some [`texts`] after so many steps.
    pub fn new(recipe: &Recipe, steps: u64) -> Self {
        let texts = texts(60);
        let tokenizer = Tokenizer::train(TokenizerKind::Word, None, texts.iter().map(String::as_str)).expect("texts");
        let ids = tokenizer.encode_batch(&texts);
        let mut model = Autoencoder::new(recipe, tokenizer.vocab_size(), 3);
        let (mut trainer, mut tape) = (Trainer::new(&model), Tape::new());
        for step in 0..steps {
            let mut rng = ChaCha8Rng::seed_from_u64(step);
            let batch = model.training_batch(&ids, &mut rng);
            trainer.step(&mut model, &mut tape, &batch, Progress { step, steps }, &mut rng).expect("finite numbers");
        }
        let greedy = Options { max_len: 12, ..Options::default() };
        let config = Config {
            strait_format: FORMAT,
            strait_version: "test".into(),
            recipe: recipe.clone(),
            vocabulary: tokenizer.vocab_size(),
            seed: 3,
            data: Data {
                name: "tiny.txt".into(),
                hash: String::new(),
                train: 60,
                valid: 0,
                mean_tokens: 5.0,
                longest_tokens: 7,
            },
            training: Training {
                steps,
                best_step: steps,
                epochs: steps as f64,
                ended: String::new(),
                figures: BTreeMap::new(),
            },
            sampling: Options { temperature: 1.0, ..greedy.clone() },
            decoding: greedy,
            files: BTreeMap::new(),
            checksum: String::new(),
        };
        let prior = Prior::standard_normal(model.latent_size());
        Whole { config, model, tokenizer, prior }
    }

    pub fn subject(&mut self) -> Subject<'_> {
        Subject { config: &self.config, model: &mut self.model, tokenizer: &self.tokenizer, prior: &self.prior }
    }
}
