//! A dense network (multilayer perceptron): `h_l = f(W_l h_(l-1) + b_l)`, the last layer without f. Discriminators,
//! critics and generators are made of it.
//!
//! x (N, I), W_l (O_l, I_l), b_l (1, O_l). With a piecewise linear f a network D of one output has, around each x, the
//! slope `g = W_L M_(L-1) W_(L-1) ... M_1 W_1`, with M_l the diagonal of f's slopes there. The gradient penalty
//! `sum_n (|g_n| - 1)^2` holds a critic near slope 1 (Gulrajani et al. 2017). The masks M do not move with the weights
//! (except where a unit switches, which has probability 0), so the penalty's gradient for the weights is that of this
//! product: exact, and recorded like any other layers.

use rand::Rng;
use strait_engine::{
    ParamId, Params, Tape, Var, init,
    ops::{activation::Activation, losses::Weighting},
};

use super::Progress;

/// A dense network by its weights' handles.
#[derive(Debug, Clone)]
pub struct Dense {
    /// (W, b) of each layer.
    layers: Vec<(ParamId, ParamId)>,
    activation: Activation,
}

impl Dense {
    /// Adds `name.0.weight`, `name.0.bias`, `name.1.weight` ... `sizes` are the widths from the input to the output.
    pub fn new(params: &mut Params, name: &str, sizes: &[usize], activation: Activation, rng: &mut impl Rng) -> Self {
        let last = sizes.len().saturating_sub(2);
        let mut add = |(i, pair): (usize, &[usize])| {
            let shape = (pair[1], pair[0]);
            let weight = if i < last { init::he(shape, rng) } else { init::xavier(shape, rng) };
            let weight = params.add(format!("{name}.{i}.weight"), shape, weight);
            (weight, params.add(format!("{name}.{i}.bias"), (1, shape.0), vec![0.0; shape.0]))
        };
        Dense { layers: sizes.windows(2).enumerate().map(&mut add).collect(), activation }
    }

    /// A network with the same weights under another name, which are not trained.
    pub fn copy(&self, params: &mut Params, name: &str) -> Dense {
        let mut add = |id: ParamId, what: String| params.add_copy(what, id);
        let layers = self.layers.iter().enumerate();
        let layers = layers.map(|(i, &(weight, bias))| {
            (add(weight, format!("{name}.{i}.weight")), add(bias, format!("{name}.{i}.bias")))
        });
        let copy = Dense { layers: layers.collect(), activation: self.activation };
        params.set_trainable(&format!("{name}."), false);
        copy
    }

    /// Moves the weights towards those of `other`, a network of the same widths: `w <- keep w + (1 - keep) other`.
    pub fn follow(&self, params: &mut Params, other: &Dense, keep: f32) {
        let pairs = |d: &Dense| d.layers.iter().flat_map(|&(weight, bias)| [weight, bias]).collect::<Vec<_>>();
        for (id, towards) in pairs(self).into_iter().zip(pairs(other)) {
            params.follow(id, towards, keep);
        }
    }

    /// (W, b) of each layer, from the input to the output.
    pub fn layers(&self) -> &[(ParamId, ParamId)] {
        &self.layers
    }

    /// What follows each layer but the last.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// x (N, I) -> y (N, O).
    pub fn forward(&self, tape: &mut Tape, params: &Params, x: Var) -> Var {
        self.hidden(tape, params, x, |_| {})
    }

    /// [`Dense::forward`] that shows each hidden layer's output.
    fn hidden(&self, tape: &mut Tape, params: &Params, x: Var, mut see: impl FnMut(Var)) -> Var {
        let mut h = x;
        for (i, &(weight, bias)) in self.layers.iter().enumerate() {
            if i + 1 == self.layers.len() {
                return tape.linear(params, h, weight, Some(bias));
            }
            h = tape.linear_activation(params, h, (weight, Some(bias)), self.activation);
            see(h);
        }
        h
    }

