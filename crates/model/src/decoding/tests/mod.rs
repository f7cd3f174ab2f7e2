//! A table-driven model, and the tests of each control on it.

mod beams;
mod contrastive;
mod controls;
mod length;
mod numbers;
mod options;
mod sampling;

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

use super::{NextToken, Options, Output, Special, decode};

/// A Markov chain of order two: the logits (V) of the next token are a table's entry for the last two tokens, so that
/// a wrong `select` shows. It counts what it was asked.
#[derive(Clone)]
pub(super) struct Table {
    /// (V + 1, V, V): by the token before last (V: none), the last token.
    logits: Vec<f32>,
    vocabulary: usize,
    /// Last token of each row; V before the first step.
    last: Vec<u32>,
    /// Rows fed in each step.
    pub fed: Vec<usize>,
    /// The states after the last step: see [`Table::state`].
    shown: Vec<f32>,
}

impl Table {
    /// Order one: `rows[last]` holds the probabilities of the next token.
    pub fn of(probabilities: &[&[f32]], rows: usize) -> Table {
        let vocabulary = probabilities.len();
        let one: Vec<f32> = probabilities.iter().flat_map(|row| row.iter().map(|p| p.ln())).collect();
        Table::new(one.repeat(vocabulary + 1), vocabulary, rows)
    }

    /// Order two, with random logits.
    pub fn random(vocabulary: usize, rows: usize, seed: u64) -> Table {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let count = (vocabulary + 1) * vocabulary * vocabulary;
        Table::new((0..count).map(|_| rng.random_range(-3.0..3.0)).collect(), vocabulary, rows)
    }

    fn new(logits: Vec<f32>, vocabulary: usize, rows: usize) -> Table {
        Table { logits, vocabulary, last: vec![vocabulary as u32; rows], fed: Vec::new(), shown: Vec::new() }
    }

    fn row(&self, before: u32, last: u32) -> &[f32] {
        let start = (before as usize * self.vocabulary + last as usize) * self.vocabulary;
        &self.logits[start..start + self.vocabulary]
    }

    /// A state of three numbers after two tokens.
    pub fn state(before: u32, last: u32) -> [f32; 3] {
        let turn = (before * 7 + last * 3) as f32;
        [turn.sin(), (2.0 * turn).cos(), 0.3 * last as f32]
    }

    /// log p of each token after `tokens` (the first is bos), by the definition, in f64.
    pub fn log_p(&self, tokens: &[u32]) -> Vec<f64> {
        let before = if tokens.len() > 1 { tokens[tokens.len() - 2] } else { self.vocabulary as u32 };
        let row = self.row(before, tokens[tokens.len() - 1]);
        let sum: f64 = row.iter().map(|&logit| f64::from(logit).exp()).sum();
        row.iter().map(|&logit| f64::from(logit) - sum.ln()).collect()
    }

    /// log p of tokens, without an end, by the definition.
    pub fn log_p_of(&self, tokens: &[u32]) -> f64 {
        let output = Output { tokens: tokens.to_vec(), finished: false, nats: 0.0 };
        -self.nats(&output, SPECIAL)
    }

    /// -log p of an output, by the definition.
    pub fn nats(&self, output: &Output, special: Special) -> f64 {
        let mut history = vec![special.bos];
        let mut nats = 0.0;
        for token in output.tokens.iter().copied().chain(output.finished.then_some(special.eos)) {
            nats -= self.log_p(&history)[token as usize];
            history.push(token);
        }
        nats
    }
}

impl NextToken for Table {
    fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    fn rows(&self) -> usize {
        self.last.len()
    }

    fn step(&mut self, tokens: &[u32], logits: &mut Vec<f32>) {
        assert_eq!(tokens.len(), self.last.len());
        self.fed.push(tokens.len());
        logits.clear();
        self.shown.clear();
        for (row, &token) in tokens.iter().enumerate() {
            self.shown.extend(Table::state(self.last[row], token));
            logits.extend_from_slice(self.row(self.last[row], token));
        }
        self.last.copy_from_slice(tokens);
    }

    fn states(&self) -> &[f32] {
        &self.shown
    }

    fn select(&mut self, from: &[usize]) {
        self.last = from.iter().map(|&row| self.last[row]).collect();
    }
}

/// Tokens 0 and 1 begin and end.
pub(super) const SPECIAL: Special = Special { bos: 0, eos: 1, never: &[] };

/// Greedy for the chain bos -> 2 -> 3 -> 4 -> 2 ... , with less likely ways out.
pub(super) const CHAIN: [&[f32]; 5] = [
    &[0.0, 0.1, 0.6, 0.2, 0.1],
    &[0.2, 0.2, 0.2, 0.2, 0.2],
    &[0.0, 0.1, 0.1, 0.5, 0.3],
    &[0.0, 0.2, 0.3, 0.1, 0.4],
    &[0.0, 0.3, 0.4, 0.2, 0.1],
];

/// One row of the chain.
pub(super) fn one(options: &Options) -> Output {
    decode(&mut Table::of(&CHAIN, 1), options, SPECIAL, &[7]).remove(0)
}

/// Sampling options at temperature 1.
pub(super) fn drawing() -> Options {
    Options { temperature: 1.0, max_len: 12, ..Options::default() }
}

/// Greedy options of a given length.
pub(super) fn greedy(max_len: usize) -> Options {
    Options { max_len, ..Options::default() }
}
