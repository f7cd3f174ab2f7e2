//! The recurrent decoder: a latent to the scores of the next token.
//!
//! `h_0 = tanh(W_l z + b_l)` for each layer, z is added at every step (`W_z z` in the gates), and the output h is
//! projected to the embedding's width and multiplied with the embedding table (tied, Press & Wolf 2017) or goes to
//! output weights of its own. In seq2seq h_0 comes from the encoder's features, and a [`Readout`] that attends to its states
//! takes the projection's place. A latent
//! between source and target (conditional VAE) is added at every step.

use rand::Rng;
use strait_engine::{
    ParamId, Params, Tape, Var, init,
    ops::{
        activation::Activation,
        attention::Memory,
        embedding, linear,
        mixture::Mixture,
        rnn::{Cell, State},
    },
};

use super::{
    Given, Task,
    head::Head,
    manager::Lead,
    output::Output,
    pointer::{Copies, Pointer},
    readout::Readout,
};
use crate::{
    config::DecoderConfig,
    decoding::NextToken,
    recurrent::{Input, Read, Shape, Stack},
    seq2seq::Encoded,
};

/// A decoder and its weights' handles.
#[derive(Debug)]
pub struct Decoder {
    dropout: f32,
    stack: Stack,
    /// W_l (H, Z), b_l of each layer; none in a language model, which starts from 0.
    starts: Vec<(ParamId, ParamId)>,
    /// Projection (E, H) and its bias before tied output weights.
    projection: Option<(ParamId, ParamId)>,
    readout: Option<Readout>,
    pointer: Option<Pointer>,
    /// Its output layer reads rows of E (tied) or H columns.
    pub(super) head: Head,
}

impl Decoder {
    /// Adds the weights `decoder.*`. `embedding` (V, E) is the table of its tokens.
    pub fn new(
        params: &mut Params,
        config: &DecoderConfig,
        embedding: ParamId,
        given: Given<'_>,
        rng: &mut impl Rng,
    ) -> Self {
        let (_, e) = params.shape(embedding);
        let shape = Shape {
            cell: config.kind.cell().unwrap_or(Cell::Lstm),
            input: e,
            hidden: config.hidden,
            layers: config.layers,
            bidirectional: false,
            sequence: given.latent.size,
        };
        let stack = Stack::new(params, "decoder.rnn", shape, rng);
        let h = config.hidden;
        let start = if given.features > 0 { given.features } else { given.latent.size };
        let starts = (0..if start > 0 { config.layers } else { 0 })
            .map(|l| {
                let weight = init::xavier((h, start), rng);
                let weight = params.add(format!("decoder.start.{l}.weight"), (h, start), weight);
                (weight, params.add(format!("decoder.start.{l}.bias"), (1, h), vec![0.0; h]))
            })
            .collect();
        let width = if config.tied { e } else { h };
        let readout = (given.states > 0).then(|| Readout::new(params, given, (h, width), rng));
        let pointer = Pointer::new(params, given, (width, false), rng);
        let projection = (config.tied && readout.is_none()).then(|| {
            let weight = init::xavier((e, h), rng);
            let weight = params.add("decoder.projection.weight", (e, h), weight);
            (weight, params.add("decoder.projection.bias", (1, e), vec![0.0; e]))
        });
        let head = Head::new(Output::new(params, (embedding, config.tied), h, rng));
        Decoder { dropout: config.dropout, stack, starts, projection, readout, pointer, head }
    }

    /// What the output layer reads at each position of the batch, (N, I), and what is copied besides.
    pub(super) fn read(
        &self,
        tape: &mut Tape,
        params: &Params,
        embedding: ParamId,
        task: &Task<'_>,
        rng: &mut impl Rng,
    ) -> (Var, Option<Mixture>) {
        let Task { z, features, states, batch, .. } = *task;
        let start = |tape: &mut Tape, z, (w, b)| {
            let h = tape.linear(params, z, w, Some(b));
            tape.activation(h, Activation::Tanh)
        };
        let from = features.or(z);
        let first: Vec<Var> = from.map_or(Vec::new(), |f| self.starts.iter().map(|&s| start(tape, f, s)).collect());
        let x = tape.embedding(params, embedding, &batch.inputs);
        let x = tape.dropout(x, self.dropout, rng);
        let input = Input { packing: &batch.packing, first: &first, sequence: z, dropout: self.dropout };
        let mut y = self.stack.forward(tape, params, Read::Rows(x), &input, rng);
        y = tape.dropout(y, self.dropout, rng);
        let mut mixture = None;
        if let (Some(readout), Some(states)) = (&self.readout, states) {
            let looked;
            (y, looked) = readout.forward(tape, params, y, states, batch);
            mixture = self.pointer.as_ref().map(|p| p.forward(tape, params, y, (looked, states), batch));
            y = tape.dropout(y, self.dropout, rng);
        }
        if let Some((w, b)) = self.projection {
            y = tape.linear(params, y, w, Some(b));
        }
        if let Some(manager) = &self.head.manager {
            y = manager.steer(tape, params, y, batch);
        }
        (y, mixture)
    }

