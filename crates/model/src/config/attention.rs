//! What the decoder attends to of the source.

use serde::{Deserialize, Serialize};

/// What a model learns to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskKind {
    /// The text itself, through a latent; without an encoder, its next token.
    #[default]
    Autoencode,
    /// A target for a source: the decoder attends to the encoder's states.
    Seq2seq,
}

/// How a state of the decoder scores the encoder's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttentionKind {
    /// `h W s`, scaled ("general": Luong et al. 2015; several heads: Vaswani et al. 2017).
    #[default]
    Product,
    /// `v · tanh(W h + U s)` (Bahdanau et al. 2015).
    Additive,
    /// There is no attention: the source is told by its features, or by a latent, alone.
    None,
}

/// Attention of the decoder to the encoder's states: seq2seq only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AttentionConfig {
    pub kind: AttentionKind,
    /// Heads of the product before a recurrent decoder's output (a Transformer's are `decoder.heads`).
    pub heads: usize,
    /// Additive only: scores know what has been seen before (See et al. 2017).
    pub coverage: bool,
    /// Tokens may be copied from the source (See et al. 2017); product only, with one vocabulary for both sides. None: a training
    /// decides by how much of their sources targets keep, and a model does not.
    pub copy: Option<bool>,
}

impl AttentionConfig {
    /// Whether tokens are copied.
    pub fn copies(&self) -> bool {
        self.copy == Some(true)
    }
}

impl Default for AttentionConfig {
    fn default() -> Self {
        AttentionConfig { kind: AttentionKind::Product, heads: 1, coverage: false, copy: None }
    }
}
