//! The published decoder: a GPT-2 (Radford et al. 2019) that is trained on, or learns only to be told what to write by a
//! latent (Optimus, Li et al. 2020), which enters it in two ways ([`Injection`]):
//!
//! ```text
//! x_t = E[token_t] + P[t] + W_e z                       to the embedding of every token
//! (k_1, v_1, ..., k_L, v_L) = W_m z                     a key and a value more for each of L blocks
//! ```
//!
//! Both maps are 0 at first, so that training begins at the network that was published. Its table E is the one that the
//! encoder shares; it scores, too.

mod outside;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strait_engine::{Param, ParamId, Params, Tape, Var, ops::linear};
use strait_pretrained::{Generator as Steps, Gpt2, Injection};
use strait_text::tokenizer::{BOS, MASK};

pub use outside::{PublishedDecoder, PublishedError};

use super::{Task, output::Output};
use crate::{
    config::{DecoderConfig, InjectionKind},
    decoding::NextToken,
    tuning::{Plan, tune},
};

/// How the names of the published weights begin, but that of the table.
pub const PUBLISHED: &str = "decoder.published.";
/// How the names of adapters begin.
const ADAPTERS: &str = "decoder.adapters.";
/// The score of tokens that the published network does not have.
const NEVER: f32 = -1e4;

/// A decoder and its weights' handles.
#[derive(Debug)]
pub struct Decoder {
    config: DecoderConfig,
    /// W_e (D, Z) and W_m (2 D L, Z).
    embedding: Option<ParamId>,
    memory: Option<ParamId>,
    output: Output,
    published: Option<(Gpt2, Arc<PublishedDecoder>)>,
}

impl Decoder {
    /// Adds the weights `decoder.latent.*` for latents of `size` dimensions, 0 in a language model, and `decoder.output.bias`.
    /// `table` (V, D) is the shared one.
    pub fn new(params: &mut Params, config: &DecoderConfig, table: ParamId, size: usize, rng: &mut impl Rng) -> Self {
        let (v, d) = params.shape(table);
        let mut map = |name: &str, rows: usize, other: InjectionKind| {
            let wanted = size > 0 && config.injection != other;
            wanted.then(|| params.add(format!("decoder.latent.{name}"), (rows, size), vec![0.0; rows * size]))
        };
        let embedding = map("embedding.weight", d, InjectionKind::Memory);
        let memory = map("memory.weight", 2 * d * config.layers, InjectionKind::Embedding);
        let output = Output::new(params, (table, true), d, rng);
        // The published network has one token for begin and end, and none for what is masked: these are never written.
        let mut bias = vec![0.0; v];
        [BOS, MASK].into_iter().for_each(|token| bias[token as usize] = NEVER);
        params.assign(output.bias, &bias);
        params.set_trainable("decoder.output.bias", false);
        Decoder { config: config.clone(), embedding, memory, output, published: None }
    }

    pub(super) fn output(&self) -> Output {
        self.output
    }

    /// The published decoder, once it was set.
    pub(super) fn published(&self) -> Option<&Arc<PublishedDecoder>> {
        self.published.as_ref().map(|(_, published)| published)
    }

    /// Adds the weights `decoder.published.*` and, if they are asked for, `decoder.adapters.*`; fills the table.
    ///
    /// # Panics
    /// If its sizes are others than those that the decoder was made for.
    pub fn set(&mut self, params: &mut Params, published: Arc<PublishedDecoder>, seed: u64) {
        let DecoderConfig { tuning, tuned_layers, rank, layers, .. } = self.config;
        let (table, from) = (self.output.weight, published.language_model().network());
        let shape = (published.tokenizer().vocab_size(), from.width());
        assert_eq!(params.shape(table), shape, "the network was made for another decoder");
        assert_eq!(from.layers(), layers, "the network was made for another decoder");
        let weights = published.language_model().params();
        let place = |(id, p): (ParamId, &Param)| match id == from.words() {
            true => (id, table),
            false => (id, params.add(format!("{PUBLISHED}{}", p.name()), p.shape(), p.value().to_vec())),
        };
        let at: HashMap<ParamId, ParamId> = weights.iter().map(place).collect();
        let mut network = from.moved(|id| at[&id]);
        let name = params.get(table).name().to_string();
        params.assign(table, &published.table());
        for name in [&name, PUBLISHED] {
            params.set_trainable(name, false);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(1);
        let plan = Plan { tuning, layers: tuned_layers, rank };
        tune(params, &mut network, (&[PUBLISHED, &name], ADAPTERS), plan, &mut rng);
        self.published = Some((network, published));
    }

    /// # Panics
    /// If the published decoder was not set.
    fn network(&self) -> &Gpt2 {
        &self.published.as_ref().expect("a published decoder").0
    }

    /// What the output layer reads at each position of the batch, (N, D).
    pub(super) fn read(&self, tape: &mut Tape, params: &Params, task: &Task<'_>, rng: &mut impl Rng) -> Var {
        let mut map = |weight: Option<ParamId>| Some(tape.linear(params, task.z?, weight?, None));
        let injection = Injection { embedding: map(self.embedding), memory: map(self.memory) };
        let texts = (&task.batch.inputs[..], &task.batch.packing);
        self.network().forward(tape, params, texts, injection, |tape, x| tape.dropout(x, self.config.dropout, rng))
    }

    /// See [`super::Decoder::generator`].
    pub fn generator<'a>(&'a self, params: &'a Params, (z, rows): (&[f32], usize)) -> Generator<'a> {
        let added = [self.embedding, self.memory].map(|weight| {
            let Some(weight) = weight.filter(|_| !z.is_empty()) else { return Vec::new() };
            let mut added = vec![0.0; rows * params.shape(weight).0];
            linear::forward(params, z, rows, weight, None, &mut added);
            added
        });
        let steps = Steps::new(self.network(), params, rows, [&added[0], &added[1]]);
        Generator { output: self.output, params, steps, read: Vec::new() }
    }
}

/// A decoder under way for some rows: see [`NextToken`].
pub struct Generator<'a> {
    output: Output,
    params: &'a Params,
    steps: Steps<'a>,
    /// What the output layer read last.
    read: Vec<f32>,
}

impl NextToken for Generator<'_> {
    fn vocabulary(&self) -> usize {
        self.output.vocabulary(self.params)
    }

    fn rows(&self) -> usize {
        self.steps.rows()
    }

    fn step(&mut self, tokens: &[u32], logits: &mut Vec<f32>) {
        self.read.clear();
        self.read.extend_from_slice(self.steps.step_states(tokens));
        self.output.scores(self.params, &self.read, tokens.len(), logits);
    }

    fn states(&self) -> &[f32] {
        &self.read
    }

    fn select(&mut self, from: &[usize]) {
        self.steps.select(from);
    }
}
