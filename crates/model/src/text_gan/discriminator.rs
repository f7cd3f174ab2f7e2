//! The discriminator: a network over token embeddings of its own.
//!
//! Of a whole text the features are those of convolutions ([`super::convolution`]), or the largest value over time of each
//! column of the states y (N, W) of an LSTM or a Transformer that reads in both directions, f (B, W), and `D = w f + b` is
//! the logit that the text is real (B, 1). For rewards or goals token by token LSTM and Transformer read from left to right and
//! say so after each, `D = w y + b` (N, 1).

use std::sync::Arc;

use rand::Rng;
use strait_engine::{Packing, ParamId, Params, Tape, Var, init, ops::rnn::Cell};

use super::convolution::Convolution;
use crate::{
    batch::Sequences,
    config::{ActivationKind, DiscriminatorKind, Positions, TextGanConfig},
    decoder::manager::Leak,
    recurrent, transformer,
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
    Recurrent(recurrent::Stack),
    Transformer(transformer::Stack),
    Conv(Convolution),
}

/// What a network makes of texts.
#[derive(Clone, Copy)]
enum Reading {
    /// A state at each token (N, W).
    Tokens(Var),
    /// Features of each text (B, W).
    Texts(Var),
}

impl Discriminator {
    /// Adds the weights, for so many tokens.
    pub(crate) fn new(params: &mut Params, config: &TextGanConfig, vocabulary: usize, rng: &mut impl Rng) -> Self {
        let (input, hidden) = (config.embedding, config.hidden);
        let table = init::normal(vocabulary * input, 0.1, rng);
        let embedding = params.add("adversary.embedding.weight", (vocabulary, input), table);
        let forward = config.method.judges_prefixes();
        let (network, width) = match config.discriminator {
            DiscriminatorKind::Recurrent => {
                let cell = Cell::Lstm;
                let shape = recurrent::Shape { cell, input, hidden, layers: 1, bidirectional: !forward, sequence: 0 };
                let stack = recurrent::Stack::new(params, "adversary.rnn", shape, rng);
                let width = stack.width();
                (Network::Recurrent(stack), width)
            }
            DiscriminatorKind::Transformer => {
                let shape = transformer::Shape {
                    width: input,
                    heads: config.heads,
                    inner: hidden,
                    layers: config.layers,
                    positions: Positions::Rotary,
                    activation: ActivationKind::Gelu.into(),
                    causal: forward,
                    memory: 0,
                    states: 0,
                    dropout: config.dropout,
                };
                let stack = transformer::Stack::new(params, "adversary.transformer", shape, rng);
                (Network::Transformer(stack), input)
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

    /// The network up to its features, if it is recurrent.
    pub(crate) fn leak(&self) -> Option<Leak> {
        match &self.network {
            Network::Recurrent(stack) => Some(Leak { embedding: self.embedding, stack: stack.clone() }),
            Network::Transformer(_) | Network::Conv(_) => None,
        }
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
        let features = match self.read(tape, params, (x, packing), rng) {
            Reading::Tokens(y) => tape.max_over_time(y, packing),
            Reading::Texts(features) => features,
        };
        tape.dropout(features, self.dropout, rng)
    }

    /// What the network makes of texts as embeddings (N, E), in packed order.
    fn read(
        &self,
        tape: &mut Tape,
        params: &Params,
        (x, packing): (Var, &Arc<Packing>),
        rng: &mut impl Rng,
    ) -> Reading {
        match &self.network {
            Network::Recurrent(stack) => {
                let x = tape.dropout(x, self.dropout, rng);
                let alone = recurrent::Input { packing, first: &[], sequence: None, dropout: 0.0 };
                Reading::Tokens(stack.forward(tape, params, recurrent::Read::Rows(x), &alone, rng))
            }
            // It drops out of its input itself.
            Network::Transformer(stack) => {
                Reading::Tokens(stack.forward(tape, params, x, transformer::Surroundings::alone(packing), rng))
            }
            Network::Conv(conv) => {
                let x = tape.dropout(x, self.dropout, rng);
                Reading::Texts(conv.features(tape, params, x, packing))
            }
        }
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
        let x = tape.embedding(params, self.embedding, &source.ids);
        let read = self.read(tape, params, (x, &source.packing), rng);
        let (Reading::Tokens(y) | Reading::Texts(y)) = read;
        let y = tape.dropout(y, self.dropout, rng);
        let logits = self.head(tape, params, y);
        match read {
            Reading::Tokens(_) => logits,
            Reading::Texts(_) => tape.repeat_rows(logits, &source.packing),
        }
    }
}

#[cfg(test)]
mod tests {
    use strait_engine::ops::losses::Weighting;

    use super::*;
    use crate::{
        config::TextGanMethod,
        objective::testing::{check_gradients, numbers, rng},
    };

    const VOCABULARY: usize = 9;

    fn transformer(method: TextGanMethod) -> (Params, Discriminator) {
        let (discriminator, embedding) = (DiscriminatorKind::Transformer, 4);
        let config =
            TextGanConfig { method, discriminator, embedding, hidden: 5, heads: 2, ..TextGanConfig::default() };
        let mut params = Params::new();
        let discriminator = Discriminator::new(&mut params, &config, VOCABULARY, &mut rng(3));
        (params, discriminator)
    }

    /// The verdict on each token of a text, its end's last.
    fn verdicts((params, discriminator): &(Params, Discriminator), text: &[u32]) -> Vec<f32> {
        let mut tape = Tape::inference();
        let v = discriminator.token_logits(&mut tape, params, &Sequences::sources(&[text]), &mut rng(1));
        tape.value(v).to_vec()
    }

    #[test]
    fn gradients_of_a_transformer() {
        let (mut params, discriminator) = transformer(TextGanMethod::Gumbel);
        let packing = Arc::new(Packing::new(&[4, 2, 1]));
        let x = numbers(28, 1);
        let weights = numbers(3, 2);
        check_gradients(&mut params, &[(&x, (7, 4))], &mut |tape, params, v| {
            tape.set_dropout(false);
            let features = discriminator.features_of(tape, params, (v[0], &packing), &mut rng(1));
            let logits = discriminator.head(tape, params, features);
            tape.squared_error(logits, &weights, Weighting { row_weights: None, scale: 0.5 });
        });
    }

    #[test]
    fn a_transformer_judges_prefixes_by_themselves_where_it_must() {
        let forward = transformer(TextGanMethod::Scratchgan);
        let (short, long) = (verdicts(&forward, &[6, 7, 8]), verdicts(&forward, &[6, 7, 8, 5, 5]));
        assert_eq!((short.len(), long.len()), (4, 6));
        assert_eq!(short[..3], long[..3]);
        // The place of a token counts, and what comes before it.
        assert_ne!(verdicts(&forward, &[7, 6, 8])[2], short[2]);
        let both = transformer(TextGanMethod::Seqgan);
        assert_ne!(verdicts(&both, &[6, 7, 8])[0], verdicts(&both, &[6, 7, 5])[0]);
    }

    /// A text's verdict does not depend on those beside it.
    #[test]
    fn texts_of_a_batch_do_not_see_each_other() {
        let (params, discriminator) = transformer(TextGanMethod::Seqgan);
        let logits = |texts: &[Vec<u32>]| {
            let source = Sequences::sources(texts);
            let mut tape = Tape::inference();
            let v = discriminator.logits(&mut tape, &params, &source, &mut rng(1));
            let value = tape.value(v).to_vec();
            source.order.iter().zip(value).find(|(place, _)| **place == 0).unwrap().1
        };
        assert_eq!(logits(&[vec![6, 7]]), logits(&[vec![6, 7], vec![5, 5, 5, 8], vec![]]));
    }
}
