//! The way back through a recurrent layer: steps in the opposite order, then one product per weight over all rows.

use std::{ops::Range, sync::Arc};

use super::{
    Cell, SPLIT_WORK, Weights,
    run::{Run, each, order},
};
use crate::{
    Packing, Params, Var,
    gemm::{self, A, Finish, Start},
    ops::{linear, rows::sum_over_time},
    params::Layout,
    pool::Pool,
    tape::{Backward, Op, Values},
    threads::{self, Shared},
};

pub(super) struct RnnOp {
    pub(super) x: Var,
    pub(super) cell: Cell,
    pub(super) sequence: Option<Var>,
    pub(super) packing: Arc<Packing>,
    pub(super) runs: Vec<Run>,
}

/// What one direction needs on the way back: copies of the old states and the gradients carried along.
struct Back<'a> {
    run: &'a mut Run,
    /// h before each position (N, H) and, for the LSTM, c before it.
    h_old: Vec<f32>,
    c_old: Vec<f32>,
    /// Gradient carried to the previous step (B, H), and the same for c.
    dh: Vec<f32>,
    dc: Vec<f32>,
    /// GRU: the gates' gradients as W_hh sees them (N, 3 H).
    inner: Vec<f32>,
}

impl Op for RnnOp {
    fn name(&self) -> &'static str {
        match self.cell {
            Cell::Tanh | Cell::Relu => "rnn",
            Cell::Gru => "gru",
            Cell::Lstm => "lstm",
        }
    }

    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let (n, width) = cx.values.shape(cx.out);
        let h = width / self.runs.len();
        let (cell, packing) = (self.cell, &*self.packing);
        let y = cx.values.get(cx.out);
        let mut backs: Vec<Back> = self
            .runs
            .iter_mut()
            .enumerate()
            .map(|(i, run)| Back::prepare(run, cx.values, cx.pool, packing, (y, width, i * h), h))
            .collect();
        let params = &*cx.params;
        each(&mut backs, &|i, back| back.steps(cell, params, packing, dy, width, i * h, h));
        let parts: Vec<_> = backs.into_iter().map(Back::finish).collect();
        for (run, parts) in self.runs.iter_mut().zip(parts) {
            let Weights { input, hidden, bias, sequence } = run.direction.weights;
            let gh = h * cell.gates();
            let inner = if cell == Cell::Gru { &parts.inner } else { &run.gates };
            if let Some(dw) = cx.params.grad_dense(hidden) {
                cx.scratch.pack.pack(&parts.h_old, h, n, h, false);
                gemm::gemm(gh, A::columns(inner, gh), &cx.scratch.pack, dw, h, Start::Keep, Finish::None);
            }
            linear::weight_gradient(self.x, &run.gates, n, gh, input, cx);
            linear::input_gradient(self.x, &run.gates, n, gh, input, cx);
            if let Some(db) = cx.params.grad_dense(bias) {
                linear::column_sums(&run.gates, gh, &mut db[..gh]);
                if cell == Cell::Gru {
                    linear::column_sums(&run.extra, h, &mut db[gh..]);
                }
            }
            if let (Some(w), Some(s)) = (sequence, self.sequence) {
                let b = packing.batch();
                let mut sums = cx.pool.zeros(b * gh);
                sum_over_time(&run.gates, packing, gh, &mut sums);
                linear::weight_gradient(s, &sums, b, gh, w, cx);
                linear::input_gradient(s, &sums, b, gh, w, cx);
                cx.pool.give(sums);
            }
            for (state, d) in [(run.direction.h0, &parts.dh), (run.direction.c0, &parts.dc)] {
                let slot = state.and_then(|v| cx.grads.add(v, cx.values, cx.pool));
                slot.into_iter().for_each(|g| g.iter_mut().zip(d).for_each(|(g, d)| *g += d));
            }
            for buffer in [parts.h_old, parts.c_old, parts.dh, parts.dc, parts.inner] {
                cx.pool.give(buffer);
            }
        }
        self.runs.drain(..).for_each(|r| r.release(cx.pool));
    }
}

/// What is left of a [`Back`] after all steps.
struct Parts {
    h_old: Vec<f32>,
    c_old: Vec<f32>,
    dh: Vec<f32>,
    dc: Vec<f32>,
    inner: Vec<f32>,
}

impl<'a> Back<'a> {
    fn prepare(
        run: &'a mut Run,
        values: &Values,
        pool: &mut Pool,
        packing: &Packing,
        y: (&[f32], usize, usize),
        h: usize,
    ) -> Self {
        let (n, b) = (packing.rows(), packing.batch());
        let lstm = run.cell == Cell::Lstm;
        let mut h_old = pool.take(n * h);
        let h0 = run.direction.h0.map(|v| values.get(v));
        shift(y, h0, packing, run.direction.reverse, h, &mut h_old);
        let mut c_old = pool.take(if lstm { n * h } else { 0 });
        if lstm {
            let c0 = run.direction.c0.map(|v| values.get(v));
            shift((&run.extra, h, 0), c0, packing, run.direction.reverse, h, &mut c_old);
        }
        let inner = pool.take(if run.cell == Cell::Gru { n * 3 * h } else { 0 });
        Back { h_old, c_old, dh: pool.zeros(b * h), dc: pool.zeros(if lstm { b * h } else { 0 }), inner, run }
    }

