//! The encoders of the BERT family (Devlin et al. 2018; RoBERTa, DistilBERT), post-normalised; x (N, D) packed:
//!
//! ```text
//! x = norm(E[ids] + P[places] + S[0])
//! x = norm_1(x + W_o attention(W_qkv x)),  x = norm_2(x + W_2 f(W_1 x))      for each block
//! ```
//!
//! Every position sees every other of its text. RoBERTa's places begin after the padding's row; DistilBERT has no
//! segments S, and names of its own.

use std::sync::Arc;

use strait_engine::{Packing, ParamId, Params, Tape, Var, ops::feed_forward::FeedForward};

use crate::{
    Error,
    block::{Block, places},
    config::{Config, Family, Shape},
    loader::{Dense, Loader},
    tensors::Tensors,
};

/// The network's weights in a store.
#[derive(Debug, Clone)]
pub(crate) struct Bert {
    pub(crate) shape: Shape,
    words: ParamId,
    places: ParamId,
    segments: Option<ParamId>,
    norm: Dense,
    pub(crate) blocks: Vec<Block>,
}

impl Bert {
    /// Adds the weights to `params`.
    pub(crate) fn load(params: &mut Params, tensors: &Tensors, config: &Config) -> Result<Self, Error> {
        let Shape { width: d, layers, vocabulary, places, segments, .. } = config.shape;
        let prefixes = ["", "bert.", "roberta.", "distilbert."];
        let mut loader = Loader::new(tensors, params, &prefixes, "embeddings.word_embeddings.weight");
        let table = |loader: &mut Loader<'_>, name: &str, rows: usize| {
            loader.matrix(&format!("embeddings.{name}_embeddings.weight"), (rows, d))
        };
        let words = table(&mut loader, "word", vocabulary)?;
        let places = table(&mut loader, "position", places)?;
        let segments = (segments > 0).then(|| table(&mut loader, "token_type", segments)).transpose()?;
        let norm = loader.norm("embeddings.LayerNorm", d)?;
        let blocks = (0..layers).map(|l| match config.family {
            Family::DistilBert => distilbert_block(&mut loader, l, &config.shape),
            _ => bert_block(&mut loader, l, &config.shape),
        });
        let blocks = blocks.collect::<Result<_, _>>()?;
        Ok(Bert { shape: config.shape, words, places, segments, norm, blocks })
    }

    /// Ids packed (N), each text at most as long as there are places -> hidden states (N, D).
    pub(crate) fn forward(&self, tape: &mut Tape, params: &Params, ids: &[u32], packing: &Arc<Packing>) -> Var {
        let Shape { heads, first_place, eps, .. } = self.shape;
        let mut x = tape.embedding(params, self.words, ids);
        let at = tape.embedding(params, self.places, &places(packing, first_place));
        x = tape.add(x, at);
        if let Some(table) = self.segments {
            let first = tape.embedding(params, table, &vec![0; ids.len()]);
            x = tape.add(x, first);
        }
        x = tape.layer_norm(params, x, Some(self.norm), eps);
        for block in &self.blocks {
            let h = block.attend(tape, params, x, (packing, heads, false), None);
            let h = tape.add(x, h);
            x = tape.layer_norm(params, h, Some(block.norms[0]), eps);
            let h = tape.feed_forward(params, x, block.feed_forward);
            let h = tape.add(x, h);
            x = tape.layer_norm(params, h, Some(block.norms[1]), eps);
        }
        x
    }

    /// The network whose weights are where `at` says.
    pub(crate) fn moved(&self, at: &impl Fn(ParamId) -> ParamId) -> Self {
        Bert {
            shape: self.shape,
            words: at(self.words),
            places: at(self.places),
            segments: self.segments.map(at),
            norm: (at(self.norm.0), at(self.norm.1)),
            blocks: self.blocks.iter().map(|block| block.moved(at)).collect(),
        }
    }

    /// Longest text in tokens.
    pub(crate) fn longest(&self) -> usize {
        self.shape.places - self.shape.first_place
    }
}

fn feed_forward(up: Dense, down: Dense, shape: &Shape) -> FeedForward {
    FeedForward { up: (up.0, Some(up.1)), down: (down.0, Some(down.1)), activation: shape.activation }
}

fn bert_block(loader: &mut Loader<'_>, l: usize, shape: &Shape) -> Result<Block, Error> {
    let (d, f) = (shape.width, shape.inner);
    let name = |part: &str| format!("encoder.layer.{l}.{part}");
    let qkv = ["query", "key", "value"].map(|part| name(&format!("attention.self.{part}")));
    Ok(Block {
        qkv: loader.side_by_side(&qkv, d)?,
        out: loader.dense(&name("attention.output.dense"), (d, d))?,
        norms: [loader.norm(&name("attention.output.LayerNorm"), d)?, loader.norm(&name("output.LayerNorm"), d)?],
        feed_forward: feed_forward(
            loader.dense(&name("intermediate.dense"), (f, d))?,
            loader.dense(&name("output.dense"), (d, f))?,
            shape,
        ),
        adapters: None,
    })
}

fn distilbert_block(loader: &mut Loader<'_>, l: usize, shape: &Shape) -> Result<Block, Error> {
    let (d, f) = (shape.width, shape.inner);
    let name = |part: &str| format!("transformer.layer.{l}.{part}");
    let qkv = ["q_lin", "k_lin", "v_lin"].map(|part| name(&format!("attention.{part}")));
    Ok(Block {
        qkv: loader.side_by_side(&qkv, d)?,
        out: loader.dense(&name("attention.out_lin"), (d, d))?,
        norms: [loader.norm(&name("sa_layer_norm"), d)?, loader.norm(&name("output_layer_norm"), d)?],
        feed_forward: feed_forward(
            loader.dense(&name("ffn.lin1"), (f, d))?,
            loader.dense(&name("ffn.lin2"), (d, f))?,
            shape,
        ),
        adapters: None,
    })
}
