//! Decoders: a latent, and the tokens before, to the scores of the next token.

mod bag;
mod head;
pub(crate) mod manager;
mod output;
mod pointer;
pub mod published;
mod readout;
mod recurrent;
mod seen;
mod transformer;
mod window;

use std::sync::Arc;

use rand::Rng;
use strait_engine::{
    ParamId, Params, Tape, Var,
    ops::{cross_entropy::Scored, mixture::Mixture},
};

pub use bag::{Decoder as BagDecoder, Topic};
pub(crate) use manager::Manager;
use output::Output;
pub use published::{PublishedDecoder, PublishedError};

use crate::{
    batch::Batch,
    config::{AttentionConfig, DecoderConfig, LatentConfig, NetworkKind},
    decoding::NextToken,
    seq2seq::Encoded,
};

/// A decoder of any kind, with its weights' handles.
#[derive(Debug)]
pub enum Decoder {
    Recurrent(recurrent::Decoder),
    Transformer(transformer::Decoder),
    Bag(bag::Decoder),
    Window(window::Decoder),
    Published(published::Decoder),
}

/// What a decoder is trained on.
pub struct Task<'a> {
    /// Latents (B, Z), in the order of the targets; `None` in a language model, and without a latent in seq2seq.
    pub z: Option<Var>,
    /// In seq2seq the encoder's features (B, F), in the order of the targets, if the decoder starts from them.
    pub features: Option<Var>,
    /// States (M, W) of the batch's sources, if the decoder attends to them.
    pub states: Option<Var>,
    pub batch: &'a Batch,
    pub label_smoothing: f32,
    /// Weight of the unlikelihood of what a text had before; 0 is off. Recurrent and Transformer decoders only.
    pub unlikelihood: f32,
    /// Factor of the nats of each row of the targets, (N); all 1 if absent. Recurrent and Transformer decoders only.
    pub row_weights: Option<&'a [f32]>,
    /// Factor of the summed loss (1 / tokens gives the mean).
    pub scale: f32,
}

/// What a decoder is given of a text besides the tokens before.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    pub latent: &'a LatentConfig,
    pub attention: &'a AttentionConfig,
    /// Columns of the states that it attends to, W; 0: none.
    pub states: usize,
    /// Columns of the encoder's features, F, from which it starts; 0: from the latent.
    pub features: usize,
}

impl Decoder {
    /// What the names of its weights start with.
    pub const PREFIX: &'static str = "decoder.";

    /// Adds the weights `decoder.*`. `embedding` (V, E) is the shared table.
    pub fn new(
        params: &mut Params,
        config: &DecoderConfig,
        embedding: ParamId,
        given: Given<'_>,
        rng: &mut impl Rng,
    ) -> Self {
        let latent = given.latent;
        match config.kind {
            NetworkKind::Rnn | NetworkKind::RnnRelu | NetworkKind::Gru | NetworkKind::Lstm => {
                Decoder::Recurrent(recurrent::Decoder::new(params, config, embedding, given, rng))
            }
            NetworkKind::Bag => Decoder::Bag(bag::Decoder::new(params, config, embedding, latent.size, rng)),
            NetworkKind::Window => Decoder::Window(window::Decoder::new(params, config, embedding, latent.size, rng)),
            NetworkKind::Transformer => {
                Decoder::Transformer(transformer::Decoder::new(params, config, embedding, given, rng))
            }
            NetworkKind::Published => {
                Decoder::Published(published::Decoder::new(params, config, embedding, latent.size, rng))
            }
            NetworkKind::None | NetworkKind::Pretrained | NetworkKind::Vectors | NetworkKind::Tuned => {
                unreachable!("a recipe's check refuses a model without a decoder")
            }
        }
    }

    /// Gives a published decoder its network, whose weights are added to `params`; `seed` draws those that begin afresh.
    ///
    /// # Panics
    /// If the decoder was made for another one.
    pub(crate) fn set_published(&mut self, params: &mut Params, published: &Arc<PublishedDecoder>, seed: u64) {
        if let Decoder::Published(d) = self {
            d.set(params, published.clone(), seed);
        }
    }

    /// The published decoder, once it was set.
    pub(crate) fn published(&self) -> Option<&Arc<PublishedDecoder>> {
        match self {
            Decoder::Published(d) => d.published(),
            _ => None,
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
            Decoder::Bag(d) => return d.loss(tape, params, task, rng),
            Decoder::Window(d) => return d.loss(tape, params, task, rng),
            Decoder::Recurrent(_) | Decoder::Transformer(_) | Decoder::Published(_) => {}
        }
        let Some((read, output)) = self.read(tape, params, embedding, task, rng) else {
            unreachable!("all others write token by token")
        };
        output.loss(tape, params, read, task)
    }

