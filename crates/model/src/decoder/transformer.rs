//! The Transformer decoder: a latent to the scores of the next token.
//!
//! `x = E[tokens]` goes through a causal stack of blocks; z is their memory: K slots of Z / K dimensions, from
//! which every block makes keys and values of its own. The output is multiplied with the embedding table (tied, Press &
//! Wolf 2017) or goes to output weights of its own. Without a latent it is a language model. In
//! seq2seq every block attends to the encoder's states.

use rand::Rng;
use strait_engine::{
    ParamId, Params, Tape, Var,
    ops::{embedding, mixture::Mixture},
};

use super::{
    Given, Task,
    head::Head,
    manager::Lead,
    output::Output,
    pointer::{Copies, Pointer},
};
use crate::{
    config::DecoderConfig,
    decoding::NextToken,
    seq2seq::Encoded,
    transformer::{Memory, Shape, Stack, State, States, Surroundings},
};

/// A decoder and its weights' handles.
#[derive(Debug)]
pub struct Decoder {
    dropout: f32,
    stack: Stack,
    /// Vectors of which a latent consists, K.
    slots: usize,
    pointer: Option<Pointer>,
    pub(super) head: Head,
}

impl Decoder {
    /// Adds the weights `decoder.*`. `embedding` (V, D) is the shared table.
    pub fn new(
        params: &mut Params,
        config: &DecoderConfig,
        embedding: ParamId,
        given: Given<'_>,
        rng: &mut impl Rng,
    ) -> Self {
        let (latent, (_, d)) = (given.latent, params.shape(embedding));
        let shape = Shape {
            width: d,
            heads: config.heads,
            inner: config.hidden,
            layers: config.layers,
            positions: config.positions,
            activation: config.activation.into(),
            causal: true,
            memory: latent.size / latent.slots,
            states: given.states,
            dropout: config.dropout,
        };
        let stack = Stack::new(params, "decoder.transformer", shape, rng);
        let pointer = Pointer::new(params, given, (d, true), rng);
        let head = Head::new(Output::new(params, (embedding, config.tied), d, rng));
        Decoder { dropout: config.dropout, stack, slots: latent.slots, pointer, head }
    }

    /// What the output layer reads at each position of the batch, (N, D), and what is copied besides.
    pub(super) fn read(
        &self,
        tape: &mut Tape,
        params: &Params,
        embedding: ParamId,
        task: &Task<'_>,
        rng: &mut impl Rng,
    ) -> (Var, Option<Mixture>) {
        let batch = task.batch;
        let x = tape.embedding(params, embedding, &batch.inputs);
        let states = task.states.map(|rows| States { rows, packing: &batch.source.packing, of: &batch.source_of });
        let memory = task.z.map(|z| self.memory(tape, z));
        let around = Surroundings { packing: &batch.packing, memory, states };
        let y = self.stack.forward(tape, params, x, around, rng);
        let copied = self.pointer.as_ref().zip(task.states);
        let mixture = copied.map(|(pointer, states)| pointer.forward(tape, params, y, (None, states), batch));
        let mut y = tape.dropout(y, self.dropout, rng);
        if let Some(manager) = &self.head.manager {
            y = manager.steer(tape, params, y, batch);
        }
        (y, mixture)
    }

    /// z (B, Z), the slots of a latent side by side -> the slots as rows.
    fn memory(&self, tape: &mut Tape, z: Var) -> Memory {
        let (b, size) = tape.shape(z);
        let k = self.slots;
        let rows = tape.reshape(z, (b * k, size / k));
        let order: Vec<u32> = (0..k).flat_map(|slot| (0..b).map(move |b| (b * k + slot) as u32)).collect();
        Memory { rows: tape.gather_rows(rows, &order), slots: k }
    }

    /// See [`super::Decoder::generator`].
    pub fn generator<'a>(
        &'a self,
        params: &'a Params,
        table: ParamId,
        (z, rows): (&[f32], usize),
        source: Option<&Encoded>,
    ) -> Generator<'a> {
        let p = self.stack.shape.memory;
        let slot = |k: usize| z.chunks_exact(self.slots * p.max(1)).flat_map(move |z| &z[k * p..(k + 1) * p]);
        let memory: Vec<f32> = (0..self.slots).flat_map(slot).copied().collect();
        let state = State::new(&self.stack, params, (&memory, source), rows);
        let copies = self.pointer.as_ref().zip(source).map(|(pointer, source)| pointer.copies(source));
        let lead = self.head.manager.as_ref().map(|manager| manager.lead(params, rows));
        Generator { decoder: self, params, table, state, copies, lead, rows, x: Vec::new() }
    }
}

/// A decoder under way for some rows: see [`NextToken`].
pub struct Generator<'a> {
    decoder: &'a Decoder,
    params: &'a Params,
    table: ParamId,
    state: State,
    copies: Option<Copies>,
    lead: Option<Lead>,
    rows: usize,
    /// What the stack reads, and then what it gave.
    x: Vec<f32>,
}

impl Generator<'_> {
    /// See [`super::Generator::weights`].
    pub fn weights(&self, row: usize) -> Option<Vec<f32>> {
        self.state.weights(row)
    }
}

impl NextToken for Generator<'_> {
    fn vocabulary(&self) -> usize {
        self.decoder.head.output.vocabulary(self.params)
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn step(&mut self, tokens: &[u32], logits: &mut Vec<f32>) {
        let Decoder { stack, pointer, head, .. } = self.decoder;
        self.x.resize(self.rows * stack.shape.width, 0.0);
        embedding::forward(self.params, self.table, tokens, &mut self.x);
        let y = self.state.step(stack, self.params, &self.x);
        self.x.copy_from_slice(y);
        if let (Some(manager), Some(lead)) = (&head.manager, &mut self.lead) {
            manager.step(self.params, lead, tokens, &mut self.x);
        }
        head.output.scores(self.params, &self.x, self.rows, logits);
        if let (Some(pointer), Some(copies)) = (pointer, &mut self.copies) {
            pointer.step(self.params, &self.x, (copies, None), logits);
        }
    }

    fn states(&self) -> &[f32] {
        &self.x
    }

    fn select(&mut self, from: &[usize]) {
        self.state.select(from);
        self.copies.iter_mut().for_each(|copies| copies.select(from));
        self.lead.iter_mut().for_each(|lead| lead.select(from));
        self.rows = from.len();
    }
}
