//! Helpers of the layers' tests: fixed pseudo-random numbers and the finite-difference check.

use crate::{
    ParamId, Params, Tape, Var,
    tape::{Backward, Op},
};

/// `n` numbers in about (-1, 1), the same for the same seed.
pub(crate) fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let mut s = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x1234_5678_9ABC_DEF1);
    let next = |_| {
        s = s.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((s >> 40) as f32 / (1u64 << 24) as f32) * 2.0 - 1.0
    };
    (0..n).map(next).collect()
}

/// Parameters of the given shapes, filled with [`numbers`].
pub(crate) fn params(shapes: &[(usize, usize)]) -> (Params, Vec<ParamId>) {
    let mut p = Params::new();
    let add = |(i, &(r, c)): (usize, &(usize, usize))| p.add(format!("p{i}"), (r, c), numbers(r * c, 100 + i as u64));
    let ids = shapes.iter().enumerate().map(add).collect();
    (p, ids)
}

/// A loss that weighs every element of `y` with another fixed number, so that no gradient error cancels.
pub(crate) fn weighted_sum(t: &mut Tape, y: Var) {
    struct WeightedSum(Var, Vec<f32>);
    impl Op for WeightedSum {
        fn name(&self) -> &'static str {
            "weighted sum"
        }
        fn is_loss(&self) -> bool {
            true
        }
        fn backward(&mut self, _: &[f32], cx: &mut Backward<'_>) {
            if let Some(d) = cx.grads.add(self.0, cx.values, cx.pool) {
                d.iter_mut().zip(&self.1).for_each(|(d, w)| *d += w);
            }
        }
    }
    let (r, c) = t.shape(y);
    let w = numbers(r * c, 77);
    let loss = t.value(y).iter().zip(&w).map(|(&y, &w)| y as f64 * w as f64).sum();
    t.push_loss(loss, || Some(WeightedSum(y, w)));
}

/// Compares the gradients of the loss that `f` builds from `inputs` with central differences, for every input
/// element and every weight.
pub(crate) fn check_gradients(
    p: &mut Params,
    inputs: &[(&[f32], (usize, usize))],
    f: &dyn Fn(&mut Tape, &Params, &[Var]),
) {
    let run = |p: &Params, inputs: &[Vec<f32>], shapes: &[(usize, usize)]| {
        let mut t = Tape::new();
        let vars: Vec<Var> = inputs.iter().zip(shapes).map(|(x, &s)| t.variable(x, s)).collect();
        f(&mut t, p, &vars);
        (t, vars)
    };
    let shapes: Vec<_> = inputs.iter().map(|i| i.1).collect();
    let mut data: Vec<Vec<f32>> = inputs.iter().map(|i| i.0.to_vec()).collect();
    p.zero_grads();
    let (mut t, vars) = run(p, &data, &shapes);
    t.backward(p).unwrap();
    let close = |what: String, analytic: f64, numeric: f64| {
        let tolerance = 4e-3 * (1.0 + analytic.abs().max(numeric.abs()));
        assert!((analytic - numeric).abs() < tolerance, "{what}: gradient {analytic}, finite difference {numeric}");
    };
    let h = 2e-3f32;
    for i in 0..data.len() {
        for j in 0..data[i].len() {
            let x = data[i][j];
            data[i][j] = x + h;
            let up = run(p, &data, &shapes).0.loss();
            data[i][j] = x - h;
            let down = run(p, &data, &shapes).0.loss();
            data[i][j] = x;
            let analytic = t.grad(vars[i]).get(j).copied().unwrap_or(0.0);
            close(format!("input {i} element {j}"), analytic as f64, (up - down) / (2.0 * h as f64));
        }
    }
    let ids: Vec<ParamId> = p.iter().map(|(id, _)| id).collect();
    for id in ids {
        for j in 0..p.value(id).len() {
            let x = p.value(id)[j];
            p.nudge(id, j, h);
            let up = run(p, &data, &shapes).0.loss();
            p.nudge(id, j, -2.0 * h);
            let down = run(p, &data, &shapes).0.loss();
            p.nudge(id, j, x - p.value(id)[j]);
            let analytic = p.get(id).grad().get(j).copied().unwrap_or(0.0);
            close(format!("{} element {j}", p.get(id).name()), analytic as f64, (up - down) / (2.0 * h as f64));
        }
    }
}
