//! A stack of Transformer blocks (Vaswani et al. 2017): the trunk of the Transformer encoder and decoder.
//!
//! Pre-normalised (Xiong et al. 2020), x (N, D) packed:
//!
//! ```text
//! x = x + drop(W_o attention(rotate(W_qkv norm_1(x))))
//! x = x + drop(W_2 f(W_1 norm_2(x)))
//! ```
//!
//! for each block, and a last norm. Positions enter by rotation of queries and keys (Su et al. 2021), or by a learned
//! vector for each place, added to x. A stack may have a memory: K rows of P dimensions for each sequence, from which
//! each block makes keys and values of its own (`W_m m`) that every position sees besides the positions before it (Li
//! et al. 2020, Optimus). They have no place and are not rotated. A stack may also attend to the states of another text for
//! each sequence ([`States`]): then each block does so between its two parts.

mod cross;
mod step;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use rand::Rng;
use strait_engine::{
    Packing, ParamId, Params, Tape, Var, init,
    ops::{
        activation::Activation,
        attention::{Attention, Columns},
        feed_forward::FeedForward,
        rotary::Turns,
    },
};

use crate::config::Positions;
use cross::Cross;
pub use cross::States;
pub use step::State;

/// Places that learned positions tell apart; tokens beyond share the last one.
const PLACES: usize = 1024;
/// Standard deviation of learned positions at the start.
const PLACE_DEVIATION: f32 = 0.02;
/// Added to variances.
const EPS: f32 = 1e-5;

/// What a stack looks like.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Width of the residual stream, D.
    pub width: usize,
    pub heads: usize,
    /// Hidden units of the feed-forward part.
    pub inner: usize,
    pub layers: usize,
    pub positions: Positions,
    pub activation: Activation,
    /// A position sees itself and what is before it.
    pub causal: bool,
    /// Width of the memory's rows, P; 0: no memory.
    pub memory: usize,
    /// Width of the states of other texts that it attends to, W; 0: none.
    pub states: usize,
    pub dropout: f32,
}

/// A weight and its bias, or a gain and its shift.
pub type Dense = (ParamId, ParamId);

/// The blocks' weights.
#[derive(Debug)]
pub struct Stack {
    pub(crate) shape: Shape,
    blocks: Vec<Block>,
    /// Learned positions (PLACES, D).
    places: Option<ParamId>,
    norm: Dense,
}

#[derive(Debug)]
struct Block {
    norm1: Dense,
    /// (3 D, D): queries, keys and values side by side.
    in_proj: Dense,
    out_proj: Dense,
    /// (2 D, P): keys and values of the memory.
    memory: Option<Dense>,
    cross: Option<Cross>,
    norm2: Dense,
    feed_forward: FeedForward,
}

/// What a stack is given to attend to, besides its sequences.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// (K B, P), the first row of each sequence, then the second of each, and so on.
    pub rows: Var,
    /// Rows for each sequence, K.
    pub slots: usize,
}

/// What surrounds the sequences that a stack reads.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    pub packing: &'a Arc<Packing>,
    pub memory: Option<Memory>,
    pub states: Option<States<'a>>,
}

impl<'a> Surroundings<'a> {
    /// Nothing but the sequences themselves.
    pub fn alone(packing: &'a Arc<Packing>) -> Self {
        Surroundings { packing, memory: None, states: None }
    }
}

impl Stack {
    /// Adds the weights to `params`, named `{name}.layers.0.self_attn.in_proj_weight` and so on, as PyTorch's
    /// `TransformerEncoder` with `norm_first` names them.
    pub fn new(params: &mut Params, name: &str, shape: Shape, rng: &mut impl Rng) -> Self {
        let blocks = (0..shape.layers).map(|l| Block::new(params, &format!("{name}.layers.{l}"), shape, rng)).collect();
        let d = shape.width;
        let places = (shape.positions == Positions::Learned).then(|| {
            let value = init::normal(PLACES * d, PLACE_DEVIATION, rng);
            params.add(format!("{name}.positions.weight"), (PLACES, d), value)
        });
        Stack { shape, blocks, places, norm: norm(params, &format!("{name}.norm"), d) }
    }

