//! Activations, element by element; softmax is one over rows.
//!
//! x, y (N, D), `dx = f'(x) dy`. ReLU `max(x, 0)`; leaky ReLU `x` or `s x` below 0; tanh; sigmoid; GELU
//! `x Φ(x)` (Hendrycks & Gimpel 2016) with the exact normal distribution or by
//! `x/2 (1 + tanh(sqrt(2/π) (x + 0.044715 x^3)))`; SiLU `x σ(x)`. The slope at the corner of ReLU and leaky ReLU
//! is that of the left side, as in PyTorch.

use crate::{
    Tape, Var,
    gemm::Finish,
    ops::{elementwise::pieces, softmax::softmax_row},
    simd,
    tape::{Backward, Op},
};

/// The kinds of activation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// `x`.
    Identity,
    Relu,
    /// The slope below 0.
    LeakyRelu(f32),
    Tanh,
    Sigmoid,
    /// With the exact normal distribution.
    Gelu,
    /// Its approximation by tanh.
    GeluTanh,
    Silu,
    /// Over each row.
    Softmax,
}

impl Activation {
    /// Applies it in place, without a tape; for [`Activation::Softmax`] the slice is one row.
    pub fn apply(self, x: &mut [f32]) {
        match self {
            Activation::Identity => {}
            Activation::Softmax => softmax_row(x),
            _ => pieces(x, |_, x| in_place(self, x)),
        }
    }

    /// The same as a product's last stage, if its slope follows from its output, so that the input can be forgotten.
    pub(crate) fn finish(self) -> Option<Finish> {
        match self {
            Activation::Identity => Some(Finish::None),
            Activation::Relu => Some(Finish::Relu),
            Activation::Tanh => Some(Finish::Tanh),
            Activation::Sigmoid => Some(Finish::Sigmoid),
            _ => None,
        }
    }
}

impl Tape {
    /// Applies an activation: x (N, D) -> y (N, D).
    pub fn activation(&mut self, x: Var, kind: Activation) -> Var {
        match kind {
            Activation::Identity => return x,
            Activation::Softmax => return self.softmax(x),
            _ => {}
        }
        let mut y = self.pool.copy(self.values.get(x));
        pieces(&mut y, |_, y| in_place(kind, y));
        let needs = self.values.needs_grad(x);
        self.push(y, self.values.shape(x), needs, || Some(Activate { x, kind }))
    }
}

struct Activate {
    x: Var,
    kind: Activation,
}

impl Op for Activate {
    fn name(&self) -> &'static str {
        match self.kind {
            Activation::Identity => "identity",
            Activation::Relu => "relu",
            Activation::LeakyRelu(_) => "leaky relu",
            Activation::Tanh => "tanh",
            Activation::Sigmoid => "sigmoid",
            Activation::Gelu | Activation::GeluTanh => "gelu",
            Activation::Silu => "silu",
            Activation::Softmax => "softmax",
        }
    }

    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        // Where the slope follows from the output, only the output is read.
        let from = if self.kind.finish().is_some() { cx.out } else { self.x };
        let (kind, from) = (self.kind, cx.values.get(from));
        cx.contribute(self.x, |at, dx, fresh| slope_times(kind, &from[at..], &dy[at..], dx, fresh));
    }
}

/// `1/sqrt(2)`, `sqrt(2/π)`, `1/sqrt(2π)` and the cubic term of the GELU's approximation.
const HALF_ROOT: f32 = std::f32::consts::FRAC_1_SQRT_2;
const SQRT_2_PI: f32 = 0.797_884_6;
const DENSITY: f32 = 0.398_942_3;
const CUBIC: f32 = 0.044_715;

/// The standard normal distribution function Φ, absolute error below 5e-7 (Abramowitz & Stegun 7.1.26).
#[inline(always)]
fn normal_cdf(x: f32) -> f32 {
    let a = x.abs() * HALF_ROOT;
    let t = 1.0 / (1.0 + 0.327_591_1 * a);
    let mut p = 1.061_405_4;
    p = p * t - 1.453_152;
    p = p * t + 1.421_413_7;
    p = p * t - 0.284_496_74;
    p = p * t + 0.254_829_6;
    let tail = 0.5 * p * t * simd::exp(-a * a);
    if x < 0.0 { tail } else { 1.0 - tail }
}

simd::multiversion! {
    fn in_place(kind: Activation, x: &mut [f32]) -> () {
        match kind {
            Activation::Identity | Activation::Softmax => {}
            Activation::Relu => x.iter_mut().for_each(|x| *x = if *x < 0.0 { 0.0 } else { *x }),
            Activation::LeakyRelu(s) => x.iter_mut().for_each(|x| *x = if *x < 0.0 { s * *x } else { *x }),
            Activation::Tanh => x.iter_mut().for_each(|x| *x = simd::tanh(*x)),
            Activation::Sigmoid => x.iter_mut().for_each(|x| *x = simd::sigmoid(*x)),
            Activation::Gelu => x.iter_mut().for_each(|x| *x *= normal_cdf(*x)),
            Activation::GeluTanh => x.iter_mut().for_each(|x| {
                *x *= 0.5 + 0.5 * simd::tanh(SQRT_2_PI * (*x + CUBIC * *x * *x * *x));
            }),
            Activation::Silu => x.iter_mut().for_each(|x| *x *= simd::sigmoid(*x)),
        }
    }
}

