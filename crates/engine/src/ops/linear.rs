//! Linear layer: `y = x W^T + b`.
//!
//! x (N, I), W (O, I), b (1, O), y (N, O). Gradients: `dx = dy W`, `dW += dy^T x`, `db += sum over rows of dy`.

use crate::{
    ParamId, Params, Tape, Var,
    gemm::{self, A, Finish, Start},
    params::Layout,
    tape::{Backward, Op},
    threads,
};

impl Tape {
    /// `y = x W^T + b`: x (N, I), weight (O, I), bias (1, O) -> y (N, O).
    pub fn linear(&mut self, params: &Params, x: Var, weight: ParamId, bias: Option<ParamId>) -> Var {
        let (n, _) = self.shape(x);
        let (out, _) = params.shape(weight);
        let mut y = self.pool.take(n * out);
        forward(params, self.value(x), n, weight, bias, &mut y);
        self.push(y, (n, out), true, || Some(Linear { x, weight, bias }))
    }
}

/// The forward pass on slices: x (N, I) -> y (N, O). Also the decoding path, where no tape is needed.
pub fn forward(params: &Params, x: &[f32], n: usize, weight: ParamId, bias: Option<ParamId>, y: &mut [f32]) {
    let (out, inp) = params.shape(weight);
    debug_assert_eq!(x.len(), n * inp);
    let start = bias.map_or(Start::Zero, |b| Start::Bias(params.value(b)));
    let packs = params.packed(weight, Layout::Forward);
    let step = out / packs.len();
    for (g, pack) in packs.iter().enumerate() {
        let start = if let Start::Bias(b) = start { Start::Bias(&b[g * step..]) } else { start };
        gemm::gemm(n, A::rows(x, inp), pack, &mut y[g * step..], out, start, Finish::None);
    }
}

struct Linear {
    x: Var,
    weight: ParamId,
    bias: Option<ParamId>,
}

impl Op for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
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
    threads::chunks(sums, size, |i, sums| {
        for row in m.chunks_exact(cols) {
            sums.iter_mut().zip(&row[i * size..]).for_each(|(s, x)| *s += x);
        }
    });
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
