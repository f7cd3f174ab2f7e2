//! How one Gaussian lies in the scale of another: what makes the divergence of any two that of one from N(0, I).
//!
//! d, logvar, y (B, D): `y = d exp(-logvar / 2)`, `dd = dy exp(-logvar / 2)`, `dlogvar = -dy y / 2`.
//!
//! For diagonal `q = N(m, e^v)` and `p = N(a, e^w)`, with `y = (m - a) e^(-w/2)` and `u = v - w`:
//! `KL(q || p) = sum_j (e^(v-w) + (m - a)^2 e^(-w) - 1 - (v - w)) / 2 = KL(N(y, e^u) || N(0, I))`.

use crate::{
    Tape, Var,
    tape::{Backward, Op},
};

impl Tape {
    /// `d exp(-logvar / 2)`: d, logvar (B, D) -> y (B, D).
    pub fn whiten(&mut self, d: Var, logvar: Var) -> Var {
        let shape = self.shape(d);
        assert_eq!(self.shape(logvar), shape);
        let mut y = self.pool.take(shape.0 * shape.1);
        let pairs = self.values.get(d).iter().zip(self.values.get(logvar));
        y.iter_mut().zip(pairs).for_each(|(y, (d, lv))| *y = d * (-0.5 * lv).exp());
        let needs = self.values.needs_grad(d) || self.values.needs_grad(logvar);
        self.push(y, shape, needs, || Some(Whiten { d, logvar }))
    }

    /// A Gaussian `[mean, log variance]` in the scale of another: their divergence is that of the result from N(0, I).
    pub fn relative_gaussian(&mut self, [mean, logvar]: [Var; 2], [origin, scale]: [Var; 2]) -> [Var; 2] {
        let d = self.sub(mean, origin);
        [self.whiten(d, scale), self.sub(logvar, scale)]
    }
}

struct Whiten {
    d: Var,
    logvar: Var,
}

impl Op for Whiten {
    fn name(&self) -> &'static str {
        "whiten"
    }
    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let lv = cx.values.get(self.logvar);
        if let Some(g) = cx.grads.add(self.d, cx.values, cx.pool) {
            g.iter_mut().zip(dy.iter().zip(lv)).for_each(|(g, (dy, lv))| *g += dy * (-0.5 * lv).exp());
        }
        let y = cx.values.get(cx.out);
        if let Some(g) = cx.grads.add(self.logvar, cx.values, cx.pool) {
            g.iter_mut().zip(dy.iter().zip(y)).for_each(|(g, (dy, y))| *g -= 0.5 * dy * y);
        }
    }
}

/// The divergence of N(m, e^v) from N(a, e^w) in nats, directly.
pub fn reference([m, v]: [f64; 2], [a, w]: [f64; 2]) -> f64 {
    0.5 * ((v - w).exp() + (m - a).powi(2) * (-w).exp() - 1.0 - (v - w))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Params,
        ops::{
            gaussian::Divergence,
            testing::{check_gradients, numbers},
        },
    };

    const PLAIN: Divergence = Divergence { scale: 0.5, free: 0.0 };

    #[test]
    fn gradients_match_finite_differences_and_reference() {
        let all: Vec<Vec<f32>> = (1..5).map(|seed| numbers(6, seed)).collect();
        let inputs: Vec<(&[f32], (usize, usize))> = all.iter().map(|x| (&x[..], (2, 3))).collect();
        check_gradients(&mut Params::new(), &inputs, &|t, _, v| {
            let [m, lv] = t.relative_gaussian([v[0], v[1]], [v[2], v[3]]);
            t.kl_standard_normal(m, lv, PLAIN);
        });
        let mut t = Tape::inference();
        let vars: Vec<Var> = inputs.iter().map(|(x, shape)| t.input(x, *shape)).collect();
        let [m, lv] = t.relative_gaussian([vars[0], vars[1]], [vars[2], vars[3]]);
        let nats = t.kl_standard_normal(m, lv, PLAIN);
        let at = |which: usize, i: usize| f64::from(all[which][i]);
        let expected: f64 = (0..6).map(|i| reference([at(0, i), at(1, i)], [at(2, i), at(3, i)])).sum();
        assert!((nats - expected).abs() < 1e-5, "{nats} {expected}");
    }

    #[test]
    fn by_hand() {
        // The same Gaussian twice costs nothing; a mean 3 off at a variance of 4 costs 9/8.
        let mut t = Tape::inference();
        let ln4 = 4f32.ln();
        let q = [t.input(&[1.0, 4.0], (1, 2)), t.input(&[0.7, ln4], (1, 2))];
        let p = [t.input(&[1.0, 1.0], (1, 2)), t.input(&[0.7, ln4], (1, 2))];
        let [m, lv] = t.relative_gaussian(q, p);
        t.kl_standard_normal(m, lv, PLAIN);
        assert!(t.dimension_divergence()[0].abs() < 1e-9 && (t.dimension_divergence()[1] - 1.125).abs() < 1e-6);
    }
}
