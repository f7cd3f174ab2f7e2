//! A published decoder: the scores of next tokens.

use std::{path::Path, sync::Arc};

use strait_engine::{Packing, Params, Tape};

use crate::{Error, Generator, Injection, Merges, config::Config, gpt2::Gpt2, tensors::Tensors, tokens::Tokens};

/// Rows of scores that are made together: V columns each.
const ROWS: usize = 64;

/// A decoder of the GPT-2 family with its tokenizer, frozen.
pub struct LanguageModel {
    params: Params,
    network: Gpt2,
    tokens: Tokens,
    /// Stands before every text, and after it.
    end: u32,
}

impl LanguageModel {
    /// Reads a published folder.
    ///
    /// # Errors
    /// If it is not there, not whole, not a decoder or of an unknown kind; the message names the file and the key or
    /// tensor.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        LanguageModel::with(dir, Tensors::open)
    }

    /// The same without its weights, which are all 0: for a folder of the files of [`settings_of`](crate::settings_of).
    ///
    /// # Errors
    /// Those of [`LanguageModel::open`].
    pub fn open_untrained(dir: &Path) -> Result<Self, Error> {
        LanguageModel::with(dir, |_| Ok(Tensors::zero()))
    }

    fn with(dir: &Path, tensors: impl FnOnce(&Path) -> Result<Tensors, Error>) -> Result<Self, Error> {
        let config = Config::open(dir)?;
        let file = dir.join("config.json");
        if config.family.is_encoder() {
            let found = config.family.name().into();
            return Err(Error::Architecture { file, found, expected: "the decoders gpt2 and distilgpt2" });
        }
        let end = config.token("eos_token_id").or_else(|| config.token("bos_token_id"));
        let why = || "is missing, or not an id of the vocabulary".into();
        let end = end.ok_or_else(|| Error::Key { file, key: "eos_token_id".into(), why: why() })?;
        let mut params = Params::new();
        let network = Gpt2::load(&mut params, &tensors(dir)?, &config)?;
        // Longer texts are scored in pieces, so nothing is cut.
        let tokens = Tokens::open(dir, config.family, usize::MAX, config.shape.vocabulary)?;
        Ok(LanguageModel { params, network, tokens, end })
    }

    /// Tokens in the vocabulary, V.
    pub fn vocabulary(&self) -> usize {
        self.network.shape.vocabulary
    }
    /// Number of weights.
    pub fn weights(&self) -> usize {
        self.params.weights()
    }
    /// Longest text that can be generated, in tokens: the begin and the end take places, too.
    pub fn longest(&self) -> usize {
        self.network.shape.places.saturating_sub(1)
    }
    /// The token before and after every text.
    pub fn end(&self) -> u32 {
        self.end
    }

    /// The network, whose weights are [`LanguageModel::params`].
    pub fn network(&self) -> &Gpt2 {
        &self.network
    }
    /// The weights, frozen.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// What its tokenizer is made of.
    ///
    /// # Errors
    /// If it does more to a text than the byte-level BPE of GPT-2 does; says what.
    pub fn merges(&self) -> Result<Merges, String> {
        self.tokens.merges()
    }

    /// The token ids of texts, without begin and end.
    pub fn ids<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Vec<Vec<u32>> {
        self.tokens.encode(texts)
    }

    /// The text of token ids.
    pub fn text(&self, ids: &[u32]) -> String {
        self.tokens.decode(ids)
    }

    /// Starts generating `rows` texts; feed [`LanguageModel::end`] first.
    pub fn generator(&self, rows: usize) -> Generator<'_> {
        Generator::new(&self.network, &self.params, rows, [&[], &[]])
    }

    /// Scores of the token after each of `ids` (n, V), row-major.
    ///
    /// # Panics
    /// If there are none or more than the network has places, or an id is not of its vocabulary.
    pub fn logits(&self, ids: &[u32]) -> Vec<f32> {
        let mut logits = Vec::new();
        self.network.scores(&self.params, &self.states(ids), &mut logits);
        logits
    }

    /// `-log p(token | those before it)` of each of a text's tokens, in nats; the first one's given the begin alone. Of a
    /// text longer than the network has places, each token is given at least the half of the places before it.
    pub fn nats(&self, ids: &[u32]) -> Vec<f32> {
        let (places, v) = (self.network.shape.places, self.vocabulary());
        let whole: Vec<u32> = std::iter::once(self.end).chain(ids.iter().copied()).collect();
        let (mut nats, mut start, mut logits) = (Vec::with_capacity(ids.len()), 0, Vec::new());
        while nats.len() < ids.len() {
            let fed = &whole[start..(start + places).min(ids.len())];
            let y = self.states(fed);
            let d = self.network.shape.width;
            // Rows before were told already, with more before them.
            let fresh = nats.len() - start;
            for (i, y) in y[fresh * d..].chunks(ROWS * d).enumerate() {
                self.network.scores(&self.params, y, &mut logits);
                let targets = &ids[start + fresh + i * ROWS..];
                nats.extend(logits.chunks_exact(v).zip(targets).map(|(row, &id)| surprise(row, id as usize)));
            }
            start += (places / 2).max(1);
        }
        nats
    }

    fn states(&self, ids: &[u32]) -> Vec<f32> {
        let packing = Arc::new(Packing::new(&[ids.len()]));
        let mut tape = Tape::inference();
        let y = self.network.forward(&mut tape, &self.params, (ids, &packing), Injection::default(), |_, x| x);
        tape.value(y).to_vec()
    }
}

/// Minus the logarithm of the softmax of `row` at `id`.
fn surprise(row: &[f32], id: usize) -> f32 {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = row.iter().map(|&x| f64::from(x - top).exp()).sum();
    (sum.ln() - f64::from(row[id] - top)) as f32
}
