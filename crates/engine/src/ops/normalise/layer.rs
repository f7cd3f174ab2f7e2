//! Layer normalisation (Ba et al. 2016): `y = gain (x - m) r + bias`, with the mean m and `r = 1 / sqrt(var + eps)` of
//! each row.
//!
//! x, y (N, D), gain and bias (1, D), or none. With `h = (x - m) r` and `g = gain dy`:
//! `dx = r (g - mean(g) - h mean(g h))`, `dgain += sum over rows of dy h`, `dbias += sum over rows of dy`.

use crate::{
    ParamId, Params, Tape, Var,
    ops::linear::column_sums,
    simd,
    tape::{Backward, Op},
    threads::{self, Shared},
};

/// Elements a thread should have before rows are split.
const GRAIN: usize = 1 << 14;

impl Tape {
    /// Normalises each row: x (N, D), affine = (gain, bias) (1, D) -> y (N, D).
    pub fn layer_norm(&mut self, params: &Params, x: Var, affine: Option<(ParamId, ParamId)>, eps: f32) -> Var {
        let (n, d) = self.shape(x);
        let mut y = self.pool.take(n * d);
        let mut moments = self.pool.take(2 * n);
        let value = self.values.get(x);
        let weights = affine.map(|(gain, bias)| (params.value(gain), params.value(bias)));
        let (out, kept) = (Shared(y.as_mut_ptr()), Shared(moments.as_mut_ptr()));
        threads::split(n, GRAIN / d.max(1) + 1, |rows| {
            for i in rows {
                let x = &value[i * d..][..d];
                let (mean, root) = moments_of(x, eps);
                // SAFETY: each range owns its rows of y and of the moments.
                let (y, kept) = unsafe { (out.slice(i * d, d), kept.slice(2 * i, 2)) };
                kept.copy_from_slice(&[mean, root]);
                normalised(x, mean, root, y);
                if let Some((gain, bias)) = weights {
                    affine_row(y, gain, bias);
                }
            }
        });
        let weighted = affine.is_some_and(|(g, b)| params.get(g).trainable() || params.get(b).trainable());
        if !self.recording() || !(weighted || self.values.needs_grad(x)) {
            self.pool.give(std::mem::take(&mut moments));
        }
        let needs = weighted || self.values.needs_grad(x);
        self.push(y, (n, d), needs, || Some(LayerNorm { x, affine, moments }))
    }
}

struct LayerNorm {
    x: Var,
    affine: Option<(ParamId, ParamId)>,
    /// Mean and inverse deviation of each row, (N, 2).
    moments: Vec<f32>,
}

impl Op for LayerNorm {
    fn name(&self) -> &'static str {
        "layer norm"
    }

    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let (n, d) = cx.values.shape(cx.out);
        let x = cx.values.get(self.x);
        let moments = std::mem::take(&mut self.moments);
        if let Some((gain, bias)) = self.affine {
            if let Some(dgain) = cx.params.grad_dense(gain) {
                let size = d.div_ceil(rayon::current_num_threads()).max(64);
                threads::chunks(dgain, size, |piece, dgain| {
                    let columns = piece * size..piece * size + dgain.len();
                    for i in 0..n {
                        let row = i * d + columns.start..i * d + columns.end;
                        gain_back(&x[row.clone()], &dy[row], (moments[2 * i], moments[2 * i + 1]), dgain);
                    }
                });
            }
            if let Some(dbias) = cx.params.grad_dense(bias) {
                column_sums(dy, d, dbias);
            }
        }
        let Some((dx, fresh)) = cx.grads.slot(self.x, cx.values, cx.pool) else { return cx.pool.give(moments) };
        let gain = self.affine.map(|(gain, _)| cx.params.value(gain));
        let dx = Shared(dx.as_mut_ptr());
        threads::split(n, GRAIN / d.max(1) + 1, |rows| {
            for i in rows {
                let (x, dy) = (&x[i * d..][..d], &dy[i * d..][..d]);
                // SAFETY: each range owns its rows.
                let dx = unsafe { dx.slice(i * d, d) };
                row_back(x, dy, gain, (moments[2 * i], moments[2 * i + 1]), dx, fresh);
            }
        });
        cx.pool.give(moments);
    }
}

