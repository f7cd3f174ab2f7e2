//! Beam search: for each row, `beam` hypotheses side by side in one batch.
//!
//! A step ranks all continuations of a row's hypotheses by sum log p. Ends among the best `beam` join the finished
//! pool; the best `beam` others live on. A row is over when its pool holds enough sequences and no living hypothesis
//! can beat them: a sum S <= 0 only falls, so S / ((5 + max_len) / 6)^alpha bounds what it can still reach.

use super::filter::Top;
use super::rules::Rules;
use super::{NextToken, Options, Output, Special, step};

/// The `count` best sequences of each row (at most `beam`), best first; see [`decode_nbest`](super::decode_nbest).
pub(super) fn search(
    model: &mut impl NextToken,
    options: &Options,
    special: Special,
    count: usize,
) -> Vec<Vec<Output>> {
    let mut beams = Beams::new(model.vocabulary(), options, special, count);
    if options.max_len == 0 {
        return vec![vec![Output { tokens: Vec::new(), finished: false, nats: 0.0 }]; model.rows()];
    }
    let mut rows: Vec<Row> = (0..model.rows()).map(Row::new).collect();
    let mut lists = vec![Vec::new(); rows.len()];
    let (mut feed, mut from, mut logits) = (vec![special.bos; rows.len()], Vec::new(), Vec::new());
    while !rows.is_empty() {
        step(model, &feed, &mut logits);
        let living = feed.len();
        let mut first = 0;
        feed.clear();
        from.clear();
        for row in &mut rows {
            let width = row.alive.len();
            beams.advance(row, &mut logits[first * beams.vocabulary..][..width * beams.vocabulary]);
            from.extend(row.alive.iter().map(|hypothesis| first + hypothesis.parent));
            feed.extend(row.alive.iter().filter_map(|hypothesis| hypothesis.tokens.last()));
            first += width;
        }
        for row in rows.extract_if(.., |row| row.alive.is_empty()) {
            lists[row.index] = row.pool.into_iter().map(|entry| entry.output).collect();
        }
        if !from.is_empty() && !from.iter().copied().eq(0..living) {
            model.select(&from);
        }
    }
    lists
}

/// The hypotheses of one row.
struct Row {
    /// Its place in the call.
    index: usize,
    /// By falling sum log p; all of the same length.
    alive: Vec<Hypothesis>,
    /// Sequences that are over, the best first.
    pool: Vec<Entry>,
}

/// A sequence that goes on.
struct Hypothesis {
    tokens: Vec<u32>,
    /// sum log p under the rules.
    score: f64,
    /// -sum log p in the unmodified model.
    nats: f64,
    /// The row's hypothesis, before the last step, that this one continues.
    parent: usize,
}

/// A sequence that is over.
struct Entry {
    /// Whether it ran out of allowed tokens.
    stuck: bool,
    /// Score divided by the length penalty.
    rank: f64,
    output: Output,
}

/// One way to continue a hypothesis.
#[derive(Clone, Copy)]
struct Continuation {
    parent: usize,
    token: u32,
    score: f64,
    nats: f64,
}

impl Row {
    fn new(index: usize) -> Self {
        let root = Hypothesis { tokens: Vec::new(), score: 0.0, nats: 0.0, parent: 0 };
        Row { index, alive: vec![root], pool: Vec::new() }
    }
}

/// What the rows of a call share.
struct Beams<'a> {
    options: &'a Options,
    vocabulary: usize,
    /// Hypotheses per row.
    width: usize,
    /// Sequences wanted per row.
    count: usize,
    rules: Rules<'a>,
    top: Top,
    continuations: Vec<Continuation>,
}

impl<'a> Beams<'a> {
    fn new(vocabulary: usize, options: &'a Options, special: Special, count: usize) -> Self {
        let width = options.beam.max(1);
        Beams {
            options,
            vocabulary,
            width,
            count: count.clamp(1, width),
            rules: Rules::new(vocabulary, options, special),
            top: Top::default(),
            continuations: Vec::new(),
        }
    }