    /// What the output layer reads at each position of the batch, (N, I), with what is copied besides, and that layer; none of
    /// decoders that do not write token by token.
    fn read(
        &self,
        tape: &mut Tape,
        params: &Params,
        embedding: ParamId,
        task: &Task<'_>,
        rng: &mut impl Rng,
    ) -> Option<((Var, Option<Mixture>), Output)> {
        match self {
            Decoder::Recurrent(d) => Some((d.read(tape, params, embedding, task, rng), d.head.output)),
            Decoder::Transformer(d) => Some((d.read(tape, params, embedding, task, rng), d.head.output)),
            Decoder::Published(d) => Some(((d.read(tape, params, task, rng), None), d.output())),
            Decoder::Bag(_) | Decoder::Window(_) => None,
        }
    }

    /// The token that it would draw at each position of the batch after the text's own tokens before, by a number in [0, 1)
    /// for each, (N), from the vocabulary alone where it also copies; none of decoders that do not write token by token.
    pub fn draw(
        &self,
        tape: &mut Tape,
        params: &Params,
        embedding: ParamId,
        (task, uniforms): (&Task<'_>, &[f32]),
        rng: &mut impl Rng,
    ) -> Vec<u32> {
        let read = self.read(tape, params, embedding, task, rng);
        read.map_or(Vec::new(), |((y, _), output)| output.draw(params, tape.value(y), uniforms))
    }

    /// The scores (N, V) of the next token at each position of the batch after the text's own tokens before, recorded, from
    /// the vocabulary alone; none of decoders that do not write token by token.
    pub fn logits(
        &self,
        tape: &mut Tape,
        params: &Params,
        embedding: ParamId,
        task: &Task<'_>,
        rng: &mut impl Rng,
    ) -> Option<Var> {
        let ((y, _), output) = self.read(tape, params, embedding, task, rng)?;
        Some(tape.linear(params, y, output.weight, Some(output.bias)))
    }

    /// Nats of each target sequence of the last [`Decoder::loss`], (B), in packed order.
    pub fn sequence_nats(&self, tape: &Tape, batch: &Batch) -> Vec<f64> {
        if let Decoder::Bag(d) = self {
            return d.sequence_nats(tape);
        }
        let tokens = self.token_nats(tape, batch).unwrap_or_default();
        tokens.iter().map(|nats| nats.iter().map(|&n| f64::from(n)).sum()).collect()
    }

    /// Nats of each token of each target sequence of the last [`Decoder::loss`], the end symbol's last, in packed order;
    /// none if the decoder does not tell tokens apart.
    pub fn token_nats(&self, tape: &Tape, batch: &Batch) -> Option<Vec<Vec<f32>>> {
        let mut each: Vec<Vec<f32>> = batch.packing.lengths().iter().map(|&l| Vec::with_capacity(l)).collect();
        let rows = match self {
            Decoder::Bag(_) => return None,
            Decoder::Window(d) => d.rows(batch),
            Decoder::Recurrent(_) | Decoder::Transformer(_) | Decoder::Published(_) => batch.packing.rows(),
        };
        for (nats, sequence) in tape.row_nats().take(rows).zip(batch.packing.sequence_of_rows()) {
            each[sequence].push(nats);
        }
        if let Decoder::Window(d) = self {
            let lengths = batch.packing.lengths();
            each.iter_mut().zip(lengths).for_each(|(nats, &l)| nats.resize(l, d.beyond() as f32));
        }
        Some(each)
    }

    /// Starts generating `rows` texts from z (rows, Z).
    pub fn generator<'a>(&'a self, params: &'a Params, table: ParamId, z: &[f32], rows: usize) -> Generator<'a> {
        match self {
            Decoder::Recurrent(d) => Generator::Recurrent(Box::new(d.generator(params, table, (z, rows), None))),
            Decoder::Transformer(d) => Generator::Transformer(Box::new(d.generator(params, table, (z, rows), None))),
            Decoder::Bag(d) => Generator::Bag(d.generator(params, z, rows)),
            Decoder::Window(d) => Generator::Window(d.generator(params, z, rows)),
            Decoder::Published(d) => Generator::Published(Box::new(d.generator(params, (z, rows)))),
        }
    }

    /// Starts generating texts from encoded sources, one row for each.
    ///
    /// # Panics
    /// If the decoder is of no kind for sources.
    pub fn generator_from<'a>(&'a self, params: &'a Params, table: ParamId, source: &Encoded) -> Generator<'a> {
        let start = (&source.latents[..], source.rows.len());
        match self {
            Decoder::Recurrent(d) => Generator::Recurrent(Box::new(d.generator(params, table, start, Some(source)))),
            Decoder::Transformer(d) => {
                Generator::Transformer(Box::new(d.generator(params, table, start, Some(source))))
            }
            Decoder::Bag(_) | Decoder::Window(_) | Decoder::Published(_) => {
                unreachable!("a recipe's check refuses these decoders in seq2seq")
            }
        }
    }

    /// From now on the manager that `new` makes leads it, if any, given the columns that the output layer reads; never one
    /// that does not write token by token.
    pub(crate) fn be_led(&mut self, params: &mut Params, new: impl FnOnce(&mut Params, usize) -> Option<Manager>) {
        let head = match self {
            Decoder::Recurrent(d) => &mut d.head,
            Decoder::Transformer(d) => &mut d.head,
            Decoder::Bag(_) | Decoder::Window(_) | Decoder::Published(_) => return,
        };
        let columns = params.shape(head.output.weight).1;
        head.manager = new(params, columns);
    }

    /// The manager that leads it, if one does.
    pub(crate) fn manager(&self) -> Option<&Manager> {
        match self {
            Decoder::Recurrent(d) => d.head.manager.as_ref(),
            Decoder::Transformer(d) => d.head.manager.as_ref(),
            Decoder::Bag(_) | Decoder::Window(_) | Decoder::Published(_) => None,
        }
    }

    /// Whether it starts from features of the encoder, besides the states that it attends to.
    pub fn starts_from_features(&self) -> bool {
        matches!(self, Decoder::Recurrent(_))
    }

    /// The bag decoder, if it is one: it has topics.
    pub fn bag(&self) -> Option<&BagDecoder> {
        match self {
            Decoder::Bag(d) => Some(d),
            _ => None,
        }
    }
}

/// A decoder under way for some rows.
pub enum Generator<'a> {
    Recurrent(Box<recurrent::Generator<'a>>),
    Transformer(Box<transformer::Generator<'a>>),
    Bag(bag::Generator),
    Window(window::Generator<'a>),
    Published(Box<published::Generator<'a>>),
}

impl Generator<'_> {
    /// The weights (T) with which a row looked at its source for the last token; none without a source.
    pub fn weights(&self, row: usize) -> Option<Vec<f32>> {
        match self {
            Generator::Recurrent(g) => g.weights(row),
            Generator::Transformer(g) => g.weights(row),
            Generator::Bag(_) | Generator::Window(_) | Generator::Published(_) => None,
        }
    }
}

impl NextToken for Generator<'_> {
    fn vocabulary(&self) -> usize {
        match self {
            Generator::Recurrent(g) => g.vocabulary(),
            Generator::Transformer(g) => g.vocabulary(),
            Generator::Bag(g) => g.vocabulary(),
            Generator::Window(g) => g.vocabulary(),
            Generator::Published(g) => g.vocabulary(),
        }
    }

    fn rows(&self) -> usize {
        match self {
            Generator::Recurrent(g) => g.rows(),
            Generator::Transformer(g) => g.rows(),
            Generator::Bag(g) => g.rows(),
            Generator::Window(g) => g.rows(),
            Generator::Published(g) => g.rows(),
        }
    }

    fn step(&mut self, tokens: &[u32], logits: &mut Vec<f32>) {
        match self {
            Generator::Recurrent(g) => g.step(tokens, logits),
            Generator::Transformer(g) => g.step(tokens, logits),
            Generator::Bag(g) => g.step(tokens, logits),
            Generator::Window(g) => g.step(tokens, logits),
            Generator::Published(g) => g.step(tokens, logits),
        }
    }

    fn states(&self) -> &[f32] {
        match self {
            Generator::Recurrent(g) => g.states(),
            Generator::Transformer(g) => g.states(),
            Generator::Published(g) => g.states(),
            Generator::Bag(_) | Generator::Window(_) => &[],
        }
    }

    fn select(&mut self, from: &[usize]) {
        match self {
            Generator::Recurrent(g) => g.select(from),
            Generator::Transformer(g) => g.select(from),
            Generator::Bag(g) => g.select(from),
            Generator::Window(g) => g.select(from),
            Generator::Published(g) => g.select(from),
        }
    }
}
