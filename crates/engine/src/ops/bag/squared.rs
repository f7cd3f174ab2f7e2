//! Linear + squared error against sparse rows.
//!
//! For x (B, H), W (V, H), b (1, V) and targets y (B, V): `s = x W^T + b`, `loss = scale sum_i sum_v (s_iv - y_iv)^2`,
//! gradient of the scores `2 scale (s - y)`.

use super::Bags;
use crate::{
    ParamId, Params, Tape, Var,
    ops::output::{Layer, RowScore},
    simd,
};

/// The output layer and the rows it is to meet.
pub struct SquaredCounts<'a> {
    /// W (V, H): a weight of its own, or the embedding table (tied).
    pub weight: ParamId,
    /// b (1, V).
    pub bias: Option<ParamId>,
    /// y (B, V); a column must not come twice in a row.
    pub targets: &'a Bags,
    /// Factor of the sum in the total loss.
    pub scale: f32,
}

impl Tape {
    /// Adds the squared error of x (B, H) to the loss; returns its unweighted sum. If the tape records, gradients of the
    /// output layer's parameters are accumulated at once (hence `&mut params`). [`Tape::row_nats`] then gives the error
    /// of each row, (B).
    pub fn squared_counts(&mut self, params: &mut Params, x: Var, loss: &SquaredCounts<'_>) -> f64 {
        assert_eq!(loss.targets.rows(), self.shape(x).0, "one row of targets for each row");
        let layer = Layer { weight: loss.weight, bias: loss.bias, name: "squared error of counts" };
        self.fused_output(params, x, layer, loss.scale, |i, row, gradients| score(loss, i, row, gradients));
        self.row_sums().0
    }
}

/// The error of row `i` and, if `gradients`, its gradient in place.
fn score(loss: &SquaredCounts<'_>, i: usize, row: &mut [f32], gradients: bool) -> RowScore {
    let from_zero = squares(row);
    // (s - y)^2 = s^2 + y (y - 2 s)
    let change: f64 = loss.targets.row(i).map(|(v, y)| y as f64 * (y as f64 - 2.0 * row[v] as f64)).sum();
    if gradients {
        let g = 2.0 * loss.scale;
        row.iter_mut().for_each(|s| *s *= g);
        loss.targets.row(i).for_each(|(v, y)| row[v] -= g * y);
    }
    let error = (from_zero + change) as f32;
    RowScore { nats: error, loss: error, correct: 0 }
}

simd::multiversion! {
    fn squares(x: &[f32]) -> f64 {
        let mut lanes = [0.0f64; 8];
        let (head, tail) = x.as_chunks::<8>();
        for c in head {
            for j in 0..8 {
                lanes[j] += c[j] as f64 * c[j] as f64;
            }
        }
        lanes.iter().sum::<f64>() + tail.iter().map(|&x| x as f64 * x as f64).sum::<f64>()
    }
}

/// The plain twin: the error of one dense row in f64.
pub fn reference(scores: &[f64], targets: &[f64]) -> f64 {
    scores.iter().zip(targets).map(|(s, y)| (s - y).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{numbers, params};

    fn targets() -> Bags {
        let mut bags = Bags::new();
        bags.push([(3, 2.0), (36, -0.5)]);
        bags.push([]);
        bags.push([(0, 1.0)]);
        bags
    }

    #[test]
    fn gradients_and_reference() {
        let (mut p, ids) = params(&[(37, 4), (1, 37)]);
        let (targets, x) = (targets(), numbers(12, 3));
        let loss = SquaredCounts { weight: ids[0], bias: Some(ids[1]), targets: &targets, scale: 0.1 };
        crate::ops::output::tests::check(&mut p, &x, (3, 4), &|t, p, v| {
            t.squared_counts(p, v, &loss);
        });
        let mut t = Tape::inference();
        let v = t.input(&x, (3, 4));
        let sum = t.squared_counts(&mut p, v, &loss);
        let expected: f64 = (0..3)
            .map(|i| {
                let score = |o: usize| {
                    let w = &p.value(ids[0])[o * 4..][..4];
                    p.value(ids[1])[o] as f64 + w.iter().zip(&x[i * 4..]).map(|(w, x)| (w * x) as f64).sum::<f64>()
                };
                let mut dense = vec![0.0; 37];
                targets.row(i).for_each(|(v, y)| dense[v] = y as f64);
                reference(&(0..37).map(score).collect::<Vec<_>>(), &dense)
            })
            .sum();
        assert!((sum - expected).abs() < 1e-4 && (t.loss() - 0.1 * expected).abs() < 1e-5);
    }
}
