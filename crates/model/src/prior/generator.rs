//! A prior that is a network: `z = G(e)`, `e ~ N(0, I)`, as adversarial training leaves it (Goodfellow et al. 2014;
//! Zhao et al. 2018). It gives draws, but no density.
//!
//! e (E), layers `h_l = f(W_l h_(l-1) + b_l)` with W_l (O_l, I_l) and f (leaky) ReLU, the last without f; on a sphere,
//! z is then brought to mean 0 and variance 1 over its dimensions, as latents normalised by layer are.

use rand::Rng;
use safetensors::tensor::{Dtype, SafeTensors};
use strait_engine::{
    Params,
    gemm::{self, A, Finish, Packed, Start},
    ops::activation::Activation,
};

use super::PriorError;
use super::rows::MOST_DIMS;
use super::standard_normal::normals;
use crate::objective::dense::Dense;

/// Draws computed together.
const ROWS: usize = 256;
/// Added to variances on a sphere.
const EPS: f64 = 1e-5;
/// More layers than any network here has.
const MOST_LAYERS: usize = 64;

/// A network that turns noise into latents.
#[derive(Clone)]
pub struct Generator {
    layers: Vec<Layer>,
    /// The slope of f below 0.
    below: f32,
    sphere: bool,
}

#[derive(Clone)]
struct Layer {
    /// (O, I), row-major.
    weight: Vec<f32>,
    /// (O).
    bias: Vec<f32>,
    pack: Packed,
}

impl Layer {
    fn new(weight: Vec<f32>, bias: Vec<f32>) -> Self {
        let (out, inp) = (bias.len(), weight.len() / bias.len().max(1));
        let mut pack = Packed::default();
        pack.pack(&weight, inp, inp, out, true);
        Layer { weight, bias, pack }
    }

    fn input(&self) -> usize {
        self.pack.k()
    }

    fn output(&self) -> usize {
        self.bias.len()
    }
}

impl PartialEq for Generator {
    fn eq(&self, other: &Self) -> bool {
        let parts = |g: &Self| (g.below, g.sphere, g.layers.len());
        let same = |(a, b): (&Layer, &Layer)| a.weight == b.weight && a.bias == b.bias;
        parts(self) == parts(other) && self.layers.iter().zip(&other.layers).all(same)
    }
}

impl std::fmt::Debug for Generator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generator").field("widths", &self.widths()).field("sphere", &self.sphere).finish()
    }
}

impl Generator {
    /// A copy of a trained network, whose output is then scaled and shifted, `deviations z + means` (Z each); without
    /// them as it is.
    pub(crate) fn of(params: &Params, network: &Dense, affine: Option<(&[f32], &[f32])>, sphere: bool) -> Self {
        let below = match network.activation() {
            Activation::LeakyRelu(below) => below,
            Activation::Identity => 1.0,
            _ => 0.0,
        };
        let count = network.layers().len();
        let layer = |(l, &(weight, bias)): (usize, &(_, _))| {
            let (mut weight, mut bias) = (params.value(weight).to_vec(), params.value(bias).to_vec());
            if let Some((deviations, means)) = affine.filter(|_| l + 1 == count) {
                let inp = weight.len() / bias.len().max(1);
                weight.iter_mut().enumerate().for_each(|(i, w)| *w *= deviations[i / inp.max(1)]);
                bias.iter_mut().zip(deviations.iter().zip(means)).for_each(|(b, (d, m))| *b = *b * d + m);
            }
            Layer::new(weight, bias)
        };
        Generator { layers: network.layers().iter().enumerate().map(layer).collect(), below, sphere }
    }

    /// The widths from the noise to the latent.
    pub fn widths(&self) -> Vec<usize> {
        self.layers.iter().take(1).map(Layer::input).chain(self.layers.iter().map(Layer::output)).collect()
    }

    /// Number of layers.
    pub fn layers(&self) -> usize {
        self.layers.len()
    }

    /// Z.
    pub fn dim(&self) -> usize {
        self.layers.last().map_or(0, Layer::output)
    }

    /// Dimensions of the noise, E.
    pub fn noise(&self) -> usize {
        self.layers.first().map_or(0, Layer::input)
    }

