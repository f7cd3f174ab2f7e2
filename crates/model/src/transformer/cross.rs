//! Attention of a block to the states of another text for each sequence: `x + W_o attention(W_q norm(x), W_kv s)`.

use std::sync::Arc;

use rand::Rng;
use strait_engine::{
    Packing, Params, Tape, Var,
    ops::{
        attention::{Attention, Columns, Memory, Scores},
        linear,
    },
};

use super::{Dense, EPS, Shape, dense, norm};
use crate::seq2seq::Encoded;

/// The states of other texts.
#[derive(Clone, Copy)]
pub struct States<'a> {
    /// (M, W) packed.
    pub rows: Var,
    pub packing: &'a Arc<Packing>,
    /// The text that each sequence attends to.
    pub of: &'a [u32],
}

/// The weights of one block.
#[derive(Debug)]
pub(crate) struct Cross {
    norm: Dense,
    /// (D, D).
    query: Dense,
    /// (2 D, W): keys and values side by side.
    memory: Dense,
    /// (D, D).
    out: Dense,
}

impl Cross {
    /// Adds the weights `{name}.cross_attn.*` and `{name}.norm_cross.*`.
    pub(super) fn new(params: &mut Params, name: &str, shape: Shape, rng: &mut impl Rng) -> Self {
        let d = shape.width;
        let part = |part: &str| {
            let name = format!("{name}.cross_attn.{part}");
            (format!("{name}.weight"), format!("{name}.bias"))
        };
        // As of the other parts of a block, three a layer here.
        let residual = 1.0 / (3.0 * shape.layers as f32).sqrt();
        Cross {
            norm: norm(params, &format!("{name}.norm_cross"), d),
            query: dense(params, part("query"), (d, d), 1.0, rng),
            memory: dense(params, part("memory"), (2 * d, shape.states), 1.0, rng),
            out: dense(params, part("out_proj"), (d, d), residual, rng),
        }
    }

    /// x (N, D) -> what is added to it (N, D).
    pub(super) fn attend(
        &self,
        tape: &mut Tape,
        params: &Params,
        x: Var,
        (packing, states, heads): (&Arc<Packing>, States<'_>, usize),
    ) -> Var {
        let q = self.query(tape, params, x);
        let kv = tape.linear(params, states.rows, self.memory.0, Some(self.memory.1));
        let width = tape.shape(x).1;
        let attention = Attention {
            width,
            heads,
            causal: false,
            queries: packing,
            memory: states.packing,
            sequences: Some(states.of),
        };
        let y = tape.attention([q.into(), kv.into(), Columns { of: kv, at: width }], &attention);
        tape.linear(params, y, self.out.0, Some(self.out.1))
    }

    fn query(&self, tape: &mut Tape, params: &Params, x: Var) -> Var {
        let h = tape.layer_norm(params, x, Some(self.norm), EPS);
        tape.linear(params, h, self.query.0, Some(self.query.1))
    }

    /// Keys and values of encoded sources, for [`Cross::step`].
    pub(super) fn memory(&self, params: &Params, source: &Encoded, heads: usize) -> Memory {
        let (m, d) = (source.packing.rows(), params.shape(self.out.0).0);
        let mut kv = vec![0.0; m * 2 * d];
        linear::forward(params, &source.states, m, self.memory.0, Some(self.memory.1), &mut kv);
        let side =
            |at: usize| -> Vec<f32> { kv.chunks_exact(2 * d).flat_map(|row| &row[at..at + d]).copied().collect() };
        Memory::new(Scores::Product { heads }, &source.packing, &side(0), &side(d), &source.rows)
    }

    /// As [`Cross::attend`] for the next position of each row: x (rows, D) -> (rows, D).
    pub(super) fn step(&self, tape: &mut Tape, params: &Params, x: Var, memory: &mut Memory) -> Var {
        let q = self.query(tape, params, x);
        let shape = tape.shape(x);
        let mut y = vec![0.0; shape.0 * shape.1];
        memory.attend(params, tape.value(q), &mut y);
        let y = tape.input(&y, shape);
        tape.linear(params, y, self.out.0, Some(self.out.1))
    }
}
