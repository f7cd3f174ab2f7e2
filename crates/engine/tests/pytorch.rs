//! Every layer and optimiser against PyTorch in float64: outputs, losses, all gradients (fixtures/make.py).

use std::sync::Arc;

use safetensors::SafeTensors;
use strait_engine::{
    Packing, ParamId, Params, Tape, Var,
    ops::{
        activation::Activation,
        additive_attention::AdditiveAttention,
        attention::Attention,
        bag::{Bags, Multinomial, SquaredCounts},
        cross_entropy::CrossEntropy,
        feed_forward::FeedForward,
        gaussian::Divergence,
        losses::Weighting,
        rnn::{Cell, Direction, Rnn, Weights},
        rotary::Turns,
    },
    optim::{Optimiser, Rule},
};

const BYTES: &[u8] = include_bytes!("fixtures/pytorch.safetensors");

/// Largest deviation, as a share of the largest element of a tensor (but at least of 1).
const TOLERANCE: f32 = 1e-4;

fn tensor(name: &str) -> (Vec<f32>, (usize, usize)) {
    let file = SafeTensors::deserialize(BYTES).unwrap();
    let view = file.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
    let data: Vec<f32> = view.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
    let columns = view.shape().last().copied().unwrap_or(1);
    let shape = (data.len() / columns, columns);
    (data, shape)
}

fn has(name: &str) -> bool {
    SafeTensors::deserialize(BYTES).unwrap().tensor(name).is_ok()
}

