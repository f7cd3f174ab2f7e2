//! Beam search: for each row, `beam` hypotheses side by side in one batch.
//!
//! A step ranks all continuations of a row's hypotheses by sum log p. Ends among the best `beam` join the finished
//! pool; the best `beam` others live on. A row is over when its pool holds enough sequences and no living hypothesis
//! can beat them: a sum S <= 0 only falls, so S / ((5 + max_len) / 6)^alpha bounds what it can still reach.
//!
//! With groups (diverse beam search) a row has several such beams that go on side by side, each with its share of the
//! hypotheses and a pool of its own. A group ranks continuations by sum log p - lambda n(token), n(token) the number of
//! hypotheses of the groups before it that have gone on with that token in this step. The list of a row takes the best of
//! each group, then the second best of each, and so on.

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
    let mut rows: Vec<Row> = (0..model.rows()).map(|index| Row::new(index, beams.groups)).collect();
    let mut lists = vec![Vec::new(); rows.len()];
    let mut from: Vec<usize> = (0..rows.len()).flat_map(|row| std::iter::repeat_n(row, beams.groups)).collect();
    let (mut feed, mut logits) = (vec![special.bos; from.len()], Vec::new());
    if beams.groups > 1 {
        model.select(&from);
    }
    while !rows.is_empty() {
        step(model, &feed, &mut logits);
        let living = feed.len();
        let mut first = 0;
        feed.clear();
        from.clear();
        for row in &mut rows {
            beams.forget_choices();
            for group in &mut row.groups {
                let width = group.alive.len();
                beams.advance((row.index, group), &mut logits[first * beams.vocabulary..][..width * beams.vocabulary]);
                from.extend(group.alive.iter().map(|hypothesis| first + hypothesis.parent));
                feed.extend(group.alive.iter().filter_map(|hypothesis| hypothesis.tokens.last()));
                first += width;
            }
        }
        for row in rows.extract_if(.., |row| row.groups.iter().all(|group| group.alive.is_empty())) {
            let pools = row.groups.into_iter().map(|group| group.pool).collect();
            lists[row.index] = beams.list(pools);
        }
        if !from.is_empty() && !from.iter().copied().eq(0..living) {
            model.select(&from);
        }
    }
    lists
}

/// What is searched for one text.
struct Row {
    /// Its place in the call.
    index: usize,
    /// At least one.
    groups: Vec<Group>,
}

/// Hypotheses that compete with each other.
struct Group {
    /// The best chosen first; all of the same length. None are left when the group is over.
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
    /// The score, less what its token pays for being chosen by other groups.
    rank: f64,
    nats: f64,
}

impl Row {
    fn new(index: usize, groups: usize) -> Self {
        let root = || Hypothesis { tokens: Vec::new(), score: 0.0, nats: 0.0, parent: 0 };
        Row { index, groups: (0..groups).map(|_| Group { alive: vec![root()], pool: Vec::new() }).collect() }
    }
}

/// What the rows of a call share.
struct Beams<'a> {
    options: &'a Options,
    vocabulary: usize,
    /// Groups per row.
    groups: usize,
    /// Hypotheses per group.
    width: usize,
    /// Sequences wanted per row. A group keeps as many, as others may find the same ones.
    count: usize,
    /// What the groups before have gone on with in this step, for each of their hypotheses.
    chosen: Vec<u32>,
    rules: Rules<'a>,
    top: Top,
    continuations: Vec<Continuation>,
}

impl<'a> Beams<'a> {
    fn new(vocabulary: usize, options: &'a Options, special: Special, count: usize) -> Self {
        let beam = options.beam.max(1);
        let groups = options.beam_groups.clamp(1, beam);
        let (width, count) = (beam / groups, count.clamp(1, beam));
        Beams {
            options,
            vocabulary,
            groups,
            width,
            count,
            chosen: Vec::new(),
            rules: Rules::new(vocabulary, options, special),
            top: Top::default(),
            continuations: Vec::new(),
        }
    }

    /// Before the first group of a row.
    fn forget_choices(&mut self) {
        self.chosen.clear();
    }

