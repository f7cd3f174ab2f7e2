//! The layers of the flow: affine couplings (Dinh, Sohl-Dickstein and Bengio 2017), forward on a tape and inverted.
//!
//! A block cuts the dimensions into alternate stretches A and B and applies two couplings, `b <- f(a, b)` and then
//! `a <- f(b, a)`, with
//!
//! ```text
//! f(a, b) = b s + t,    s = 1 + c tanh r,    (r, t) = W2 relu(W1 a + b1) + b2,    0 < c < 1
//! ```
//!
//! so `log |det df/db| = sum log s` and the inverse is `(b - t) / s`. Block k has stretches of `Z / 2^(k+1)` dimensions
//! (rounded up), so that neighbours of one block are on different sides in another. At the start W2 and b2 are zero
//! and every coupling is the identity.

use std::{convert::Infallible, ops::Range};

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use strait_engine::{ParamId, Params, Tape, Var, init, ops::activation::Activation};

/// The first block's stretches are halves, the last one's sixteenths.
pub(super) const BLOCKS: usize = 4;
/// `c`: a coupling stretches a dimension by 0.2 to 1.8.
const REACH: f32 = 0.8;
/// How the names of the weights end that do not start at zero.
const FIRST_WEIGHT: &str = ".first.weight";

/// All blocks with their weights.
pub(super) struct Couplings {
    pub params: Params,
    blocks: Vec<Block>,
    dim: usize,
    hidden: usize,
}

struct Block {
    /// Stretches of A and B in turn; together they are `0..Z`.
    stretches: Vec<Range<usize>>,
    /// The network that sees A and moves B, and the one that sees B and moves A.
    networks: [Network; 2],
}

/// `(r, t) = W2 relu(W1 a + b1) + b2`.
struct Network {
    first: (ParamId, ParamId),
    second: (ParamId, ParamId),
    moved: usize,
}

/// Random drops of hidden units, in training.
pub(super) struct Dropout<'a> {
    pub rate: f32,
    pub rng: &'a mut ChaCha8Rng,
}

impl Couplings {
    /// Identity couplings over `dim` >= 2 dimensions whose networks have `hidden` units.
    pub fn new(dim: usize, hidden: usize, rng: &mut impl Rng) -> Self {
        let weight = |name: &str, shape: (usize, usize)| match name.ends_with(FIRST_WEIGHT) {
            true => Ok(init::he(shape, rng)),
            false => Ok(vec![0.0; shape.0 * shape.1]),
        };
        let Ok(couplings) = Self::build::<Infallible>(dim, hidden, weight);
        couplings
    }

    /// As [`Couplings::new`] with the values that `weight` gives for a name and a shape.
    pub fn build<E>(
        dim: usize,
        hidden: usize,
        mut weight: impl FnMut(&str, (usize, usize)) -> Result<Vec<f32>, E>,
    ) -> Result<Self, E> {
        let mut params = Params::new();
        let mut add = |name: String, shape| Ok(params.add(&name, shape, weight(&name, shape)?));
        let mut blocks = Vec::new();
        for k in 0..BLOCKS {
            let stretches = stretches(dim, k);
            let a: usize = stretches.iter().step_by(2).map(Range::len).sum();
            let mut network = |side: &str, seen: usize, moved: usize| {
                let at = format!("blocks.{k}.{side}");
                let first = (
                    add(format!("{at}{FIRST_WEIGHT}"), (hidden, seen))?,
                    add(format!("{at}.first.bias"), (1, hidden))?,
                );
                let second = (
                    add(format!("{at}.second.weight"), (2 * moved, hidden))?,
                    add(format!("{at}.second.bias"), (1, 2 * moved))?,
                );
                Ok(Network { first, second, moved })
            };
            let networks = [network("a", a, dim - a)?, network("b", dim - a, a)?];
            blocks.push(Block { stretches, networks });
        }
        Ok(Self { params, blocks, dim, hidden })
    }

    /// Z.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Hidden units of each network.
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// Multiply-adds of the forward pass for one vector.
    pub fn cost(dim: usize, hidden: usize) -> u64 {
        // Each of a block's two networks sees one side and moves the other: Z seen and 2 Z put out together.
        (BLOCKS * hidden * 3 * dim) as u64
    }

