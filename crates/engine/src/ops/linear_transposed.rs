//! Product with a weight as it lies: `y = x W`, the way back through a linear layer as a layer of its own.
//!
//! x (N, O), W (O, I), y (N, I). Gradients: `dx = dy W^T`, `dW += x^T dy`. The slope of a network for its input is a
//! chain of such products and masks, so a loss on that slope (a gradient penalty: Gulrajani et al. 2017) trains the
//! same weights that the forward pass uses.

use crate::{
    ParamId, Params, Tape, Var,
    gemm::{self, A, Finish, Start},
    params::Layout,
    tape::{Backward, Op},
};

impl Tape {
    /// `y = x W`: x (N, O), weight (O, I) -> y (N, I).
    pub fn linear_transposed(&mut self, params: &Params, x: Var, weight: ParamId) -> Var {
        let ((n, inner), (out, inp)) = (self.shape(x), params.shape(weight));
        assert_eq!(inner, out, "a row of x has one value for each row of the weight");
        let mut y = self.pool.take(n * inp);
        let pack = &params.packed(weight, Layout::Backward)[0];
        gemm::gemm(n, A::rows(self.value(x), out), pack, &mut y, inp, Start::Zero, Finish::None);
        let needs = self.values.needs_grad(x) || params.get(weight).trainable();
        self.push(y, (n, inp), needs, || Some(LinearTransposed { x, weight }))
    }
}

struct LinearTransposed {
    x: Var,
    weight: ParamId,
}

impl Op for LinearTransposed {
    fn name(&self) -> &'static str {
        "linear, transposed"
    }

    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let (n, inp) = cx.values.shape(cx.out);
        let out = cx.params.shape(self.weight).0;
        if let Some((dx, fresh)) = cx.grads.slot(self.x, cx.values, cx.pool) {
            let packs = cx.params.packed(self.weight, Layout::Forward);
            let step = out / packs.len();
            let start = if fresh { Start::Zero } else { Start::Keep };
            for (g, pack) in packs.iter().enumerate() {
                gemm::gemm(n, A::rows(dy, inp), pack, &mut dx[g * step..], out, start, Finish::None);
            }
        }
        if let Some(dw) = cx.params.grad_dense(self.weight) {
            cx.scratch.pack.pack(dy, inp, n, inp, false);
            let x = A::columns(cx.values.get(self.x), out);
            gemm::gemm(out, x, &cx.scratch.pack, dw, inp, Start::Keep, Finish::None);
        }
    }
}

/// The plain twin: x (n, o), w (o, i) -> y (n, i) in f64.
pub fn reference(x: &[f32], w: &[f32], (n, o, i): (usize, usize, usize)) -> Vec<f64> {
    gemm::reference((n, o, i), |row, k| x[row * o + k], |k, column| w[k * i + column])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{check_gradients, numbers, params, weighted_sum};

    #[test]
    fn gradients_even_where_the_weight_serves_both_ways() {
        let (mut p, ids) = params(&[(5, 3), (1, 5)]);
        let x = numbers(7 * 3, 1);
        check_gradients(&mut p, &[(&x, (7, 3))], &|t, p, v| {
            let y = t.linear(p, v[0], ids[0], Some(ids[1]));
            let back = t.linear_transposed(p, y, ids[0]);
            let back = t.add(back, v[0]); // a second contribution to the same gradient
            weighted_sum(t, back);
        });
    }

    #[test]
    fn matches_reference() {
        let (p, ids) = params(&[(19, 33)]);
        let x = numbers(6 * 19, 2);
        let mut t = Tape::inference();
        let v = t.input(&x, (6, 19));
        let y = t.linear_transposed(&p, v, ids[0]);
        let expected = reference(&x, p.value(ids[0]), (6, 19, 33));
        assert_eq!(t.shape(y), (6, 33));
        assert!(t.value(y).iter().zip(expected).all(|(&y, r)| (y as f64 - r).abs() < 1e-5));
    }

    #[test]
    fn by_hand() {
        let mut p = Params::new();
        let w = p.add("w", (2, 3), vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let mut t = Tape::new();
        let x = t.variable(&[10.0, 100.0], (1, 2));
        let y = t.linear_transposed(&p, x, w);
        assert_eq!(t.value(y), [410.0, 520.0, 630.0]);
        t.custom_loss(y, 0.0, &[1.0, 0.0, -1.0]);
        t.backward(&mut p).unwrap();
        assert_eq!(t.grad(x), [-2.0, -2.0]);
        assert_eq!(p.get(w).grad(), [10.0, 0.0, -10.0, 100.0, 0.0, -100.0]);
    }
}