    fn finish(self) -> Parts {
        Parts { h_old: self.h_old, c_old: self.c_old, dh: self.dh, dc: self.dc, inner: self.inner }
    }

    #[allow(clippy::too_many_arguments)] // a private driver; the arguments are one op's fields
    fn steps(&mut self, cell: Cell, params: &Params, packing: &Packing, dy: &[f32], width: usize, at: usize, h: usize) {
        let gh = h * cell.gates();
        let pack = &params.packed(self.run.direction.weights.hidden, Layout::Backward)[0];
        for t in order(packing.steps(), self.run.direction.reverse).rev() {
            let (row, rows) = (packing.offset(t), packing.active(t));
            let offset = |m: &[f32], at: usize| if m.is_empty() { 0 } else { at };
            let extra = offset(&self.run.extra, row * h);
            let step = StepBack {
                rows,
                h,
                width,
                at,
                dy: &dy[row * width..],
                gates: Shared(self.run.gates[row * gh..].as_mut_ptr()),
                extra: Shared(self.run.extra[extra..].as_mut_ptr()),
                h_old: &self.h_old[row * h..],
                c_old: &self.c_old[offset(&self.c_old, row * h)..],
                dh: Shared(self.dh.as_mut_ptr()),
                dc: Shared(self.dc.as_mut_ptr()),
            };
            let grain = (SPLIT_WORK / (rows * gh).max(1)).max(16);
            // SAFETY: each range owns its units.
            threads::split(h, grain, |units| unsafe { cell.backward(&step, units) });
            let (through, start) = if cell == Cell::Gru {
                let inner = &mut self.inner[row * gh..(row + rows) * gh];
                inner_gates(&self.run.gates[row * gh..], &self.run.extra[row * h..], h, inner);
                (&*inner, Start::Keep)
            } else {
                (&self.run.gates[row * gh..], Start::Zero)
            };
            let a = A::rows(through, gh);
            let grain = (SPLIT_WORK / (rows * gh * pack.panel_width()).max(1)).max(1);
            let dh = Shared(self.dh.as_mut_ptr());
            threads::split(pack.panels(), grain, |p: Range<usize>| {
                // SAFETY: each range writes the columns of its own panels of dh.
                let dh = unsafe { dh.slice(0, rows * h) }.as_mut_ptr();
                unsafe { gemm::gemm_panels(rows, a, pack, p.start, p.end, dh, h, start, Finish::None) };
            });
        }
    }
}

/// One time step on the way back.
pub(super) struct StepBack<'a> {
    pub(super) rows: usize,
    pub(super) h: usize,
    /// Columns of `dy`, and where this direction's begin.
    pub(super) width: usize,
    pub(super) at: usize,
    pub(super) dy: &'a [f32],
    /// In: the activated gates; out: the gradients of their pre-activations.
    pub(super) gates: Shared<f32>,
    pub(super) extra: Shared<f32>,
    pub(super) h_old: &'a [f32],
    pub(super) c_old: &'a [f32],
    pub(super) dh: Shared<f32>,
    pub(super) dc: Shared<f32>,
}

/// `old[row of (b, t)]` = the state before position t of sequence b: that of the position visited before, or `first`.
/// `states` is (data, row width, first column).
fn shift(
    (data, width, at): (&[f32], usize, usize),
    first: Option<&[f32]>,
    packing: &Packing,
    reverse: bool,
    h: usize,
    old: &mut [f32],
) {
    for t in 0..packing.steps() {
        let before = if reverse { (t + 1 < packing.steps()).then_some(t + 1) } else { t.checked_sub(1) };
        let known = before.map_or(0, |u| packing.active(u).min(packing.active(t)));
        for b in 0..packing.active(t) {
            let to = &mut old[packing.row(b, t) * h..][..h];
            match before {
                Some(u) if b < known => to.copy_from_slice(&data[packing.row(b, u) * width + at..][..h]),
                _ => match first {
                    Some(f) => to.copy_from_slice(&f[b * h..][..h]),
                    None => to.fill(0.0),
                },
            }
        }
    }
}

/// The GRU's gate gradients as W_hh sees them: those of r and z, and of the inner product of n.
fn inner_gates(gates: &[f32], extra: &[f32], h: usize, out: &mut [f32]) {
    for (i, row) in out.chunks_exact_mut(3 * h).enumerate() {
        row[..2 * h].copy_from_slice(&gates[i * 3 * h..][..2 * h]);
        row[2 * h..].copy_from_slice(&extra[i * h..][..h]);
    }
}