    /// The slope of the one output at each row of x (N, I): (N, I).
    ///
    /// # Panics
    /// If the activation is not piecewise linear.
    pub fn slope(&self, tape: &mut Tape, params: &Params, x: Var) -> Var {
        let below = match self.activation {
            Activation::Identity => 1.0,
            Activation::Relu => 0.0,
            Activation::LeakyRelu(below) => below,
            other => panic!("the slope of a network with {other:?} is not a product of its weights"),
        };
        let mut outputs = Vec::new();
        let y = self.hidden(tape, params, x, |h| outputs.push(h));
        let (rows, width) = tape.shape(y);
        let mut g = tape.input(&vec![1.0; rows * width], (rows, width));
        for &(weight, _) in self.layers.iter().rev() {
            g = tape.linear_transposed(params, g, weight);
            if let Some(h) = outputs.pop() {
                // The output of these activations is above 0 exactly where the input is.
                let mask: Vec<f32> = tape.value(h).iter().map(|&h| if h > 0.0 { 1.0 } else { below }).collect();
                let mask = tape.input(&mask, tape.shape(h));
                g = tape.mul(g, mask);
            }
        }
        g
    }

    /// Adds `scale sum_n (|slope at row n| - 1)^2` to the loss; returns the sum without `scale`. x (N, I).
    ///
    /// # Panics
    /// If the activation is not piecewise linear.
    pub fn gradient_penalty(&self, tape: &mut Tape, params: &Params, x: Var, scale: f32) -> f64 {
        let g = self.slope(tape, params, x);
        let width = tape.shape(g).1;
        let mut gradient = tape.value(g).to_vec();
        let mut total = 0.0;
        for row in gradient.chunks_exact_mut(width.max(1)) {
            let norm = row.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
            total += (norm - 1.0).powi(2);
            // 2 (|g| - 1) g / |g|; a slope of 0 has no direction to grow in.
            let factor = if norm > 0.0 { f64::from(scale) * 2.0 * (norm - 1.0) / norm } else { 0.0 };
            row.iter_mut().for_each(|v| *v = (f64::from(*v) * factor) as f32);
        }
        tape.custom_loss(g, f64::from(scale) * total, &gradient);
        total
    }
}

/// What a running average keeps at a step (from 0) of `steps` so that it remembers the share `memory` of them; at first,
/// when fewer have been made, it is the plain average: 1/2, 2/3 ...
pub(crate) fn keep(memory: f32, progress: Progress) -> f32 {
    let (step, steps) = (progress.step as f32, progress.steps as f32);
    1.0 - 1.0 / (memory * steps).min(step + 2.0).max(1.0)
}

/// The share of its learning rate that an adversary has at a step: all at first, falling to 0 over the last half.
pub(crate) fn fade(progress: Progress) -> f32 {
    (2.0 * (1.0 - progress.share() as f32)).min(1.0)
}

