//! Recurrent layers over whole packed sequences: RNN (tanh, ReLU), GRU and LSTM, in either direction or both.
//!
//! With `a_t = x_t W_ih^T + s W_s^T + b` (s: an optional input per sequence, added at every step) and the state h:
//! - RNN: `h_t = f(a_t + h W_hh^T)`.
//! - LSTM (gates i, f, g, o; Hochreiter & Schmidhuber 1997): `c_t = σ(f) c + σ(i) tanh(g)`, `h_t = σ(o) tanh(c_t)`.
//! - GRU (gates r, z, n; Cho et al. 2014, PyTorch's form): `n = tanh(a_n + σ(r) (h W_n^T + b_n))`,
//!   `h_t = (1 - σ(z)) n + σ(z) h`.
//!
//! The input product runs over all rows at once. Each time step then multiplies the active rows by W_hh, which was
//! packed once after the last update; a thread owns a range of hidden units, so it computes their gates and updates
//! their state while both are in cache, and threads meet once a step. Two directions run side by side.

mod backward;
mod cell;
mod folded;
mod run;
mod step;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use cell::Cell;
pub use folded::Folded;
pub use step::State;

use crate::{Packing, ParamId, Params, Tape, Var, ops::Never, tape::Values};
use run::{Input, Layer};

/// The weights of one direction of one layer; G gates, D inputs, H hidden units.
#[derive(Debug, Clone, Copy)]
pub struct Weights {
    /// W_ih (G H, D).
    pub input: ParamId,
    /// W_hh (G H, H), added with [`Params::add_gated`] with G gates.
    pub hidden: ParamId,
    /// b (1, G H); for a GRU (1, 4 H), the last block being b_n inside the reset product.
    pub bias: ParamId,
    /// W_s (G H, S), if there is an input per sequence.
    pub sequence: Option<ParamId>,
}

/// One direction: its weights and the states it starts from.
#[derive(Debug, Clone, Copy)]
pub struct Direction {
    pub weights: Weights,
    /// Reads the sequences from their ends.
    pub reverse: bool,
    /// h before the first step (B, H); zeros if absent.
    pub h0: Option<Var>,
    /// c before the first step (B, H), LSTM only; zeros if absent.
    pub c0: Option<Var>,
}

impl Direction {
    /// From the first position to the last, starting from zeros.
    pub fn forward(weights: Weights) -> Self {
        Direction { weights, reverse: false, h0: None, c0: None }
    }
    /// From the last position to the first, starting from zeros.
    pub fn backward(weights: Weights) -> Self {
        Direction { weights, reverse: true, h0: None, c0: None }
    }
}

/// A recurrent layer over packed sequences.
pub struct Rnn<'a> {
    pub cell: Cell,
    /// One direction, or two whose outputs are laid side by side.
    pub directions: &'a [Direction],
    /// An input per sequence (B, S), added at every step.
    pub sequence: Option<Var>,
}

impl Rnn<'_> {
    /// Whether anything that the output depends on is trained.
    fn needs_grad(&self, params: &Params, values: &Values, x: Var) -> bool {
        let weights = self.directions.iter().map(|d| d.weights);
        let mut ids = weights.flat_map(|w| [Some(w.input), Some(w.hidden), Some(w.bias), w.sequence]).flatten();
        let states = self.directions.iter().flat_map(|d| [d.h0, d.c0]);
        let mut inputs = states.chain([Some(x), self.sequence]).flatten();
        ids.any(|id| params.get(id).trainable()) || inputs.any(|v| values.needs_grad(v))
    }
}

impl Tape {
    /// Runs a recurrent layer: x (N, D) packed -> y (N, directions * H) packed.
    pub fn rnn(&mut self, params: &Params, x: Var, packing: &Arc<Packing>, rnn: &Rnn<'_>) -> Var {
        let needs = self.recording() && rnn.needs_grad(params, &self.values, x);
        let layer = Layer { params, packing, rnn, keep: needs };
        let input = Input::Rows(self.values.get(x));
        let (y, runs) = layer.run(&self.values, &mut self.pool, &[input; 2][..rnn.directions.len()]);
        let shape = (packing.rows(), layer.width());
        let (cell, sequence, packing) = (rnn.cell, rnn.sequence, packing.clone());
        self.push(y, shape, needs, || Some(backward::RnnOp { x, cell, sequence, packing, runs }))
    }

    /// As [`Tape::rnn`] on the rows of an embedding table, for inference: ids (N) packed, and for each direction the
    /// table folded into its input weight. The same bits as the long way.
    ///
    /// # Panics
    /// If the tape records: there is no way back from here.
    pub fn rnn_tokens(
        &mut self,
        params: &Params,
        ids: &[u32],
        folded: &[&Folded],
        packing: &Arc<Packing>,
        rnn: &Rnn<'_>,
    ) -> Var {
        assert!(!self.recording() && folded.len() == rnn.directions.len() && ids.len() == packing.rows());
        let layer = Layer { params, packing, rnn, keep: false };
        let inputs = [0, 1].map(|i| Input::Tokens(ids, folded[i.min(folded.len() - 1)]));
        let (y, _) = layer.run(&self.values, &mut self.pool, &inputs[..folded.len()]);
        self.push(y, (packing.rows(), layer.width()), false, || None::<Never>)
    }
}

/// Multiply-adds that a thread should have before work is split (measured: see docs/log.md).
const SPLIT_WORK: usize = 100_000;
