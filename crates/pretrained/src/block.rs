//! What a block of either family consists of: attention and a feed-forward part.

use std::sync::Arc;

use rand::Rng;
use strait_engine::{
    Packing, ParamId, Params, Tape, Var, init,
    ops::{
        attention::{Attention, Columns},
        feed_forward::FeedForward,
    },
};

use crate::{injection::Memory, loader::Dense};

/// The weights of a block.
#[derive(Debug, Clone)]
pub struct Block {
    /// (3 D, D): queries, keys and values side by side.
    pub(crate) qkv: Dense,
    /// (D, D).
    pub(crate) out: Dense,
    /// Of the attention, of the feed-forward part.
    pub(crate) norms: [Dense; 2],
    pub(crate) feed_forward: FeedForward,
    /// What was learned beside `qkv` and `out`, which then stay as they are.
    pub(crate) adapters: Option<[Adapter; 2]>,
}

/// A low-rank change of a dense layer (Hu et al. 2021): `y = W x + b + U V x`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adapter {
    /// V (rank, in), random at first.
    down: ParamId,
    /// U (out, rank), zero at first.
    up: ParamId,
}

impl Adapter {
    fn new(params: &mut Params, name: &str, (out, inp): (usize, usize), rank: usize, rng: &mut impl Rng) -> Self {
        let down = init::normal(rank * inp, 1.0 / (inp as f32).sqrt(), rng);
        let down = params.add(format!("{name}.down"), (rank, inp), down);
        Adapter { down, up: params.add(format!("{name}.up"), (out, rank), vec![0.0; out * rank]) }
    }
}

impl Block {
    /// Attention within the packed sequences, and to what the memory has for block `l`: x (N, D) -> (N, D).
    pub(crate) fn attend(
        &self,
        tape: &mut Tape,
        params: &Params,
        x: Var,
        (packing, heads, causal): (&Arc<Packing>, usize, bool),
        memory: Option<(&Memory, usize)>,
    ) -> Var {
        let (_, d) = tape.shape(x);
        let qkv = self.project(tape, params, x);
        let mut y = tape.attention(Columns::thirds(qkv, d), &Attention::within(packing, d, heads, causal));
        if let Some((memory, l)) = memory {
            let share = memory.share(tape, l, qkv, heads);
            y = tape.add(y, share);
        }
        self.mix(tape, params, y)
    }

    /// x (N, D) -> queries, keys and values (N, 3 D).
    pub(crate) fn project(&self, tape: &mut Tape, params: &Params, x: Var) -> Var {
        dense(tape, params, x, self.qkv, self.adapters.map(|[of_qkv, _]| of_qkv))
    }

    /// What the heads saw (N, D) -> what the attention adds to its input (N, D).
    pub(crate) fn mix(&self, tape: &mut Tape, params: &Params, y: Var) -> Var {
        dense(tape, params, y, self.out, self.adapters.map(|[_, of_out]| of_out))
    }

    /// The block whose weights are where `at` says.
    pub(crate) fn moved(&self, at: &impl Fn(ParamId) -> ParamId) -> Self {
        let dense = |(weight, bias): Dense| (at(weight), at(bias));
        let FeedForward { up, down, activation } = self.feed_forward;
        let layer = |(weight, bias): (ParamId, Option<ParamId>)| (at(weight), bias.map(at));
        Block {
            qkv: dense(self.qkv),
            out: dense(self.out),
            norms: self.norms.map(dense),
            feed_forward: FeedForward { up: layer(up), down: layer(down), activation },
            adapters: None,
        }
    }

    /// Adds adapters of a rank, `{name}.qkv.*` and `{name}.out.*`, to the weights and the block.
    pub(crate) fn adapt(&mut self, params: &mut Params, name: &str, rank: usize, rng: &mut impl Rng) {
        let layers = [("qkv", self.qkv.0), ("out", self.out.0)];
        self.adapters = Some(layers.map(|(part, weight)| {
            let shape = params.shape(weight);
            Adapter::new(params, &format!("{name}.{part}"), shape, rank, rng)
        }));
    }
}

/// x (N, in) -> (N, out), with an adapter if there is one.
fn dense(tape: &mut Tape, params: &Params, x: Var, (weight, bias): Dense, adapter: Option<Adapter>) -> Var {
    let y = tape.linear(params, x, weight, Some(bias));
    let Some(Adapter { down, up }) = adapter else { return y };
    let h = tape.linear(params, x, down, None);
    let h = tape.linear(params, h, up, None);
    tape.add(y, h)
}

/// The place of each packed row, (N), from `first` on.
pub(crate) fn places(packing: &Packing, first: usize) -> Vec<u32> {
    (0..packing.steps()).flat_map(|t| std::iter::repeat_n((first + t) as u32, packing.active(t))).collect()
}
