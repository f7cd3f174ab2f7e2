//! An embedding table folded into an input weight, for inference over many tokens.
//!
//! `F = E W_ih^T + b` (V, G H): a token's part of the gates is then a row to copy, a third of the work of a layer whose
//! input is half as wide as its state. It costs V products once and 4 V G H bytes: worth it where more tokens than V
//! are read before the weights change.

use super::Weights;
use crate::{
    ParamId, Params,
    gemm::{self, A, Finish, Start},
    params::Layout,
    threads::{self, Shared},
};

/// What every token contributes to the gates of one direction.
#[derive(Debug, Clone)]
pub struct Folded {
    /// F (V, G H).
    rows: Vec<f32>,
    width: usize,
}

impl Folded {
    /// Folds the table E (V, D) into the input weight and bias of `weights`.
    pub fn new(params: &Params, table: ParamId, weights: Weights) -> Self {
        let ((v, d), width) = (params.shape(table), params.shape(weights.input).0);
        let mut rows = vec![0.0; v * width];
        let start = Start::Bias(&params.value(weights.bias)[..width]);
        let pack = &params.packed(weights.input, Layout::Forward)[0];
        gemm::gemm(v, A::rows(params.value(table), d), pack, &mut rows, width, start, Finish::None);
        Folded { rows, width }
    }

    /// Copies the rows of `ids` (N) to `gates` (N, G H), each thread the hidden units that it owns in the steps.
    pub(super) fn look_up(&self, ids: &[u32], groups: usize, gates: &mut [f32]) {
        let (h, out) = (self.width / groups, Shared(gates.as_mut_ptr()));
        threads::split(h, GRAIN, |units| {
            for (i, &id) in ids.iter().enumerate() {
                let row = &self.rows[id as usize * self.width..][..self.width];
                for g in 0..groups {
                    let (at, n) = (g * h + units.start, units.len());
                    // SAFETY: in bounds, and this thread alone owns these units of every row.
                    unsafe { out.slice(i * self.width + at, n) }.copy_from_slice(&row[at..at + n]);
                }
            }
        });
    }
}

/// Hidden units that a thread should copy at least.
const GRAIN: usize = 128;
