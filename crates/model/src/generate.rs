//! Latents to token sequences.

use rayon::prelude::*;
use strait_text::{
    Tokenizer, TokenizerKind,
    tokenizer::{BOS, EOS, MASK, UNK},
};

use crate::{
    Autoencoder,
    decoding::{self, Options, Output, Prefix, Special},
};

/// Rows decoded together: enough for full matrix products, few enough to keep every thread busy.
const ROWS: usize = 64;

/// The tokens with a role in vocabularies of a kind.
pub fn special(tokenizer: TokenizerKind) -> Special<'static> {
    let never: &[u32] = match tokenizer {
        TokenizerKind::Word | TokenizerKind::Char => &[MASK, UNK],
        TokenizerKind::Subword | TokenizerKind::Byte => &[MASK],
    };
    Special { bos: BOS, eos: EOS, never }
}

impl Autoencoder {
    /// Decodes latents (n, Z) to ids; `seeds` (n) give each row its random stream. A row's text depends on its latent
    /// and its seed, not on the other rows. Check `options` first ([`Options::check_for`]).
    ///
    /// # Panics
    /// If `latents` and `seeds` differ in their number of rows.
    pub fn decode(&self, latents: &[f32], options: &Options, tokenizer: TokenizerKind, seeds: &[u64]) -> Vec<Output> {
        let z = self.latent_size();
        assert_eq!(latents.len(), seeds.len() * z, "one seed for each latent");
        let special = special(tokenizer);
        let options = &Options { words: self.words.clone(), ..options.clone() };
        let rows = seeds.len().div_ceil(rayon::current_num_threads()).clamp(1, ROWS);
        let chunks: Vec<Vec<Output>> = seeds
            .par_chunks(rows)
            .enumerate()
            .map(|(i, seeds)| {
                let latents = &latents[i * rows * z..][..seeds.len() * z];
                let mut generator = self.generator(latents, seeds.len());
                match &options.prefix {
                    Prefix::Rows(all) => {
                        let mine = all.iter().skip(i * rows).take(seeds.len()).cloned().collect();
                        let options = Options { prefix: Prefix::Rows(mine), ..options.clone() };
                        decoding::decode(&mut generator, &options, special, seeds)
                    }
                    Prefix::All(_) => decoding::decode(&mut generator, options, special, seeds),
                }
            })
            .collect();
        chunks.into_iter().flatten().collect()
    }

    /// Greedy decoding of latents (n, Z) to texts, of known words where the words are known; of a language model's none, nothing.
    pub fn decode_greedy(&self, latents: &[f32], tokenizer: &Tokenizer, max_len: usize) -> Vec<String> {
        let options = Options { max_len, known_words: true, ..Options::default() };
        let seeds = vec![0; latents.len() / self.latent_size().max(1)];
        let outputs = self.decode(latents, &options, tokenizer.kind(), &seeds);
        outputs.iter().map(|o| tokenizer.decode(&o.tokens)).collect()
    }
}