    /// See [`super::Decoder::generator`].
    pub fn generator<'a>(
        &'a self,
        params: &'a Params,
        table: ParamId,
        (z, rows): (&[f32], usize),
        source: Option<&Encoded>,
    ) -> Generator<'a> {
        let h = self.stack.shape.hidden;
        let from = source.map(|source| &source.features[..]).filter(|features| !features.is_empty()).unwrap_or(z);
        let first = self.starts.iter().map(|&(w, b)| {
            let mut start = vec![0.0; rows * h];
            linear::forward(params, from, rows, w, Some(b), &mut start);
            Activation::Tanh.apply(&mut start);
            start
        });
        let mut first: Vec<Vec<f32>> = first.collect();
        first.resize(self.stack.shape.layers, vec![0.0; rows * h]);
        let sequence = (!z.is_empty()).then_some(z);
        let states = self.stack.states(params, first, sequence);
        let memory = self.readout.as_ref().zip(source).map(|(readout, source)| readout.memory(params, source));
        let (x, projected, read) = Default::default();
        let copies = self.pointer.as_ref().zip(source).map(|(pointer, source)| pointer.copies(source));
        let lead = self.head.manager.as_ref().map(|manager| manager.lead(params, rows));
        Generator { decoder: self, params, table, states, memory, copies, lead, rows, x, projected, read }
    }
}

/// A decoder under way for some rows: see [`NextToken`].
pub struct Generator<'a> {
    decoder: &'a Decoder,
    params: &'a Params,
    table: ParamId,
    states: Vec<State>,
    /// The sources, if it attends to them.
    memory: Option<Memory>,
    copies: Option<Copies>,
    lead: Option<Lead>,
    rows: usize,
    x: Vec<f32>,
    projected: Vec<f32>,
    /// What the output layer read last.
    read: Vec<f32>,
}

impl Generator<'_> {
    /// See [`super::Generator::weights`].
    pub fn weights(&self, row: usize) -> Option<Vec<f32>> {
        self.memory.as_ref().map(|memory| memory.weights(row).to_vec())
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
        let e = self.params.shape(self.table).1;
        self.x.resize(self.rows * e, 0.0);
        embedding::forward(self.params, self.table, tokens, &mut self.x);
        let mut y: &[f32] = &self.x;
        for state in &mut self.states {
            y = state.step(self.params, y);
        }
        let Decoder { readout, projection, pointer, head, .. } = self.decoder;
        if let (Some(readout), Some(memory)) = (readout, &mut self.memory) {
            readout.step(self.params, memory, (y, self.rows), &mut self.projected);
            y = &self.projected;
        } else if let &Some((w, b)) = projection {
            self.projected.resize(self.rows * e, 0.0);
            linear::forward(self.params, y, self.rows, w, Some(b), &mut self.projected);
            y = &self.projected;
        }
        self.read.clear();
        self.read.extend_from_slice(y);
        if let (Some(manager), Some(lead)) = (&head.manager, &mut self.lead) {
            manager.step(self.params, lead, tokens, &mut self.read);
        }
        head.output.scores(self.params, &self.read, self.rows, logits);
        if let (Some(pointer), Some(copies)) = (pointer, &mut self.copies) {
            pointer.step(self.params, &self.read, (copies, self.memory.as_ref()), logits);
        }
    }

    fn states(&self) -> &[f32] {
        &self.read
    }

    fn select(&mut self, from: &[usize]) {
        self.states.iter_mut().for_each(|s| s.select(from));
        self.memory.iter_mut().for_each(|memory| memory.select(from));
        self.copies.iter_mut().for_each(|copies| copies.select(from));
        self.lead.iter_mut().for_each(|lead| lead.select(from));
        self.rows = from.len();
    }
}
