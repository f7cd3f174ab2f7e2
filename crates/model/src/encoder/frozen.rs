//! The frozen encoder: a vector of the whole text that is not trained here, through a feed-forward network that is.
//!
//! Each vector v (columns) is normalised over its columns (layer normalisation without gain), so that the scale on which
//! somebody's embeddings live does not matter, and goes through the network to (B, H).

use std::sync::Arc;

use rand::Rng;
use strait_engine::{Params, Tape, Var};

use super::Vectors;
use crate::{
    batch::Sequences,
    config::EncoderConfig,
    feed_forward::{Shape, Trunk},
};

/// Added to variances; vectors of length 1 have small ones.
pub(super) const EPS: f32 = 1e-12;

/// The frozen encoder with the weights' handles of the network behind it.
#[derive(Debug)]
pub struct Encoder {
    columns: usize,
    trunk: Trunk,
    vectors: Option<Arc<Vectors>>,
}

impl Encoder {
    /// Adds the weights `encoder.frozen.*`.
    pub fn new(params: &mut Params, config: &EncoderConfig, rng: &mut impl Rng) -> Self {
        Encoder { columns: config.columns, trunk: trunk(params, config, rng), vectors: None }
    }

    /// Columns of the features.
    pub fn width(&self) -> usize {
        self.trunk.width()
    }

    /// Numbers in a vector.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Where the vectors of texts come from, once it was told.
    pub(crate) fn vectors(&self) -> Option<&Arc<Vectors>> {
        self.vectors.as_ref()
    }

    /// Sets where the vectors of texts come from.
    ///
    /// # Panics
    /// If they have another number of columns.
    pub fn set(&mut self, vectors: Arc<Vectors>) {
        assert_eq!(vectors.columns(), self.columns, "the network was made for other vectors");
        self.vectors = Some(vectors);
    }

    /// See [`super::Encoder::forward`]; NaN for texts without a vector.
    pub fn forward(&self, tape: &mut Tape, params: &Params, source: &Sequences, rng: &mut impl Rng) -> Var {
        let texts = texts(source);
        let rows = match &self.vectors {
            Some(vectors) => vectors.rows(&texts),
            None => vec![f32::NAN; texts.len() * self.columns],
        };
        self.features(tape, params, &rows, rng)
    }

    /// Vectors (n, columns) -> features (n, H).
    pub fn features(&self, tape: &mut Tape, params: &Params, vectors: &[f32], rng: &mut impl Rng) -> Var {
        let x = tape.input(vectors, (vectors.len() / self.columns.max(1), self.columns));
        let x = tape.layer_norm(params, x, None, EPS);
        self.trunk.forward(tape, params, x, rng)
    }
}

/// The network behind a vector of the whole text, (columns) -> (H).
pub(super) fn trunk(params: &mut Params, config: &EncoderConfig, rng: &mut impl Rng) -> Trunk {
    let shape = Shape {
        input: config.columns,
        hidden: config.hidden,
        layers: config.layers,
        activation: config.activation,
        dropout: config.dropout,
    };
    Trunk::new(params, "encoder.frozen", shape, rng)
}

/// The texts of packed sources, without their end symbols, in packed order.
pub(super) fn texts(source: &Sequences) -> Vec<Vec<u32>> {
    let text = |(b, &length): (usize, &usize)| (0..length - 1).map(|t| source.ids[source.packing.row(b, t)]).collect();
    source.packing.lengths().iter().enumerate().map(text).collect()
}