/// A sum of losses that counts `scale`.
pub(crate) fn scaled(scale: f32) -> Weighting<'static> {
    Weighting { row_weights: None, scale }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::testing::{check_gradients, numbers, rng};

    fn network(sizes: &[usize], activation: Activation) -> (Params, Dense) {
        let mut params = Params::new();
        let dense = Dense::new(&mut params, "d", sizes, activation, &mut rng(3));
        // Biases away from 0, so that their absence would show.
        for &(_, bias) in dense.layers() {
            let values = numbers(params.shape(bias).1, 9);
            params.assign(bias, &values);
        }
        (params, dense)
    }

    #[test]
    fn forward_by_hand() {
        let mut params = Params::new();
        let d = Dense::new(&mut params, "d", &[2, 2, 1], Activation::LeakyRelu(0.5), &mut rng(1));
        params.assign(d.layers()[0].0, &[1.0, 2.0, -1.0, 0.0]);
        params.assign(d.layers()[0].1, &[0.5, 0.0]);
        params.assign(d.layers()[1].0, &[3.0, 4.0]);
        params.assign(d.layers()[1].1, &[-1.0]);
        let mut tape = Tape::inference();
        let x = tape.input(&[1.0, 1.0], (1, 2));
        let y = d.forward(&mut tape, &params, x);
        // 3 (1 + 2 + 0.5) + 4 (-1 / 2) - 1.
        assert_eq!(tape.value(y), [7.5]);
        let g = d.slope(&mut tape, &params, x);
        // 3 (1, 2) + 4 / 2 (-1, 0).
        assert_eq!(tape.value(g), [1.0, 6.0]);
        let penalty = d.gradient_penalty(&mut tape, &params, x, 2.0);
        assert!((penalty - (37f64.sqrt() - 1.0).powi(2)).abs() < 1e-5);
        assert!((tape.loss() - 2.0 * penalty).abs() < 1e-5);
    }

    #[test]
    fn a_copy_follows() {
        let (mut params, d) = network(&[2, 3, 1], Activation::Relu);
        let copy = d.copy(&mut params, "copy");
        assert!(params.iter().all(|(_, p)| p.trainable() != p.name().starts_with("copy.")));
        let (from, to) = (d.layers()[0].0, copy.layers()[0].0);
        params.assign(to, &[1.0; 6]);
        params.assign(from, &[3.0; 6]);
        copy.follow(&mut params, &d, 0.75);
        assert_eq!((params.value(to), params.value(from)), (&[1.5; 6][..], &[3.0; 6][..]));
        assert_eq!(params.value(copy.layers()[1].1), params.value(d.layers()[1].1));
    }

    #[test]
    fn averages_and_rates_over_a_training() {
        let at = |step| Progress { step, steps: 100 };
        // 1/2, 2/3, ... up to the memory of ten steps; none at all is the last weights.
        assert_eq!([keep(0.1, at(0)), keep(0.1, at(1)), keep(0.1, at(50))], [0.5, 1.0 - 1.0 / 3.0, 0.9]);
        assert_eq!([keep(0.0, at(0)), keep(0.0, at(99))], [0.0, 0.0]);
        assert_eq!([fade(at(0)), fade(at(50)), fade(at(75)), fade(at(100))], [1.0, 1.0, 0.5, 0.0]);
    }

    #[test]
    fn gradients_of_the_forward_pass() {
        let (mut params, d) = network(&[3, 5, 4, 2], Activation::Tanh);
        let x = numbers(12, 1);
        check_gradients(&mut params, &[(&x, (4, 3))], &mut |tape, params, v| {
            let y = d.forward(tape, params, v[0]);
            tape.squared_error(y, &[0.1; 8], scaled(0.5));
        });
    }

    #[test]
    fn the_slope_is_the_derivative_of_the_output() {
        for activation in [Activation::LeakyRelu(0.2), Activation::Relu, Activation::Identity] {
            let (mut params, d) = network(&[4, 6, 5, 1], activation);
            let x = numbers(12, 2);
            let mut tape = Tape::new();
            let v = tape.variable(&x, (3, 4));
            let g = d.slope(&mut tape, &params, v);
            let slope = tape.value(g).to_vec();
            let y = d.forward(&mut tape, &params, v);
            tape.sum_loss(y, scaled(1.0));
            tape.backward(&mut params).unwrap();
            assert!(tape.grad(v).iter().zip(&slope).all(|(a, b)| (a - b).abs() < 1e-5), "{activation:?}");
        }
    }

    #[test]
    fn gradients_of_the_penalty_for_every_weight() {
        for (sizes, activation) in [
            (&[3, 1][..], Activation::Relu),
            (&[3, 6, 1], Activation::Relu),
            (&[3, 6, 5, 1], Activation::LeakyRelu(0.2)),
        ] {
            let (mut params, d) = network(sizes, activation);
            let x = numbers(15, 4);
            check_gradients(&mut params, &[], &mut |tape, params, _| {
                let v = tape.input(&x, (5, 3));
                d.gradient_penalty(tape, params, v, 0.7);
            });
        }
    }

    #[test]
    fn the_penalty_brings_the_slope_to_1() {
        use strait_engine::optim::{Optimiser, Rule};
        let (mut params, d) = network(&[3, 16, 1], Activation::LeakyRelu(0.2));
        let mut optimiser = Optimiser::new(Rule::default(), &params);
        let x = numbers(60, 5);
        let mut tape = Tape::new();
        let mut penalty = Vec::new();
        for _ in 0..200 {
            tape.reset();
            let v = tape.input(&x, (20, 3));
            penalty.push(d.gradient_penalty(&mut tape, &params, v, 0.05));
            tape.backward(&mut params).unwrap();
            optimiser.step(&mut params, 1e-2, 0.0).unwrap();
        }
        assert!(penalty[0] > 1.0 && penalty[199] < 0.02, "{} {}", penalty[0], penalty[199]);
    }
}
