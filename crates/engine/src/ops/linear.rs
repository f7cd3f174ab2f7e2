//! Linear layer: `y = x W^T + b`.
//!
//! x (N, I), W (O, I), b (1, O), y (N, O). Gradients: `dx = dy W`, `dW += dy^T x`, `db += sum over rows of dy`.

use crate::{
    ParamId, Params, Tape, Var,
    gemm::{self, A, Finish, Start},
    ops::{
        activation::{Activation, slope_times},
        elementwise::pieces,
    },
    params::Layout,
    simd,
    tape::{Backward, Op},
    threads,
};

impl Tape {
    /// `y = x W^T + b`: x (N, I), weight (O, I), bias (1, O) -> y (N, O).
    pub fn linear(&mut self, params: &Params, x: Var, weight: ParamId, bias: Option<ParamId>) -> Var {
        self.linear_activation(params, x, (weight, bias), Activation::Identity)
    }

    /// `y = f(x W^T + b)`: as [`Tape::linear`] with an activation, which is applied while the product is in cache and
    /// needs no buffer of its own where its slope follows from its output (ReLU, tanh, sigmoid).
    pub fn linear_activation(
        &mut self,
        params: &Params,
        x: Var,
        (weight, bias): (ParamId, Option<ParamId>),
        activation: Activation,
    ) -> Var {
        let (n, _) = self.shape(x);
        let (out, _) = params.shape(weight);
        let fused = activation.finish();
        let mut y = self.pool.take(n * out);
        forward_finish(params, (self.value(x), n), (weight, bias), fused.unwrap_or(Finish::None), &mut y);
        let trains = |id: ParamId| params.get(id).trainable();
        let needs = self.values.needs_grad(x) || trains(weight) || bias.is_some_and(trains);
        let kept = if fused.is_some() { activation } else { Activation::Identity };
        let y = self.push(y, (n, out), needs, || Some(Linear { x, weight, bias, activation: kept }));
        if fused.is_some() { y } else { self.activation(y, activation) }
    }
}

/// The forward pass on slices: x (N, I) -> y (N, O). Also the decoding path, where no tape is needed.
pub fn forward(params: &Params, x: &[f32], n: usize, weight: ParamId, bias: Option<ParamId>, y: &mut [f32]) {
    forward_finish(params, (x, n), (weight, bias), Finish::None, y);
}

fn forward_finish(
    params: &Params,
    (x, n): (&[f32], usize),
    (weight, bias): (ParamId, Option<ParamId>),
    finish: Finish,
    y: &mut [f32],
) {
    let (out, inp) = params.shape(weight);
    debug_assert_eq!(x.len(), n * inp);
    let start = bias.map_or(Start::Zero, |b| Start::Bias(params.value(b)));
    let packs = params.packed(weight, Layout::Forward);
    let step = out / packs.len();
    for (g, pack) in packs.iter().enumerate() {
        let start = if let Start::Bias(b) = start { Start::Bias(&b[g * step..]) } else { start };
        gemm::gemm(n, A::rows(x, inp), pack, &mut y[g * step..], out, start, finish);
    }
}

struct Linear {
    x: Var,
    weight: ParamId,
    bias: Option<ParamId>,
    /// One whose slope follows from its output.
    activation: Activation,
}

impl Op for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        if self.activation != Activation::Identity {
            // Through the activation first: the gradient of x W^T + b.
            let (y, kind) = (cx.values.get(cx.out), self.activation);
            let mut inner = cx.pool.take(dy.len());
            pieces(&mut inner, |at, g| slope_times(kind, &y[at..], &dy[at..], g, true));
            self.activation = Activation::Identity;
            self.backward(&inner, cx);
            return cx.pool.give(inner);
        }
        let (n, out) = cx.values.shape(cx.out);
        input_gradient(self.x, dy, n, out, self.weight, cx);
        weight_gradient(self.x, dy, n, out, self.weight, cx);
        if let Some(db) = self.bias.and_then(|b| cx.params.grad_dense(b)) {
            column_sums(dy, out, db);
        }
    }
}

/// `dx (+)= dy W`, dy (N, O).
pub(crate) fn input_gradient(x: Var, dy: &[f32], n: usize, out: usize, weight: ParamId, cx: &mut Backward<'_>) {
    if let Some((dx, fresh)) = cx.grads.slot(x, cx.values, cx.pool) {
        let pack = &cx.params.packed(weight, Layout::Backward)[0];
        let start = if fresh { Start::Zero } else { Start::Keep };
        gemm::gemm(n, A::rows(dy, out), pack, dx, pack.n(), start, Finish::None);
    }
}

