//! Texts drawn from the generator as it is: without truncation, tilting or bans, so that their likelihood is the policy's.

use rand::Rng;
use rayon::prelude::*;
use strait_text::tokenizer::{BOS, EOS, MASK};

use crate::{
    Autoencoder,
    decoding::{self, Options, Output, Prefix, Special},
};

/// Rows drawn together.
const ROWS: usize = 64;

/// Texts drawn, and how.
pub(crate) struct Samples {
    pub(crate) ids: Vec<Vec<u32>>,
    /// Whether each came to its end by itself.
    pub(crate) finished: Vec<bool>,
    /// Mean of `-log p` of a token drawn: an estimate of the generator's entropy, nats.
    pub(crate) entropy: f64,
}

impl Samples {
    /// Draws `n` texts of at most so many tokens.
    pub(crate) fn draw(model: &Autoencoder, (n, longest): (usize, usize), rng: &mut impl Rng) -> Self {
        let outputs = complete(model, &vec![Vec::new(); n], longest, rng);
        let tokens: usize = outputs.iter().map(|o| o.tokens.len() + usize::from(o.finished)).sum();
        let nats: f64 = outputs.iter().map(|o| o.nats).sum();
        let finished = outputs.iter().map(|o| o.finished).collect();
        let ids = outputs.into_iter().map(|o| o.tokens).collect();
        Samples { ids, finished, entropy: nats / tokens.max(1) as f64 }
    }

    /// The share of the texts that are different ones.
    pub(crate) fn distinct(&self) -> f64 {
        let different: std::collections::HashSet<&Vec<u32>> = self.ids.iter().collect();
        different.len() as f64 / self.ids.len().max(1) as f64
    }
}

/// Goes on from each prefix until the end, or so many tokens in all.
pub(crate) fn complete(model: &Autoencoder, prefixes: &[Vec<u32>], longest: usize, rng: &mut impl Rng) -> Vec<Output> {
    let special = Special { bos: BOS, eos: EOS, never: &[MASK] };
    let seeds: Vec<u64> = prefixes.iter().map(|_| rng.next_u64()).collect();
    let chunks: Vec<Vec<Output>> = prefixes
        .par_chunks(ROWS)
        .zip(seeds.par_chunks(ROWS))
        .map(|(prefixes, seeds)| {
            let prefix = Prefix::Rows(prefixes.to_vec());
            let options = Options { temperature: 1.0, max_len: longest, prefix, ..Options::default() };
            decoding::decode(&mut model.generator(&[], seeds.len()), &options, special, seeds)
        })
        .collect();
    chunks.into_iter().flatten().collect()
}
