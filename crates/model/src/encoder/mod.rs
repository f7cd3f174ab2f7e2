//! Encoders: packed token sequences to one row of features for each sequence.

mod bag;
mod frozen;
mod recurrent;
mod transformer;
mod tuned;
mod vectors;
mod window;

use std::sync::Arc;

use rand::Rng;
use strait_engine::{ParamId, Params, Tape, Var, ops::rnn::Folded};

pub(crate) use bag::counts;
pub use tuned::{PUBLISHED, Published};
pub use vectors::Vectors;

use crate::{
    batch::Sequences,
    config::{EncoderConfig, NetworkKind},
    decoder::PublishedDecoder,
};

/// An encoder of any kind, with its weights' handles.
#[derive(Debug)]
pub enum Encoder {
    /// A language model has none.
    None,
    Recurrent(recurrent::Encoder),
    Transformer(transformer::Encoder),
    Bag(bag::Encoder),
    Window(window::Encoder),
    Frozen(frozen::Encoder),
    Tuned(tuned::Encoder),
}

/// What a network reads or runs that is not made with the model.
#[derive(Debug, Clone)]
pub enum Outside {
    /// A frozen encoder's vectors.
    Vectors(Arc<Vectors>),
    /// The published encoder that is trained on.
    Published(Arc<Published>),
    /// The published decoder.
    Decoder(Arc<PublishedDecoder>),
}

impl Encoder {
    /// Adds the weights `encoder.*`; the embedding is shared and made by the caller. `slots` are those of the latent.
    pub fn new(params: &mut Params, config: &EncoderConfig, slots: usize, rng: &mut impl Rng) -> Self {
        match config.kind {
            NetworkKind::None => Encoder::None,
            NetworkKind::Rnn | NetworkKind::RnnRelu | NetworkKind::Gru | NetworkKind::Lstm => {
                Encoder::Recurrent(recurrent::Encoder::new(params, config, rng))
            }
            NetworkKind::Bag => Encoder::Bag(bag::Encoder::new(params, config, rng)),
            NetworkKind::Window => Encoder::Window(window::Encoder::new(params, config, rng)),
            NetworkKind::Pretrained | NetworkKind::Vectors => {
                Encoder::Frozen(frozen::Encoder::new(params, config, rng))
            }
            NetworkKind::Tuned => Encoder::Tuned(tuned::Encoder::new(params, config, rng)),
            NetworkKind::Published => unreachable!("a recipe's check refuses a decoder as an encoder"),
            NetworkKind::Transformer => Encoder::Transformer(transformer::Encoder::new(params, config, slots, rng)),
        }
    }

    /// Columns of the features, F.
    pub fn width(&self) -> usize {
        match self {
            Encoder::None => 0,
            Encoder::Recurrent(e) => e.width(),
            Encoder::Transformer(e) => e.width(),
            Encoder::Bag(e) => e.width(),
            Encoder::Window(e) => e.width(),
            Encoder::Frozen(e) => e.width(),
            Encoder::Tuned(e) => e.width(),
        }
    }

    /// Gives the encoder what it needs from outside; what another kind needs is left aside. A published encoder's weights
    /// are added to `params`; `seed` draws those that begin afresh.
    ///
    /// # Panics
    /// If vectors have another number of columns than the encoder was made for.
    pub fn set_outside(&mut self, params: &mut Params, outside: &Outside, seed: u64) {
        match (self, outside) {
            (Encoder::Frozen(e), Outside::Vectors(vectors)) => e.set(vectors.clone()),
            (Encoder::Tuned(e), Outside::Published(published)) => e.set(params, published.clone(), seed),
            _ => {}
        }
    }

    /// What it was given from outside.
    pub(crate) fn outside(&self) -> Option<Outside> {
        match self {
            Encoder::Frozen(e) => e.vectors().cloned().map(Outside::Vectors),
            Encoder::Tuned(e) => e.published().cloned().map(Outside::Published),
            _ => None,
        }
    }

