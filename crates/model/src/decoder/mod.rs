//! Decoders: a latent, and the tokens before, to the scores of the next token.

mod recurrent;

use rand::Rng;
use strait_engine::{ParamId, Params, Tape, Var, ops::cross_entropy::Scored};

use crate::{
    batch::Batch,
    config::{DecoderConfig, LatentConfig, NetworkKind},
    decoding::NextToken,
};

/// A decoder of any kind, with its weights' handles.
#[derive(Debug)]
pub enum Decoder {
    Recurrent(recurrent::Decoder),
}

/// What a decoder is trained on.
pub struct Task<'a> {
    /// Latents (B, Z), in the order of the targets; `None` in a language model.
    pub z: Option<Var>,
    pub batch: &'a Batch,
    pub label_smoothing: f32,
    /// Factor of the summed loss (1 / tokens gives the mean).
    pub scale: f32,
}

impl Decoder {
    /// Adds the weights `decoder.*`. `embedding` (V, E) is the shared table.
    pub fn new(
        params: &mut Params,
        config: &DecoderConfig,
        embedding: ParamId,
        latent: &LatentConfig,
        rng: &mut impl Rng,
    ) -> Self {
        match config.kind {
            NetworkKind::Rnn | NetworkKind::RnnRelu | NetworkKind::Gru | NetworkKind::Lstm => {
                Decoder::Recurrent(recurrent::Decoder::new(params, config, embedding, latent.size, rng))
            }
            NetworkKind::Transformer | NetworkKind::Bag | NetworkKind::Window | NetworkKind::None => todo!(),
        }
    }

    /// Adds the loss of the batch's targets given the latents; nats of each target row can then be read with
    /// [`Decoder::sequence_nats`].
    pub fn loss(
        &self,
        tape: &mut Tape,
        params: &mut Params,
        embedding: ParamId,
        task: &Task<'_>,
        rng: &mut impl Rng,
    ) -> Scored {
        match self {
            Decoder::Recurrent(d) => d.loss(tape, params, embedding, task, rng),
        }
    }

    /// Nats of each target sequence of the last [`Decoder::loss`], (B), in packed order.
    pub fn sequence_nats(&self, tape: &Tape, batch: &Batch) -> Vec<f64> {
        let mut sums = vec![0.0; batch.packing.batch()];
        for (nats, sequence) in tape.row_nats().zip(batch.packing.sequence_of_rows()) {
            sums[sequence] += nats as f64;
        }
        sums
    }

    /// Starts generating `rows` texts from z (rows, Z).
    pub fn generator<'a>(&'a self, params: &'a Params, table: ParamId, z: &[f32], rows: usize) -> Generator<'a> {
        match self {
            Decoder::Recurrent(d) => Generator::Recurrent(d.generator(params, table, z, rows)),
        }
    }
}

/// A decoder under way for some rows.
pub enum Generator<'a> {
    Recurrent(recurrent::Generator<'a>),
}

impl NextToken for Generator<'_> {
    fn vocabulary(&self) -> usize {
        match self {
            Generator::Recurrent(g) => g.vocabulary(),
        }
    }

    fn rows(&self) -> usize {
        match self {
            Generator::Recurrent(g) => g.rows(),
        }
    }

    fn step(&mut self, tokens: &[u32], logits: &mut Vec<f32>) {
        match self {
            Generator::Recurrent(g) => g.step(tokens, logits),
        }
    }

    fn select(&mut self, from: &[usize]) {
        match self {
            Generator::Recurrent(g) => g.select(from),
        }
    }
}
