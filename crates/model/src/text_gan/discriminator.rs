//! The discriminator: a network over token embeddings of its own.
//!
//! Of a whole text the features are those of convolutions ([`super::convolution`]), or of an LSTM `y = lstm(E[ids])` that
//! reads in both directions the largest value of each column over time, f (B, W), and `D = w f + b` is the logit that the
//! text is real (B, 1). For rewards token by token the LSTM reads from left to right and says so after each,
//! `D = w y + b` (N, 1).

use std::sync::Arc;

use rand::Rng;
use strait_engine::{Packing, ParamId, Params, Tape, Var, init, ops::rnn::Cell};

use super::convolution::Convolution;
use crate::{
    batch::Sequences,
    config::{DiscriminatorKind, TextGanConfig, TextGanMethod},
    recurrent::{Input, Read, Shape, Stack},
};

/// The handles of its weights, `adversary.*`.
#[derive(Debug)]
pub(crate) struct Discriminator {
    dropout: f32,
    embedding: ParamId,
    network: Network,
    head: (ParamId, ParamId),
}

#[derive(Debug)]
enum Network {
    Recurrent(Stack),
    Conv(Convolution),
}

impl Discriminator {
    /// Adds the weights, for so many tokens.
    pub(crate) fn new(params: &mut Params, config: &TextGanConfig, vocabulary: usize, rng: &mut impl Rng) -> Self {
        let (input, hidden) = (config.embedding, config.hidden);
        let table = init::normal(vocabulary * input, 0.1, rng);
        let embedding = params.add("adversary.embedding.weight", (vocabulary, input), table);
        let (network, width) = match config.discriminator {
            DiscriminatorKind::Recurrent => {
                let bidirectional = config.method != TextGanMethod::Scratchgan;
                let shape = Shape { cell: Cell::Lstm, input, hidden, layers: 1, bidirectional, sequence: 0 };
                let stack = Stack::new(params, "adversary.rnn", shape, rng);
                let width = stack.width();
                (Network::Recurrent(stack), width)
            }
            DiscriminatorKind::Conv => {
                (Network::Conv(Convolution::new(params, config, rng)), Convolution::width(config))
            }
        };
        let weight = init::xavier((1, width), rng);
        let weight = params.add("adversary.head.weight", (1, width), weight);
        let head = (weight, params.add("adversary.head.bias", (1, 1), vec![0.0]));
        Discriminator { dropout: config.dropout, embedding, network, head }
    }

    /// The table of its embeddings.
    pub(crate) fn embedding(&self) -> ParamId {
        self.embedding
    }

    /// Features (B, W) of texts as embeddings (N, E), in packed order.
    pub(crate) fn features_of(
        &self,
        tape: &mut Tape,
        params: &Params,
        (x, packing): (Var, &Arc<Packing>),
        rng: &mut impl Rng,
    ) -> Var {
        let x = tape.dropout(x, self.dropout, rng);
        let features = match &self.network {
            Network::Recurrent(stack) => {
                let y = stack.forward(tape, params, Read::Rows(x), &alone(packing), rng);
                tape.max_over_time(y, packing)
            }
            Network::Conv(conv) => conv.features(tape, params, x, packing),
        };
        tape.dropout(features, self.dropout, rng)
    }

    /// Features of texts (B, W), in packed order.
    pub(crate) fn features(&self, tape: &mut Tape, params: &Params, source: &Sequences, rng: &mut impl Rng) -> Var {
        let x = tape.embedding(params, self.embedding, &source.ids);
        self.features_of(tape, params, (x, &source.packing), rng)
    }

    /// Logits (B, 1) of features (B, W).
    pub(crate) fn head(&self, tape: &mut Tape, params: &Params, features: Var) -> Var {
        tape.linear(params, features, self.head.0, Some(self.head.1))
    }

    /// Logits of texts (B, 1), in packed order.
    pub(crate) fn logits(&self, tape: &mut Tape, params: &Params, source: &Sequences, rng: &mut impl Rng) -> Var {
        let features = self.features(tape, params, source, rng);
        self.head(tape, params, features)
    }

    /// Logits after each token, the end's last (N, 1), packed; of convolutions the text's at each.
    pub(crate) fn token_logits(&self, tape: &mut Tape, params: &Params, source: &Sequences, rng: &mut impl Rng) -> Var {
        let Network::Recurrent(stack) = &self.network else {
            let logits = self.logits(tape, params, source, rng);
            return tape.repeat_rows(logits, &source.packing);
        };
        let x = tape.embedding(params, self.embedding, &source.ids);
        let x = tape.dropout(x, self.dropout, rng);
        let y = stack.forward(tape, params, Read::Rows(x), &alone(&source.packing), rng);
        let y = tape.dropout(y, self.dropout, rng);
        self.head(tape, params, y)
    }
}

/// What a stack reads that is given nothing else.
fn alone(packing: &Arc<Packing>) -> Input<'_> {
    Input { packing, first: &[], sequence: None, dropout: 0.0 }
}
