//! Optimisers: Adam, AdamW and SGD with momentum, each in one pass over weights, moments and gradients, after a
//! pass for the global norm; the weights' packs are refreshed and the gradients cleared on the way.
//!
//! Rows of a gradient that nothing touched count as zero, exactly as a dense gradient would; a parameter that
//! nothing touched at all is left alone.

use crate::{Error, ParamId, Params, params::Param, simd, threads};

/// The update rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Kingma & Ba (2015), bias-corrected; `decay` > 0 makes it AdamW (Loshchilov & Hutter 2019): the weights of
    /// matrices shrink by `rate * decay` a step, apart from the gradient (vectors do not).
    Adam { beta1: f32, beta2: f32, eps: f32, decay: f32 },
    /// `v = momentum v + g; w -= rate v`.
    Sgd { momentum: f32 },
}

impl Default for Rule {
    fn default() -> Self {
        Rule::Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0.0 }
    }
}

/// An optimiser over some or all parameters of a store.
pub struct Optimiser {
    rule: Rule,
    ids: Vec<ParamId>,
    steps: u64,
    /// By how much each parameter's learning rate differs from that of the others.
    factors: Vec<f32>,
    /// Updates before which each parameter's moments began, for their bias correction.
    born: Vec<u64>,
    first: Vec<Vec<f32>>,
    second: Vec<Vec<f32>>,
}

/// Elements handled by one task; also the unit in which norms are summed, so it must not depend on the machine.
const CHUNK: usize = 1 << 15;
/// Most pieces in which the norm of one gradient is summed.
const NORM_PIECES: usize = 64;

impl Optimiser {
    /// Optimises every parameter in the store.
    pub fn new(rule: Rule, params: &Params) -> Self {
        Optimiser::over(rule, params, params.iter().map(|(id, _)| id).collect())
    }

    /// Optimises the given parameters only.
    pub fn over(rule: Rule, params: &Params, ids: Vec<ParamId>) -> Self {
        let zeros = |used: bool| -> Vec<Vec<f32>> {
            ids.iter().map(|&id| if used { vec![0.0; params.value(id).len()] } else { Vec::new() }).collect()
        };
        let adam = matches!(rule, Rule::Adam { .. });
        let (born, factors) = (vec![0; ids.len()], vec![1.0; ids.len()]);
        Optimiser { rule, steps: 0, born, factors, first: zeros(true), second: zeros(adam), ids }
    }

    /// Number of updates made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// From now on some parameters learn at `factor` times the rate.
    pub fn scale_rate(&mut self, ids: &[ParamId], factor: f32) {
        for (i, _) in self.ids.iter().enumerate().filter(|(_, id)| ids.contains(id)) {
            self.factors[i] = factor;
        }
    }

    /// Forgets the moments of some parameters, as if their first update were the one after `steps` updates.
    pub fn restart(&mut self, ids: &[ParamId], steps: u64) {
        for (i, _) in self.ids.iter().enumerate().filter(|(_, id)| ids.contains(id)) {
            self.born[i] = steps;
            self.first[i].fill(0.0);
            self.second[i].fill(0.0);
        }
    }

    /// The moments of each parameter, for checkpoints: (parameter, first, second).
    pub fn moments(&self) -> impl Iterator<Item = (ParamId, &[f32], &[f32])> {
        self.ids.iter().zip(self.first.iter().zip(&self.second)).map(|(&id, (m, v))| (id, &m[..], &v[..]))
    }

    /// Restores what [`Optimiser::moments`] gave.
    pub fn restore(&mut self, steps: u64, mut moments: impl FnMut(ParamId, &mut [f32], &mut [f32])) {
        self.steps = steps;
        for (&id, (m, v)) in self.ids.iter().zip(self.first.iter_mut().zip(&mut self.second)) {
            moments(id, m, v);
        }
    }

    /// The Euclidean norm of all gradients, summed in f64 in a fixed order.
    ///
    /// # Errors
    /// [`Error::NotFinite`] with the parameter whose gradient is NaN or infinite.
    pub fn norm(&self, params: &Params) -> Result<f64, Error> {
        let mut total = 0.0;
        for &id in &self.ids {
            let p = params.get(id);
            let sum = square_sum(p);
            if !sum.is_finite() {
                return Err(Error::NotFinite { op: p.name().to_string(), what: "the gradient" });
            }
            total += sum;
        }
        Ok(total.sqrt())
    }