fn close(name: &str, got: &[f32]) {
    let (expected, _) = tensor(name);
    assert_eq!(got.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(1.0f32, |m, x| m.max(x.abs()));
    for (i, (g, e)) in got.iter().zip(&expected).enumerate() {
        assert!((g - e).abs() <= TOLERANCE * largest, "{name}[{i}] = {g}, PyTorch has {e}");
    }
}

/// One case: its parameters, and the inputs on a tape.
struct Case {
    name: &'static str,
    params: Params,
    tape: Tape,
    inputs: Vec<(String, Var)>,
}

impl Case {
    fn new(name: &'static str) -> Self {
        Case { name, params: Params::new(), tape: Tape::new(), inputs: Vec::new() }
    }

    fn input(&mut self, part: &str) -> Var {
        let (data, shape) = tensor(&format!("{}.in.{part}", self.name));
        let v = self.tape.variable(&data, shape);
        self.inputs.push((part.to_string(), v));
        v
    }

    fn param(&mut self, part: &str) -> ParamId {
        self.gated(part, 1)
    }

    fn gated(&mut self, part: &str, gates: usize) -> ParamId {
        let (data, shape) = tensor(&format!("{}.param.{part}", self.name));
        self.params.add_gated(part, shape, gates, data)
    }

    /// Checks the output y, weighs it as PyTorch did, and then everything else.
    fn finish(mut self, y: Var) {
        close(&format!("{}.y", self.name), self.tape.value(y));
        let (dy, _) = tensor(&format!("{}.dy", self.name));
        let loss = dy.iter().zip(self.tape.value(y)).map(|(&d, &y)| d as f64 * y as f64).sum();
        self.tape.custom_loss(y, loss, &dy);
        self.finish_loss();
    }

    /// Checks the loss and all gradients.
    fn finish_loss(mut self) {
        let loss = format!("{}.loss", self.name);
        if has(&loss) {
            close(&loss, &[self.tape.loss() as f32]);
        }
        self.tape.backward(&mut self.params).unwrap();
        for (part, v) in &self.inputs {
            close(&format!("{}.din.{part}", self.name), self.tape.grad(*v));
        }
        for (_, p) in self.params.iter() {
            close(&format!("{}.dparam.{}", self.name, p.name()), p.grad());
        }
    }
}

#[test]
fn linear_embedding_and_feed_forward() {
    let mut c = Case::new("linear");
    let (x, w, b) = (c.input("input"), c.param("weight"), c.param("bias"));
    let y = c.tape.linear(&c.params, x, w, Some(b));
    c.finish(y);

    let mut c = Case::new("embedding");
    let table = c.param("table");
    let y = c.tape.embedding(&c.params, table, &[4, 1, 4, 0, 1]);
    c.finish(y);

    let mut c = Case::new("feed_forward");
    let x = c.input("x");
    let [up, up_bias, down, down_bias] = ["up", "up_bias", "down", "down_bias"].map(|part| c.param(part));
    let block = FeedForward { up: (up, Some(up_bias)), down: (down, Some(down_bias)), activation: Activation::Gelu };
    let y = c.tape.feed_forward(&c.params, x, block);
    c.finish(y);
}

#[test]
fn normalisation() {
    let mut c = Case::new("layer_norm");
    let (x, gain, bias) = (c.input("x"), c.param("gain"), c.param("bias"));
    let y = c.tape.layer_norm(&c.params, x, Some((gain, bias)), 1e-5);
    c.finish(y);

    let mut c = Case::new("batch_norm");
    let x = c.input("x");
    let (y, _) = c.tape.batch_norm(x, 1e-5);
    c.finish(y);

    let mut c = Case::new("standardise");
    let x = c.input("x");
    let (mean, variance) = (tensor("standardise.mean").0, tensor("standardise.variance").0);
    let y = c.tape.standardise(x, &mean, &variance, 1e-5);
    c.finish(y);
}

#[test]
fn activations() {
    for (name, kind) in [
        ("relu", Activation::Relu),
        ("leaky_relu", Activation::LeakyRelu(0.2)),
        ("tanh", Activation::Tanh),
        ("sigmoid", Activation::Sigmoid),
        ("gelu", Activation::Gelu),
        ("gelu_tanh", Activation::GeluTanh),
        ("silu", Activation::Silu),
        ("softmax", Activation::Softmax),
    ] {
        let mut c = Case::new(name);
        let x = c.input("x");
        let y = c.tape.activation(x, kind);
        c.finish(y);
    }
}

#[test]
fn two_bidirectional_recurrent_layers_on_ragged_sequences() {
    let packing = Arc::new(Packing::new(&[5, 3, 3, 1]));
    for (name, cell) in [("rnn_tanh", Cell::Tanh), ("rnn_relu", Cell::Relu), ("gru", Cell::Gru), ("lstm", Cell::Lstm)] {
        let mut c = Case::new(name);
        let mut y = c.input("x");
        for layer in 0..2 {
            let directions = [false, true].map(|reverse| {
                let part = |part: &str| format!("{part}.{layer}.{}", reverse as usize);
                let weights = Weights {
                    input: c.param(&part("weight_ih")),
                    hidden: c.gated(&part("weight_hh"), cell.gates()),
                    bias: c.param(&part("bias")),
                    sequence: None,
                };
                let c0 = (cell == Cell::Lstm).then(|| c.input(&part("c")));
                Direction { weights, reverse, h0: Some(c.input(&part("h"))), c0 }
            });
            y = c.tape.rnn(&c.params, y, &packing, &Rnn { cell, directions: &directions, sequence: None });
        }
        c.finish(y);
    }
}

#[test]
fn attention() {
    let (long, short) = (Arc::new(Packing::new(&[5, 3, 1])), Arc::new(Packing::new(&[4, 2, 2])));
    for (name, memory, causal) in
        [("attention_self", &long, false), ("attention_causal", &long, true), ("attention_cross", &short, false)]
    {
        let mut c = Case::new(name);
        let qkv = ["q", "k", "v"].map(|part| c.input(part).into());
        let attention = Attention { memory, ..Attention::within(&long, 6, 2, causal) };
        let y = c.tape.attention(qkv, &attention);
        c.finish(y);
    }
}

#[test]
fn additive_attention_without_and_with_coverage() {
    let (queries, memory) = (Arc::new(Packing::new(&[4, 2, 1])), Arc::new(Packing::new(&[5, 3, 2])));
    for (name, covers) in [("additive", false), ("additive_coverage", true)] {
        let mut c = Case::new(name);
        let inputs = ["q", "k", "m"].map(|part| c.input(part));
        let score = c.param("v");
        let coverage = covers.then(|| c.param("w"));
        let (queries, memory) = (&queries, &memory);
        let attention = AdditiveAttention { score, coverage, queries, memory, sequences: &[1, 0, 2] };
        let y = c.tape.additive_attention(&c.params, inputs, &attention);
        c.finish(y);
    }
}

#[test]
fn cross_entropy_with_smoothing_and_with_tied_weights() {
    let mut c = Case::new("cross_entropy");
    let (x, weight, bias) = (c.input("x"), c.param("weight"), c.param("bias"));
    let mut ce = CrossEntropy {
        weight,
        bias: Some(bias),
        targets: &[3, 0, 8, 8, 1],
        row_weights: None,
        smoothing: 0.1,
        mixture: None,
        scale: 0.2,
    };
    c.tape.cross_entropy(&mut c.params, x, &ce);
    c.finish_loss();

    // The table receives the rows' gradients of the look-up and the dense one of the output layer.
    let mut c = Case::new("tied");
    let [table, middle, bias] = ["table", "middle", "bias"].map(|part| c.param(part));
    let ids = [2, 5, 2, 7, 0];
    let x = c.tape.embedding(&c.params, table, &ids);
    let x = c.tape.linear_activation(&c.params, x, (middle, None), Activation::Tanh);
    ce = CrossEntropy { weight: table, bias: Some(bias), smoothing: 0.0, ..ce };
    ce.targets = &[3, 0, 8, 8, 1];
    c.tape.cross_entropy(&mut c.params, x, &ce);
    c.finish_loss();
}

#[test]
fn rotary_positions() {
    let packing = Arc::new(Packing::new(&[5, 3, 1]));
    let mut c = Case::new("rotary");
    let x = c.input("x");
    let y = c.tape.rotate(x, 8, &packing, &Arc::new(Turns::new(4, 5)));
    c.finish(y);
}

#[test]
fn bags_and_losses_of_counts() {
    let mut bags = Bags::new();
    bags.push([(4, 0.7), (1, 1.5)]);
    bags.push([]);
    bags.push([(1, -2.0), (3, 1.0), (1, 0.5)]);
    let mut c = Case::new("embedding_bag");
    let table = c.param("table");
    let y = c.tape.embedding_bag(&c.params, table, &Arc::new(bags));
    c.finish(y);

    let mut counts = Bags::new();
    counts.push([(3, 4.0), (8, 1.0)]);
    counts.push([]);
    counts.push([(0, 2.0)]);
    let mut thinning = [0.0; 9];
    thinning[3] = 0.25f32.ln();
    for (name, thinning, smoothing) in [("multinomial", None, 0.1), ("thinned", Some(&thinning[..]), 0.0)] {
        let mut c = Case::new(name);
        let (x, weight, bias) = (c.input("x"), c.param("weight"), Some(c.param("bias")));
        let loss = Multinomial { weight, bias, counts: &counts, thinning, smoothing, scale: 0.3 };
        c.tape.multinomial(&mut c.params, x, &loss);
        c.finish_loss();
    }
    let mut c = Case::new("squared_counts");
    let (x, weight, bias) = (c.input("x"), c.param("weight"), Some(c.param("bias")));
    c.tape.squared_counts(&mut c.params, x, &SquaredCounts { weight, bias, targets: &counts, scale: 0.3 });
    c.finish_loss();
}

#[test]
fn the_slope_of_a_critic() {
    let mut c = Case::new("slope");
    let (data, shape) = tensor("slope.in.x");
    let x = c.tape.input(&data, shape);
    let (first, second) = (c.param("first"), c.param("second"));
    let h = c.tape.linear(&c.params, x, first, None);
    let mask: Vec<f32> = c.tape.value(h).iter().map(|&h| if h > 0.0 { 1.0 } else { 0.2 }).collect();
    let (mask, ones) = (c.tape.input(&mask, (5, 6)), c.tape.input(&[1.0; 5], (5, 1)));
    let g = c.tape.linear_transposed(&c.params, ones, second);
    let g = c.tape.mul(g, mask);
    let y = c.tape.linear_transposed(&c.params, g, first);
    c.finish(y);
}

#[test]
fn losses_and_gaussian_latents() {
    let mut c = Case::new("mse");
    let x = c.input("x");
    c.tape.squared_error(x, &tensor("mse.target").0, Weighting { row_weights: None, scale: 1.0 / 12.0 });
    c.finish_loss();

    let mut c = Case::new("bce");
    let x = c.input("x");
    c.tape.binary_cross_entropy(x, &tensor("bce.target").0, Weighting { row_weights: None, scale: 1.0 });
    c.finish_loss();

    let mut c = Case::new("gaussian");
    let (mu, logvar) = (c.input("mu"), c.input("logvar"));
    let z = c.tape.reparameterise(mu, logvar, &tensor("gaussian.noise").0);
    c.tape.kl_standard_normal(mu, logvar, Divergence { scale: 0.5, free: 0.0 });
    c.finish(z);
}

#[test]
fn ten_clipped_steps_of_each_optimiser() {
    let adam = |decay| Rule::Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8, decay };
    for (name, rule, rate) in
        [("adam", adam(0.0), 0.05), ("adamw", adam(0.1), 0.05), ("sgd", Rule::Sgd { momentum: 0.9 }, 0.1)]
    {
        let mut c = Case::new("steps");
        let parts = ["table", "w1", "b1", "w2", "b2"];
        let [table, w1, b1, w2, b2] = parts.map(|part| c.param(part));
        let target = tensor("steps.target").0;
        let mut optimiser = Optimiser::new(rule, &c.params);
        let (mut losses, mut norms) = (Vec::new(), Vec::new());
        for _ in 0..10 {
            c.tape.reset();
            let x = c.tape.embedding(&c.params, table, &[4, 1, 4, 0, 2, 5]);
            let h = c.tape.linear_activation(&c.params, x, (w1, Some(b1)), Activation::Tanh);
            let y = c.tape.linear(&c.params, h, w2, Some(b2));
            c.tape.squared_error(y, &target, Weighting { row_weights: None, scale: 1.0 / 12.0 });
            losses.push(c.tape.loss() as f32);
            c.tape.backward(&mut c.params).unwrap();
            norms.push(optimiser.step(&mut c.params, rate, 0.5).unwrap() as f32);
        }
        close(&format!("steps.{name}.losses"), &losses);
        close(&format!("steps.{name}.norms"), &norms);
        for (part, id) in parts.into_iter().zip([table, w1, b1, w2, b2]) {
            close(&format!("steps.{name}.{part}"), c.params.value(id));
        }
    }
}
