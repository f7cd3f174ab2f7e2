//! The mixture of a vocabulary's and of a copied distribution (pointer-generator, See et al. 2017), one row of it.
//!
//! With the gate `g = σ(u)`, `p_v = softmax(logits)` and the copied mass c of the target t ([`copied`](super::copied)):
//! `p(t) = g p_v(t) + (1 - g) c`. With `r = g p_v(t) / p(t)`, the share of the vocabulary, the cost `-log p(t)` has the
//! gradients `r (p_v - [t])` for the logits, `g - r` for u, and `-(1 - g) / p(t)` for c.

use crate::{
    Tape, Var,
    ops::elementwise::add_scaled,
    tape::{Backward, Op},
};

/// A gate and what is copied, for each row of an output layer.
#[derive(Debug, Clone, Copy)]
pub struct Mixture {
    /// u (N, 1), before the sigmoid.
    pub gate: Var,
    /// c (N, 1), in 0..1.
    pub copied: Var,
}

/// The cost of one row, and how it changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mixed {
    /// `-log p(t)`.
    pub(crate) nats: f32,
    /// r.
    pub(crate) share: f32,
    /// The gradients of u and c.
    pub(crate) slopes: [f32; 2],
    /// log g and log(1 - g).
    pub(crate) logs: [f32; 2],
}

/// Keeps the slope of c finite where all that is mixed is next to impossible.
const STEEPEST: f32 = 60.0;

/// The mixture of a target with the vocabulary's cost `nats`.
pub(crate) fn mix(nats: f32, gate: f32, copied: f32) -> Mixed {
    let [log_gate, log_rest] = log_gates(gate);
    let parts = [log_gate - nats, log_rest + copied.ln()];
    let log = log_add(parts[0], parts[1]);
    let share = (parts[0] - log).exp();
    let slope = if copied > 0.0 { -(log_rest - log).min(STEEPEST).exp() } else { 0.0 };
    Mixed { nats: -log, share, slopes: [log_gate.exp() - share, slope], logs: [log_gate, log_rest] }
}

/// `log σ(u)` and `log (1 - σ(u))`.
fn log_gates(u: f32) -> [f32; 2] {
    let rest = (-u.abs()).exp().ln_1p();
    [-((-u).max(0.0) + rest), -(u.max(0.0) + rest)]
}

fn log_add(a: f32, b: f32) -> f32 {
    let top = a.max(b);
    if top == f32::NEG_INFINITY { top } else { top + ((a - top).exp() + (b - top).exp()).ln() }
}

/// One step of decoding: turns a row's scores (V) into the logarithms of the mixture, given its gate u, and where its
/// weights lie: `weights` (T) on the tokens `held` (T).
pub fn mix_row(logits: &mut [f32], gate: f32, weights: &[f32], held: &[u32]) {
    let [log_gate, log_rest] = log_gates(gate);
    let top = super::softmax::max(logits);
    let total: f32 = logits.iter().map(|l| (l - top).exp()).sum();
    let shift = log_gate - top - total.ln();
    logits.iter_mut().for_each(|l| *l += shift);
    // A token may stand in several places: each adds its part.
    for (weight, &token) in weights.iter().zip(held) {
        let at = &mut logits[token as usize];
        *at = log_add(*at, log_rest + weight.ln());
    }
}

impl Tape {
    /// Records the gradients (N) of a gate and of what is copied.
    pub(super) fn push_mixture(&mut self, mixture: Mixture, slopes: [Vec<f32>; 2]) {
        self.push_loss(0.0, || Some(MixtureOp { mixture, slopes }));
    }
}

struct MixtureOp {
    mixture: Mixture,
    slopes: [Vec<f32>; 2],
}

impl Op for MixtureOp {
    fn name(&self) -> &'static str {
        "mixture"
    }
    fn is_loss(&self) -> bool {
        true
    }
    fn backward(&mut self, _: &[f32], cx: &mut Backward<'_>) {
        let Mixture { gate, copied } = self.mixture;
        for (var, slopes) in [gate, copied].into_iter().zip(&mut self.slopes) {
            let slopes = std::mem::take(slopes);
            if let Some(d) = cx.grads.add(var, cx.values, cx.pool) {
                add_scaled(d, &slopes, 1.0, false);
            }
            cx.pool.give(slopes);
        }
    }
}

/// The plain twin: p of every token in f64.
pub fn reference(logits: &[f64], gate: f64, weights: &[f64], held: &[u32]) -> Vec<f64> {
    let g = 1.0 / (1.0 + (-gate).exp());
    let mut p: Vec<f64> = super::softmax::reference(logits).iter().map(|p| g * p).collect();
    weights.iter().zip(held).for_each(|(w, &token)| p[token as usize] += (1.0 - g) * w);
    p
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::numbers;

    #[test]
    fn by_hand() {
        // An even gate: p = (1/4 + 1/2) / 2 = 3/8, of which the vocabulary has a third.
        let mixed = mix(4f32.ln(), 0.0, 0.5);
        let near = |a: f32, b: f32| (a - b).abs() < 1e-6;
        assert!(near(mixed.nats, (8f32 / 3.0).ln()) && near(mixed.share, 1.0 / 3.0), "{mixed:?}");
        assert!(near(mixed.slopes[0], 0.5 - 1.0 / 3.0) && near(mixed.slopes[1], -4.0 / 3.0), "{mixed:?}");
        // Nothing to copy: the gate is what is lost, and all is the vocabulary's.
        let mixed = mix(1.0, 2.0, 0.0);
        assert!(near(mixed.share, 1.0) && mixed.slopes[1] == 0.0 && near(mixed.nats, 1.0 + (-2f32).exp().ln_1p()));
        // A gate that is as good as shut, and a target that the vocabulary gives next to nothing.
        for (nats, gate, copied) in [(200.0, 80.0, 1e-30), (200.0, -80.0, 0.0), (0.0, 90.0, 1.0)] {
            let Mixed { nats, share, slopes, .. } = mix(nats, gate, copied);
            assert!(nats.is_finite() && share.is_finite() && slopes.iter().all(|s| s.is_finite()));
        }
    }

    #[test]
    fn a_step_equals_its_plain_twin_and_the_loss() {
        let (logits, weights, held) = (numbers(9, 1), [0.2, 0.5, 0.3], [4, 0, 4]);
        let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let p = reference(&wide(&logits), 0.7, &wide(&weights), &held);
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        let mut row = logits.clone();
        mix_row(&mut row, 0.7, &weights, &held);
        for (v, (log, p)) in row.iter().zip(&p).enumerate() {
            assert!((f64::from(*log) - p.ln()).abs() < 1e-5, "{v}");
        }
        let plain = super::super::cross_entropy::reference(&wide(&logits), 4, 0.0);
        assert!((f64::from(mix(plain as f32, 0.7, 0.5).nats) + p[4].ln()).abs() < 1e-5);
    }
}