    /// Weights and biases.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|l| l.weight.len() + l.bias.len()).sum()
    }

    /// One draw (Z).
    pub fn sample(&self, rng: &mut impl Rng) -> Vec<f32> {
        self.sample_many(1, rng)
    }

    /// `n` draws (n, Z), row-major: what `n` calls of [`Generator::sample`] give.
    pub fn sample_many(&self, n: usize, rng: &mut impl Rng) -> Vec<f32> {
        let mut draws = Vec::with_capacity(n * self.dim());
        for first in (0..n).step_by(ROWS) {
            let rows = ROWS.min(n - first);
            let noise: Vec<f32> = (0..rows).flat_map(|_| normals(self.noise(), rng)).map(|e| e as f32).collect();
            draws.extend(self.push(noise, rows));
        }
        draws
    }

    /// Noise (n, E) -> latents (n, Z). A row does not depend on the others.
    fn push(&self, noise: Vec<f32>, n: usize) -> Vec<f32> {
        let mut h = noise;
        for (i, layer) in self.layers.iter().enumerate() {
            let mut y = vec![0.0; n * layer.output()];
            let (a, start) = (A::rows(&h, layer.input()), Start::Bias(&layer.bias));
            gemm::gemm(n, a, &layer.pack, &mut y, layer.output(), start, Finish::None);
            if i + 1 < self.layers.len() {
                Activation::LeakyRelu(self.below).apply(&mut y);
            }
            h = y;
        }
        if self.sphere {
            h.chunks_exact_mut(self.dim().max(1)).for_each(to_sphere);
        }
        h
    }

    /// For the file: names, shapes and values of the tensors. `settings` holds the slope below 0, and 1 on a sphere.
    pub(super) fn tensors(&self) -> Vec<(String, Vec<usize>, Vec<u8>)> {
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let mut all = vec![("settings".into(), vec![2], bytes(&[self.below, f32::from(u8::from(self.sphere))]))];
        for (l, layer) in self.layers.iter().enumerate() {
            all.push((format!("weight.{l}"), vec![layer.output(), layer.input()], bytes(&layer.weight)));
            all.push((format!("bias.{l}"), vec![layer.output()], bytes(&layer.bias)));
        }
        all
    }

    /// Reads what [`Generator::tensors`] gave: `layers` layers that end in `dim` values.
    pub(super) fn read(file: &SafeTensors, layers: usize, dim: usize) -> Result<Self, PriorError> {
        let wrong = |problem: String| PriorError::Tensor { name: "weight".into(), problem };
        if !(1..=MOST_LAYERS).contains(&layers) || file.len() != 2 * layers + 1 {
            return Err(wrong(format!("{} tensors for a generator of {layers} layers", file.len())));
        }
        let (shape, settings) = tensor(file, "settings")?;
        let &[below, sphere] = &settings[..] else {
            return Err(wrong(format!("settings of shape {shape:?}")));
        };
        let mut read = Generator { layers: Vec::new(), below, sphere: sphere == 1.0 };
        for l in 0..layers {
            let ((shape, weight), (_, bias)) =
                (tensor(file, &format!("weight.{l}"))?, tensor(file, &format!("bias.{l}"))?);
            let &[out, inp] = &shape[..] else { return Err(wrong(format!("layer {l} is of shape {shape:?}"))) };
            let before = read.layers.last().map_or(inp, Layer::output);
            if out != bias.len() || inp != before || !(1..=16 * MOST_DIMS).contains(&out.max(inp)) || out.min(inp) == 0
            {
                return Err(wrong(format!(
                    "layer {l} of shape {shape:?} does not fit {} biases after {before}",
                    bias.len()
                )));
            }
            read.layers.push(Layer::new(weight, bias));
        }
        match read.dim() == dim {
            true => Ok(read),
            false => Err(wrong(format!("the last layer gives {} values, the prior has {dim} dimensions", read.dim()))),
        }
    }
}

/// Shape and values of an f32 tensor, all finite.
fn tensor(file: &SafeTensors, name: &str) -> Result<(Vec<usize>, Vec<f32>), PriorError> {
    let wrong = |problem: String| PriorError::Tensor { name: "weight".into(), problem };
    let view = file.tensor(name).map_err(|_| wrong(format!("`{name}` is missing")))?;
    if view.dtype() != Dtype::F32 {
        return Err(wrong(format!("`{name}` is {:?}, not F32", view.dtype())));
    }
    let values: Vec<f32> = view.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
    match values.iter().find(|v| !v.is_finite()) {
        Some(v) => Err(wrong(format!("`{name}` holds {v}"))),
        None => Ok((view.shape().to_vec(), values)),
    }
}

