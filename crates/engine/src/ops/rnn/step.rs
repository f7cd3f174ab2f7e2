//! One step at a time, for decoding: no tape, states kept between calls, the same arithmetic as the sequence layer.

use super::{Cell, Folded, Weights, run::Step};
use crate::{
    Params,
    gemm::{self, A, Finish, Start},
    ops::linear,
    params::Layout,
    threads::Shared,
};

/// The state of one recurrent layer for a batch of rows.
#[derive(Debug, Clone)]
pub struct State {
    cell: Cell,
    weights: Weights,
    rows: usize,
    h: Vec<f32>,
    c: Vec<f32>,
    /// s W_s^T (rows, G H), or empty.
    sequence: Vec<f32>,
    gates: Vec<f32>,
    extra: Vec<f32>,
    next: Vec<f32>,
}

impl State {
    /// Starts from h (rows, H), c = 0, and an optional input per sequence s (rows, S).
    pub fn new(params: &Params, cell: Cell, weights: Weights, h: Vec<f32>, s: Option<&[f32]>) -> Self {
        let (gh, hidden) = params.shape(weights.hidden);
        let rows = h.len() / hidden;
        let mut sequence = Vec::new();
        if let (Some(w), Some(s)) = (weights.sequence, s) {
            sequence.resize(rows * gh, 0.0);
            linear::forward(params, s, rows, w, None, &mut sequence);
        }
        let c = if cell == Cell::Lstm { vec![0.0; h.len()] } else { Vec::new() };
        let (gates, extra, next) = Default::default();
        State { cell, weights, rows, h, c, sequence, gates, extra, next }
    }

    /// Takes x (rows, D) and returns the new h (rows, H).
    pub fn step(&mut self, params: &Params, x: &[f32]) -> &[f32] {
        let Weights { input, bias, .. } = self.weights;
        let gh = params.shape(input).0;
        self.gates.resize(self.rows * gh, 0.0);
        let start = Start::Bias(&params.value(bias)[..gh]);
        let pack = &params.packed(input, Layout::Forward)[0];
        gemm::gemm(self.rows, A::rows(x, pack.k()), pack, &mut self.gates, gh, start, Finish::None);
        self.advance(params)
    }

    /// As [`State::step`] on rows of an embedding table: ids (rows) and the table folded into the input weight.
    pub fn step_tokens(&mut self, params: &Params, ids: &[u32], folded: &Folded) -> &[f32] {
        self.gates.resize(self.rows * params.shape(self.weights.input).0, 0.0);
        folded.look_up(ids, self.cell.gates(), &mut self.gates);
        self.advance(params)
    }

    /// The step itself, from the input's part of the gates.
    fn advance(&mut self, params: &Params) -> &[f32] {
        let Weights { hidden, bias, .. } = self.weights;
        let (gh, h) = params.shape(hidden);
        self.extra.resize(self.rows * h, 0.0);
        self.next.resize(self.rows * h, 0.0);
        Step {
            cell: self.cell,
            params,
            hidden,
            inner_bias: params.value(bias).get(gh..).unwrap_or(&[]),
            rows: self.rows,
            h,
            gates: Shared(self.gates.as_mut_ptr()),
            extra: Shared(self.extra.as_mut_ptr()),
            sequence: &self.sequence,
            h_old: &self.h,
            h_new: Shared(self.next.as_mut_ptr()),
            c: Shared(self.c.as_mut_ptr()),
            out: None,
        }
        .run();
        std::mem::swap(&mut self.h, &mut self.next);
        &self.h
    }

    /// New row i continues old row `from[i]`.
    pub fn select(&mut self, from: &[usize]) {
        for m in [&mut self.h, &mut self.c, &mut self.sequence] {
            if !m.is_empty() {
                let width = m.len() / self.rows;
                *m = from.iter().flat_map(|&r| &m[r * width..(r + 1) * width]).copied().collect();
            }
        }
        self.rows = from.len();
        self.gates.truncate(0);
        self.extra.truncate(0);
        self.next.truncate(0);
    }
}