    /// Vectors (n, columns) -> features (n, F), if that is what it reads.
    pub fn features(&self, tape: &mut Tape, params: &Params, vectors: &[f32], rng: &mut impl Rng) -> Option<Var> {
        match self {
            Encoder::Frozen(e) => Some(e.features(tape, params, vectors, rng)),
            _ => None,
        }
    }

    /// Numbers in the vectors that it reads instead of texts; 0 if it reads texts.
    pub fn columns(&self) -> usize {
        match self {
            Encoder::Frozen(e) => e.columns(),
            _ => 0,
        }
    }

    /// Packed sources -> features (B, F), in packed order; `None` without an encoder.
    pub fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        embedding: ParamId,
        source: &Sequences,
        rng: &mut impl Rng,
    ) -> Option<Var> {
        match self {
            Encoder::None => None,
            Encoder::Recurrent(e) => Some(e.forward(tape, params, embedding, source, rng)),
            Encoder::Transformer(e) => Some(e.forward(tape, params, embedding, source, rng)),
            Encoder::Bag(e) => Some(e.forward(tape, params, embedding, source, rng)),
            Encoder::Window(e) => Some(e.forward(tape, params, embedding, source, rng)),
            Encoder::Frozen(e) => Some(e.forward(tape, params, source, rng)),
            Encoder::Tuned(e) => Some(e.forward(tape, params, source, rng)),
        }
    }

    /// Packed sources -> the state of each position (M, W), which a decoder attends to; `None` of networks that have no
    /// states.
    pub fn states(
        &self,
        tape: &mut Tape,
        params: &Params,
        embedding: ParamId,
        source: &Sequences,
        rng: &mut impl Rng,
    ) -> Option<Var> {
        match self {
            Encoder::Recurrent(e) => Some(e.states(tape, params, embedding, source, rng)),
            Encoder::Transformer(e) => Some(e.states(tape, params, embedding, source, rng)),
            Encoder::None | Encoder::Bag(_) | Encoder::Window(_) | Encoder::Frozen(_) | Encoder::Tuned(_) => None,
        }
    }

    /// States (M, W) -> features (B, F), in packed order: [`Encoder::forward`] in two parts.
    pub fn pool(
        &self,
        tape: &mut Tape,
        params: &Params,
        states: Var,
        source: &Sequences,
        rng: &mut impl Rng,
    ) -> Option<Var> {
        match self {
            Encoder::Recurrent(e) => Some(e.features(tape, states, source, rng)),
            Encoder::Transformer(e) => Some(e.features(tape, params, states, source, rng)),
            Encoder::None | Encoder::Bag(_) | Encoder::Window(_) | Encoder::Frozen(_) | Encoder::Tuned(_) => None,
        }
    }

    /// What pays to be computed once before many texts are encoded, if anything: for [`Encoder::forward_prepared`].
    pub fn prepare(&self, params: &Params, embedding: ParamId) -> Option<Prepared> {
        match self {
            Encoder::Recurrent(e) => Some(Prepared(e.fold(params, embedding))),
            _ => None,
        }
    }

    /// As [`Encoder::forward`] without recording, to the same bits, with less work a token: pays where more tokens are
    /// read than the vocabulary has.
    pub fn forward_prepared(
        &self,
        tape: &mut Tape,
        params: &Params,
        (embedding, prepared): (ParamId, Option<&Prepared>),
        source: &Sequences,
        rng: &mut impl Rng,
    ) -> Option<Var> {
        match (self, prepared) {
            (Encoder::Recurrent(e), Some(Prepared(folded))) => {
                Some(e.forward_folded(tape, params, folded, source, rng))
            }
            _ => self.forward(tape, params, embedding, source, rng),
        }
    }
}

/// The embedding table folded into the first layer's input weights.
pub struct Prepared(Vec<Folded>);
