//! The recurrent decoder: a latent to the scores of the next token.
//!
//! `h_0 = tanh(W_l z + b_l)` for each layer, z is added at every step (`W_z z` in the gates), and the output h is
//! projected to the embedding's width and multiplied with the embedding table (tied, Press & Wolf 2017) or goes to
//! output weights of its own.

use rand::Rng;
use strait_engine::{
    ParamId, Params, Tape, Var, init,
    ops::{
        activation::Activation,
        cross_entropy::Scored,
        embedding, linear,
        rnn::{Cell, State},
    },
};

use super::{Task, output::Output};
use crate::{
    config::DecoderConfig,
    decoding::NextToken,
    recurrent::{Input, Read, Shape, Stack},
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
    /// Reads rows of E (tied) or H columns.
    output: Output,
}

impl Decoder {
    /// Adds the weights `decoder.*`. `embedding` (V, E) is the shared table; Z the latent's size.
    pub fn new(
        params: &mut Params,
        config: &DecoderConfig,
        embedding: ParamId,
        latent: usize,
        rng: &mut impl Rng,
    ) -> Self {
        let (_, e) = params.shape(embedding);
        let shape = Shape {
            cell: config.kind.cell().unwrap_or(Cell::Lstm),
            input: e,
            hidden: config.hidden,
            layers: config.layers,
            bidirectional: false,
            sequence: latent,
        };
        let stack = Stack::new(params, "decoder.rnn", shape, rng);
        let h = config.hidden;
        let starts = (0..if latent > 0 { config.layers } else { 0 })
            .map(|l| {
                let weight = init::xavier((h, latent), rng);
                let weight = params.add(format!("decoder.start.{l}.weight"), (h, latent), weight);
                (weight, params.add(format!("decoder.start.{l}.bias"), (1, h), vec![0.0; h]))
            })
            .collect();
        let projection = config.tied.then(|| {
            let weight = init::xavier((e, h), rng);
            let weight = params.add("decoder.projection.weight", (e, h), weight);
            (weight, params.add("decoder.projection.bias", (1, e), vec![0.0; e]))
        });
        let output = Output::new(params, (embedding, config.tied), h, rng);
        Decoder { dropout: config.dropout, stack, starts, projection, output }
    }

    /// See [`super::Decoder::loss`].
    pub fn loss(
        &self,
        tape: &mut Tape,
        params: &mut Params,
        embedding: ParamId,
        task: &Task<'_>,
        rng: &mut impl Rng,
    ) -> Scored {
        let Task { z, batch, .. } = *task;
        let start = |tape: &mut Tape, z, (w, b)| {
            let h = tape.linear(params, z, w, Some(b));
            tape.activation(h, Activation::Tanh)
        };
        let first: Vec<Var> = z.map_or(Vec::new(), |z| self.starts.iter().map(|&s| start(tape, z, s)).collect());
        let x = tape.embedding(params, embedding, &batch.inputs);
        let x = tape.dropout(x, self.dropout, rng);
        let input = Input { packing: &batch.packing, first: &first, sequence: z, dropout: self.dropout };
        let mut y = self.stack.forward(tape, params, Read::Rows(x), &input, rng);
        y = tape.dropout(y, self.dropout, rng);
        if let Some((w, b)) = self.projection {
            y = tape.linear(params, y, w, Some(b));
        }
        self.output.loss(tape, params, y, task)
    }

    /// See [`super::Decoder::generator`].
    pub fn generator<'a>(&'a self, params: &'a Params, table: ParamId, z: &[f32], rows: usize) -> Generator<'a> {
        let h = self.stack.shape.hidden;
        let first = self.starts.iter().map(|&(w, b)| {
            let mut start = vec![0.0; rows * h];
            linear::forward(params, z, rows, w, Some(b), &mut start);
            Activation::Tanh.apply(&mut start);
            start
        });
        let mut first: Vec<Vec<f32>> = first.collect();
        first.resize(self.stack.shape.layers, vec![0.0; rows * h]);
        let states = self.stack.states(params, first, (!z.is_empty()).then_some(z));
        let (x, projected) = Default::default();
        Generator { decoder: self, params, table, states, rows, x, projected }
    }
}

/// A decoder under way for some rows: see [`NextToken`].
pub struct Generator<'a> {
    decoder: &'a Decoder,
    params: &'a Params,
    table: ParamId,
    states: Vec<State>,
    rows: usize,
    x: Vec<f32>,
    projected: Vec<f32>,
}

impl NextToken for Generator<'_> {
    fn vocabulary(&self) -> usize {
        self.decoder.output.vocabulary(self.params)
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
        if let Some((w, b)) = self.decoder.projection {
            self.projected.resize(self.rows * e, 0.0);
            linear::forward(self.params, y, self.rows, w, Some(b), &mut self.projected);
            y = &self.projected;
        }
        self.decoder.output.scores(self.params, y, self.rows, logits);
    }

    fn select(&mut self, from: &[usize]) {
        self.states.iter_mut().for_each(|s| s.select(from));
        self.rows = from.len();
    }
}
