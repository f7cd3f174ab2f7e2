//! A decoder as others have published it (GPT-2, DistilGPT-2): it writes, and tells how likely texts are.

use std::{path::Path, sync::Arc};

use strait_model::{
    decoding::{Prefix, WordCounts},
    pretrained,
};
use strait_pretrained::LanguageModel;
use strait_text::tokenizer::WordCount;

use crate::{Decoding, DecodingOptions, Error, Model, Oddness};

/// Texts written at a time.
const ROWS: usize = 64;

/// A published language model.
pub struct PublishedLanguageModel(LanguageModel);

impl PublishedLanguageModel {
    /// Reads a published folder.
    ///
    /// # Errors
    /// If it is not whole, or no decoder; the message names the file and what is wrong in it.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Ok(PublishedLanguageModel(LanguageModel::open(dir)?))
    }

    /// How it writes when nothing is asked: at temperature 1, 64 tokens at most.
    pub fn sampling(&self) -> DecodingOptions {
        DecodingOptions { temperature: 1.0, max_len: self.0.longest().min(64), ..DecodingOptions::default() }
    }

    /// Writes `n` texts; row i depends on the seed and i.
    ///
    /// # Errors
    /// If the controls contradict each other, or texts could become longer than the network has places.
    pub fn sample(&self, n: usize, seed: u64, decoding: &Decoding) -> Result<Vec<String>, Error> {
        let mut options = decoding.options.clone().unwrap_or_else(|| self.sampling());
        let ids = |text: &str| self.0.ids(&[text]).swap_remove(0);
        for phrase in decoding.banned.iter().filter(|b| !b.is_empty()) {
            // Inside a text a word begins with its blank.
            options.banned.extend([ids(phrase), ids(&format!(" {phrase}"))]);
        }
        if let Some(prefix) = &decoding.prefix {
            options.prefix = Prefix::All(ids(prefix));
        }
        options.blocked.clone_from(&decoding.blocked);
        if options.about_words > 0 {
            let count = |id| WordCount::of(&self.0.text(&[id]), false);
            options.counts = Some(Arc::new(WordCounts::new((0..self.0.vocabulary() as u32).map(count).collect())));
        }
        options.check()?;
        if options.contrastive > 0.0 {
            return Err(Error::NoStates);
        }
        options.check_for(self.0.vocabulary(), pretrained::special(&self.0), 1)?;
        if options.max_len > self.0.longest() {
            return Err(Error::TooLong { asked: options.max_len, longest: self.0.longest() });
        }
        let seeds = Model::row_seeds(seed, 0, n);
        let written = seeds.chunks(ROWS).flat_map(|seeds| pretrained::write(&self.0, &options, seeds));
        Ok(written.map(|o| self.0.text(&o.tokens)).collect())
    }

    /// What each text costs, alone, its end included.
    pub fn oddness<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Vec<Oddness> {
        self.0.ids(texts).into_iter().map(|ids| self.odd(ids)).collect()
    }

    fn odd(&self, mut ids: Vec<u32>) -> Oddness {
        ids.push(self.0.end());
        let each = self.0.nats(&ids);
        let nats: f64 = each.iter().map(|&n| f64::from(n)).sum();
        let tokens = ids[..ids.len() - 1].iter().map(|&id| self.0.text(&[id])).zip(each.iter().copied()).collect();
        let end = each.last().copied().unwrap_or(0.0);
        Oddness { nats, nats_per_token: nats / ids.len() as f64, log_density: None, tokens, end }
    }
}
