//! Convolutions over time with a highway layer (Kim 2014; Zhang & LeCun 2015; Srivastava et al. 2015): the discriminator
//! of SeqGAN (Yu et al. 2017).
//!
//! x (N, E) packed. For each width K, `c = relu(W_K [x_t .. x_(t+K-1)] + b_K)` with F filters, the largest over time
//! (B, F); side by side f (B, W). Then `g = s(W_g f + b_g)`, `y = g relu(W_h f + b_h) + (1 - g) f`, (B, W). Texts shorter
//! than a filter meet zeros behind their end.

use std::sync::Arc;

use rand::Rng;
use strait_engine::{Packing, ParamId, Params, Tape, Var, init, ops::activation::Activation};

use crate::config::TextGanConfig;

/// A layer's weight and bias.
type Linear = (ParamId, ParamId);

/// The handles of its weights.
#[derive(Debug)]
pub(super) struct Convolution {
    /// Width K and the filters, (F, K E).
    filters: Vec<(usize, Linear)>,
    /// The highway's gate and what it lets in, (W, W) each.
    gate: Linear,
    carried: Linear,
}

impl Convolution {
    /// Adds `adversary.conv.*` and `adversary.highway.*`, for the embeddings of `config`.
    pub(super) fn new(params: &mut Params, config: &TextGanConfig, rng: &mut impl Rng) -> Self {
        let mut add = |name: String, (rows, cols): (usize, usize), bias: f32| {
            let weight = init::xavier((rows, cols), rng);
            let weight = params.add(format!("{name}.weight"), (rows, cols), weight);
            (weight, params.add(format!("{name}.bias"), (1, rows), vec![bias; rows]))
        };
        let filters = config.widths.iter().enumerate().map(|(i, &width)| {
            let shape = (config.filters, width * config.embedding);
            (width, add(format!("adversary.conv.{i}"), shape, 0.0))
        });
        let filters: Vec<_> = filters.collect();
        let width = filters.len() * config.filters;
        // At first the highway carries more than it changes.
        let gate = add("adversary.highway.gate".into(), (width, width), -1.0);
        let carried = add("adversary.highway.carried".into(), (width, width), 0.0);
        Convolution { filters, gate, carried }
    }

    /// Columns of the features, W.
    pub(super) fn width(config: &TextGanConfig) -> usize {
        config.widths.len() * config.filters
    }

    /// Features (B, W) of x (N, E), in packed order.
    pub(super) fn features(&self, tape: &mut Tape, params: &Params, x: Var, packing: &Arc<Packing>) -> Var {
        let largest: Vec<Var> = self
            .filters
            .iter()
            .map(|&(width, (weight, bias))| {
                let windows = tape.windows(x, packing, width);
                let found = tape.linear(params, windows, weight, Some(bias));
                let found = tape.activation(found, Activation::Relu);
                tape.max_over_time(found, packing)
            })
            .collect();
        let f = tape.concat(&largest);
        let gate = tape.linear(params, f, self.gate.0, Some(self.gate.1));
        let gate = tape.activation(gate, Activation::Sigmoid);
        let carried = tape.linear(params, f, self.carried.0, Some(self.carried.1));
        let carried = tape.activation(carried, Activation::Relu);
        let change = tape.sub(carried, f);
        let change = tape.mul(gate, change);
        tape.add(f, change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::DiscriminatorKind,
        objective::testing::{check_gradients, numbers, rng},
    };

    fn config() -> TextGanConfig {
        let discriminator = DiscriminatorKind::Conv;
        TextGanConfig { discriminator, embedding: 3, filters: 2, widths: vec![1, 2, 4], ..TextGanConfig::default() }
    }

    #[test]
    fn gradients() {
        let mut params = Params::new();
        let conv = Convolution::new(&mut params, &config(), &mut rng(3));
        let packing = Arc::new(Packing::new(&[5, 3, 1]));
        let x = numbers(27, 1);
        let weights = numbers(3 * 6, 2);
        check_gradients(&mut params, &[(&x, (9, 3))], &mut |tape, params, v| {
            let y = conv.features(tape, params, v[0], &packing);
            tape.squared_error(y, &weights, strait_engine::ops::losses::Weighting { row_weights: None, scale: 0.5 });
        });
    }

    #[test]
    fn by_hand() {
        let mut params = Params::new();
        let config = TextGanConfig { embedding: 1, filters: 1, widths: vec![2], ..config() };
        let conv = Convolution::new(&mut params, &config, &mut rng(3));
        let mut set = |name: &str, values: &[f32]| params.assign(params.find(name).unwrap(), values);
        set("adversary.conv.0.weight", &[1.0, -1.0]);
        set("adversary.highway.gate.weight", &[0.0]);
        set("adversary.highway.gate.bias", &[0.0]);
        set("adversary.highway.carried.weight", &[3.0]);
        let mut tape = Tape::inference();
        // Texts 1 5 2 and 4: falls of 3 (5 to 2; the last 2 falls by 2 to the end), and 4.
        let x = tape.input(&[1.0, 4.0, 5.0, 2.0], (4, 1));
        let y = conv.features(&mut tape, &params, x, &Arc::new(Packing::new(&[3, 1])));
        // Half of what is, half of three times as much.
        assert_eq!(tape.value(y), [6.0, 8.0]);
    }
}
