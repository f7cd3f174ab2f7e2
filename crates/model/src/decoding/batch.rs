//! The rows of one call of [`decode`](super::decode): each takes its next token, and leaves when it ends.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

use super::rules::Rules;
use super::sample::Sampler;
use super::{Options, Output, Special};

/// All rows of a call, and what they share.
pub(super) struct Batch<'a> {
    options: &'a Options,
    vocabulary: usize,
    rules: Rules<'a>,
    sampler: Sampler,
    /// Rows still alive, in the model's order.
    rows: Vec<Row>,
    /// The token each alive row reads next.
    feed: Vec<u32>,
    /// Places, before the last step, of the rows still alive after it.
    kept: Vec<usize>,
    /// One for each row of the call, filled in as the rows go.
    outputs: Vec<Output>,
}

/// A row still alive.
struct Row {
    /// Its place in the outputs.
    index: usize,
    rng: ChaCha8Rng,
}

impl<'a> Batch<'a> {
    pub fn new(vocabulary: usize, options: &'a Options, special: Special, seeds: &[u64]) -> Self {
        let alive = if options.max_len == 0 { &[] } else { seeds };
        let row = |(index, &seed)| Row { index, rng: ChaCha8Rng::seed_from_u64(seed) };
        Batch {
            options,
            vocabulary,
            rules: Rules::new(vocabulary, options, special),
            sampler: Sampler::default(),
            rows: alive.iter().enumerate().map(row).collect(),
            feed: vec![special.bos; alive.len()],
            kept: Vec::new(),
            outputs: vec![Output { tokens: Vec::new(), finished: false, nats: 0.0 }; seeds.len()],
        }
    }

    pub fn is_done(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn feed(&self) -> &[u32] {
        &self.feed
    }

    pub fn into_outputs(self) -> Vec<Output> {
        self.outputs
    }

    /// Moves every row on by one token, given the logits (rows, V), which are overwritten. Returns the places of the
    /// rows that live on, if some but not all do.
    pub fn advance(&mut self, logits: &mut [f32]) -> Option<&[usize]> {
        self.kept.clear();
        self.feed.clear();
        for place in 0..self.rows.len() {
            let row = &mut logits[place * self.vocabulary..][..self.vocabulary];
            if let Some(token) = self.next(place, row) {
                self.kept.push(place);
                self.feed.push(token);
            }
        }
        if self.kept.len() == self.rows.len() {
            return None;
        }
        let mut kept = self.kept.iter().peekable();
        let mut places = 0..;
        self.rows.retain(|_| places.next().is_some_and(|place| kept.next_if_eq(&&place).is_some()));
        if self.kept.is_empty() { None } else { Some(&self.kept) }
    }

    /// The next token of a row, given its logits (V); none if the row is over.
    fn next(&mut self, place: usize, logits: &mut [f32]) -> Option<u32> {
        let row = &mut self.rows[place];
        let output = &mut self.outputs[row.index];
        let required = self.options.prefix.of(row.index).get(output.tokens.len()).copied();
        let (token, mass) = match required {
            Some(token) if (token as usize) < self.vocabulary => (token, self.rules.measure(logits).mass),
            Some(_) => return None,
            None => {
                let found = self.rules.apply(&output.tokens, logits);
                (self.sampler.draw(self.options, logits, found.best?, &mut row.rng), found.mass)
            }
        };
        output.nats += mass.surprise(self.rules.raw(token, logits));
        if self.rules.is_end(token) {
            output.finished = true;
            return None;
        }
        output.tokens.push(token);
        (output.tokens.len() < self.options.max_len).then_some(token)
    }
}
