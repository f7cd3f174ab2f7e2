//! The bag encoder: how often each token occurs, whatever the order, to features.
//!
//! `x_b = sum_v ln(1 + n_bv) E[v]` over the tokens v that text b holds n_bv times (its end symbol is none of them), then a
//! deep feed-forward network (B, E) -> (B, H). The sum stands for a first layer over the whole vocabulary at the cost of
//! the tokens that are there.

use std::sync::Arc;

use rand::Rng;
use strait_engine::{Packing, ParamId, Params, Tape, Var, ops::bag::Bags};
use strait_text::tokenizer::EOS;

use crate::{
    batch::Sequences,
    config::EncoderConfig,
    feed_forward::{Shape, Trunk},
};

/// The bag encoder and its weights' handles.
#[derive(Debug)]
pub struct Encoder {
    dropout: f32,
    trunk: Trunk,
}

impl Encoder {
    /// Adds the weights `encoder.bag.*`.
    pub fn new(params: &mut Params, config: &EncoderConfig, rng: &mut impl Rng) -> Self {
        let shape = Shape {
            input: config.embedding,
            hidden: config.hidden,
            layers: config.layers,
            activation: config.activation,
            dropout: config.dropout,
        };
        Encoder { dropout: config.dropout, trunk: Trunk::new(params, "encoder.bag", shape, rng) }
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
        let counts = counts(&source.packing, &source.ids, |&id| id != EOS, f32::ln_1p);
        let x = tape.embedding_bag(params, embedding, &Arc::new(counts));
        let x = tape.dropout(x, self.dropout, rng);
        self.trunk.forward(tape, params, x, rng)
    }
}

/// The tokens of each packed sequence that `keep` lets through, in rising order, each with `value(occurrences)`.
pub(crate) fn counts(packing: &Packing, ids: &[u32], keep: impl Fn(&u32) -> bool, value: impl Fn(f32) -> f32) -> Bags {
    let mut bags = Bags::new();
    let mut tokens = Vec::new();
    for (b, &length) in packing.lengths().iter().enumerate() {
        tokens.clear();
        tokens.extend((0..length).map(|t| ids[packing.row(b, t)]).filter(&keep));
        tokens.sort_unstable();
        bags.push(tokens.chunk_by(|a, b| a == b).map(|same| (same[0], value(same.len() as f32))));
    }
    bags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_packed_texts() {
        let texts: [&[u32]; 3] = [&[7, 5, 7, 7, EOS], &[9, 5, EOS], &[EOS]];
        let packed = Sequences::new(&texts);
        let bags = counts(&packed.packing, &packed.ids, |&id| id != EOS, |n| 10.0 * n);
        assert_eq!(bags.rows(), 3);
        assert_eq!(bags.row(0).collect::<Vec<_>>(), [(5, 10.0), (7, 30.0)]);
        assert_eq!(bags.row(1).collect::<Vec<_>>(), [(5, 10.0), (9, 10.0)]);
        assert_eq!(bags.row(2).count(), 0);
    }
}
