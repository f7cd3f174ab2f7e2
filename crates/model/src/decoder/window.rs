//! The window decoder: a latent to the scores of the token at each of the first W places, all at once and without a look
//! at each other (non-autoregressive: Gu et al. 2018).
//!
//! `h = trunk(z)` (B, H), and a block of outputs for each place: `y_t = B_t h + c_t` (B, E), `p(x_t | z) = softmax(y_t
//! E^T + b)` with the embedding table or an output weight of its own; the end symbol takes a place like any token.
//!
//! A text that does not end within the window is cut: its further tokens are taken to be drawn evenly from the vocabulary
//! and cost ln V nats each, which no weight changes. So losses stay those of a distribution over all texts, comparable
//! with other networks', and a window that is too short shows in them. What is decoded ends at the window at the latest.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strait_engine::{ParamId, Params, Tape, Var, init, ops::cross_entropy::Scored};
use strait_text::tokenizer::EOS;

use super::{Task, output::Output};
use crate::{
    batch::Batch,
    config::DecoderConfig,
    decoding::NextToken,
    feed_forward::{Shape, Trunk},
};

/// The window decoder and its weights' handles.
#[derive(Debug)]
pub struct Decoder {
    window: usize,
    vocabulary: usize,
    dropout: f32,
    trunk: Trunk,
    /// B (W E, H) and c (1, W E): place by place.
    places: (ParamId, ParamId),
    /// Reads rows of E columns.
    output: Output,
}

impl Decoder {
    /// Adds the weights `decoder.*`. `embedding` (V, E) is the shared table; `latent` is Z.
    pub fn new(
        params: &mut Params,
        config: &DecoderConfig,
        embedding: ParamId,
        latent: usize,
        rng: &mut impl Rng,
    ) -> Self {
        let (v, e) = params.shape(embedding);
        let (h, width) = (config.hidden, config.window * e);
        let shape = Shape {
            input: latent,
            hidden: h,
            layers: config.layers,
            activation: config.activation,
            dropout: config.dropout,
        };
        let trunk = Trunk::new(params, "decoder.window", shape, rng);
        // As wide as a single place's weight would be.
        let weight = init::uniform(width * h, (6.0 / (e + h) as f32).sqrt(), rng);
        let weight = params.add("decoder.places.weight", (width, h), weight);
        let places = (weight, params.add("decoder.places.bias", (1, width), vec![0.0; width]));
        let output = Output::new(params, (embedding, config.tied), e, rng);
        Decoder { window: config.window, vocabulary: v, dropout: config.dropout, trunk, places, output }
    }

    /// z (B, Z) -> y (B, W E).
    fn features(&self, tape: &mut Tape, params: &Params, z: Var, rng: &mut impl Rng) -> Var {
        let h = self.trunk.forward(tape, params, z, rng);
        tape.linear(params, h, self.places.0, Some(self.places.1))
    }

    /// Rows of a packed batch that lie in the window: they come first.
    pub fn rows(&self, batch: &Batch) -> usize {
        batch.packing.offset(self.window.min(batch.packing.steps()))
    }

    /// See [`super::Decoder::loss`].
    pub fn loss(&self, tape: &mut Tape, params: &mut Params, task: &Task<'_>, rng: &mut impl Rng) -> Scored {
        // Without a latent there is nothing to decode: a recipe's check refuses that.
        let (Some(z), batch) = (task.z, task.batch) else { return Scored { nats: 0.0, correct: 0 } };
        let packing = &batch.packing;
        let y = self.features(tape, params, z, rng);
        let (b, width) = tape.shape(y);
        let y = tape.reshape(y, (b * self.window, width / self.window));
        let place = |t: usize| (0..packing.active(t)).map(move |b| (b * self.window + t) as u32);
        let order: Vec<u32> = (0..self.window.min(packing.steps())).flat_map(place).collect();
        let y = tape.gather_rows(y, &order);
        let y = tape.dropout(y, self.dropout, rng);
        let scored = self.output.loss(tape, params, (y, None), task);
        let beyond = (batch.targets.len() - order.len()) as f64 * self.beyond();
        Scored { nats: scored.nats + beyond, ..scored }
    }

    /// Nats of a token beyond the window.
    pub fn beyond(&self) -> f64 {
        (self.vocabulary as f64).ln()
    }

    /// See [`super::Decoder::generator`].
    pub fn generator<'a>(&'a self, params: &'a Params, z: &[f32], rows: usize) -> Generator<'a> {
        let mut tape = Tape::inference();
        let z = tape.input(z, (rows, z.len() / rows.max(1)));
        // Nothing is drawn: dropout is the identity.
        let y = self.features(&mut tape, params, z, &mut ChaCha8Rng::seed_from_u64(0));
        let features = tape.value(y).to_vec();
        Generator { decoder: self, params, features, rows, at: 0, place: Vec::new() }
    }
}

/// A decoder under way for some rows: see [`NextToken`].
pub struct Generator<'a> {
    decoder: &'a Decoder,
    params: &'a Params,
    /// y (rows, W E).
    features: Vec<f32>,
    rows: usize,
    /// The place to be decoded next.
    at: usize,
    place: Vec<f32>,
}

impl NextToken for Generator<'_> {
    fn vocabulary(&self) -> usize {
        self.decoder.vocabulary
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn step(&mut self, _tokens: &[u32], logits: &mut Vec<f32>) {
        let Decoder { window, output, .. } = *self.decoder;
        let (v, e) = self.params.shape(output.weight);
        if self.at < window {
            self.place.clear();
            let rows = self.features.chunks_exact(window * e);
            rows.for_each(|row| self.place.extend_from_slice(&row[self.at * e..][..e]));
            output.scores(self.params, &self.place, self.rows, logits);
        } else {
            logits.clear();
            logits.resize(self.rows * v, f32::NEG_INFINITY);
            logits.iter_mut().skip(EOS as usize).step_by(v).for_each(|end| *end = 0.0);
        }
        self.at += 1;
    }

    fn select(&mut self, from: &[usize]) {
        let width = self.features.len() / self.rows.max(1);
        let old = std::mem::take(&mut self.features);
        from.iter().for_each(|&row| self.features.extend_from_slice(&old[row * width..][..width]));
        self.rows = from.len();
    }
}
