//! Published language models under our decoding: sampling and beams with every control.

use strait_pretrained::{Generator, LanguageModel};

use crate::decoding::{self, NextToken, Options, Output, Special};

impl NextToken for Generator<'_> {
    fn vocabulary(&self) -> usize {
        Generator::vocabulary(self)
    }
    fn rows(&self) -> usize {
        Generator::rows(self)
    }
    fn step(&mut self, tokens: &[u32], logits: &mut Vec<f32>) {
        Generator::step(self, tokens, logits);
    }
    fn select(&mut self, from: &[usize]) {
        Generator::select(self, from);
    }
}

/// The tokens with a role in a published language model's vocabulary: its end is also its begin.
pub fn special(model: &LanguageModel) -> Special<'static> {
    Special { bos: model.end(), eos: model.end(), never: &[] }
}

/// Writes one text for each seed. Check `options` first, and that `max_len` is at most [`LanguageModel::longest`].
pub fn write(model: &LanguageModel, options: &Options, seeds: &[u64]) -> Vec<Output> {
    decoding::decode(&mut model.generator(seeds.len()), options, special(model), seeds)
}
