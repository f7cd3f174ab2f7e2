//! What a recurrent decoder makes of its state and the source (Luong et al. 2015, without input feeding): the state asks,
//! the encoder's states answer with their weighted mean c, and `tanh(W_c [c; h] + b)` goes to the output layer.
//!
//! Product: `score = (W_q h) · s / sqrt(d)`. Additive: `score = v · tanh(W_q h + b + W_k s)`, perhaps with coverage. As no
//! state depends on what was attended to, the recurrent layers run over the whole text at once before anything is
//! attended to.

use rand::Rng;
use strait_engine::{
    ParamId, Params, Tape, Var, init,
    ops::{
        activation::Activation,
        additive_attention::AdditiveAttention,
        attention::{Attention, Memory, Scores},
        linear,
    },
};

use super::{Given, pointer::Looked};
use crate::{
    batch::Batch,
    config::AttentionKind,
    seq2seq::Encoded,
    transformer::{Dense, dense},
};

/// The weights.
#[derive(Debug)]
pub(super) struct Readout {
    scores: Scores,
    /// W_q (A, H), b; A is W of a product.
    query: Dense,
    /// W_k (A, W), additive only: a product's keys are the states.
    key: Option<ParamId>,
    /// W_c (O, W + H), b.
    out: Dense,
}

impl Readout {
    /// Adds the weights `decoder.attention.*` for states of `hidden` columns and an output of `out`.
    pub(super) fn new(
        params: &mut Params,
        given: Given<'_>,
        (hidden, out): (usize, usize),
        rng: &mut impl Rng,
    ) -> Self {
        let (config, states) = (given.attention, given.states);
        let name = |part: &str| format!("decoder.attention.{part}");
        let both = |part: &str| (name(&format!("{part}.weight")), name(&format!("{part}.bias")));
        let query_width = if config.kind == AttentionKind::Additive { hidden } else { states };
        let query = dense(params, both("query"), (query_width, hidden), 1.0, rng);
        let (scores, key) = match config.kind {
            AttentionKind::Product | AttentionKind::None => (Scores::Product { heads: config.heads }, None),
            AttentionKind::Additive => {
                let key = init::xavier((hidden, states), rng);
                let key = params.add(name("key.weight"), (hidden, states), key);
                let score = init::uniform(hidden, (3.0 / hidden as f32).sqrt(), rng);
                let score = params.add(name("score.weight"), (1, hidden), score);
                let coverage =
                    config.coverage.then(|| params.add(name("coverage.weight"), (1, hidden), vec![0.0; hidden]));
                (Scores::Additive { score, coverage }, Some(key))
            }
        };
        Readout { scores, query, key, out: dense(params, both("out"), (out, states + hidden), 1.0, rng) }
    }

    /// The decoder's states h (N, H), the encoder's (M, W) -> (N, O); and the queries with their heads, of a product.
    pub(super) fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        h: Var,
        states: Var,
        batch: &Batch,
    ) -> (Var, Looked) {
        let q = tape.linear(params, h, self.query.0, Some(self.query.1));
        let (queries, memory) = (&batch.packing, &batch.source.packing);
        let c = match (self.scores, self.key) {
            (Scores::Additive { score, coverage }, Some(key)) => {
                let k = tape.linear(params, states, key, None);
                let sequences = &batch.source_of;
                let attention = AdditiveAttention { score, coverage, queries, memory, sequences };
                tape.additive_attention(params, [q, k, states], &attention)
            }
            (scores, _) => {
                let heads = heads(scores);
                let width = tape.shape(states).1;
                let sequences = Some(&batch.source_of[..]);
                let attention = Attention { width, heads, causal: false, queries, memory, sequences };
                tape.attention([q.into(), states.into(), states.into()], &attention)
            }
        };
        let both = tape.concat(&[c, h]);
        let y = tape.linear_activation(params, both, (self.out.0, Some(self.out.1)), Activation::Tanh);
        (y, self.key.is_none().then(|| (q, heads(self.scores))))
    }

    /// Encoded sources as [`Readout::step`] attends to them.
    pub(super) fn memory(&self, params: &Params, source: &Encoded) -> Memory {
        let (packing, states) = (&source.packing, &source.states[..]);
        let Some(key) = self.key else { return Memory::new(self.scores, packing, states, states, &source.rows) };
        let mut keys = vec![0.0; packing.rows() * params.shape(key).0];
        linear::forward(params, states, packing.rows(), key, None, &mut keys);
        Memory::new(self.scores, packing, &keys, states, &source.rows)
    }

    /// As [`Readout::forward`] for the next position of each row: h (rows, H) -> out (rows, O).
    pub(super) fn step(&self, params: &Params, memory: &mut Memory, (h, rows): (&[f32], usize), out: &mut Vec<f32>) {
        let (hidden, (o, both)) = (h.len() / rows.max(1), params.shape(self.out.0));
        let width = both - hidden;
        let mut q = vec![0.0; rows * params.shape(self.query.0).0];
        linear::forward(params, h, rows, self.query.0, Some(self.query.1), &mut q);
        let mut c = vec![0.0; rows * width];
        memory.attend(params, &q, &mut c);
        let rows_of = c.chunks_exact(width).zip(h.chunks_exact(hidden));
        let both: Vec<f32> = rows_of.flat_map(|(c, h)| c.iter().chain(h)).copied().collect();
        out.resize(rows * o, 0.0);
        linear::forward(params, &both, rows, self.out.0, Some(self.out.1), out);
        Activation::Tanh.apply(out);
    }
}

fn heads(scores: Scores) -> usize {
    match scores {
        Scores::Product { heads } => heads,
        Scores::Additive { .. } => 1,
    }
}
