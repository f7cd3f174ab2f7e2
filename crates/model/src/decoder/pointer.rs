//! Copying from the source (pointer-generator, See et al. 2017): `p(w) = g p_vocabulary(w) + (1 - g) sum of the weights of
//! the source's tokens that are w`, with the gate `g = σ(w · y + b)` of the decoder's output y.
//!
//! A recurrent decoder's weights are those of its attention; a Transformer asks the encoder's states once more, by
//! `W_q y`, for one head of its own. Source and target share a vocabulary of subwords that can spell anything, so what is
//! copied needs no ids beyond it.

use rand::Rng;
use strait_engine::{
    ParamId, Params, Tape, Var,
    ops::{
        attention::{Attention, Memory, Scores},
        linear,
        mixture::{Mixture, mix_row},
    },
};

use super::Given;
use crate::{
    batch::Batch,
    seq2seq::Encoded,
    transformer::{Dense, dense},
};

/// The weights.
#[derive(Debug)]
pub(super) struct Pointer {
    /// w (1, O), b.
    gate: Dense,
    /// W_q (W, O), b, if it asks for itself.
    query: Option<Dense>,
}

/// Where a decoder has looked already: its queries (N, W) and their heads.
pub(super) type Looked = Option<(Var, usize)>;

impl Pointer {
    /// Adds the weights `decoder.pointer.*` for an output of `width` columns, if the recipe copies; `own` if it asks for
    /// itself.
    pub(super) fn new(
        params: &mut Params,
        given: Given<'_>,
        (width, own): (usize, bool),
        rng: &mut impl Rng,
    ) -> Option<Self> {
        let name = |part: &str| (format!("decoder.pointer.{part}.weight"), format!("decoder.pointer.{part}.bias"));
        (given.attention.copies() && given.states > 0).then(|| Pointer {
            gate: dense(params, name("gate"), (1, width), 1.0, rng),
            query: own.then(|| dense(params, name("query"), (given.states, width), 1.0, rng)),
        })
    }

    /// What is mixed with the vocabulary for y (N, O), given the encoder's states (M, W).
    pub(super) fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        y: Var,
        (looked, states): (Looked, Var),
        batch: &Batch,
    ) -> Mixture {
        let gate = tape.linear(params, y, self.gate.0, Some(self.gate.1));
        let own = |tape: &mut Tape, query: Dense| (tape.linear(params, y, query.0, Some(query.1)), 1);
        let (q, heads) = match (looked, self.query) {
            (Some(looked), _) => looked,
            (None, Some(query)) => own(tape, query),
            (None, None) => unreachable!("a decoder that has not looked asks for itself"),
        };
        let attention = Attention {
            width: tape.shape(states).1,
            heads,
            causal: false,
            queries: &batch.packing,
            memory: &batch.source.packing,
            sequences: Some(&batch.source_of),
        };
        let tokens = (&batch.targets[..], &batch.source.ids[..]);
        Mixture { gate, copied: tape.copied([q.into(), states.into()], &attention, tokens) }
    }

    /// What rows may copy while they are written.
    pub(super) fn copies(&self, source: &Encoded) -> Copies {
        let packing = &source.packing;
        let tokens = |b: usize| (0..packing.lengths()[b]).map(|t| source.tokens[packing.row(b, t)]).collect();
        let (states, one) = (&source.states[..], Scores::Product { heads: 1 });
        Copies {
            tokens: (0..packing.batch()).map(tokens).collect(),
            rows: source.rows.clone(),
            memory: self.query.map(|_| Memory::new(one, packing, states, states, &source.rows)),
        }
    }

    /// Turns the scores (rows, V) of the next tokens into the logarithms of the mixture, for the output y (rows, O);
    /// `looked` is the memory that the decoder has asked, unless the pointer has its own.
    pub(super) fn step(
        &self,
        params: &Params,
        y: &[f32],
        (copies, looked): (&mut Copies, Option<&Memory>),
        logits: &mut [f32],
    ) {
        let rows = copies.rows.len();
        let mut gates = vec![0.0; rows];
        linear::forward(params, y, rows, self.gate.0, Some(self.gate.1), &mut gates);
        if let (Some(query), Some(memory)) = (self.query, &mut copies.memory) {
            ask(params, query, (y, rows), memory);
        }
        let Some(memory) = copies.memory.as_ref().or(looked) else { return };
        let width = logits.len() / rows.max(1);
        for (row, logits) in logits.chunks_exact_mut(width.max(1)).enumerate() {
            mix_row(logits, gates[row], memory.weights(row), &copies.tokens[copies.rows[row] as usize]);
        }
    }
}

/// Leaves the weights of y (rows, O) in the memory.
fn ask(params: &Params, (weight, bias): (ParamId, ParamId), (y, rows): (&[f32], usize), memory: &mut Memory) {
    let mut q = vec![0.0; rows * params.shape(weight).0];
    linear::forward(params, y, rows, weight, Some(bias), &mut q);
    let mut seen = vec![0.0; q.len()];
    memory.attend(params, &q, &mut seen);
}

/// The sources' tokens, and which of the sources each row is written from.
pub(super) struct Copies {
    tokens: Vec<Vec<u32>>,
    rows: Vec<u32>,
    memory: Option<Memory>,
}

impl Copies {
    /// New row i continues old row `from[i]`.
    pub(super) fn select(&mut self, from: &[usize]) {
        self.rows = from.iter().map(|&r| self.rows[r]).collect();
        self.memory.iter_mut().for_each(|memory| memory.select(from));
    }
}
