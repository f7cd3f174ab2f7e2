//! What a block of either family consists of: attention and a feed-forward part.

use std::sync::Arc;

use strait_engine::{
    Packing, Params, Tape, Var,
    ops::{
        attention::{Attention, Columns},
        feed_forward::FeedForward,
    },
};

use crate::loader::Dense;

/// The weights of a block.
#[derive(Debug)]
pub(crate) struct Block {
    /// (3 D, D): queries, keys and values side by side.
    pub(crate) qkv: Dense,
    /// (D, D).
    pub(crate) out: Dense,
    /// Of the attention, of the feed-forward part.
    pub(crate) norms: [Dense; 2],
    pub(crate) feed_forward: FeedForward,
}

impl Block {
    /// Attention within the packed sequences: x (N, D) -> (N, D).
    pub(crate) fn attend(
        &self,
        tape: &mut Tape,
        params: &Params,
        x: Var,
        (packing, heads, causal): (&Arc<Packing>, usize, bool),
    ) -> Var {
        let (_, d) = tape.shape(x);
        let qkv = tape.linear(params, x, self.qkv.0, Some(self.qkv.1));
        let y = tape.attention(Columns::thirds(qkv, d), &Attention::within(packing, d, heads, causal));
        tape.linear(params, y, self.out.0, Some(self.out.1))
    }
}

/// The place of each packed row, (N), from `first` on.
pub(crate) fn places(packing: &Packing, first: usize) -> Vec<u32> {
    (0..packing.steps()).flat_map(|t| std::iter::repeat_n((first + t) as u32, packing.active(t))).collect()
}