    /// Moves the hypotheses of a group of row `index` on by one token, given their logits (alive, V). None are left when
    /// it is over.
    fn advance(&mut self, (index, group): (usize, &mut Group), logits: &mut [f32]) {
        self.continuations.clear();
        for parent in 0..group.alive.len() {
            let before = self.continuations.len();
            self.extend((index, group), parent, &mut logits[parent * self.vocabulary..][..self.vocabulary]);
            if self.continuations.len() == before {
                let Hypothesis { tokens, score, nats, .. } = &group.alive[parent];
                let output = Output { tokens: tokens.clone(), finished: false, nats: *nats };
                let rank = self.rank(*score, tokens.len());
                self.offer(&mut group.pool, Entry { stuck: true, rank, output });
            }
        }
        self.continuations
            .sort_by(|a, b| b.rank.total_cmp(&a.rank).then(a.parent.cmp(&b.parent)).then(a.token.cmp(&b.token)));
        group.alive = self.split(group);
        self.chosen.extend(group.alive.iter().filter_map(|hypothesis| hypothesis.tokens.last()));
        if group.alive.first().is_some_and(|hypothesis| hypothesis.tokens.len() >= self.options.max_len) {
            for Hypothesis { tokens, score, nats, .. } in std::mem::take(&mut group.alive) {
                let rank = self.rank(score, tokens.len());
                let output = Output { tokens, finished: false, nats };
                self.offer(&mut group.pool, Entry { stuck: false, rank, output });
            }
        }
        if self.is_settled(group) {
            group.alive.clear();
        }
    }

    /// Collects the continuations of one hypothesis that can matter, given its logits (V).
    fn extend(&mut self, (index, group): (usize, &Group), parent: usize, logits: &mut [f32]) {
        let hypothesis = &group.alive[parent];
        let required = self.options.prefix.of(index).get(hypothesis.tokens.len()).copied();
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
            // Enough that so many of them neither end nor pay.
            None => self.top.of(logits, self.width.saturating_add(self.rules.ends() + self.chosen.len())),
        };
        for &(logit, token) in tokens {
            let score = hypothesis.score - mass.surprise(logit);
            let nats = hypothesis.nats + mass.surprise(self.rules.raw(token, logits));
            let times = self.chosen.iter().filter(|&&chosen| chosen == token).count();
            let rank = score - f64::from(self.options.diversity) * times as f64;
            self.continuations.push(Continuation { parent, token, score, rank, nats });
        }
    }

    /// Sends ends among the best continuations to the pool, and returns the best others.
    fn split(&mut self, group: &mut Group) -> Vec<Hypothesis> {
        let mut alive = Vec::new();
        for place in 0..self.continuations.len() {
            let Continuation { parent, token, score, nats, .. } = self.continuations[place];
            let history = &group.alive[parent].tokens;
            if self.rules.is_end(token) {
                if place < self.width {
                    let rank = self.rank(score, history.len() + 1);
                    let output = Output { tokens: history.clone(), finished: true, nats };
                    self.offer(&mut group.pool, Entry { stuck: false, rank, output });
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
    fn is_settled(&self, group: &Group) -> bool {
        // In a group the first is not always the likeliest.
        let likeliest = group.alive.iter().map(|hypothesis| hypothesis.score).max_by(f64::total_cmp);
        let best = likeliest.map(|score| self.rank(score, self.options.max_len));
        let worst = group.pool.get(self.count - 1).filter(|entry| !entry.stuck).map(|entry| entry.rank);
        matches!((worst, best), (Some(worst), Some(best)) if worst >= best)
    }

    /// The best of each group's pool, by rank, then the second best of each, and so on; none twice.
    fn list(&self, pools: Vec<Vec<Entry>>) -> Vec<Output> {
        let mut all: Vec<(usize, Entry)> = pools.into_iter().flat_map(|pool| pool.into_iter().enumerate()).collect();
        all.sort_by(|(i, a), (j, b)| (i, a.stuck).cmp(&(j, b.stuck)).then(b.rank.total_cmp(&a.rank)));
        let mut list: Vec<Output> = Vec::new();
        for (_, Entry { output, .. }) in all {
            if list.iter().all(|other| other.tokens != output.tokens) {
                list.push(output);
            }
        }
        list.truncate(self.count);
        list
    }

    /// log p(Y) / ((5 + |Y|) / 6)^alpha.
    fn rank(&self, score: f64, length: usize) -> f64 {
        let alpha = f64::from(self.options.length_penalty);
        score / ((5.0 + length as f64) / 6.0).powf(alpha)
    }
}
