//! Gaussian latents `q = N(mu, diag(exp(logvar)))`: sampling (Kingma & Welling 2014) and the divergence from N(0, I).
//!
//! mu, logvar, z (B, D). `z = mu + exp(logvar / 2) e` with e ~ N(0, I): `dmu = dz`, `dlogvar = dz e exp(logvar/2) / 2`.
//! `KL_ij = (exp(logvar_ij) + mu_ij^2 - 1 - logvar_ij) / 2` nats, never negative; `loss = scale sum_j max(sum_i
//! KL_ij, B f)` with f free nats a dimension (Kingma et al. 2016; 0 for the plain sum): a dimension whose mean over
//! the batch lies below f costs a constant and has no gradient. `dmu = scale mu`, `dlogvar = scale (exp(logvar) - 1)
//! / 2`.

use crate::{
    Tape, Var,
    ops::elementwise::{combine, pieces},
    simd,
    tape::{Backward, Op},
};

/// How a divergence counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Divergence {
    /// Factor of the sum in the total loss (beta / B gives beta times the mean over the batch).
    pub scale: f32,
    /// Nats a dimension may use without cost, averaged over the batch.
    pub free: f32,
}

/// The divergences of the last [`Tape::kl_standard_normal`], in nats.
#[derive(Debug, Default)]
pub(crate) struct Nats {
    rows: Vec<f64>,
    columns: Vec<f64>,
}

impl Tape {
    /// Samples `z = mu + exp(logvar / 2) noise`: mu, logvar (B, D), noise B D standard normal numbers -> z (B, D).
    pub fn reparameterise(&mut self, mu: Var, logvar: Var, noise: &[f32]) -> Var {
        let shape = self.shape(mu);
        assert_eq!((self.shape(logvar), noise.len()), (shape, shape.0 * shape.1));
        let mut shift = self.pool.take(noise.len());
        let lv = self.values.get(logvar);
        pieces(&mut shift, |at, s| combine(s, &lv[at..], &noise[at..], |lv, e| e * simd::exp(0.5 * lv)));
        let mut z = self.pool.take(noise.len());
        let mean = self.values.get(mu);
        pieces(&mut z, |at, z| combine(z, &mean[at..], &shift[at..], |m, s| m + s));
        let needs = self.values.needs_grad(mu) || self.values.needs_grad(logvar);
        if !needs {
            self.pool.give(std::mem::take(&mut shift));
        }
        self.push(z, shape, needs, || Some(Reparameterise { mu, logvar, shift }))
    }

    /// Adds the divergence of N(mu, exp(logvar)) from N(0, I) to the loss; mu, logvar (B, D). Returns its sum in
    /// nats, unscaled and without the free nats.
    pub fn kl_standard_normal(&mut self, mu: Var, logvar: Var, divergence: Divergence) -> f64 {
        let (b, d) = self.shape(mu);
        assert_eq!(self.shape(logvar), (b, d));
        let mut nats = std::mem::take(&mut self.scratch.nats);
        for (sums, len) in [(&mut nats.rows, b), (&mut nats.columns, d)] {
            sums.clear();
            sums.resize(len, 0.0);
        }
        let (m, lv) = (self.values.get(mu), self.values.get(logvar));
        for i in 0..b {
            for j in 0..d {
                let kl = reference(m[i * d + j] as f64, lv[i * d + j] as f64);
                nats.rows[i] += kl;
                nats.columns[j] += kl;
            }
        }
        let free = divergence.free as f64 * b as f64;
        // `max` would take the free nats for a NaN.
        let cost = |&kl: &f64| if kl < free { free } else { kl };
        let loss = divergence.scale as f64 * nats.columns.iter().map(cost).sum::<f64>();
        let mut factors = self.pool.take(d);
        let factor = |&kl: &f64| if kl < free { 0.0 } else { divergence.scale };
        factors.iter_mut().zip(&nats.columns).for_each(|(f, kl)| *f = factor(kl));
        let total = nats.columns.iter().sum();
        self.scratch.nats = nats;
        self.push_loss(loss, || Some(Kl { mu, logvar, factors }));
        total
    }

    /// Nats of each row of the last [`Tape::kl_standard_normal`], (B).
    pub fn row_divergence(&self) -> &[f64] {
        &self.scratch.nats.rows
    }

    /// Nats of each dimension, summed over the rows of the last [`Tape::kl_standard_normal`], (D).
    pub fn dimension_divergence(&self) -> &[f64] {
        &self.scratch.nats.columns
    }
}

