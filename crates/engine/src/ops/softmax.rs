//! Softmax over rows: `y_ij = exp(x_ij) / sum_k exp(x_ik)`, and its pieces, which cross-entropy and attention share.
//!
//! x, y (N, D). Gradient: `dx_ij = y_ij (dy_ij - sum_k dy_ik y_ik)`.

use crate::{
    Tape, Var, simd,
    tape::{Backward, Op},
    threads::{self, Shared},
};

/// Elements a thread should have before rows are split.
const GRAIN: usize = 1 << 14;

impl Tape {
    /// The softmax of each row: x (N, D) -> y (N, D).
    pub fn softmax(&mut self, x: Var) -> Var {
        let (n, d) = self.shape(x);
        let mut y = self.pool.copy(self.values.get(x));
        let out = Shared(y.as_mut_ptr());
        threads::split(n, GRAIN / d.max(1) + 1, |rows| {
            // SAFETY: each range owns its rows.
            rows.for_each(|i| softmax_row(unsafe { out.slice(i * d, d) }));
        });
        let needs = self.values.needs_grad(x);
        self.push(y, (n, d), needs, || Some(Softmax { x }))
    }
}

/// The softmax of one row in place.
pub fn softmax_row(row: &mut [f32]) {
    let top = max(row);
    let total = exp_and_sum(row, top);
    scale_and_shift(row, 1.0 / total, 0.0);
}

struct Softmax {
    x: Var,
}

impl Op for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let (n, d) = cx.values.shape(cx.out);
        let y = cx.values.get(cx.out);
        let Some(dx) = cx.grads.add(self.x, cx.values, cx.pool) else { return };
        let dx = Shared(dx.as_mut_ptr());
        threads::split(n, GRAIN / d.max(1) + 1, |rows| {
            for i in rows {
                let (y, dy) = (&y[i * d..][..d], &dy[i * d..][..d]);
                // SAFETY: each range owns its rows.
                row_back(y, dy, dot(y, dy), unsafe { dx.slice(i * d, d) });
            }
        });
    }
}

simd::multiversion! {
    fn row_back(y: &[f32], dy: &[f32], mean: f32, dx: &mut [f32]) -> () {
        let n = dx.len();
        let (y, dy) = (&y[..n], &dy[..n]);
        for j in 0..n {
            dx[j] += y[j] * (dy[j] - mean);
        }
    }
}

simd::multiversion! {
    /// The inner product, in sixteen interleaved chains.
    pub(crate) fn dot(x: &[f32], y: &[f32]) -> f32 {
        let mut lanes = [0.0f32; 16];
        let ((xs, x_tail), (ys, y_tail)) = (x.as_chunks::<16>(), y.as_chunks::<16>());
        for (x, y) in xs.iter().zip(ys) {
            for j in 0..16 {
                lanes[j] += x[j] * y[j];
            }
        }
        lanes.iter().sum::<f32>() + x_tail.iter().zip(y_tail).map(|(x, y)| x * y).sum::<f32>()
    }
}

simd::multiversion! {
    /// The largest element.
    pub(crate) fn max(row: &[f32]) -> f32 {
        let mut lanes = [f32::NEG_INFINITY; 16];
        let (head, tail) = row.as_chunks::<16>();
        for c in head {
            for j in 0..16 {
                lanes[j] = if c[j] > lanes[j] { c[j] } else { lanes[j] };
            }
        }
        lanes.into_iter().chain(tail.iter().copied()).fold(f32::NEG_INFINITY, f32::max)
    }
}

simd::multiversion! {
    /// The sum, in sixteen interleaved chains.
    pub(crate) fn sum(row: &[f32]) -> f32 {
        let mut lanes = [0.0f32; 16];
        let (head, tail) = row.as_chunks::<16>();
        for c in head {
            for j in 0..16 {
                lanes[j] += c[j];
            }
        }
        lanes.iter().sum::<f32>() + tail.iter().sum::<f32>()
    }
}

simd::multiversion! {
    /// `row = exp(row - top)`; returns the sum.
    pub(crate) fn exp_and_sum(row: &mut [f32], top: f32) -> f32 {
        let mut lanes = [0.0f32; 16];
        let (head, tail) = row.as_chunks_mut::<16>();
        for c in head {
            for j in 0..16 {
                c[j] = simd::exp(c[j] - top);
                lanes[j] += c[j];
            }
        }
        let mut rest = 0.0;
        for x in tail {
            *x = simd::exp(*x - top);
            rest += *x;
        }
        lanes.iter().sum::<f32>() + rest
    }
}

simd::multiversion! {
    /// `row = row * scale + shift`.
    pub(crate) fn scale_and_shift(row: &mut [f32], scale: f32, shift: f32) -> () {
        for x in row {
            *x = *x * scale + shift;
        }
    }
}

/// The plain twin: the softmax of one row in f64.
pub fn reference(x: &[f64]) -> Vec<f64> {
    let top = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = x.iter().map(|x| (x - top).exp()).sum();
    x.iter().map(|x| (x - top).exp() / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Params,
        ops::testing::{check_gradients, numbers, weighted_sum},
    };

    #[test]
    fn gradients() {
        let x = numbers(3 * 19, 1);
        check_gradients(&mut Params::new(), &[(&x, (3, 19))], &|t, _, v| {
            let y = t.softmax(v[0]);
            weighted_sum(t, y);
        });
    }

    #[test]
    fn matches_reference_and_ignores_a_shift() {
        let x = numbers(50, 2);
        let wide: Vec<f64> = x.iter().map(|&x| x as f64).collect();
        let (mut y, mut shifted) = (x.clone(), x.iter().map(|x| x + 1e4).collect::<Vec<_>>());
        softmax_row(&mut y);
        softmax_row(&mut shifted);
        assert!(y.iter().zip(reference(&wide)).all(|(&y, r)| (y as f64 - r).abs() < 1e-6));
        assert!(y.iter().zip(&shifted).all(|(a, b)| (a - b).abs() < 1e-3));
        let mut even = [7.0; 4];
        softmax_row(&mut even);
        assert_eq!(even, [0.25; 4]);
    }
}