    /// One update with the given learning rate; gradients are first scaled so that their global norm is at most
    /// `clip` (0: no clipping). Returns the norm before clipping.
    ///
    /// # Errors
    /// As [`Optimiser::norm`]; the parameters are then unchanged and the gradients still there
    /// ([`Params::zero_grads`] forgets them).
    pub fn step(&mut self, params: &mut Params, rate: f32, clip: f32) -> Result<f64, Error> {
        let norm = self.norm(params)?;
        let scale = if clip > 0.0 && norm > clip as f64 { (clip as f64 / norm) as f32 } else { 1.0 };
        self.steps += 1;
        for (i, &id) in self.ids.iter().enumerate() {
            let p = params.get_mut(id);
            if !p.touched.any() || !p.trainable() {
                continue;
            }
            let (m, v) = (&mut self.first[i][..], &mut self.second[i][..]);
            update(self.rule, self.steps - self.born[i], rate * self.factors[i], scale, p, m, v);
            p.touched.clear();
            p.refresh_packs();
        }
        Ok(norm)
    }
}

/// Sum of squares of a gradient; only touched rows are read.
fn square_sum(p: &Param) -> f64 {
    if !p.touched.any() || !p.trainable() {
        return 0.0;
    }
    if !p.touched.all {
        let cols = p.shape().1;
        // In rising order, since that of the look-ups must not matter.
        return p.touched.rising().map(|r| squares(&p.grad[r * cols..][..cols])).sum();
    }
    // The pieces depend on the size alone, and summing them serially keeps the order fixed.
    let mut sums = [0.0; NORM_PIECES];
    let size = p.grad.len().div_ceil(NORM_PIECES).max(CHUNK);
    let used = p.grad.len().div_ceil(size);
    threads::chunks(&mut sums[..used], 1, |i, sum| {
        sum[0] = squares(&p.grad[i * size..p.grad.len().min((i + 1) * size)]);
    });
    sums[..used].iter().sum()
}

simd::multiversion! {
    fn squares(x: &[f32]) -> f64 {
        let mut lanes = [0.0f64; 16];
        let (head, tail) = x.as_chunks::<16>();
        for c in head {
            for j in 0..16 {
                lanes[j] += c[j] as f64 * c[j] as f64;
            }
        }
        lanes.iter().sum::<f64>() + tail.iter().map(|&x| x as f64 * x as f64).sum::<f64>()
    }
}

fn update(rule: Rule, steps: u64, rate: f32, scale: f32, p: &mut Param, m: &mut [f32], v: &mut [f32]) {
    let matrix = p.shape().0 > 1;
    let n = p.value.len();
    let (w, g) = (threads::Shared(p.value.as_mut_ptr()), threads::Shared(p.grad.as_mut_ptr()));
    let (m, v) = (threads::Shared(m.as_mut_ptr()), threads::Shared(v.as_mut_ptr()));
    threads::split(n, CHUNK, |range| {
        let (at, len) = (range.start, range.len());
        // SAFETY: each range is handled by one thread; all four buffers have n elements (v only for Adam).
        let (w, g, m) = unsafe { (w.slice(at, len), g.slice(at, len), m.slice(at, len)) };
        match rule {
            Rule::Sgd { momentum } => sgd(w, g, m, momentum, rate, scale),
            Rule::Adam { beta1, beta2, eps, decay } => {
                let t = steps as f64;
                let correction1 = (1.0 - (beta1 as f64).powf(t)) as f32;
                let correction2 = (1.0 - (beta2 as f64).powf(t)).sqrt() as f32;
                let keep = if matrix { 1.0 - rate * decay } else { 1.0 };
                let k = AdamStep { beta1, beta2, eps, keep, scale, size: rate / correction1, root: correction2 };
                // SAFETY: as above.
                adam(w, g, m, unsafe { v.slice(at, len) }, k);
            }
        }
    });
}

/// The constants of one Adam step.
#[derive(Clone, Copy)]
struct AdamStep {
    beta1: f32,
    beta2: f32,
    eps: f32,
    keep: f32,
    scale: f32,
    size: f32,
    root: f32,
}