/// Mean 0 and variance 1 over the dimensions.
fn to_sphere(z: &mut [f32]) {
    let n = z.len() as f64;
    let mean = z.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = z.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
    let root = 1.0 / (variance + EPS).sqrt();
    z.iter_mut().for_each(|v| *v = ((f64::from(*v) - mean) * root) as f32);
}

#[cfg(test)]
mod tests {
    use strait_engine::Tape;

    use super::super::Prior;
    use super::*;
    use crate::objective::testing::rng;

    fn network(sizes: &[usize], activation: Activation) -> (Params, Dense) {
        let mut params = Params::new();
        let dense = Dense::new(&mut params, "g", sizes, activation, &mut rng(2));
        (params, dense)
    }

    #[test]
    fn draws_are_the_networks_outputs() {
        for (activation, sphere) in [(Activation::Relu, false), (Activation::LeakyRelu(0.2), true)] {
            let (params, dense) = network(&[5, 9, 7], activation);
            let generator = Generator::of(&params, &dense, None, sphere);
            assert_eq!((generator.widths(), generator.noise(), generator.dim()), (vec![5, 9, 7], 5, 7));
            let draws = generator.sample_many(300, &mut rng(1));
            let noise: Vec<f32> = {
                let rng = &mut rng(1);
                (0..300).flat_map(|_| normals(5, rng)).map(|e| e as f32).collect()
            };
            let mut tape = Tape::inference();
            let e = tape.input(&noise, (300, 5));
            let mut z = dense.forward(&mut tape, &params, e);
            if sphere {
                z = tape.layer_norm(&params, z, None, 1e-5);
            }
            assert!(tape.value(z).iter().zip(&draws).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }

    #[test]
    fn many_draws_are_single_draws_to_the_bit() {
        let (params, dense) = network(&[4, 33, 6], Activation::Relu);
        let generator = Generator::of(&params, &dense, None, true);
        let together = generator.sample_many(ROWS + 3, &mut rng(4));
        let rng = &mut rng(4);
        let single: Vec<f32> = (0..ROWS + 3).flat_map(|_| generator.sample(rng)).collect();
        assert!(together.iter().zip(&single).all(|(a, b)| a.to_bits() == b.to_bits()));
    }

    #[test]
    fn the_affine_map_is_folded_into_the_last_layer() {
        let (params, dense) = network(&[3, 8, 2], Activation::Relu);
        let plain = Generator::of(&params, &dense, None, false).sample_many(20, &mut rng(5));
        let moved = Generator::of(&params, &dense, Some((&[2.0, 0.5], &[-1.0, 3.0])), false);
        let moved = moved.sample_many(20, &mut rng(5));
        for (p, m) in plain.chunks(2).zip(moved.chunks(2)) {
            assert!((2.0 * p[0] - 1.0 - m[0]).abs() < 1e-5 && (0.5 * p[1] + 3.0 - m[1]).abs() < 1e-5);
        }
    }

    #[test]
    fn bytes_and_back_to_the_bit_and_no_density() {
        let (params, dense) = network(&[3, 8, 4, 2], Activation::LeakyRelu(0.1));
        let prior = Prior::Generator(Generator::of(&params, &dense, None, true));
        let bytes = prior.to_bytes();
        let read = Prior::from_bytes(&bytes).unwrap();
        assert!(read == prior && read.to_bytes() == bytes);
        assert_eq!(read.sample_many(9, &mut rng(1)), prior.sample_many(9, &mut rng(1)));
        assert!(read.log_density(&[0.0, 0.0]).is_nan());
        assert!(read.log_densities(&[0.0; 6]).unwrap().iter().all(|d| d.is_nan()));
        assert_eq!((read.dim(), read.name(), read.parameters()), (2, "generator", 24 + 8 + 32 + 4 + 8 + 2));
    }

    #[test]
    fn damage_is_named() {
        let (mut params, dense) = network(&[3, 4, 2], Activation::Relu);
        let said = |params: &Params| {
            let bytes = Prior::Generator(Generator::of(params, &dense, None, false)).to_bytes();
            Prior::from_bytes(&bytes).unwrap_err().to_string()
        };
        params.assign(dense.layers()[1].1, &[1.0, f32::NAN]);
        assert!(said(&params).contains("bias.1"), "{}", said(&params));
        let generator = Generator { layers: Vec::new(), below: 0.0, sphere: false };
        assert!(Prior::from_bytes(&Prior::Generator(generator).to_bytes()).is_err());
    }
}