struct Reparameterise {
    mu: Var,
    logvar: Var,
    /// `exp(logvar / 2) e`, (B, D).
    shift: Vec<f32>,
}

impl Op for Reparameterise {
    fn name(&self) -> &'static str {
        "reparameterise"
    }
    fn backward(&mut self, dz: &[f32], cx: &mut Backward<'_>) {
        if let Some(dmu) = cx.grads.add(self.mu, cx.values, cx.pool) {
            dmu.iter_mut().zip(dz).for_each(|(g, d)| *g += d);
        }
        if let Some(dlogvar) = cx.grads.add(self.logvar, cx.values, cx.pool) {
            dlogvar.iter_mut().zip(dz.iter().zip(&self.shift)).for_each(|(g, (d, s))| *g += 0.5 * d * s);
        }
        cx.pool.give(std::mem::take(&mut self.shift));
    }
}

struct Kl {
    mu: Var,
    logvar: Var,
    /// The scale of each dimension, 0 where its nats are free, (D).
    factors: Vec<f32>,
}

impl Op for Kl {
    fn name(&self) -> &'static str {
        "KL divergence"
    }
    fn is_loss(&self) -> bool {
        true
    }
    fn backward(&mut self, _: &[f32], cx: &mut Backward<'_>) {
        let (m, lv) = (cx.values.get(self.mu), cx.values.get(self.logvar));
        let d = self.factors.len().max(1);
        if let Some(g) = cx.grads.add(self.mu, cx.values, cx.pool) {
            g.iter_mut().enumerate().for_each(|(i, g)| *g += self.factors[i % d] * m[i]);
        }
        if let Some(g) = cx.grads.add(self.logvar, cx.values, cx.pool) {
            g.iter_mut().enumerate().for_each(|(i, g)| *g += 0.5 * self.factors[i % d] * lv[i].exp_m1());
        }
        cx.pool.give(std::mem::take(&mut self.factors));
    }
}

/// The divergence of N(mu, exp(logvar)) from N(0, 1) in nats.
pub fn reference(mu: f64, logvar: f64) -> f64 {
    // `exp(lv) - 1 - lv` loses all digits near 0.
    0.5 * (logvar.exp_m1() - logvar + mu * mu)
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
        let (mu, lv, noise) = (numbers(12, 1), numbers(12, 2), numbers(12, 3));
        for free in [0.0, 0.15] {
            check_gradients(&mut Params::new(), &[(&mu, (3, 4)), (&lv, (3, 4))], &|t, _, v| {
                let z = t.reparameterise(v[0], v[1], &noise);
                weighted_sum(t, z);
                t.kl_standard_normal(v[0], v[1], Divergence { scale: 0.5, free });
            });
        }
    }

    #[test]
    fn by_hand() {
        let mut t = Tape::new();
        // Per element: mu = 1 costs 1/2; sigma^2 = 4 costs (4 - 1 - ln 4) / 2; the prior itself nothing.
        let ln4 = 4f32.ln();
        let mu = t.variable(&[1.0, 0.0, 0.0, 0.0], (2, 2));
        let lv = t.variable(&[0.0, ln4, 0.0, 0.0], (2, 2));
        let wide = 0.5 * (3.0 - ln4 as f64);
        let nats = t.kl_standard_normal(mu, lv, Divergence { scale: 1.0, free: 0.5 });
        assert!((nats - 0.5 - wide).abs() < 1e-6);
        assert!((t.row_divergence()[0] - nats).abs() < 1e-12 && t.row_divergence()[1] == 0.0);
        // Dimension 0 has 1/4 nat a row, below the half that is free; dimension 1 has less, too: both cost 1.
        assert!((t.loss() - 2.0).abs() < 1e-6, "{}", t.loss());
        assert!((t.dimension_divergence()[1] - wide).abs() < 1e-6);
        t.backward(&mut Params::new()).unwrap();
        assert!(t.grad(mu).iter().chain(t.grad(lv)).all(|&g| g == 0.0));
        let mut t = Tape::inference();
        let (mu, lv) = (t.input(&[1.0, 5.0], (1, 2)), t.input(&[ln4, 0.0], (1, 2)));
        let z = t.reparameterise(mu, lv, &[3.0, -1.0]);
        assert!((t.value(z)[0] - 7.0).abs() < 1e-5 && t.value(z)[1] == 4.0);
    }
}
