//! Linear + softmax + cross-entropy, fused over blocks of rows so that the (N, V) logits never exist as a whole.
//!
//! For x (N, H), W (V, H), b (1, V): `logits = x W^T + b`, `p = softmax(logits)` and, with label smoothing s,
//! `loss_i = -(1 - s) log p[target_i] - s/V sum_v log p[v]` (nats), `loss = weight * sum_i w_i loss_i`.
//! The gradient of the logits is `weight * w_i * (p - q)`, q the smoothed target, and is used while the block is in
//! cache: `dx = dlogits W` is kept for the way back, `dW += dlogits^T x` goes to the parameter at once.

use crate::{
    ParamId, Params, Tape, Var,
    gemm::{self, A, Finish, Start},
    ops::{
        linear,
        softmax::{exp_and_sum, max, scale_and_shift, sum},
    },
    params::Layout,
    tape::{Backward, Op},
    threads,
};

/// Bytes of logits a block may take; large blocks spare traffic on dW, small ones stay in cache.
const BLOCK_BYTES: usize = 32 << 20;

/// The output layer and how its losses count.
pub struct CrossEntropy<'a> {
    /// W (V, H): a weight of its own, or the embedding table (tied).
    pub weight: ParamId,
    /// b (1, V).
    pub bias: Option<ParamId>,
    /// One class a row, (N).
    pub targets: &'a [u32],
    /// Factor of each row's loss, (N); all 1 if absent.
    pub row_weights: Option<&'a [f32]>,
    /// Label smoothing s in [0, 1).
    pub smoothing: f32,
    /// Factor of the sum in the total loss (1/N gives the mean).
    pub scale: f32,
}

/// What a cross-entropy layer reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Sum over the rows of `-log p[target]` in nats, unweighted and without smoothing.
    pub nats: f64,
    /// Number of rows whose most likely class is the target.
    pub correct: usize,
}

impl Tape {
    /// Adds the cross-entropy of x (N, H) to the loss. If the tape records, gradients of the output layer's
    /// parameters are accumulated at once (hence `&mut params`).
    pub fn cross_entropy(&mut self, params: &mut Params, x: Var, ce: &CrossEntropy<'_>) -> Scored {
        let (n, h) = self.shape(x);
        assert_eq!(ce.targets.len(), n);
        let (v, _) = params.shape(ce.weight);
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
            linear::forward(params, xs, m, ce.weight, ce.bias, logits);
            softmax_rows(logits, v, at, ce, self.recording(), &mut scores[at..at + m]);
            if self.recording() {
                if wanted {
                    let pack = &params.packed(ce.weight, Layout::Backward)[0];
                    let dx = &mut dx[at * h..(at + m) * h];
                    gemm::gemm(m, A::rows(logits, v), pack, dx, h, Start::Zero, Finish::None);
                }
                if let Some(dw) = params.grad_dense(ce.weight) {
                    self.scratch.pack.pack(xs, h, m, h, false);
                    gemm::gemm(v, A::columns(logits, v), &self.scratch.pack, dw, h, Start::Keep, Finish::None);
                }
                if let Some(db) = ce.bias.and_then(|b| params.grad_dense(b)) {
                    linear::column_sums(logits, v, db);
                }
            }
        }
        self.pool.give(logits);
        let scored = Scored {
            nats: scores.iter().map(|s| s.nats as f64).sum(),
            correct: scores.iter().map(|s| s.correct as usize).sum(),
        };
        let loss: f64 = scores.iter().map(|s| s.loss as f64).sum();
        self.scratch.scores = scores;
        self.push_loss(loss * ce.scale as f64, || Some(Fused { x, dx }));
        scored
    }

    /// `-log p[target]` in nats of each row of the last [`Tape::cross_entropy`], (N).
    pub fn row_nats(&self) -> impl ExactSizeIterator<Item = f32> + '_ {
        self.scratch.scores.iter().map(|s| s.nats)
    }
}

/// The scores of one row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RowScore {
    pub(crate) nats: f32,
    pub(crate) loss: f32,
    /// Right predictions among those of the row.
    pub(crate) correct: u32,
}

/// Scores each row of logits (m, V) and, if `grads`, replaces it by its gradient.
fn softmax_rows(logits: &mut [f32], v: usize, at: usize, ce: &CrossEntropy<'_>, grads: bool, scores: &mut [RowScore]) {
    let m = scores.len();
    let (logits, scores) = (threads::Shared(logits.as_mut_ptr()), threads::Shared(scores.as_mut_ptr()));
    threads::split(m, 4, |rows| {
        for i in rows {
            // SAFETY: each row belongs to one range of the split, in bounds since i < m.
            let (row, score) = unsafe { (logits.slice(i * v, v), &mut scores.slice(i, 1)[0]) };
            let target = ce.targets[at + i] as usize;
            let weight = ce.row_weights.map_or(1.0, |w| w[at + i]);
            *score = softmax_row(row, target, weight, ce, grads);
        }
    });
}

