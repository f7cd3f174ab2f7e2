//! Losses on given targets, each `loss = scale sum_i w_i sum_j l_ij` over x (N, D), summed in f64.
//!
//! Squared error: `l = (x - t)^2`, gradient `2 (x - t)`. Binary cross-entropy of logits, nats:
//! `l = max(x, 0) - x t + ln(1 + exp(-|x|))`, gradient `σ(x) - t`. Sum: `l = x`, as critics need it (Arjovsky et al.
//! 2017). A loss of one's own brings its value and its gradient.

use crate::{
    Tape, Var, simd,
    tape::{Backward, Op},
};

/// How a loss counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighting<'a> {
    /// Factor of each row's loss, (N); all 1 if absent.
    pub row_weights: Option<&'a [f32]>,
    /// Factor of the sum in the total loss (1 / (N D) gives the mean).
    pub scale: f32,
}

impl Tape {
    /// Adds the squared error of x (N, D) against N D targets to the loss; returns its unweighted sum.
    pub fn squared_error(&mut self, x: Var, targets: &[f32], weighting: Weighting<'_>) -> f64 {
        let element = |x: f32, t: f32| {
            let e = x as f64 - t as f64;
            (e * e, 2.0 * (x - t))
        };
        self.elementwise_loss(x, Some(targets), weighting, "squared error", element)
    }

    /// Adds the binary cross-entropy of logits x (N, D) against N D targets in [0, 1] to the loss; returns its
    /// unweighted sum in nats.
    pub fn binary_cross_entropy(&mut self, x: Var, targets: &[f32], weighting: Weighting<'_>) -> f64 {
        let element = |x: f32, t: f32| (reference(x as f64, t as f64), simd::sigmoid(x) - t);
        self.elementwise_loss(x, Some(targets), weighting, "binary cross-entropy", element)
    }

    /// Adds the sum of x (N, D) to the loss; returns it unweighted.
    pub fn sum_loss(&mut self, x: Var, weighting: Weighting<'_>) -> f64 {
        self.elementwise_loss(x, None, weighting, "sum", |x, _| (x as f64, 1.0))
    }

    /// Adds a loss that was computed outside, of value `loss` and with `gradient` (N D) for x (N, D).
    pub fn custom_loss(&mut self, x: Var, loss: f64, gradient: &[f32]) {
        assert_eq!(gradient.len(), self.values.get(x).len());
        let wanted = self.values.needs_grad(x);
        let dx = if wanted { self.pool.copy(gradient) } else { Vec::new() };
        self.push_loss(loss, || Some(Loss { name: "custom loss", x, dx }));
    }

    fn elementwise_loss(
        &mut self,
        x: Var,
        targets: Option<&[f32]>,
        Weighting { row_weights, scale }: Weighting<'_>,
        name: &'static str,
        element: impl Fn(f32, f32) -> (f64, f32),
    ) -> f64 {
        let (n, d) = self.shape(x);
        assert!(targets.is_none_or(|t| t.len() == n * d), "{name}: one target an element");
        assert!(row_weights.is_none_or(|w| w.len() == n), "{name}: one weight a row");
        let wanted = self.values.needs_grad(x);
        let mut dx = if wanted { self.pool.take(n * d) } else { Vec::new() };
        let value = self.values.get(x);
        let (mut total, mut weighted) = (0.0, 0.0);
        for i in 0..n {
            let w = row_weights.map_or(1.0, |w| w[i]);
            let mut row = 0.0;
            for j in i * d..(i + 1) * d {
                let (loss, slope) = element(value[j], targets.map_or(0.0, |t| t[j]));
                row += loss;
                if wanted {
                    dx[j] = scale * w * slope;
                }
            }
            total += row;
            weighted += w as f64 * row;
        }
        self.push_loss(weighted * scale as f64, || Some(Loss { name, x, dx }));
        total
    }
}

/// A loss whose gradient is known.
struct Loss {
    name: &'static str,
    x: Var,
    dx: Vec<f32>,
}

impl Op for Loss {
    fn name(&self) -> &'static str {
        self.name
    }
    fn is_loss(&self) -> bool {
        true
    }
    fn backward(&mut self, _: &[f32], cx: &mut Backward<'_>) {
        let dx = std::mem::take(&mut self.dx);
        cx.contribute(self.x, |at, g, fresh| crate::ops::elementwise::add_scaled(g, &dx[at..], 1.0, fresh));
        cx.pool.give(dx);
    }
}

/// Binary cross-entropy of one logit in nats, stable for large ones.
pub fn reference(x: f64, target: f64) -> f64 {
    // `max` would drop a NaN.
    let positive = if x < 0.0 { 0.0 } else { x };
    positive - x * target + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Params,
        ops::testing::{check_gradients, numbers},
    };

    #[test]
    fn gradients() {
        let (x, targets) = (numbers(12, 1), numbers(12, 2).iter().map(|t| 0.5 + 0.5 * t).collect::<Vec<_>>());
        for row_weights in [None, Some(&[0.5, 0.0, 2.0][..])] {
            check_gradients(&mut Params::new(), &[(&x, (3, 4))], &|t, _, v| {
                let weighting = Weighting { row_weights, scale: 0.3 };
                t.squared_error(v[0], &targets, weighting);
                t.binary_cross_entropy(v[0], &targets, weighting);
                t.sum_loss(v[0], weighting);
            });
        }
    }

    #[test]
    fn by_hand() {
        let mut t = Tape::inference();
        let x = t.input(&[1.0, 3.0, 0.0, -1000.0], (2, 2));
        let half = Weighting { row_weights: Some(&[1.0, 0.0]), scale: 0.5 };
        assert_eq!(t.squared_error(x, &[0.0, 1.0, 0.0, -1000.0], half), 5.0);
        assert_eq!(t.loss(), 2.5);
        let one = Weighting { row_weights: None, scale: 1.0 };
        let nats = t.binary_cross_entropy(x, &[1.0, 1.0, 0.5, 1.0], one);
        let expected = (-1f64).exp().ln_1p() + (-3f64).exp().ln_1p() + 2f64.ln() + 1000.0;
        assert!((nats - expected).abs() < 1e-9, "{nats}");
        assert_eq!(t.sum_loss(x, one), -996.0);
    }

    #[test]
    fn a_nan_is_named() {
        let mut t = Tape::new();
        let x = t.variable(&[0.0], (1, 1));
        t.squared_error(x, &[f32::NAN], Weighting { row_weights: None, scale: 1.0 });
        assert!(t.backward(&mut Params::new()).unwrap_err().to_string().contains("`squared error`"));
    }
}
