//! One (sequence, head) pair in a thread's work space: contiguous q (Tq, d), k, v (Tk, d), forward and back.

use std::cell::RefCell;

use crate::{
    Packing,
    gemm::{self, A, Finish, Packed, Start},
    ops::softmax::{dot, exp_and_sum, max},
    simd,
};

/// Queries handled together: their scores stay in cache however long the sequence.
const BLOCK: usize = 64;

/// D columns of a packed matrix.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    data: &'a [f32],
    stride: usize,
    at: usize,
}

impl<'a> Matrix<'a> {
    pub(super) fn new(data: &'a [f32], stride: usize, at: usize) -> Self {
        Matrix { data, stride, at }
    }

    /// `out[t] = factor * the head's d columns of position t of sequence b`.
    pub(super) fn gather(self, packing: &Packing, b: usize, head: usize, (factor, d): (f32, usize), out: &mut [f32]) {
        for (t, out) in out.chunks_exact_mut(d).enumerate() {
            let row = &self.data[packing.row(b, t) * self.stride + self.at + head * d..][..d];
            out.iter_mut().zip(row).for_each(|(o, x)| *o = factor * x);
        }
    }
}

/// What a thread computes a pair in; used again for the next.
#[derive(Default)]
pub(super) struct Work {
    tq: usize,
    tk: usize,
    d: usize,
    pub(super) q: Vec<f32>,
    pub(super) k: Vec<f32>,
    pub(super) v: Vec<f32>,
    /// Scores or probabilities of a block of queries (BLOCK, Tk), and their gradients.
    s: Vec<f32>,
    ds: Vec<f32>,
    /// Output rows of a block (BLOCK, d), or the gradients of its queries.
    o: Vec<f32>,
    /// Backward, in: gradients of the output (Tq, d), the output (Tq, d), log-sum-exp (Tq).
    pub(super) dy: Vec<f32>,
    pub(super) y: Vec<f32>,
    pub(super) logs: Vec<f32>,
    /// Backward, out: gradients of k and v (Tk, d).
    pub(super) dk: Vec<f32>,
    pub(super) dv: Vec<f32>,
    /// K^T, V^T (d, Tk); K or V (Tk, d); dy or Q of a block (BLOCK, d).
    keys: Packed,
    values: Packed,
    memory: Packed,
    block: Packed,
}

thread_local! {
    static WORK: RefCell<Work> = RefCell::default();
}

/// This thread's work space. It is taken, not borrowed: while packing a long sequence, a thread may be lent to
/// another pair, which then works in a space of its own.
pub(super) fn take_work() -> Work {
    WORK.take()
}

pub(super) fn give_work(work: Work) {
    WORK.set(work);
}

impl Work {
    /// Makes room for a pair.
    pub(super) fn sizes(&mut self, tq: usize, tk: usize, d: usize) {
        (self.tq, self.tk, self.d) = (tq, tk, d);
        let block = tq.min(BLOCK);
        for (buffer, len) in [
            (&mut self.q, tq * d),
            (&mut self.k, tk * d),
            (&mut self.v, tk * d),
            (&mut self.s, block * tk),
            (&mut self.o, block * d),
        ] {
            buffer.resize(len, 0.0);
        }
    }

    /// As [`Work::sizes`], for the way back.
    pub(super) fn sizes_back(&mut self) {
        let Work { tq, tk, d, .. } = *self;
        for (buffer, len) in [
            (&mut self.ds, tq.min(BLOCK) * tk),
            (&mut self.dy, tq * d),
            (&mut self.y, tq * d),
            (&mut self.logs, tq),
            (&mut self.dk, tk * d),
            (&mut self.dv, tk * d),
        ] {
            buffer.resize(len, 0.0);
        }
    }

    /// Number of keys that query i sees.
    fn seen(&self, i: usize, causal: bool) -> usize {
        if causal { i + 1 } else { self.tk }
    }