/// `dx (+)= f'(x) dy`. Generic so that each activation's loop is compiled apart.
#[inline(always)]
fn each(x: &[f32], dy: &[f32], dx: &mut [f32], fresh: bool, slope: impl Fn(f32) -> f32) {
    let n = dx.len();
    let (x, dy) = (&x[..n], &dy[..n]);
    if fresh {
        (0..n).for_each(|i| dx[i] = dy[i] * slope(x[i]));
    } else {
        (0..n).for_each(|i| dx[i] += dy[i] * slope(x[i]));
    }
}

simd::multiversion! {
    /// `dx (+)= f'(x) dy`; `x` is the output of the activations that have a [`Activation::finish`].
    pub(crate) fn slope_times(kind: Activation, x: &[f32], dy: &[f32], dx: &mut [f32], fresh: bool) -> () {
        match kind {
            Activation::Identity | Activation::Softmax => each(x, dy, dx, fresh, |_| 1.0),
            Activation::Relu => each(x, dy, dx, fresh, |y| if y > 0.0 { 1.0 } else { 0.0 }),
            Activation::LeakyRelu(s) => each(x, dy, dx, fresh, |x| if x > 0.0 { 1.0 } else { s }),
            Activation::Tanh => each(x, dy, dx, fresh, |y| 1.0 - y * y),
            Activation::Sigmoid => each(x, dy, dx, fresh, |y| y * (1.0 - y)),
            Activation::Gelu => each(x, dy, dx, fresh, |x| {
                normal_cdf(x) + x * DENSITY * simd::exp(-0.5 * x * x)
            }),
            Activation::GeluTanh => each(x, dy, dx, fresh, |x| {
                let t = simd::tanh(SQRT_2_PI * (x + CUBIC * x * x * x));
                0.5 + 0.5 * t + 0.5 * x * (1.0 - t * t) * SQRT_2_PI * (1.0 + 3.0 * CUBIC * x * x)
            }),
            Activation::Silu => each(x, dy, dx, fresh, |x| {
                let s = simd::sigmoid(x);
                s * (1.0 + x * (1.0 - s))
            }),
        }
    }
}

/// The plain twin: one element in f64 (Φ by Simpson's rule).
pub fn reference(kind: Activation, x: f64) -> f64 {
    match kind {
        Activation::Identity | Activation::Softmax => x,
        Activation::Relu => x.max(0.0),
        Activation::LeakyRelu(s) => x.max(0.0) + s as f64 * x.min(0.0),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Gelu => {
            let density = |u: f64| (-0.5 * u * u).exp() / std::f64::consts::TAU.sqrt();
            let (steps, h) = (400, x / 400.0);
            let weight = |i: usize| if i == 0 || i == steps { 1.0 } else { 2.0 + 2.0 * (i % 2) as f64 };
            let integral = (0..=steps).map(|i| weight(i) * density(i as f64 * h)).sum::<f64>() * h / 3.0;
            x * (0.5 + integral)
        }
        Activation::GeluTanh => {
            let inner = std::f64::consts::FRAC_2_PI.sqrt() * (x + 0.044715 * x.powi(3));
            0.5 * x * (1.0 + inner.tanh())
        }
        Activation::Silu => x / (1.0 + (-x).exp()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Params,
        ops::testing::{check_gradients, numbers, weighted_sum},
    };

    const KINDS: [Activation; 8] = [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu(0.2),
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Silu,
    ];

    #[test]
    fn gradients() {
        let x: Vec<f32> = numbers(40, 1).iter().map(|x| x * 3.0 + 0.01).collect();
        for kind in KINDS {
            check_gradients(&mut Params::new(), &[(&x, (8, 5))], &|t, _, v| {
                let y = t.activation(v[0], kind);
                let y = t.mul(y, v[0]); // a second contribution to the same gradient
                weighted_sum(t, y);
            });
        }
    }

    #[test]
    fn matches_reference_from_end_to_end() {
        for kind in KINDS {
            for i in -4000..=4000 {
                let x = i as f32 * 2.5e-3;
                let mut y = [x];
                kind.apply(&mut y);
                let expected = reference(kind, x as f64);
                assert!((y[0] as f64 - expected).abs() < 3e-6, "{kind:?}({x}) = {} not {expected}", y[0]);
            }
            let mut nan = [f32::NAN];
            kind.apply(&mut nan);
            assert!(nan[0].is_nan(), "{kind:?} hides a NaN");
        }
    }

    #[test]
    fn by_hand() {
        let of = |kind: Activation, x: f32| {
            let mut y = [x];
            kind.apply(&mut y);
            y[0]
        };
        assert_eq!((of(Activation::Relu, -2.0), of(Activation::LeakyRelu(0.5), -2.0)), (0.0, -1.0));
        assert!((of(Activation::Gelu, 1.0) - 0.841_345).abs() < 1e-6);
        assert!((of(Activation::GeluTanh, 1.0) - 0.841_192).abs() < 1e-6);
        assert!((of(Activation::Silu, 1.0) - 0.731_059).abs() < 1e-6);
    }
}