/// The sum of `f(j)` over the columns `0..n`, in sixteen interleaved chains.
#[inline(always)]
fn sum(n: usize, f: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0f32; 16];
    for start in (0..n / 16 * 16).step_by(16) {
        (0..16).for_each(|l| lanes[l] += f(start + l));
    }
    lanes.iter().sum::<f32>() + (n / 16 * 16..n).map(f).sum::<f32>()
}

simd::multiversion! {
    /// Mean and `1 / sqrt(var + eps)` of a row, in two passes.
    fn moments_of(x: &[f32], eps: f32) -> (f32, f32) {
        let n = x.len();
        let mean = sum(n, |j| x[j]) / n as f32;
        let variance = sum(n, |j| (x[j] - mean) * (x[j] - mean)) / n as f32;
        (mean, 1.0 / (variance + eps).sqrt())
    }
}

simd::multiversion! {
    fn normalised(x: &[f32], mean: f32, root: f32, y: &mut [f32]) -> () {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = (x - mean) * root);
    }
}

simd::multiversion! {
    fn affine_row(y: &mut [f32], gain: &[f32], bias: &[f32]) -> () {
        y.iter_mut().zip(gain.iter().zip(bias)).for_each(|(y, (g, b))| *y = *y * g + b);
    }
}

simd::multiversion! {
    /// `dgain += dy h` for some columns of one row.
    fn gain_back(x: &[f32], dy: &[f32], moments: (f32, f32), dgain: &mut [f32]) -> () {
        let (mean, root) = moments;
        dgain.iter_mut().zip(x.iter().zip(dy)).for_each(|(g, (x, dy))| *g += dy * (x - mean) * root);
    }
}

simd::multiversion! {
    fn row_back(x: &[f32], dy: &[f32], gain: Option<&[f32]>, moments: (f32, f32), dx: &mut [f32], fresh: bool) -> () {
        let (n, (mean, root)) = (dx.len(), moments);
        let (x, dy) = (&x[..n], &dy[..n]);
        let gain = gain.map(|g| &g[..n]);
        let g = |j: usize| gain.map_or(dy[j], |w| w[j] * dy[j]);
        let mean_g = sum(n, g) / n as f32;
        let mean_gh = sum(n, |j| g(j) * (x[j] - mean) * root) / n as f32;
        for j in 0..n {
            let d = root * (g(j) - mean_g - (x[j] - mean) * root * mean_gh);
            dx[j] = if fresh { d } else { dx[j] + d };
        }
    }
}

/// The plain twin: one row in f64, without gain and bias.
pub fn reference(x: &[f64], eps: f64) -> Vec<f64> {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
    x.iter().map(|x| (x - mean) / (variance + eps).sqrt()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{check_gradients, numbers, params, weighted_sum};

    #[test]
    fn gradients_with_and_without_gain() {
        let x = numbers(4 * 19, 1);
        let (mut p, ids) = params(&[(1, 19), (1, 19)]);
        for affine in [Some((ids[0], ids[1])), None] {
            check_gradients(&mut p, &[(&x, (4, 19))], &|t, p, v| {
                let y = t.layer_norm(p, v[0], affine, 1e-5);
                weighted_sum(t, y);
            });
        }
    }

    #[test]
    fn matches_reference() {
        let x = numbers(50, 2);
        let mut t = Tape::inference();
        let v = t.input(&x, (1, 50));
        let y = t.layer_norm(&Params::new(), v, None, 1e-3);
        let wide: Vec<f64> = x.iter().map(|&x| x as f64).collect();
        assert!(t.value(y).iter().zip(reference(&wide, 1e-3)).all(|(&y, r)| (y as f64 - r).abs() < 1e-5));
    }

    #[test]
    fn by_hand() {
        let mut p = Params::new();
        let (gain, bias) = (p.add("g", (1, 2), vec![2.0, 3.0]), p.add("b", (1, 2), vec![0.5, 0.0]));
        let mut t = Tape::inference();
        let x = t.input(&[1.0, 5.0, 4.0, 4.0], (2, 2));
        let y = t.layer_norm(&p, x, Some((gain, bias)), 1e-12);
        assert_eq!(t.value(y), [-1.5, 3.0, 0.5, 0.0], "a constant row becomes the bias");
    }
}