simd::multiversion! {
    fn adam(w: &mut [f32], g: &mut [f32], m: &mut [f32], v: &mut [f32], k: AdamStep) -> () {
        let n = w.len();
        let (g, m, v) = (&mut g[..n], &mut m[..n], &mut v[..n]);
        let inverse_root = 1.0 / k.root;
        for i in 0..n {
            let d = g[i] * k.scale;
            m[i] = k.beta1 * m[i] + (1.0 - k.beta1) * d;
            v[i] = k.beta2 * v[i] + (1.0 - k.beta2) * d * d;
            w[i] = w[i] * k.keep - k.size * m[i] / (v[i].sqrt() * inverse_root + k.eps);
            g[i] = 0.0;
        }
    }
}

simd::multiversion! {
    fn sgd(w: &mut [f32], g: &mut [f32], m: &mut [f32], momentum: f32, rate: f32, scale: f32) -> () {
        let n = w.len();
        let (g, m) = (&mut g[..n], &mut m[..n]);
        for i in 0..n {
            m[i] = momentum * m[i] + g[i] * scale;
            w[i] -= rate * m[i];
            g[i] = 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: f32, grad: f32) -> (Params, ParamId) {
        let mut p = Params::new();
        let id = p.add("w", (1, 1), vec![value]);
        p.grad_dense(id).unwrap()[0] = grad;
        (p, id)
    }

    #[test]
    fn the_first_adam_step_has_the_size_of_the_rate() {
        let (mut p, id) = one(1.0, 5.0);
        let mut o = Optimiser::new(Rule::default(), &p);
        assert_eq!(o.step(&mut p, 0.1, 0.0).unwrap(), 5.0);
        assert!((p.value(id)[0] - 0.9).abs() < 1e-6);
        assert_eq!(p.get(id).grad(), [0.0]);
    }

    #[test]
    fn a_parameter_that_starts_afresh_steps_as_at_first() {
        let (mut p, id) = one(1.0, 5.0);
        let mut o = Optimiser::new(Rule::default(), &p);
        o.step(&mut p, 0.1, 0.0).unwrap();
        let moved = |o: &mut Optimiser, p: &mut Params| {
            let before = p.value(id)[0];
            p.grad_dense(id).unwrap()[0] = -0.3;
            o.step(p, 0.1, 0.0).unwrap();
            p.value(id)[0] - before
        };
        for _ in 0..9 {
            moved(&mut o, &mut p);
        }
        o.restart(&[id], o.steps());
        assert!((moved(&mut o, &mut p) - 0.1).abs() < 1e-6);
        assert_eq!(o.steps(), 11);
    }

    #[test]
    fn a_parameter_may_learn_more_slowly() {
        let (mut p, id) = one(1.0, 5.0);
        let slow = p.add("slow", (1, 1), vec![1.0]);
        p.grad_dense(slow).unwrap()[0] = 5.0;
        let mut o = Optimiser::new(Rule::default(), &p);
        o.scale_rate(&[slow], 0.25);
        o.step(&mut p, 0.1, 0.0).unwrap();
        assert!((p.value(id)[0] - 0.9).abs() < 1e-6 && (p.value(slow)[0] - 0.975).abs() < 1e-6);
    }

    #[test]
    fn clipping_and_momentum() {
        let (mut p, id) = one(0.0, 4.0);
        let mut o = Optimiser::new(Rule::Sgd { momentum: 0.5 }, &p);
        o.step(&mut p, 1.0, 2.0).unwrap();
        assert_eq!(p.value(id), [-2.0]);
        p.grad_dense(id).unwrap()[0] = 1.0;
        o.step(&mut p, 1.0, 2.0).unwrap();
        assert_eq!(p.value(id), [-4.0]);
    }

    #[test]
    fn untouched_parameters_stay_and_a_nan_is_named() {
        let (mut p, id) = one(1.0, 1.0);
        let other = p.add("other", (1, 1), vec![3.0]);
        let mut o = Optimiser::new(Rule::default(), &p);
        o.step(&mut p, 0.1, 1.0).unwrap();
        assert_eq!(p.value(other), [3.0]);
        p.grad_dense(id).unwrap()[0] = f32::NAN;
        assert!(o.step(&mut p, 0.1, 1.0).unwrap_err().to_string().contains("`w`"));
    }
}