/// `dW += dy^T x`.
pub(crate) fn weight_gradient(x: Var, dy: &[f32], n: usize, out: usize, weight: ParamId, cx: &mut Backward<'_>) {
    let inp = cx.params.shape(weight).1;
    if let Some(dw) = cx.params.grad_dense(weight) {
        cx.scratch.pack.pack(cx.values.get(x), inp, n, inp, false);
        gemm::gemm(out, A::columns(dy, out), &cx.scratch.pack, dw, inp, Start::Keep, Finish::None);
    }
}

/// `sums += the sum over the rows of m`, m (N, cols); each column is summed in row order.
pub(crate) fn column_sums(m: &[f32], cols: usize, sums: &mut [f32]) {
    let size = sums.len().div_ceil(rayon::current_num_threads()).max(256);
    threads::chunks(sums, size, |i, sums| add_rows(sums, &m[(i * size).min(m.len())..], cols));
}

simd::multiversion! {
    /// Adds rows that lie `stride` apart, several in one pass over the sums.
    fn add_rows(sums: &mut [f32], rows: &[f32], stride: usize) -> () {
        const PASS: usize = 8;
        let (n, mut rest) = (sums.len(), rows);
        while rest.len() >= (PASS - 1) * stride + n {
            let row: [&[f32]; PASS] = std::array::from_fn(|i| &rest[i * stride..][..n]);
            for j in 0..n {
                let mut s = sums[j];
                for i in 0..PASS {
                    s += row[i][j];
                }
                sums[j] = s;
            }
            rest = rest.get(PASS * stride..).unwrap_or(&[]);
        }
        while rest.len() >= n && n > 0 {
            sums.iter_mut().zip(rest).for_each(|(s, x)| *s += x);
            rest = rest.get(stride..).unwrap_or(&[]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{check_gradients, numbers, params, weighted_sum};

    #[test]
    fn gradients() {
        let (mut p, ids) = params(&[(5, 3), (1, 5), (2, 5)]);
        let x = numbers(7 * 3, 1);
        check_gradients(&mut p, &[(&x, (7, 3))], &|t, p, v| {
            let y = t.linear(p, v[0], ids[0], Some(ids[1]));
            let y = t.linear(p, y, ids[2], None);
            weighted_sum(t, y);
        });
    }

    #[test]
    fn by_hand() {
        let mut p = Params::new();
        let w = p.add("w", (2, 2), vec![1.0, 2.0, 3.0, 4.0]);
        let b = p.add("b", (1, 2), vec![0.5, -0.5]);
        let mut t = Tape::inference();
        let x = t.input(&[10.0, 100.0], (1, 2));
        let y = t.linear(&p, x, w, Some(b));
        assert_eq!(t.value(y), [210.5, 429.5]);
    }

    #[test]
    fn a_frozen_layer_has_no_gradient_but_passes_one_on() {
        let mut p = Params::new();
        let first = p.add("first", (1, 1), vec![3.0]);
        let second = p.add("second", (1, 1), vec![5.0]);
        p.set_trainable("second", false);
        let mut t = Tape::new();
        let x = t.input(&[2.0], (1, 1));
        let y = t.linear(&p, x, first, None);
        let y = t.linear(&p, y, second, None);
        t.custom_loss(y, 0.0, &[1.0]);
        t.backward(&mut p).unwrap();
        assert_eq!((p.get(first).grad(), p.get(second).grad()), (&[10.0][..], &[][..]));
        // With both frozen nothing is recorded, and nothing is computed on the way back.
        p.zero_grads();
        p.set_trainable("", false);
        t.reset();
        let x = t.input(&[2.0], (1, 1));
        let y = t.linear(&p, x, first, None);
        assert!(!t.values.needs_grad(y));
    }

    #[test]
    fn a_nan_is_named() {
        let mut p = Params::new();
        let w = p.add("w", (1, 1), vec![f32::INFINITY]);
        let mut t = Tape::new();
        let x = t.input(&[0.0], (1, 1));
        let y = t.linear(&p, x, w, None);
        weighted_sum(&mut t, y);
        assert!(t.backward(&mut p).unwrap_err().to_string().contains("`linear`"));
    }
}
