//! Contrastive search (Su et al. 2022): the token that is likely and does not bring the decoder back to where it was.
//!
//! Of the k most likely tokens x after a text, with p(x) the model's probability and h(x) the decoder's state after x:
//! `(1 - alpha) p(x) - alpha max_j cos(h(x), h_j)` over all states h_j so far, that of the begin included. All candidates of
//! all rows are fed in one step; those that are not taken are dropped again. An end has no state after it: it pays the mean
//! of what the others pay.

use super::filter::Top;
use super::rules::Rules;
use super::scan::LogSumExp;
use super::{NextToken, Options, Output, Special, step};

/// A row that goes on.
struct Row {
    /// Its place in the call.
    index: usize,
    /// The states so far, each of length 1, one behind the other.
    states: Vec<f32>,
}

/// A token that a row might go on with.
#[derive(Clone, Copy)]
struct Candidate {
    /// Place of the row among those alive.
    row: usize,
    token: u32,
    probability: f64,
    /// -log p in the unmodified model.
    nats: f64,
    /// Its place in the step in which candidates are fed; none for an end.
    fed: Option<usize>,
}

/// One sequence for each row of the model; see [`decode`](super::decode).
pub(super) fn search(model: &mut impl NextToken, options: &Options, special: Special) -> Vec<Output> {
    let mut outputs = vec![Output { tokens: Vec::new(), finished: false, nats: 0.0 }; model.rows()];
    if options.max_len == 0 || outputs.is_empty() {
        return outputs;
    }
    let vocabulary = model.vocabulary();
    let mut search =
        Search { options, vocabulary, rules: Rules::new(vocabulary, options, special), top: Top::default() };
    let mut logits = Vec::new();
    step(model, &vec![special.bos; outputs.len()], &mut logits);
    let mut rows: Vec<Row> = (0..outputs.len()).map(|index| Row { index, states: Vec::new() }).collect();
    let width = model.states().len() / rows.len();
    for (row, state) in rows.iter_mut().zip(model.states().chunks_exact(width.max(1))) {
        row.states = unit(state);
    }
    while !rows.is_empty() {
        let mut candidates: Vec<Candidate> = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            let logits = &mut logits[place * vocabulary..][..vocabulary];
            search.candidates((place, row.index), &outputs[row.index].tokens, logits, &mut candidates);
        }
        let fed = candidates.iter().filter(|candidate| candidate.fed.is_some());
        let (from, feed): (Vec<usize>, Vec<u32>) = fed.map(|candidate| (candidate.row, candidate.token)).unzip();
        if !feed.is_empty() {
            model.select(&from);
            step(model, &feed, &mut logits);
        }
        let states: Vec<Vec<f32>> = match width {
            0 => vec![Vec::new(); feed.len()],
            _ => model.states().chunks_exact(width).map(unit).collect(),
        };
        let taken: Vec<Candidate> =
            candidates.chunk_by(|a, b| a.row == b.row).map(|of| search.best(of, &rows[of[0].row], &states)).collect();
        let mut kept = Vec::new();
        let mut next = Vec::new();
        for candidate in taken {
            let output = &mut outputs[rows[candidate.row].index];
            output.nats += candidate.nats;
            let Some(fed) = candidate.fed else {
                output.finished = true;
                continue;
            };
            output.tokens.push(candidate.token);
            if output.tokens.len() < options.max_len {
                let row = &mut rows[candidate.row];
                row.states.extend_from_slice(&states[fed]);
                next.push(Row { index: row.index, states: std::mem::take(&mut row.states) });
                kept.push(fed);
            }
        }
        rows = next;
        if !kept.is_empty() {
            model.select(&kept);
            logits = kept.iter().flat_map(|&fed| &logits[fed * vocabulary..][..vocabulary]).copied().collect();
        }
    }
    outputs
}

/// What the rows of a call share.
struct Search<'a> {
    options: &'a Options,
    vocabulary: usize,
    rules: Rules<'a>,
    top: Top,
}

impl Search<'_> {
    /// Adds the candidates of the row at `place`, given its logits (V): none if nothing is allowed.
    fn candidates(
        &mut self,
        (place, index): (usize, usize),
        history: &[u32],
        logits: &mut [f32],
        candidates: &mut Vec<Candidate>,
    ) {
        let required = self.options.prefix.of(index).get(history.len()).copied();
        let mass: LogSumExp;
        let single;
        let tokens = match required {
            Some(token) if token as usize >= self.vocabulary => return,
            Some(token) => {
                mass = self.rules.measure(logits).mass;
                single = [(self.rules.raw(token, logits), token)];
                &single[..]
            }
            None => {
                mass = self.rules.apply(history, logits).mass;
                self.top.of(logits, self.options.top_k.max(1))
            }
        };
        let first = candidates.iter().filter(|candidate| candidate.fed.is_some()).count();
        let mut tokens = tokens.to_vec();
        tokens.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut fed = first..;
        candidates.extend(tokens.into_iter().map(|(logit, token)| Candidate {
            row: place,
            token,
            probability: (-mass.surprise(logit)).exp(),
            nats: mass.surprise(self.rules.raw(token, logits)),
            fed: if self.rules.is_end(token) { None } else { fed.next() },
        }));
    }

    /// The best of a row's candidates, the likelier among equals.
    fn best(&self, of: &[Candidate], row: &Row, states: &[Vec<f32>]) -> Candidate {
        let pays: Vec<Option<f64>> = of.iter().map(|c| c.fed.map(|fed| nearest(&row.states, &states[fed]))).collect();
        let known: Vec<f64> = pays.iter().flatten().copied().collect();
        let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
        let alpha = f64::from(self.options.contrastive);
        let score = |i: usize| (1.0 - alpha) * of[i].probability - alpha * pays[i].unwrap_or(mean);
        let best = (1..of.len()).fold(0, |best, i| if score(i) > score(best) { i } else { best });
        of[best]
    }
}

/// The largest cosine of a state of length 1 with others.
fn nearest(states: &[f32], state: &[f32]) -> f64 {
    let cosine = |other: &[f32]| other.iter().zip(state).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    let cosines = states.chunks_exact(state.len().max(1)).map(cosine);
    cosines.fold(f64::NEG_INFINITY, f64::max).max(-1.0)
}

/// The direction of a state; 0 for none.
fn unit(state: &[f32]) -> Vec<f32> {
    let length = state.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    state.iter().map(|&x| if length > 0.0 { (f64::from(x) / length) as f32 } else { 0.0 }).collect()
}
