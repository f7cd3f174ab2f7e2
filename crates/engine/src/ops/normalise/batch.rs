//! Batch normalisation without gain and bias (Ioffe & Szegedy 2015), for latents: `y = (x - m) / sqrt(v + eps)` with
//! the mean m and variance v of each column.
//!
//! x, y (N, D). In training m and v are the batch's (v divided by N) and the gradient goes through them: with
//! `r = 1 / sqrt(v + eps)`, `dx = r (dy - mean(dy) - y mean(dy y))`, means over the rows. Afterwards they are
//! running averages, constants, and `dx = r dy`. Sums over rows are f64.

use crate::{
    Tape, Var,
    tape::{Backward, Op},
};

/// Mean and variance of each column of a batch, (D) each.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchStatistics {
    pub mean: Vec<f32>,
    /// Divided by N.
    pub variance: Vec<f32>,
}

impl Tape {
    /// Normalises each column by the batch's own statistics: x (N, D) -> y (N, D).
    pub fn batch_norm(&mut self, x: Var, eps: f32) -> (Var, BatchStatistics) {
        let (n, d) = self.shape(x);
        let value = self.values.get(x);
        let mean = column_means(value, n, d, |x, _| x);
        let variance = column_means(value, n, d, |x, j| (x - mean[j]).powi(2));
        let narrow = |v: &[f64]| v.iter().map(|&x| x as f32).collect::<Vec<_>>();
        let statistics = BatchStatistics { mean: narrow(&mean), variance: narrow(&variance) };
        let y = self.push_standardised(x, (&statistics.mean, &statistics.variance), eps, true);
        (y, statistics)
    }

    /// Normalises each column by given statistics (D), as after training: x (N, D) -> y (N, D).
    pub fn standardise(&mut self, x: Var, mean: &[f32], variance: &[f32], eps: f32) -> Var {
        self.push_standardised(x, (mean, variance), eps, false)
    }

    fn push_standardised(&mut self, x: Var, (mean, variance): (&[f32], &[f32]), eps: f32, through: bool) -> Var {
        let shape = self.shape(x);
        assert_eq!((mean.len(), variance.len()), (shape.1, shape.1));
        let mut roots = self.pool.take(shape.1);
        roots.iter_mut().zip(variance).for_each(|(r, v)| *r = 1.0 / (v + eps).sqrt());
        let mut y = self.pool.copy(self.values.get(x));
        for y in y.chunks_exact_mut(shape.1.max(1)) {
            y.iter_mut().zip(mean.iter().zip(&roots)).for_each(|(y, (m, r))| *y = (*y - m) * r);
        }
        let needs = self.values.needs_grad(x);
        if !needs {
            self.pool.give(std::mem::take(&mut roots));
        }
        self.push(y, shape, needs, || Some(Standardise { x, roots, through }))
    }
}

/// The mean of `f(element, column)` over the rows, (D).
fn column_means(x: &[f32], n: usize, d: usize, f: impl Fn(f64, usize) -> f64) -> Vec<f64> {
    let mut sums = vec![0.0; d];
    for row in x.chunks_exact(d.max(1)) {
        sums.iter_mut().zip(row).enumerate().for_each(|(j, (s, &x))| *s += f(x as f64, j));
    }
    sums.iter_mut().for_each(|s| *s /= n as f64);
    sums
}

struct Standardise {
    x: Var,
    /// `1 / sqrt(v + eps)`, (D).
    roots: Vec<f32>,
    /// Whether the statistics depend on x.
    through: bool,
}

impl Op for Standardise {
    fn name(&self) -> &'static str {
        "batch norm"
    }

    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let (n, d) = cx.values.shape(cx.out);
        let y = cx.values.get(cx.out);
        let zeros = || vec![0.0; d];
        let (mean, product) = if self.through {
            let mut product = zeros();
            for (y, dy) in y.chunks_exact(d).zip(dy.chunks_exact(d)) {
                product.iter_mut().zip(y.iter().zip(dy)).for_each(|(p, (&y, &dy))| *p += y as f64 * dy as f64);
            }
            product.iter_mut().for_each(|p| *p /= n as f64);
            (column_means(dy, n, d, |x, _| x), product)
        } else {
            (zeros(), zeros())
        };
        if let Some(dx) = cx.grads.add(self.x, cx.values, cx.pool) {
            for (i, dx) in dx.iter_mut().enumerate() {
                let j = i % d;
                let through = dy[i] as f64 - mean[j] - y[i] as f64 * product[j];
                *dx += (self.roots[j] as f64 * through) as f32;
            }
        }
        cx.pool.give(std::mem::take(&mut self.roots));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Params,
        ops::normalise::reference, // a column of a batch is normalised as a row of a layer is
        ops::testing::{check_gradients, numbers, weighted_sum},
    };

    #[test]
    fn gradients_through_the_statistics_and_with_fixed_ones() {
        let x = numbers(21, 1);
        check_gradients(&mut Params::new(), &[(&x, (7, 3))], &|t, _, v| {
            let (y, _) = t.batch_norm(v[0], 1e-5);
            let z = t.standardise(v[0], &[0.1, -0.2, 0.3], &[0.5, 1.0, 2.0], 1e-5);
            let y = t.add(y, z);
            weighted_sum(t, y);
        });
    }

    #[test]
    fn matches_reference() {
        let x = numbers(40, 2);
        let mut t = Tape::new();
        let v = t.input(&x, (20, 2));
        let (y, _) = t.batch_norm(v, 1e-4);
        for j in 0..2 {
            let column: Vec<f64> = x.iter().skip(j).step_by(2).map(|&x| x as f64).collect();
            let got = t.value(y).iter().skip(j).step_by(2);
            assert!(got.zip(reference(&column, 1e-4)).all(|(&y, r)| (y as f64 - r).abs() < 1e-5));
        }
    }

    #[test]
    fn by_hand() {
        let mut t = Tape::new();
        let x = t.input(&[1.0, 7.0, 3.0, 7.0], (2, 2));
        let (y, statistics) = t.batch_norm(x, 1e-12);
        assert_eq!(t.value(y), [-1.0, 0.0, 1.0, 0.0]);
        assert_eq!(statistics, BatchStatistics { mean: vec![2.0, 7.0], variance: vec![1.0, 0.0] });
        let z = t.standardise(x, &[0.0, 5.0], &[4.0, 1.0], 0.0);
        assert_eq!(t.value(z), [0.5, 2.0, 1.5, 2.0]);
    }
}