    /// x (N, Z) -> u (N, Z), and for every coupling tanh r of the dimensions moved, which [`log_stretch`] takes.
    pub fn forward(&self, tape: &mut Tape, mut x: Var, mut dropout: Option<Dropout<'_>>) -> (Var, Vec<Var>) {
        let mut turns = Vec::with_capacity(2 * self.blocks.len());
        for block in &self.blocks {
            let mut sides = [0, 1].map(|side| {
                let parts: Vec<Var> =
                    block.stretches.iter().skip(side).step_by(2).map(|s| tape.slice_columns(x, s.clone())).collect();
                tape.concat(&parts)
            });
            for (seen, network) in block.networks.iter().enumerate() {
                let (turn, shift) = network.run(tape, &self.params, sides[seen], dropout.as_mut());
                let moved = sides[1 - seen];
                let stretched = tape.mul(moved, turn);
                let stretched = tape.scale(stretched, REACH);
                let stretched = tape.add(moved, stretched);
                sides[1 - seen] = tape.add(stretched, shift);
                turns.push(turn);
            }
            let mut at = [0, 0];
            let parts: Vec<Var> = block
                .stretches
                .iter()
                .enumerate()
                .map(|(i, s)| {
                    let from = at[i % 2];
                    at[i % 2] += s.len();
                    tape.slice_columns(sides[i % 2], from..at[i % 2])
                })
                .collect();
            x = tape.concat(&parts);
        }
        (x, turns)
    }

    /// u (N, Z) -> x (N, Z), in place.
    pub fn invert(&self, u: &mut [f32]) {
        let mut tape = Tape::inference();
        for block in self.blocks.iter().rev() {
            for seen in [1, 0] {
                tape.reset();
                let given: Vec<f32> =
                    u.chunks_exact(self.dim).flat_map(|row| block.side(seen).map(|i| row[i])).collect();
                let (rows, network) = (u.len() / self.dim, &block.networks[seen]);
                let given = tape.input(&given, (rows, self.dim - network.moved));
                let (turn, shift) = network.run(&mut tape, &self.params, given, None);
                let mut solved = tape.value(turn).iter().zip(tape.value(shift));
                for row in u.chunks_exact_mut(self.dim) {
                    for (i, (turn, shift)) in block.side(1 - seen).zip(&mut solved) {
                        row[i] = (row[i] - shift) / (1.0 + REACH * turn);
                    }
                }
            }
        }
    }
}

impl Block {
    /// The dimensions of A (0) or B (1), in order.
    fn side(&self, side: usize) -> impl Iterator<Item = usize> {
        self.stretches.iter().skip(side).step_by(2).flat_map(Clone::clone)
    }
}

impl Network {
    /// seen (N, S) -> tanh r (N, M), t (N, M).
    fn run(&self, tape: &mut Tape, params: &Params, seen: Var, dropout: Option<&mut Dropout<'_>>) -> (Var, Var) {
        let ((w1, b1), (w2, b2)) = (self.first, self.second);
        let mut h = tape.linear_activation(params, seen, (w1, Some(b1)), Activation::Relu);
        if let Some(dropout) = dropout {
            h = tape.dropout(h, dropout.rate, dropout.rng);
        }
        let both = tape.linear(params, h, w2, Some(b2));
        let r = tape.slice_columns(both, 0..self.moved);
        (tape.activation(r, Activation::Tanh), tape.slice_columns(both, self.moved..2 * self.moved))
    }
}

/// `log s` in nats and its slope by `turn` = tanh r.
pub(super) fn log_stretch(turn: f32) -> (f64, f32) {
    (f64::from(REACH * turn).ln_1p(), REACH / (1.0 + REACH * turn))
}

/// Block `k`'s stretches: at least two for `dim` >= 2, alternately on either side.
fn stretches(dim: usize, k: usize) -> Vec<Range<usize>> {
    let length = dim.div_ceil(2 << k);
    (0..dim).step_by(length).map(|at| at..(at + length).min(dim)).collect()
}
