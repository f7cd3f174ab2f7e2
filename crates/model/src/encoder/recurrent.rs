//! The recurrent encoder: `e = E[ids]`, `y = rnn(e)`, pooled over time to (B, directions * H).

use rand::Rng;
use strait_engine::{
    ParamId, Params, Tape, Var,
    ops::rnn::{Cell, Folded},
};

use crate::{
    batch::Sequences,
    config::{EncoderConfig, Pool},
    recurrent::{Input, Read, Shape, Stack},
};

/// The recurrent encoder and its weights' handles.
#[derive(Debug)]
pub struct Encoder {
    pool: Pool,
    dropout: f32,
    stack: Stack,
}

impl Encoder {
    /// Adds the weights `encoder.rnn.*`.
    pub fn new(params: &mut Params, config: &EncoderConfig, rng: &mut impl Rng) -> Self {
        let shape = Shape {
            cell: config.kind.cell().unwrap_or(Cell::Lstm),
            input: config.embedding,
            hidden: config.hidden,
            layers: config.layers,
            bidirectional: config.bidirectional,
            sequence: 0,
        };
        Encoder { pool: config.pool, dropout: config.dropout, stack: Stack::new(params, "encoder.rnn", shape, rng) }
    }

    /// Columns of the features.
    pub fn width(&self) -> usize {
        self.stack.width()
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
        self.features(tape, y, source, rng)
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
        let x = tape.dropout(x, self.dropout, rng);
        let input = Input { packing: &source.packing, first: &[], sequence: None, dropout: self.dropout };
        self.stack.forward(tape, params, Read::Rows(x), &input, rng)
    }

    /// The table folded into the first layer: for [`Encoder::forward_folded`].
    pub fn fold(&self, params: &Params, embedding: ParamId) -> Vec<Folded> {
        self.stack.fold(params, embedding)
    }

    /// See [`super::Encoder::forward_prepared`].
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
        self.features(tape, y, source, rng)
    }

    /// See [`super::Encoder::pool`].
    pub fn features(&self, tape: &mut Tape, y: Var, source: &Sequences, rng: &mut impl Rng) -> Var {
        let pooled = self.pooled(tape, y, source);
        tape.dropout(pooled, self.dropout, rng)
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
