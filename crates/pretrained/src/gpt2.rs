//! The decoders of the GPT-2 family (Radford et al. 2019), pre-normalised and causal; x (N, D) packed:
//!
//! ```text
//! x = E[ids] + P[places]
//! x = x + W_o attention(W_qkv norm_1(x)),  x = x + W_2 f(W_1 norm_2(x))      for each block
//! scores = norm(x) E^T
//! ```

use std::sync::Arc;

use strait_engine::{
    Packing, ParamId, Params, Tape, Var,
    ops::{attention::Cache, feed_forward::FeedForward, linear},
};

use crate::{
    Error,
    block::{Block, places},
    config::{Config, Shape},
    loader::{Dense, Loader},
    tensors::Tensors,
};

/// The network's weights in a store.
#[derive(Debug)]
pub(crate) struct Gpt2 {
    pub(crate) shape: Shape,
    /// E (V, D), which also scores.
    words: ParamId,
    places: ParamId,
    blocks: Vec<Block>,
    norm: Dense,
}

impl Gpt2 {
    /// Adds the weights to `params`, frozen.
    pub(crate) fn load(params: &mut Params, tensors: &Tensors, config: &Config) -> Result<Self, Error> {
        let Shape { width: d, layers, vocabulary, places, .. } = config.shape;
        let mut loader = Loader::new(tensors, params, &["", "transformer."], "wte.weight");
        let words = loader.matrix("wte.weight", (vocabulary, d))?;
        let places = loader.matrix("wpe.weight", (places, d))?;
        let blocks = (0..layers).map(|l| block(&mut loader, l, &config.shape)).collect::<Result<_, _>>()?;
        let norm = loader.norm("ln_f", d)?;
        params.set_trainable("", false);
        Ok(Gpt2 { shape: config.shape, words, places, blocks, norm })
    }

    /// Ids packed (N), each text at most as long as there are places -> last states (N, D).
    pub(crate) fn forward(&self, tape: &mut Tape, params: &Params, ids: &[u32], packing: &Arc<Packing>) -> Var {
        let Shape { heads, eps, .. } = self.shape;
        let mut x = tape.embedding(params, self.words, ids);
        let at = tape.embedding(params, self.places, &places(packing, 0));
        x = tape.add(x, at);
        for block in &self.blocks {
            let h = tape.layer_norm(params, x, Some(block.norms[0]), eps);
            let h = block.attend(tape, params, h, (packing, heads, true));
            x = tape.add(x, h);
            x = self.feed(tape, params, block, x);
        }
        tape.layer_norm(params, x, Some(self.norm), eps)
    }

    fn feed(&self, tape: &mut Tape, params: &Params, block: &Block, x: Var) -> Var {
        let h = tape.layer_norm(params, x, Some(block.norms[1]), self.shape.eps);
        let h = tape.feed_forward(params, h, block.feed_forward);
        tape.add(x, h)
    }

    /// Last states y (N, D) -> scores of the next token (N, V).
    pub(crate) fn scores(&self, params: &Params, y: &[f32], logits: &mut Vec<f32>) {
        let n = y.len() / self.shape.width;
        logits.resize(n * self.shape.vocabulary, 0.0);
        linear::forward(params, y, n, self.words, None, logits);
    }
}

fn block(loader: &mut Loader<'_>, l: usize, shape: &Shape) -> Result<Block, Error> {
    let (d, f) = (shape.width, shape.inner);
    let name = |part: &str| format!("h.{l}.{part}");
    let norms = [loader.norm(&name("ln_1"), d)?, loader.norm(&name("ln_2"), d)?];
    let qkv = loader.transposed(&name("attn.c_attn"), (3 * d, d))?;
    let out = loader.transposed(&name("attn.c_proj"), (d, d))?;
    let up = loader.transposed(&name("mlp.c_fc"), (f, d))?;
    let down = loader.transposed(&name("mlp.c_proj"), (d, f))?;
    let activation = shape.activation;
    let feed_forward = FeedForward { up: (up.0, Some(up.1)), down: (down.0, Some(down.1)), activation };
    Ok(Block { qkv, out, norms, feed_forward, adapters: None })
}

/// A decoder under way for some rows, which all stand at the same place: keys and values are kept.
pub struct Generator<'a> {
    model: &'a Gpt2,
    params: &'a Params,
    /// What each block has seen.
    caches: Vec<Cache>,
    rows: usize,
    /// The place of the next position.
    place: usize,
    tape: Tape,
    /// Queries, keys, values and the output of the attention, (rows, D) each.
    parts: [Vec<f32>; 3],
    attended: Vec<f32>,
}

impl<'a> Generator<'a> {
    pub(crate) fn new(model: &'a Gpt2, params: &'a Params, rows: usize) -> Self {
        let Shape { width, heads, .. } = model.shape;
        let caches = model.blocks.iter().map(|_| Cache::new(width, heads, rows)).collect();
        let (parts, attended) = Default::default();
        Generator { model, params, caches, rows, place: 0, tape: Tape::inference(), parts, attended }
    }

    /// Tokens in the vocabulary, V.
    pub fn vocabulary(&self) -> usize {
        self.model.shape.vocabulary
    }

    /// Rows now alive.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The next token of each row (rows) -> the scores of the one after it (rows, V). A text longer than the network
    /// has places stays at the last one.
    pub fn step(&mut self, tokens: &[u32], logits: &mut Vec<f32>) {
        let Gpt2 { shape, words, places, blocks, norm } = self.model;
        let (params, d) = (self.params, shape.width);
        self.tape.reset();
        let place = self.place.min(shape.places - 1) as u32;
        let mut x = self.tape.embedding(params, *words, tokens);
        let at = self.tape.embedding(params, *places, &vec![place; tokens.len()]);
        x = self.tape.add(x, at);
        for (l, block) in blocks.iter().enumerate() {
            let h = self.tape.layer_norm(params, x, Some(block.norms[0]), shape.eps);
            let qkv = self.tape.linear(params, h, block.qkv.0, Some(block.qkv.1));
            self.attend(l, qkv);
            let attended = self.tape.input(&self.attended, (tokens.len(), d));
            let h = self.tape.linear(params, attended, block.out.0, Some(block.out.1));
            x = self.tape.add(x, h);
            x = self.model.feed(&mut self.tape, params, block, x);
        }
        self.place += 1;
        let y = self.tape.layer_norm(params, x, Some(*norm), shape.eps);
        self.model.scores(params, self.tape.value(y), logits);
    }

    /// The attention of block `l`: qkv (rows, 3 D) -> `attended`.
    fn attend(&mut self, l: usize, qkv: Var) {
        let (rows, width) = self.tape.shape(qkv);
        let d = width / 3;
        for (i, part) in self.parts.iter_mut().enumerate() {
            part.clear();
            self.tape.value(qkv).chunks_exact(width).for_each(|row| part.extend(&row[i * d..(i + 1) * d]));
        }
        let [q, k, v] = &self.parts;
        self.attended.resize(rows * d, 0.0);
        self.caches[l].push(k, v);
        self.caches[l].attend(q, &mut self.attended);
    }

    /// New row i continues old row `from[i]`.
    pub fn select(&mut self, from: &[usize]) {
        self.caches.iter_mut().for_each(|cache| cache.select(from));
        self.rows = from.len();
    }
}
