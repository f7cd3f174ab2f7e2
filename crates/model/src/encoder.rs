//! The recurrent encoder: tokens to one vector per sequence.
//!
//! `e = E[ids]`, `y = rnn(e)`, pooled over time to (B, directions * H), then `W pooled + b` to (B, Z).

use rand::Rng;
use strait_engine::{ParamId, Params, Tape, Var, init, ops::rnn::Folded};

use crate::{
    batch::Sequences,
    config::{EncoderConfig, Pool},
    recurrent::{Input, Read, Shape, Stack},
};

/// An encoder and its weights' handles.
#[derive(Debug)]
pub struct Encoder {
    pool: Pool,
    dropout: f32,
    stack: Stack,
    weight: ParamId,
    bias: ParamId,
}

impl Encoder {
    /// Adds the weights `encoder.*`; the embedding is shared and made by the caller.
    pub fn new(params: &mut Params, config: &EncoderConfig, latent: usize, rng: &mut impl Rng) -> Self {
        let shape = Shape {
            cell: config.cell.into(),
            input: config.embedding,
            hidden: config.hidden,
            layers: config.layers,
            bidirectional: config.bidirectional,
            sequence: 0,
        };
        let stack = Stack::new(params, "encoder.rnn", shape, rng);
        let weight = init::xavier((latent, stack.width()), rng);
        Encoder {
            pool: config.pool,
            dropout: config.dropout,
            weight: params.add("encoder.latent.weight", (latent, stack.width()), weight),
            bias: params.add("encoder.latent.bias", (1, latent), vec![0.0; latent]),
            stack,
        }
    }

    /// Packed sources -> latents before normalisation (B, Z), in packed order.
    pub fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        embedding: ParamId,
        source: &Sequences,
        rng: &mut impl Rng,
    ) -> Var {
        let x = tape.embedding(params, embedding, &source.ids);
        let x = tape.dropout(x, self.dropout, rng);
        let input = Input { packing: &source.packing, first: &[], sequence: None, dropout: self.dropout };
        let y = self.stack.forward(tape, params, Read::Rows(x), &input, rng);
        self.latents(tape, params, y, source, rng)
    }

    /// The table folded into the first layer: for [`Encoder::forward_folded`].
    pub fn fold(&self, params: &Params, embedding: ParamId) -> Vec<Folded> {
        self.stack.fold(params, embedding)
    }

    /// As [`Encoder::forward`] without recording, to the same bits, with less work a token: pays where more tokens are
    /// read than the vocabulary has.
    pub fn forward_folded(
        &self,
        tape: &mut Tape,
        params: &Params,
        folded: &[Folded],
        source: &Sequences,
        rng: &mut impl Rng,
    ) -> Var {
        let input = Input { packing: &source.packing, first: &[], sequence: None, dropout: 0.0 };
        let y = self.stack.forward(tape, params, Read::Tokens(&source.ids, folded), &input, rng);
        self.latents(tape, params, y, source, rng)
    }

    fn latents(&self, tape: &mut Tape, params: &Params, y: Var, source: &Sequences, rng: &mut impl Rng) -> Var {
        let pooled = self.pooled(tape, y, source);
        let pooled = tape.dropout(pooled, self.dropout, rng);
        tape.linear(params, pooled, self.weight, Some(self.bias))
    }

    fn pooled(&self, tape: &mut Tape, y: Var, source: &Sequences) -> Var {
        let h = self.stack.shape.hidden;
        match self.pool {
            Pool::Mean => tape.mean_over_time(y, &source.packing),
            Pool::Max => tape.max_over_time(y, &source.packing),
            Pool::Last => {
                let last: Vec<u32> = source.packing.last_rows().map(|r| r as u32).collect();
                let ends = tape.gather_rows(y, &last);
                if !self.stack.shape.bidirectional {
                    return ends;
                }
                // The direction that reads backward ends at the first position.
                let first: Vec<u32> = (0..source.packing.batch() as u32).collect();
                let starts = tape.gather_rows(y, &first);
                let ahead = tape.slice_columns(ends, 0..h);
                let back = tape.slice_columns(starts, h..2 * h);
                tape.concat(&[ahead, back])
            }
        }
    }
}