    /// x (N, D) packed -> (N, D). Dropout applies to x and to what each block adds.
    pub fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        x: Var,
        around: Surroundings<'_>,
        rng: &mut impl Rng,
    ) -> Var {
        let Shape { width: d, heads, dropout, .. } = self.shape;
        let Surroundings { packing, memory, states } = around;
        let mut drop = |tape: &mut Tape, x: Var| tape.dropout(x, dropout, rng);
        let mut x = match self.places {
            Some(table) => {
                let places = tape.embedding(params, table, &places(packing));
                tape.add(x, places)
            }
            None => x,
        };
        x = drop(tape, x);
        // Every block turns by the same angles.
        let turns = self.places.is_none().then(|| Arc::new(Turns::new(d / heads, packing.steps())));
        let seen = memory.map(|m| Arc::new(with_slots(packing, m.slots)));
        for block in &self.blocks {
            let mut qkv = block.project(tape, params, x);
            if let Some(turns) = &turns {
                qkv = tape.rotate(qkv, 2 * d, packing, turns);
            }
            let attended = match (&seen, memory) {
                (Some(seen), Some(memory)) => self.attend_with(tape, params, (block, qkv), (memory, seen)),
                _ => self.attend(tape, qkv, packing),
            };
            x = block.attended(tape, params, (x, attended), &mut drop);
            if let (Some(cross), Some(states)) = (&block.cross, states) {
                let seen = cross.attend(tape, params, x, (packing, states, heads));
                let seen = drop(tape, seen);
                x = tape.add(x, seen);
            }
            x = block.feed(tape, params, x, &mut drop);
        }
        tape.layer_norm(params, x, Some(self.norm), EPS)
    }

    /// qkv (N, 3 D) -> (N, D).
    fn attend(&self, tape: &mut Tape, qkv: Var, packing: &Arc<Packing>) -> Var {
        let Shape { width, heads, causal, .. } = self.shape;
        tape.attention(Columns::thirds(qkv, width), &Attention::within(packing, width, heads, causal))
    }

    /// As [`Stack::attend`], with the memory's rows before the first position of each sequence: `seen` has them, too.
    fn attend_with(
        &self,
        tape: &mut Tape,
        params: &Params,
        (block, qkv): (&Block, Var),
        (memory, seen): (Memory, &Arc<Packing>),
    ) -> Var {
        let Some((w, b)) = block.memory else { return self.attend(tape, qkv, seen) };
        let kv = tape.linear(params, memory.rows, w, Some(b));
        // The memory asks nothing: its outputs are cut off, so any queries will do.
        let queries = tape.slice_columns(kv, 0..self.shape.width);
        let rows = tape.concat(&[queries, kv]);
        let all = tape.stack(rows, qkv);
        let y = self.attend(tape, all, seen);
        tape.slice_rows(y, memory.slots * seen.batch()..seen.rows())
    }
}

impl Block {
    fn new(params: &mut Params, name: &str, shape: Shape, rng: &mut impl Rng) -> Self {
        let Shape { width: d, inner, layers, .. } = shape;
        // What the blocks add to the residual stream keeps its size, however many there are (Radford et al. 2019).
        let residual = 1.0 / (2.0 * layers as f32).sqrt();
        let mut dense = |weight: &str, size: (usize, usize), gain: f32| {
            dense(
                params,
                (format!("{name}.{weight}"), format!("{name}.{}", weight.replace("weight", "bias"))),
                size,
                gain,
                rng,
            )
        };
        let in_proj = dense("self_attn.in_proj_weight", (3 * d, d), 1.0);
        let out_proj = dense("self_attn.out_proj.weight", (d, d), residual);
        let up = dense("linear1.weight", (inner, d), 1.0);
        let down = dense("linear2.weight", (d, inner), residual);
        let memory = (shape.memory > 0).then(|| dense("memory.weight", (2 * d, shape.memory), 1.0));
        let cross = (shape.states > 0).then(|| Cross::new(params, name, shape, rng));
        Block {
            norm1: norm(params, &format!("{name}.norm1"), d),
            in_proj,
            out_proj,
            memory,
            cross,
            norm2: norm(params, &format!("{name}.norm2"), d),
            feed_forward: FeedForward {
                up: (up.0, Some(up.1)),
                down: (down.0, Some(down.1)),
                activation: shape.activation,
            },
        }
    }

    /// x (N, D) -> queries, keys and values (N, 3 D).
    fn project(&self, tape: &mut Tape, params: &Params, x: Var) -> Var {
        let h = tape.layer_norm(params, x, Some(self.norm1), EPS);
        tape.linear(params, h, self.in_proj.0, Some(self.in_proj.1))
    }

    /// The block's input and what its heads attended to, both (N, D) -> their sum (N, D).
    fn attended(
        &self,
        tape: &mut Tape,
        params: &Params,
        (x, attended): (Var, Var),
        mut drop: impl FnMut(&mut Tape, Var) -> Var,
    ) -> Var {
        let h = tape.linear(params, attended, self.out_proj.0, Some(self.out_proj.1));
        let h = drop(tape, h);
        tape.add(x, h)
    }

    /// The feed-forward part: x (N, D) -> the block's output (N, D).
    fn feed(&self, tape: &mut Tape, params: &Params, x: Var, mut drop: impl FnMut(&mut Tape, Var) -> Var) -> Var {
        let h = tape.layer_norm(params, x, Some(self.norm2), EPS);
        let h = tape.feed_forward(params, h, self.feed_forward);
        let h = drop(tape, h);
        tape.add(x, h)
    }
}

/// Adds a weight (out, in), Xavier's times `gain`, and its bias.
pub fn dense(
    params: &mut Params,
    (weight, bias): (String, String),
    (out, inp): (usize, usize),
    gain: f32,
    rng: &mut impl Rng,
) -> Dense {
    let mut value = init::xavier((out, inp), rng);
    value.iter_mut().for_each(|v| *v *= gain);
    (params.add(weight, (out, inp), value), params.add(bias, (1, out), vec![0.0; out]))
}

fn norm(params: &mut Params, name: &str, d: usize) -> Dense {
    let gain = params.add(format!("{name}.weight"), (1, d), vec![1.0; d]);
    (gain, params.add(format!("{name}.bias"), (1, d), vec![0.0; d]))
}

/// The place of each packed row among those that learned positions tell apart, (N).
fn places(packing: &Packing) -> Vec<u32> {
    (0..packing.steps()).flat_map(|t| std::iter::repeat_n(place(t), packing.active(t))).collect()
}

fn place(t: usize) -> u32 {
    t.min(PLACES - 1) as u32
}

/// The packing of sequences that are longer by `slots`.
fn with_slots(packing: &Packing, slots: usize) -> Packing {
    Packing::new(&packing.lengths().iter().map(|length| length + slots).collect::<Vec<_>>())
}
