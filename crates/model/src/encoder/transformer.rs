//! The Transformer encoder: `x = E[ids]` through a stack of blocks in which every position sees every other,
//! pooled to one row of features for each sequence.
//!
//! With `pool = "last"` the features are those of K learned queries, one for each slot of the latent, that attend to
//! the last states with several heads (Lee et al. 2019; Montero et al. 2021): (B, K D), slot by slot. Otherwise they are
//! the mean or the maximum over the positions, (B, D).

use std::sync::Arc;

use rand::Rng;
use strait_engine::{
    Packing, ParamId, Params, Tape, Var, init,
    ops::attention::{Attention, Columns},
};

use crate::{
    batch::Sequences,
    config::{EncoderConfig, Pool},
    transformer::{Dense, Shape, Stack, Surroundings, dense},
};

/// The Transformer encoder and its weights' handles.
#[derive(Debug)]
pub struct Encoder {
    pool: Pool,
    dropout: f32,
    stack: Stack,
    queries: Option<Queries>,
}

/// Pooling by attention.
#[derive(Debug)]
struct Queries {
    /// K.
    slots: usize,
    /// (K, D).
    table: ParamId,
    /// (2 D, D): keys and values of the last states.
    memory: Dense,
}

impl Encoder {
    /// Adds the weights `encoder.transformer.*` and `encoder.pool.*`. `slots` is K.
    pub fn new(params: &mut Params, config: &EncoderConfig, slots: usize, rng: &mut impl Rng) -> Self {
        let shape = Shape {
            width: config.embedding,
            heads: config.heads,
            inner: config.hidden,
            layers: config.layers,
            positions: config.positions,
            activation: config.activation.into(),
            causal: false,
            memory: 0,
            states: 0,
            dropout: config.dropout,
        };
        let stack = Stack::new(params, "encoder.transformer", shape, rng);
        let d = shape.width;
        let queries = (config.pool == Pool::Last).then(|| {
            let table = init::normal(slots * d, 1.0, rng);
            let table = params.add("encoder.pool.queries", (slots, d), table);
            let name = |part: &str| format!("encoder.pool.{part}");
            Queries { slots, table, memory: dense(params, (name("weight"), name("bias")), (2 * d, d), 1.0, rng) }
        });
        Encoder { pool: config.pool, dropout: config.dropout, stack, queries }
    }

    /// Columns of the features.
    pub fn width(&self) -> usize {
        self.stack.shape.width * self.queries.as_ref().map_or(1, |q| q.slots)
    }

    /// See [`super::Encoder::forward`].
    pub fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        embedding: ParamId,
        source: &Sequences,
        rng: &mut impl Rng,
    ) -> Var {
        let y = self.states(tape, params, embedding, source, rng);
        self.features(tape, params, y, source, rng)
    }

    /// See [`super::Encoder::states`].
    pub fn states(
        &self,
        tape: &mut Tape,
        params: &Params,
        embedding: ParamId,
        source: &Sequences,
        rng: &mut impl Rng,
    ) -> Var {
        let x = tape.embedding(params, embedding, &source.ids);
        self.stack.forward(tape, params, x, Surroundings::alone(&source.packing), rng)
    }

    /// See [`super::Encoder::pool`].
    pub fn features(&self, tape: &mut Tape, params: &Params, y: Var, source: &Sequences, rng: &mut impl Rng) -> Var {
        let pooled = match (&self.queries, self.pool) {
            (Some(queries), _) => self.ask(tape, params, queries, y, &source.packing),
            (None, Pool::Max) => tape.max_over_time(y, &source.packing),
            (None, _) => tape.mean_over_time(y, &source.packing),
        };
        tape.dropout(pooled, self.dropout, rng)
    }

    /// Last states y (N, D) -> features (B, K D).
    fn ask(&self, tape: &mut Tape, params: &Params, queries: &Queries, y: Var, packing: &Arc<Packing>) -> Var {
        let Shape { width: d, heads, .. } = self.stack.shape;
        let (b, k) = (packing.batch(), queries.slots);
        let kv = tape.linear(params, y, queries.memory.0, Some(queries.memory.1));
        let slots: Vec<u32> = (0..k as u32).flat_map(|slot| std::iter::repeat_n(slot, b)).collect();
        let q = tape.embedding(params, queries.table, &slots);
        let uniform = Arc::new(Packing::uniform(b, k));
        let attention =
            Attention { width: d, heads, causal: false, queries: &uniform, memory: packing, sequences: None };
        let y = tape.attention([q.into(), kv.into(), Columns { of: kv, at: d }], &attention);
        let slot = |tape: &mut Tape, k: usize| tape.slice_rows(y, k * b..(k + 1) * b);
        let slots: Vec<Var> = (0..k).map(|k| slot(tape, k)).collect();
        tape.concat(&slots)
    }
}