    /// Computes the output rows; calls `emit(query, row, factor, log)`: the output is `factor * row` (d), and `log` the
    /// log-sum-exp of the query's scores.
    pub(super) fn attend(&mut self, causal: bool, mut emit: impl FnMut(usize, &[f32], f32, f32)) {
        let Work { tq, tk, d, .. } = *self;
        self.keys.pack(&self.k, d, d, tk, true);
        self.memory.pack(&self.v, d, tk, d, false);
        for at in (0..tq).step_by(BLOCK) {
            let rows = BLOCK.min(tq - at);
            multiply(rows, A::rows(&self.q[at * d..], d), &self.keys, self.seen(at + rows - 1, causal), &mut self.s);
            let mut sums = [(0.0, 0.0); BLOCK];
            for i in 0..rows {
                let seen = self.seen(at + i, causal);
                let row = &mut self.s[i * tk..(i + 1) * tk];
                let top = max(&row[..seen]);
                let total = exp_and_sum(&mut row[..seen], top);
                row[seen..].fill(0.0);
                sums[i] = (1.0 / total, top + total.ln());
            }
            multiply(rows, A::rows(&self.s, tk), &self.memory, d, &mut self.o);
            for (i, o) in self.o.chunks_exact(d).take(rows).enumerate() {
                emit(at + i, o, sums[i].0, sums[i].1);
            }
        }
    }

    /// Computes `dk` and `dv`; calls `emit(query, row)` with the gradients of the (divided) queries.
    pub(super) fn attend_back(&mut self, causal: bool, mut emit: impl FnMut(usize, &[f32])) {
        let Work { tq, tk, d, .. } = *self;
        self.keys.pack(&self.k, d, d, tk, true);
        self.values.pack(&self.v, d, d, tk, true);
        self.memory.pack(&self.k, d, tk, d, false);
        for at in (0..tq).step_by(BLOCK) {
            let rows = BLOCK.min(tq - at);
            let last = self.seen(at + rows - 1, causal);
            multiply(rows, A::rows(&self.q[at * d..], d), &self.keys, last, &mut self.s);
            multiply(rows, A::rows(&self.dy[at * d..], d), &self.values, last, &mut self.ds);
            for i in 0..rows {
                let (seen, row) = (self.seen(at + i, causal), i * tk..(i + 1) * tk);
                let of = (at + i) * d..(at + i + 1) * d;
                let mean = dot(&self.dy[of.clone()], &self.y[of]);
                let (p, ds) = (&mut self.s[row.clone()], &mut self.ds[row]);
                probabilities_back(&mut p[..seen], self.logs[at + i], mean, &mut ds[..seen]);
                p[seen..].fill(0.0);
                ds[seen..].fill(0.0);
            }
            let start = if at == 0 { Start::Zero } else { Start::Keep };
            self.block.pack(&self.dy[at * d..], d, rows, d, false);
            gradient(tk, A::columns(&self.s, tk), &self.block, &mut self.dv, start);
            self.block.pack(&self.q[at * d..], d, rows, d, false);
            gradient(tk, A::columns(&self.ds, tk), &self.block, &mut self.dk, start);
            multiply(rows, A::rows(&self.ds, tk), &self.memory, d, &mut self.o);
            for (i, dq) in self.o.chunks_exact(d).take(rows).enumerate() {
                emit(at + i, dq);
            }
        }
    }
}

/// The first `columns` columns of `C = A B`; C has B's width.
fn multiply(rows: usize, a: A<'_>, b: &Packed, columns: usize, c: &mut [f32]) {
    assert!(c.len() >= rows * b.n());
    let panels = columns.div_ceil(b.panel_width());
    // SAFETY: C holds all rows, and is this thread's own.
    unsafe { gemm::gemm_panels(rows, a, b, 0, panels, c.as_mut_ptr(), b.n(), Start::Zero, Finish::None) };
}

/// `C (+)= A B`.
fn gradient(rows: usize, a: A<'_>, b: &Packed, c: &mut [f32], start: Start<'_>) {
    assert!(c.len() >= rows * b.n());
    // SAFETY: as above.
    unsafe { gemm::gemm_panels(rows, a, b, 0, b.panels(), c.as_mut_ptr(), b.n(), start, Finish::None) };
}

simd::multiversion! {
    /// In: scores in `p`, `dy V^T` in `ds`; out: probabilities, and the gradients of the scores.
    fn probabilities_back(p: &mut [f32], log: f32, mean: f32, ds: &mut [f32]) -> () {
        for (p, ds) in p.iter_mut().zip(ds) {
            *p = simd::exp(*p - log);
            *ds = *p * (*ds - mean);
        }
    }
}