/// One row: its score and, if `grads`, its gradient in place.
fn softmax_row(row: &mut [f32], target: usize, weight: f32, ce: &CrossEntropy<'_>, grads: bool) -> RowScore {
    let v = row.len() as f32;
    let top = max(row);
    let at_target = row[target];
    let mean = if ce.smoothing > 0.0 { sum(row) / v } else { 0.0 };
    let total = exp_and_sum(row, top);
    let log_total = top + total.ln();
    let nats = log_total - at_target;
    let smooth = log_total - mean;
    let s = ce.smoothing;
    if grads {
        let g = weight * ce.scale;
        scale_and_shift(row, g / total, -g * s / v);
        row[target] -= g * (1.0 - s);
    }
    let loss = if s > 0.0 { (1.0 - s) * nats + s * smooth } else { nats };
    RowScore { nats, loss: weight * loss, correct: u32::from(at_target >= top) }
}

struct Fused {
    x: Var,
    dx: Vec<f32>,
}

impl Op for Fused {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }
    fn is_loss(&self) -> bool {
        true
    }
    fn backward(&mut self, _: &[f32], cx: &mut Backward<'_>) {
        let dx = std::mem::take(&mut self.dx);
        if let Some((g, fresh)) = cx.grads.slot(self.x, cx.values, cx.pool) {
            if fresh {
                g.copy_from_slice(&dx);
            } else {
                g.iter_mut().zip(&dx).for_each(|(g, d)| *g += d);
            }
        }
        cx.pool.give(dx);
    }
}

/// The plain twin: the loss of one row in f64.
pub fn reference(logits: &[f64], target: usize, smoothing: f64) -> f64 {
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let log_total = top + logits.iter().map(|x| (x - top).exp()).sum::<f64>().ln();
    let uniform = logits.iter().map(|x| log_total - x).sum::<f64>() / logits.len() as f64;
    (1.0 - smoothing) * (log_total - logits[target]) + smoothing * uniform
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{numbers, params};

    /// Finite differences, apart from the shared check because this layer takes `&mut Params`.
    #[test]
    fn gradients_match_finite_differences_and_reference() {
        let (mut p, ids) = params(&[(37, 4), (1, 37)]);
        let (targets, row_weights, x) = ([3, 36, 0, 7, 7], [1.0, 0.5, 2.0, 0.0, 1.0], numbers(20, 3));
        let ce = CrossEntropy {
            weight: ids[0],
            bias: Some(ids[1]),
            targets: &targets,
            row_weights: Some(&row_weights),
            smoothing: 0.1,
            scale: 0.25,
        };
        let loss = |p: &mut Params, x: &[f32]| {
            let mut t = Tape::inference();
            let v = t.input(x, (5, 4));
            t.cross_entropy(p, v, &ce);
            t.loss()
        };
        let mut t = Tape::new();
        let v = t.variable(&x, (5, 4));
        t.cross_entropy(&mut p, v, &ce);
        let expected: f64 = (0..5)
            .map(|i| {
                let logit = |o: usize| {
                    let w = &p.value(ids[0])[o * 4..][..4];
                    p.value(ids[1])[o] as f64 + w.iter().zip(&x[i * 4..]).map(|(w, x)| (w * x) as f64).sum::<f64>()
                };
                let logits: Vec<f64> = (0..37).map(logit).collect();
                0.25 * row_weights[i] as f64 * reference(&logits, targets[i] as usize, 0.1f32 as f64)
            })
            .sum();
        assert!((t.loss() - expected).abs() < 1e-5, "{} {expected}", t.loss());
        t.backward(&mut p).unwrap();
        let h = 1e-2;
        for j in 0..x.len() {
            let mut y = x.clone();
            y[j] += h;
            let up = loss(&mut p, &y);
            y[j] -= 2.0 * h;
            let numeric = (up - loss(&mut p, &y)) / (2.0 * h as f64);
            assert!((numeric - t.grad(v)[j] as f64).abs() < 2e-3, "x {j}");
        }
        for id in ids {
            let grads = p.get(id).grad().to_vec();
            for (j, g) in grads.into_iter().enumerate() {
                p.nudge(id, j, h);
                let up = loss(&mut p, &x);
                p.nudge(id, j, -2.0 * h);
                let numeric = (up - loss(&mut p, &x)) / (2.0 * h as f64);
                p.nudge(id, j, h);
                assert!((numeric - g as f64).abs() < 2e-3, "{j}: {numeric} {g}");
            }
        }
    }

    #[test]
    fn uniform_logits_cost_ln_v() {
        let mut p = Params::new();
        let w = p.add("w", (8, 1), vec![0.0; 8]);
        let ce = CrossEntropy { weight: w, bias: None, targets: &[5], row_weights: None, smoothing: 0.0, scale: 1.0 };
        let mut t = Tape::inference();
        let x = t.input(&[3.0], (1, 1));
        let scored = t.cross_entropy(&mut p, x, &ce);
        assert!((scored.nats - 8f64.ln()).abs() < 1e-6);
    }
}