    /// Moves the hypotheses of a row on by one token, given their logits (alive, V). None are left when it is over.
    fn advance(&mut self, row: &mut Row, logits: &mut [f32]) {
        self.continuations.clear();
        for parent in 0..row.alive.len() {
            let before = self.continuations.len();
            self.extend(row, parent, &mut logits[parent * self.vocabulary..][..self.vocabulary]);
            if self.continuations.len() == before {
                let Hypothesis { tokens, score, nats, .. } = &row.alive[parent];
                let output = Output { tokens: tokens.clone(), finished: false, nats: *nats };
                let rank = self.rank(*score, tokens.len());
                self.offer(&mut row.pool, Entry { stuck: true, rank, output });
            }
        }
        self.continuations
            .sort_by(|a, b| b.score.total_cmp(&a.score).then(a.parent.cmp(&b.parent)).then(a.token.cmp(&b.token)));
        row.alive = self.split(row);
        if row.alive.first().is_some_and(|hypothesis| hypothesis.tokens.len() >= self.options.max_len) {
            for Hypothesis { tokens, score, nats, .. } in std::mem::take(&mut row.alive) {
                let rank = self.rank(score, tokens.len());
                let output = Output { tokens, finished: false, nats };
                self.offer(&mut row.pool, Entry { stuck: false, rank, output });
            }
        }
        if self.is_settled(row) {
            row.alive.clear();
        }
    }

    /// Collects the continuations of one hypothesis that can matter, given its logits (V).
    fn extend(&mut self, row: &Row, parent: usize, logits: &mut [f32]) {
        let hypothesis = &row.alive[parent];
        let required = self.options.prefix.of(row.index).get(hypothesis.tokens.len()).copied();
        if required.is_some_and(|token| token as usize >= self.vocabulary) {
            return;
        }
        let mass = match required {
            Some(_) => self.rules.measure(logits).mass,
            None => self.rules.apply(&hypothesis.tokens, logits).mass,
        };
        let single = required.map(|token| (self.rules.raw(token, logits), token));
        let tokens = match &single {
            Some(single) => std::slice::from_ref(single),
            // Enough that `beam` of them do not end.
            None => self.top.of(logits, self.width.saturating_add(self.rules.ends())),
        };
        for &(logit, token) in tokens {
            let score = hypothesis.score - mass.surprise(logit);
            let nats = hypothesis.nats + mass.surprise(self.rules.raw(token, logits));
            self.continuations.push(Continuation { parent, token, score, nats });
        }
    }

    /// Sends ends among the best continuations to the pool, and returns the best others.
    fn split(&mut self, row: &mut Row) -> Vec<Hypothesis> {
        let mut alive = Vec::new();
        for place in 0..self.continuations.len() {
            let Continuation { parent, token, score, nats } = self.continuations[place];
            let history = &row.alive[parent].tokens;
            if self.rules.is_end(token) {
                if place < self.width {
                    let rank = self.rank(score, history.len() + 1);
                    let output = Output { tokens: history.clone(), finished: true, nats };
                    self.offer(&mut row.pool, Entry { stuck: false, rank, output });
                }
            } else {
                let mut tokens = Vec::with_capacity(history.len() + 1);
                tokens.extend_from_slice(history);
                tokens.push(token);
                alive.push(Hypothesis { tokens, score, nats, parent });
            }
            if alive.len() == self.width {
                break;
            }
        }
        alive
    }

    /// Puts a sequence into the pool if it is among the best; the earlier one wins a tie. One that ends by two
    /// tokens, the model's end and `eos`, is there once.
    fn offer(&self, pool: &mut Vec<Entry>, entry: Entry) {
        if pool.iter().any(|other| other.output.tokens == entry.output.tokens) {
            return;
        }
        let ahead = |other: &Entry| (other.stuck, -other.rank) <= (entry.stuck, -entry.rank);
        let place = pool.partition_point(ahead);
        pool.insert(place, entry);
        pool.truncate(self.count);
    }

    /// Whether nothing alive can enter the pool.
    fn is_settled(&self, row: &Row) -> bool {
        let best = row.alive.first().map(|hypothesis| self.rank(hypothesis.score, self.options.max_len));
        let worst = row.pool.get(self.count - 1).filter(|entry| !entry.stuck).map(|entry| entry.rank);
        matches!((worst, best), (Some(worst), Some(best)) if worst >= best)
    }

    /// log p(Y) / ((5 + |Y|) / 6)^alpha.
    fn rank(&self, score: f64, length: usize) -> f64 {
        let alpha = f64::from(self.options.length_penalty);
        score / ((5.0 + length as f64) / 6.0).powf(alpha)
    }
}
