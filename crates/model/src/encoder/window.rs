//! The window encoder: the first tokens of a text, each at its place, to features.
//!
//! The embeddings of the first W tokens (the end symbol is one) stand side by side, (B, W E), and go through a deep
//! feed-forward network to (B, H). Places after the end hold the begin symbol's embedding, which no source contains, so
//! that it is learned as padding; what lies beyond the window is cut off.

use rand::Rng;
use strait_engine::{Packing, ParamId, Params, Tape, Var};
use strait_text::tokenizer::BOS;

use crate::{
    batch::Sequences,
    config::EncoderConfig,
    feed_forward::{Shape, Trunk},
};

/// The window encoder and its weights' handles.
#[derive(Debug)]
pub struct Encoder {
    window: usize,
    dropout: f32,
    trunk: Trunk,
}

impl Encoder {
    /// Adds the weights `encoder.window.*`.
    pub fn new(params: &mut Params, config: &EncoderConfig, rng: &mut impl Rng) -> Self {
        let shape = Shape {
            input: config.window * config.embedding,
            hidden: config.hidden,
            layers: config.layers,
            activation: config.activation,
            dropout: config.dropout,
        };
        let trunk = Trunk::new(params, "encoder.window", shape, rng);
        Encoder { window: config.window, dropout: config.dropout, trunk }
    }

    /// Columns of the features.
    pub fn width(&self) -> usize {
        self.trunk.width()
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
        let (b, e) = (source.packing.batch(), params.shape(embedding).1);
        let x = tape.embedding(params, embedding, &windows(&source.packing, &source.ids, self.window));
        let x = tape.reshape(x, (b, self.window * e));
        let x = tape.dropout(x, self.dropout, rng);
        self.trunk.forward(tape, params, x, rng)
    }
}

/// The first `window` ids of each packed sequence, filled up with the begin symbol: (B, window), row-major.
fn windows(packing: &Packing, ids: &[u32], window: usize) -> Vec<u32> {
    let mut out = vec![BOS; packing.batch() * window];
    for (b, (row, &length)) in out.chunks_exact_mut(window).zip(packing.lengths()).enumerate() {
        row.iter_mut().take(length).enumerate().for_each(|(t, id)| *id = ids[packing.row(b, t)]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_filled_up_or_cut() {
        let texts: [&[u32]; 3] = [&[7, 5, 6, 8], &[9, 4], &[3]];
        let packed = Sequences::new(&texts);
        assert_eq!(windows(&packed.packing, &packed.ids, 3), [7, 5, 6, 9, 4, BOS, 3, BOS, BOS]);
    }
}
