//! A deep feed-forward network: the trunk of the bag and window networks.
//!
//! `h_1 = f(W_1 x + b_1)`, and for every further layer `h_l = h_{l-1} + f(W_l norm(h_{l-1}) + b_l)`, norm being layer
//! normalisation (Ba et al. 2016): with the short cut (He et al. 2016) any depth trains. Dropout follows each layer.

use rand::Rng;
use strait_engine::{ParamId, Params, Tape, Var, init};

use crate::config::ActivationKind;

/// Added to variances.
const EPS: f32 = 1e-5;

/// What a trunk looks like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Columns of x.
    pub(crate) input: usize,
    /// Units of each layer, H.
    pub(crate) hidden: usize,
    pub(crate) layers: usize,
    pub(crate) activation: ActivationKind,
    pub(crate) dropout: f32,
}

/// The layers' weights.
#[derive(Debug)]
pub(crate) struct Trunk {
    shape: Shape,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    /// Gain and bias (1, H) of the normalisation; none in the first layer.
    norm: Option<(ParamId, ParamId)>,
    /// W (H, input), b (1, H).
    linear: (ParamId, ParamId),
}

impl Trunk {
    /// Adds the weights `{name}.{layer}.*`.
    pub(crate) fn new(params: &mut Params, name: &str, shape: Shape, rng: &mut impl Rng) -> Self {
        let h = shape.hidden;
        let layers = (0..shape.layers)
            .map(|l| {
                let mut vector =
                    |part: &str, value: f32| params.add(format!("{name}.{l}.{part}"), (1, h), vec![value; h]);
                let norm = (l > 0).then(|| (vector("norm.weight", 1.0), vector("norm.bias", 0.0)));
                let bias = vector("bias", 0.0);
                let size = (h, if l == 0 { shape.input } else { h });
                let weight = params.add(format!("{name}.{l}.weight"), size, initial(shape.activation, size, rng));
                Layer { norm, linear: (weight, bias) }
            })
            .collect();
        Trunk { shape, layers }
    }

    /// Columns of the output, H.
    pub(crate) fn width(&self) -> usize {
        self.shape.hidden
    }

    /// x (N, input) -> h (N, H).
    pub(crate) fn forward(&self, tape: &mut Tape, params: &Params, x: Var, rng: &mut impl Rng) -> Var {
        let mut h = x;
        for layer in &self.layers {
            let read = layer.norm.map_or(h, |norm| tape.layer_norm(params, h, Some(norm), EPS));
            let (weight, bias) = layer.linear;
            let y = tape.linear_activation(params, read, (weight, Some(bias)), self.shape.activation.into());
            let y = tape.dropout(y, self.shape.dropout, rng);
            h = if layer.norm.is_some() { tape.add(h, y) } else { y };
        }
        h
    }
}

/// First weights of a layer (rows, cols) such that signals keep their size: normal with variance 2 / cols for the
/// activations that pass about half of what is there (He et al. 2015), less what leaky ReLU lets through; Glorot and
/// Bengio's (2010) for tanh, and four times as wide for the sigmoid, whose slope at 0 is a quarter.
fn initial(activation: ActivationKind, (rows, cols): (usize, usize), rng: &mut impl Rng) -> Vec<f32> {
    let scaled = |values: Vec<f32>, by: f32| values.into_iter().map(|w| w * by).collect();
    match activation {
        ActivationKind::Relu | ActivationKind::Gelu | ActivationKind::Silu => init::he((rows, cols), rng),
        ActivationKind::LeakyRelu => scaled(init::he((rows, cols), rng), (1.0f32 / (1.0 + 0.2 * 0.2)).sqrt()),
        ActivationKind::Tanh => init::xavier((rows, cols), rng),
        ActivationKind::Sigmoid => scaled(init::xavier((rows, cols), rng), 4.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    const KINDS: [ActivationKind; 6] = [
        ActivationKind::Relu,
        ActivationKind::LeakyRelu,
        ActivationKind::Tanh,
        ActivationKind::Sigmoid,
        ActivationKind::Gelu,
        ActivationKind::Silu,
    ];

    /// The spread of each unit's output over inputs, averaged over the units.
    fn spread(h: &[f32], width: usize) -> f64 {
        let rows = h.len() / width;
        let of_unit = |j: usize| {
            let unit = || h.iter().skip(j).step_by(width).map(|&x| x as f64);
            let mean = unit().sum::<f64>() / rows as f64;
            (unit().map(|x| (x - mean).powi(2)).sum::<f64>() / rows as f64).sqrt()
        };
        (0..width).map(of_unit).sum::<f64>() / width as f64
    }

    #[test]
    fn signals_and_gradients_survive_twenty_layers() {
        for activation in KINDS {
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            let mut params = Params::new();
            let shape = Shape { input: 32, hidden: 64, layers: 20, activation, dropout: 0.0 };
            let trunk = Trunk::new(&mut params, "t", shape, &mut rng);
            let mut tape = Tape::new();
            let x = tape.variable(&init::normal(50 * 32, 1.0, &mut rng), (50, 32));
            let h = trunk.forward(&mut tape, &params, x, &mut rng);
            let s = spread(tape.value(h), 64);
            assert!((0.2..20.0).contains(&s), "{activation:?}: {s}");
            let downstream = init::normal(50 * 64, 1.0, &mut rng);
            tape.custom_loss(h, 0.0, &downstream);
            tape.backward(&mut params).unwrap();
            let size = (tape.grad(x).iter().map(|&g| (g * g) as f64).sum::<f64>() / (50.0 * 32.0)).sqrt();
            assert!((0.05..50.0).contains(&size), "{activation:?}: gradient {size}");
        }
    }

    #[test]
    fn one_layer_by_hand() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut params = Params::new();
        let shape = Shape { input: 2, hidden: 1, layers: 2, activation: ActivationKind::Relu, dropout: 0.0 };
        let trunk = Trunk::new(&mut params, "t", shape, &mut rng);
        params.set("t.0.weight", (1, 2), &[1.0, -2.0]).unwrap();
        params.set("t.0.bias", (1, 1), &[0.5]).unwrap();
        params.set("t.1.bias", (1, 1), &[7.0]).unwrap();
        let mut tape = Tape::inference();
        let x = tape.input(&[3.0, 1.0], (1, 2));
        let h = trunk.forward(&mut tape, &params, x, &mut rng);
        // One unit normalises to 0, so the second layer adds its bias.
        assert_eq!((tape.value(h), trunk.width()), (&[8.5][..], 1));
    }
}
