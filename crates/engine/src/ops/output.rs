//! What cross-entropy and the losses of bags share: an output layer over the vocabulary, scored over blocks of rows so that
//! the (N, V) scores never exist as a whole.
//!
//! For x (N, H), W (V, H), b (1, V): `s = x W^T + b`; a loss turns each row of s into its gradient ds while the block is in
//! cache, `dx = ds W` is kept for the way back, `dW += ds^T x` and `db += sum over rows of ds` go to the parameters at
//! once.

use crate::{
    ParamId, Params, Tape, Var,
    gemm::{self, A, Finish, Start},
    ops::{elementwise::add_scaled, linear},
    params::Layout,
    tape::{Backward, Op},
    threads::{self, Shared},
};

/// Bytes of scores a block may take; large blocks spare traffic on dW, small ones stay in cache.
const BLOCK_BYTES: usize = 32 << 20;

/// The output layer: W (V, H) and b (1, V).
#[derive(Clone, Copy)]
pub(crate) struct Layer {
    pub(crate) weight: ParamId,
    pub(crate) bias: Option<ParamId>,
    /// The loss's name in messages.
    pub(crate) name: &'static str,
}

/// The scores of one row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RowScore {
    pub(crate) nats: f32,
    pub(crate) loss: f32,
    /// Right predictions among those of the row.
    pub(crate) correct: u32,
}

impl Tape {
    /// Scores x (N, H) by `score(row, scores, gradients)`, which returns the row's loss and, if `gradients`, replaces its
    /// scores (V) by their gradient; adds the sum of the losses, times `scale`, to the loss. The rows' scores stay
    /// behind for [`Tape::row_nats`].
    pub(crate) fn fused_output(
        &mut self,
        params: &mut Params,
        x: Var,
        layer: Layer,
        scale: f32,
        score: impl Fn(usize, &mut [f32], bool) -> RowScore + Sync,
    ) {
        let ((n, h), (v, _)) = (self.shape(x), params.shape(layer.weight));
        let block = (BLOCK_BYTES / (4 * v)).clamp(16, 4096).min(n.max(1));
        let mut logits = self.pool.take(block * v);
        let wanted = self.values.needs_grad(x);
        let mut dx = if wanted { self.pool.take(n * h) } else { Vec::new() };
        let mut scores = std::mem::take(&mut self.scratch.scores);
        scores.clear();
        scores.resize(n, RowScore::default());
        for at in (0..n).step_by(block) {
            let m = block.min(n - at);
            let xs = &self.values.get(x)[at * h..(at + m) * h];
            let logits = &mut logits[..m * v];
            linear::forward(params, xs, m, layer.weight, layer.bias, logits);
            let recording = self.recording();
            let (rows, results) = (Shared(logits.as_mut_ptr()), Shared(scores[at..].as_mut_ptr()));
            threads::split(m, 4, |range| {
                for i in range {
                    // SAFETY: each row belongs to one range of the split, in bounds since i < m.
                    let (row, result) = unsafe { (rows.slice(i * v, v), results.slice(i, 1)) };
                    result[0] = score(at + i, row, recording);
                }
            });
            if recording {
                if wanted {
                    let pack = &params.packed(layer.weight, Layout::Backward)[0];
                    let dx = &mut dx[at * h..(at + m) * h];
                    gemm::gemm(m, A::rows(logits, v), pack, dx, h, Start::Zero, Finish::None);
                }
                if let Some(dw) = params.grad_dense(layer.weight) {
                    self.scratch.pack.pack(xs, h, m, h, false);
                    gemm::gemm(v, A::columns(logits, v), &self.scratch.pack, dw, h, Start::Keep, Finish::None);
                }
                if let Some(db) = layer.bias.and_then(|b| params.grad_dense(b)) {
                    linear::column_sums(logits, v, db);
                }
            }
        }
        self.pool.give(logits);
        let loss: f64 = scores.iter().map(|s| s.loss as f64).sum();
        self.scratch.scores = scores;
        self.push_loss(loss * scale as f64, || Some(Fused { name: layer.name, x, dx }));
    }

    /// Sum of the nats, and of what was right, over the rows of the last scoring.
    pub(crate) fn row_sums(&self) -> (f64, usize) {
        let scores = &self.scratch.scores;
        (scores.iter().map(|s| s.nats as f64).sum(), scores.iter().map(|s| s.correct as usize).sum())
    }
}

struct Fused {
    name: &'static str,
    x: Var,
    dx: Vec<f32>,
}

impl Op for Fused {
    fn name(&self) -> &'static str {
        self.name
    }
    fn is_loss(&self) -> bool {
        true
    }
    fn backward(&mut self, _: &[f32], cx: &mut Backward<'_>) {
        let dx = std::mem::take(&mut self.dx);
        cx.contribute(self.x, |at, g, fresh| add_scaled(g, &dx[at..], 1.0, fresh));
        cx.pool.give(dx);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Compares the gradients of the loss that `f` builds from x with central differences; apart from the shared check
    /// because these layers take `&mut Params`.
    pub(in crate::ops) fn check(
        p: &mut Params,
        x: &[f32],
        shape: (usize, usize),
        f: &dyn Fn(&mut Tape, &mut Params, Var),
    ) {
        let loss = |p: &mut Params, x: &[f32]| {
            let mut t = Tape::inference();
            let v = t.input(x, shape);
            f(&mut t, p, v);
            t.loss()
        };
        let mut t = Tape::new();
        let v = t.variable(x, shape);
        f(&mut t, p, v);
        t.backward(p).unwrap();
        let (h, width) = (1e-2, 2.0 * 1e-2f64);
        for j in 0..x.len() {
            let mut moved = x.to_vec();
            moved[j] += h;
            let up = loss(p, &moved);
            moved[j] -= 2.0 * h;
            let numeric = (up - loss(p, &moved)) / width;
            assert!((numeric - t.grad(v)[j] as f64).abs() < 3e-3, "x {j}: {numeric} {}", t.grad(v)[j]);
        }
        let ids: Vec<ParamId> = p.iter().map(|(id, _)| id).collect();
        for id in ids {
            let gradient = p.get(id).grad().to_vec();
            for (j, g) in gradient.into_iter().enumerate() {
                p.nudge(id, j, h);
                let up = loss(p, x);
                p.nudge(id, j, -2.0 * h);
                let numeric = (up - loss(p, x)) / width;
                p.nudge(id, j, h);
                assert!((numeric - g as f64).abs() < 3e-3, "{} {j}: {numeric} {g}", p.get(id).name());
            }
        }
    }
}
