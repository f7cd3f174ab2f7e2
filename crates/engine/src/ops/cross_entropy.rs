//! Linear + softmax + cross-entropy, fused over blocks of rows so that the (N, V) logits never exist as a whole.
//!
//! For x (N, H), W (V, H), b (1, V): `logits = x W^T + b`, `p = softmax(logits)` and, with label smoothing s,
//! `loss_i = -(1 - s) log p[target_i] - s/V sum_v log p[v]` (nats), `loss = weight * sum_i w_i loss_i`.
//! The gradient of the logits is `weight * w_i * (p - q)`, q the smoothed target, and is used while the block is in
//! cache: `dx = dlogits W` is kept for the way back, `dW += dlogits^T x` goes to the parameter at once.
//!
//! With a [`Mixture`] the first term's `-log p[target_i]` is the mixture's (smoothing stays the vocabulary's): see
//! [`mixture`](super::mixture).

use crate::{
    ParamId, Params, Tape, Var,
    ops::{
        mixture::{Mixture, mix},
        output::{Layer, RowScore},
        softmax::{exp_and_sum, max, scale_and_shift, sum},
    },
    threads::Shared,
};

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
    /// What is copied besides, if anything.
    pub mixture: Option<Mixture>,
    /// Factor of the sum in the total loss (1/N gives the mean).
    pub scale: f32,
}

/// What a cross-entropy layer reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Sum over the rows of `-log p[target]` in nats, unweighted and without smoothing.
    pub nats: f64,
    /// Number of rows whose most likely class is the target; with a mixture, those whose target outweighs the vocabulary's
    /// best, and all else that is copied.
    pub correct: usize,
}

impl Tape {
    /// Adds the cross-entropy of x (N, H) to the loss. If the tape records, gradients of the output layer's
    /// parameters are accumulated at once (hence `&mut params`).
    pub fn cross_entropy(&mut self, params: &mut Params, x: Var, ce: &CrossEntropy<'_>) -> Scored {
        assert_eq!(ce.targets.len(), self.shape(x).0);
        let layer = Layer { weight: ce.weight, bias: ce.bias, name: "cross-entropy" };
        let recording = self.recording();
        let mixed = ce.mixture.filter(|_| recording);
        let mut slopes = [(); 2].map(|()| self.pool.zeros(if mixed.is_some() { ce.targets.len() } else { 0 }));
        let [gates, copies] = [0, 1].map(|i| match ce.mixture {
            Some(m) => self.pool.copy(self.values.get([m.gate, m.copied][i])),
            None => Vec::new(),
        });
        let kept = [0, 1].map(|i| Shared(slopes[i].as_mut_ptr()));
        self.fused_output(params, x, layer, ce.scale, |i, row, gradients| {
            let weight = ce.row_weights.map_or(1.0, |w| w[i]);
            let given = ce.mixture.map(|_| [gates[i], copies[i]]);
            let (score, slopes) = softmax_row(row, ce.targets[i] as usize, (weight, given), ce, gradients);
            if gradients && given.is_some() {
                // SAFETY: each row is scored once, by one thread.
                kept.iter().zip(slopes).for_each(|(kept, slope)| unsafe { kept.slice(i, 1)[0] = slope });
            }
            score
        });
        [gates, copies].into_iter().for_each(|values| self.pool.give(values));
        match mixed {
            Some(mixture) => self.push_mixture(mixture, slopes),
            None => slopes.into_iter().for_each(|s| self.pool.give(s)),
        }
        let (nats, correct) = self.row_sums();
        Scored { nats, correct }
    }

    /// `-log p[target]` in nats of each row of the last [`Tape::cross_entropy`], (N).
    pub fn row_nats(&self) -> impl ExactSizeIterator<Item = f32> + '_ {
        self.scratch.scores.iter().map(|s| s.nats)
    }
}

/// One row: its score and, if `grads`, its gradient in place; beside it those of u and c, which are `given` with a mixture.
fn softmax_row(
    row: &mut [f32],
    target: usize,
    (weight, given): (f32, Option<[f32; 2]>),
    ce: &CrossEntropy<'_>,
    grads: bool,
) -> (RowScore, [f32; 2]) {
    let v = row.len() as f32;
    let top = max(row);
    let at_target = row[target];
    let mean = if ce.smoothing > 0.0 { sum(row) / v } else { 0.0 };
    let total = exp_and_sum(row, top);
    let log_total = top + total.ln();
    let plain = log_total - at_target;
    let smooth = log_total - mean;
    let s = ce.smoothing;
    let g = weight * ce.scale;
    let (mut nats, mut share, mut slopes, mut right) = (plain, 1.0, [0.0; 2], at_target >= top);
    if let Some([gate, copied]) = given {
        let mixed = mix(plain, gate, copied);
        (nats, share, slopes) = (mixed.nats, mixed.share, mixed.slopes.map(|d| g * (1.0 - s) * d));
        let best = (top - log_total + mixed.logs[0]).max(mixed.logs[1] + (1.0 - copied).max(0.0).ln());
        right = -nats >= best;
    }
    if grads {
        let first = (1.0 - s) * share;
        scale_and_shift(row, g * (first + s) / total, -g * s / v);
        row[target] -= g * first;
    }
    let loss = if s > 0.0 { (1.0 - s) * nats + s * smooth } else { nats };
    (RowScore { nats, loss: weight * loss, correct: u32::from(right) }, slopes)
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
    use crate::ops::{
        output::tests::check,
        testing::{numbers, params},
    };

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
            mixture: None,
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
        let ce = CrossEntropy {
            weight: w,
            bias: None,
            targets: &[5],
            row_weights: None,
            smoothing: 0.0,
            mixture: None,
            scale: 1.0,
        };
        let mut t = Tape::inference();
        let x = t.input(&[3.0], (1, 1));
        let scored = t.cross_entropy(&mut p, x, &ce);
        assert!((scored.nats - 8f64.ln()).abs() < 1e-6);
    }

    #[test]
    fn gradients_of_a_mixture_match_finite_differences() {
        let (mut p, ids) = params(&[(9, 3), (1, 9)]);
        let (gates, copies) = (numbers(4, 5), [0.3, 0.5, 0.9, 0.2]);
        let x = numbers(12, 6);
        // The columns of one input: x, u, c.
        let rows: Vec<f32> = (0..4).flat_map(|i| [&x[i * 3..][..3], &[gates[i], copies[i]]].concat()).collect();
        check(&mut p, &rows, (4, 5), &|t, p, v| {
            let x = t.slice_columns(v, 0..3);
            let (gate, copied) = (t.slice_columns(v, 3..4), t.slice_columns(v, 4..5));
            let ce = CrossEntropy {
                weight: ids[0],
                bias: Some(ids[1]),
                targets: &[3, 8, 0, 3],
                row_weights: Some(&[1.0, 0.5, 2.0, 1.0]),
                smoothing: 0.1,
                mixture: Some(Mixture { gate, copied }),
                scale: 0.25,
            };
            t.cross_entropy(p, x, &ce);
        });
    }
}
