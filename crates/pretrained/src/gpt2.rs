//! The decoders of the GPT-2 family (Radford et al. 2019), pre-normalised and causal; x (N, D) packed:
//!
//! ```text
//! x = E[ids] + P[places]
//! x = x + W_o attention(W_qkv norm_1(x)),  x = x + W_2 f(W_1 norm_2(x))      for each block
//! scores = norm(x) E^T
//! ```
//!
//! A latent may be added ([`Injection`]). Positions beyond the places stay at the last one.

use std::sync::Arc;

use strait_engine::{
    Packing, ParamId, Params, Tape, Var,
    ops::{feed_forward::FeedForward, linear},
};

use crate::{
    Blocks, Error, Injection,
    block::{Block, places},
    config::{Config, Shape},
    injection::Memory,
    loader::{Dense, Loader},
    tensors::Tensors,
};

/// The network apart from its weights, which are in a store that the caller keeps.
#[derive(Debug, Clone)]
pub struct Gpt2 {
    pub(crate) shape: Shape,
    /// E (V, D), which also scores.
    pub(crate) words: ParamId,
    pub(crate) places: ParamId,
    pub(crate) blocks: Vec<Block>,
    pub(crate) norm: Dense,
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

    /// Width of the residual stream, D.
    pub fn width(&self) -> usize {
        self.shape.width
    }
    /// Its blocks, L.
    pub fn layers(&self) -> usize {
        self.shape.layers
    }
    /// Attention heads of each block.
    pub fn heads(&self) -> usize {
        self.shape.heads
    }
    /// Hidden units of the feed-forward part of each block.
    pub fn inner(&self) -> usize {
        self.shape.inner
    }
    /// Positions that it tells apart, P.
    pub fn places(&self) -> usize {
        self.shape.places
    }
    /// The table of its tokens (V, D), which also scores.
    pub fn words(&self) -> ParamId {
        self.words
    }

    /// The same network with the weights where `at` says.
    pub fn moved(&self, at: impl Fn(ParamId) -> ParamId) -> Self {
        Gpt2 {
            shape: self.shape,
            words: at(self.words),
            places: at(self.places),
            blocks: self.blocks.iter().map(|block| block.moved(&at)).collect(),
            norm: (at(self.norm.0), at(self.norm.1)),
        }
    }

    /// Ids packed (N) -> last states (N, D). `drop` is the dropout of embeddings and of what each block adds.
    ///
    /// # Panics
    /// If an id is not of its vocabulary.
    pub fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        (ids, packing): (&[u32], &Arc<Packing>),
        injection: Injection,
        mut drop: impl FnMut(&mut Tape, Var) -> Var,
    ) -> Var {
        let Shape { heads, eps, width, .. } = self.shape;
        let added = injection.embedding.map(|z| tape.repeat_rows(z, packing));
        let places: Vec<u32> = places(packing, 0).into_iter().map(|place| self.place(place as usize)).collect();
        let mut x = self.embed(tape, params, (ids, &places), added);
        x = drop(tape, x);
        let memory = injection.memory.map(|of| Memory::new(tape, of, packing, width));
        for (l, block) in self.blocks.iter().enumerate() {
            let h = tape.layer_norm(params, x, Some(block.norms[0]), eps);
            let memory = memory.as_ref().map(|memory| (memory, l));
            let h = block.attend(tape, params, h, (packing, heads, true), memory);
            let h = drop(tape, h);
            x = tape.add(x, h);
            x = self.feed(tape, params, (block, x), &mut drop);
        }
        tape.layer_norm(params, x, Some(self.norm), eps)
    }

    /// Tokens at places, both (N) -> x (N, D), with what a latent adds (N, D).
    pub(crate) fn embed(
        &self,
        tape: &mut Tape,
        params: &Params,
        (ids, places): (&[u32], &[u32]),
        added: Option<Var>,
    ) -> Var {
        let x = tape.embedding(params, self.words, ids);
        let at = tape.embedding(params, self.places, places);
        let x = tape.add(x, at);
        added.map_or(x, |added| tape.add(x, added))
    }

    /// The row of the place table for a position.
    pub(crate) fn place(&self, position: usize) -> u32 {
        position.min(self.shape.places - 1) as u32
    }

    pub(crate) fn feed(
        &self,
        tape: &mut Tape,
        params: &Params,
        (block, x): (&Block, Var),
        mut drop: impl FnMut(&mut Tape, Var) -> Var,
    ) -> Var {
        let h = tape.layer_norm(params, x, Some(block.norms[1]), self.shape.eps);
        let h = tape.feed_forward(params, h, block.feed_forward);
        let h = drop(tape, h);
        tape.add(x, h)
    }

    /// Last states y (N, D) -> scores of the next token (N, V).
    pub(crate) fn scores(&self, params: &Params, y: &[f32], logits: &mut Vec<f32>) {
        let n = y.len() / self.shape.width;
        logits.resize(n * self.shape.vocabulary, 0.0);
        linear::forward(params, y, n, self.words, None, logits);
    }
}

impl Blocks for Gpt2 {
    fn list(&self) -> &[Block] {
        &self.blocks
    }
    fn list_mut(&mut self) -> &mut [Block] {
        &mut self.blocks
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
