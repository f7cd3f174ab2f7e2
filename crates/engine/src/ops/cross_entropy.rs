//! Linear + softmax + cross-entropy, fused over blocks of rows so that the (N, V) logits never exist as a whole.
//!
//! For x (N, H), W (V, H), b (1, V): `logits = x W^T + b`, `p = softmax(logits)` and, with label smoothing s,
//! `loss_i = -(1 - s) log p[target_i] - s/V sum_v log p[v]` (nats), `loss = weight * sum_i w_i loss_i`.
//! The gradient of the logits is `weight * w_i * (p - q)`, q the smoothed target, and is used while the block is in
//! cache: `dx = dlogits W` is kept for the way back, `dW += dlogits^T x` goes to the parameter at once.
//!
//! Unlikelihood ([`Unlikely`]; Welleck et al. 2020, <https://arxiv.org/abs/1908.04319>) adds `-a sum_c log(1 - p[c])` to a
//! row's loss, c the classes that it should not have; with `r_c = p[c] / (1 - p[c])` the gradient of the logits gets
//! `a (r_v [v is such a class] - p[v] sum_c r_c)`.
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

/// Classes that rows should not have.
#[derive(Debug, Clone, Copy)]
pub struct Unlikely<'a> {
    /// a: 0 is off.
    pub weight: f32,
    /// Row i should not have `classes[starts[i]..starts[i + 1]]`, (N + 1); distinct, without its target.
    pub starts: &'a [u32],
    pub classes: &'a [u32],
}

impl<'a> Unlikely<'a> {
    fn of(&self, row: usize) -> &'a [u32] {
        match self.starts {
            [] => &[],
            starts => &self.classes[starts[row] as usize..starts[row + 1] as usize],
        }
    }
}

/// The least 1 - p that counts: a class that is all but certain has a loss and a gradient with an end.
const LEAST: f32 = 1e-5;

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
        self.cross_entropy_unlikely(params, x, ce, Unlikely { weight: 0.0, starts: &[], classes: &[] })
    }

    /// As [`Tape::cross_entropy`], with what rows should not have. The nats reported are the targets' alone.
    pub fn cross_entropy_unlikely(
        &mut self,
        params: &mut Params,
        x: Var,
        ce: &CrossEntropy<'_>,
        unlikely: Unlikely<'_>,
    ) -> Scored {
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
            let (target, factors) = ((ce.targets[i] as usize, unlikely.of(i)), (weight, unlikely.weight));
            let (score, slopes) = softmax_row(row, target, (factors, given), ce, gradients);
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
    (target, unlikely): (usize, &[u32]),
    ((weight, against), given): ((f32, f32), Option<[f32; 2]>),
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
    let others = unlikely.iter().map(|&class| (class as usize, row[class as usize] / total));
    let others: Vec<(usize, f32)> = if against > 0.0 { others.collect() } else { Vec::new() };
    let rest = |p: f32| (1.0 - p).max(LEAST);
    if grads {
        let first = (1.0 - s) * share;
        let ratios: f32 = others.iter().map(|&(_, p)| p / rest(p)).sum();
        scale_and_shift(row, g * (first + s - against * ratios) / total, -g * s / v);
        row[target] -= g * first;
        others.iter().for_each(|&(class, p)| row[class] += g * against * p / rest(p));
    }
    let loss = if s > 0.0 { (1.0 - s) * nats + s * smooth } else { nats };
    let loss = loss - against * others.iter().map(|&(_, p)| rest(p).ln()).sum::<f32>();
    (RowScore { nats, loss: weight * loss, correct: u32::from(right) }, slopes)
}

/// The plain twin: the loss of one row in f64.
pub fn reference(logits: &[f64], target: usize, smoothing: f64) -> f64 {
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let log_total = top + logits.iter().map(|x| (x - top).exp()).sum::<f64>().ln();
    let uniform = logits.iter().map(|x| log_total - x).sum::<f64>() / logits.len() as f64;
    (1.0 - smoothing) * (log_total - logits[target]) + smoothing * uniform
}

/// The plain twin of [`Unlikely`]: what one row adds, in f64, but for the weight.
pub fn unlikely_reference(logits: &[f64], classes: &[u32]) -> f64 {
    let total: f64 = logits.iter().map(|x| x.exp()).sum();
    -classes.iter().map(|&c| (1.0 - logits[c as usize].exp() / total).ln()).sum::<f64>()
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
    fn unlikelihood_matches_finite_differences_and_reference() {
        let (mut p, ids) = params(&[(11, 4), (1, 11)]);
        let (targets, row_weights, x) = ([3, 10, 0], [1.0, 0.5, 2.0], numbers(12, 3));
        let (starts, classes) = ([0, 2, 2, 5], [1, 7, 2, 5, 10]);
        let ce = CrossEntropy {
            weight: ids[0],
            bias: Some(ids[1]),
            targets: &targets,
            row_weights: Some(&row_weights),
            smoothing: 0.1,
            mixture: None,
            scale: 0.25,
        };
        let unlikely = Unlikely { weight: 0.7, starts: &starts, classes: &classes };
        crate::ops::output::tests::check(&mut p, &x, (3, 4), &|t, p, v| {
            t.cross_entropy_unlikely(p, v, &ce, unlikely);
        });
        let (mut t, mut plain) = (Tape::inference(), Tape::inference());
        let v = t.input(&x, (3, 4));
        let scored = t.cross_entropy_unlikely(&mut p, v, &ce, unlikely);
        let v = plain.input(&x, (3, 4));
        assert_eq!(scored, plain.cross_entropy(&mut p, v, &ce), "what is reported is the targets'");
        let expected: f64 = (0..3)
            .map(|i| {
                let logit = |o: usize| {
                    let w = &p.value(ids[0])[o * 4..][..4];
                    p.value(ids[1])[o] as f64 + w.iter().zip(&x[i * 4..]).map(|(w, x)| (w * x) as f64).sum::<f64>()
                };
                let logits: Vec<f64> = (0..11).map(logit).collect();
                let own = &classes[starts[i] as usize..starts[i + 1] as usize];
                0.25 * row_weights[i] as f64 * 0.7f32 as f64 * unlikely_reference(&logits, own)
            })
            .sum();
        assert!((t.loss() - plain.loss() - expected).abs() < 1e-5, "{} {expected}", t.loss() - plain.loss());
    }

    fn plain(weight: ParamId, targets: &[u32]) -> CrossEntropy<'_> {
        CrossEntropy { weight, bias: None, targets, row_weights: None, smoothing: 0.0, mixture: None, scale: 1.0 }
    }

    #[test]
    fn a_class_of_one_half_costs_ln_2() {
        let mut p = Params::new();
        let w = p.add("w", (2, 1), vec![0.0; 2]);
        let ce = plain(w, &[0]);
        let mut t = Tape::inference();
        let x = t.input(&[3.0], (1, 1));
        t.cross_entropy_unlikely(&mut p, x, &ce, Unlikely { weight: 2.0, starts: &[0, 1], classes: &[1] });
        assert!((t.loss() - 3.0 * 2f64.ln()).abs() < 1e-6, "ln 2 of the target, twice ln 2 of the other");
    }

    #[test]
    fn uniform_logits_cost_ln_v() {
        let mut p = Params::new();
        let w = p.add("w", (8, 1), vec![0.0; 8]);
        let ce = plain(w, &[5]);
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
