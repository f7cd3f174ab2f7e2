//! The networks on both sides of the latent.

use serde::{Deserialize, Serialize};
use strait_engine::ops::{activation::Activation, rnn::Cell};

/// The kinds of network; each can encode and each can decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkKind {
    /// Plain recurrence with tanh.
    Rnn,
    /// Plain recurrence with ReLU.
    RnnRelu,
    Gru,
    #[default]
    Lstm,
    /// Self-attention (Vaswani et al. 2017), pre-normalised.
    Transformer,
    /// Feed-forward over the counts of tokens, whatever their order.
    Bag,
    /// Feed-forward over the first tokens, each at its place.
    Window,
    /// A published encoder, frozen, with a trained feed-forward network behind it; encoders only.
    Pretrained,
    /// The same with vectors that are given instead of an encoder.
    Vectors,
    /// A published encoder that is trained on, with the same network behind it; encoders only.
    Tuned,
    /// A published decoder of the GPT-2 family, with its own tokens; decoders only.
    Published,
    /// No encoder: the decoder alone is a language model.
    None,
}

impl NetworkKind {
    /// The recurrent cell, if it is a recurrent network.
    pub fn cell(self) -> Option<Cell> {
        match self {
            NetworkKind::Rnn => Some(Cell::Tanh),
            NetworkKind::RnnRelu => Some(Cell::Relu),
            NetworkKind::Gru => Some(Cell::Gru),
            NetworkKind::Lstm => Some(Cell::Lstm),
            NetworkKind::Transformer
            | NetworkKind::Bag
            | NetworkKind::Window
            | NetworkKind::Pretrained
            | NetworkKind::Vectors
            | NetworkKind::Tuned
            | NetworkKind::Published
            | NetworkKind::None => None,
        }
    }

    /// Whether it needs a published folder, or vectors, beside the recipe.
    pub fn is_given(self) -> bool {
        self.is_frozen() || self == NetworkKind::Tuned
    }

    /// Whether a decoder of this kind writes token by token, with a state for each.
    pub fn writes(self) -> bool {
        self.cell().is_some() || matches!(self, NetworkKind::Transformer | NetworkKind::Published)
    }

    /// Whether it reads vectors that are not trained here.
    pub fn is_frozen(self) -> bool {
        matches!(self, NetworkKind::Pretrained | NetworkKind::Vectors)
    }
}

/// What of a published network is trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tuning {
    /// Every weight.
    #[default]
    All,
    /// The last blocks.
    Last,
    /// Low-rank changes of the attention's dense layers beside weights that stay (Hu et al. 2021).
    Adapters,
    /// Every weight from scratch: the same network without what it learned.
    Fresh,
    /// Nothing: only what is put before or behind it learns.
    Frozen,
}

/// Where a latent enters a published decoder (Li et al. 2020).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InjectionKind {
    /// As one key and value more for each block and head, which every position attends to.
    Memory,
    /// Added to every token's embedding.
    Embedding,
    /// Both.
    #[default]
    Both,
}

/// How an encoder's states become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pool {
    /// The final state of each direction (Transformer: what a learned query for each slot of the latent attends to).
    #[default]
    Last,
    /// The mean over positions.
    Mean,
    /// The maximum over positions.
    Max,
}

/// How a Transformer knows where a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Positions {
    /// Queries and keys are rotated by their place (Su et al. 2021): any length.
    #[default]
    Rotary,
    /// A vector for each place is learned.
    Learned,
}

/// The non-linearities by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActivationKind {
    Relu,
    LeakyRelu,
    Tanh,
    Sigmoid,
    #[default]
    Gelu,
    Silu,
}

impl From<ActivationKind> for Activation {
    fn from(kind: ActivationKind) -> Activation {
        match kind {
            ActivationKind::Relu => Activation::Relu,
            ActivationKind::LeakyRelu => Activation::LeakyRelu(0.2),
            ActivationKind::Tanh => Activation::Tanh,
            ActivationKind::Sigmoid => Activation::Sigmoid,
            ActivationKind::Gelu => Activation::Gelu,
            ActivationKind::Silu => Activation::Silu,
        }
    }
}

/// The encoder: embedding, layers, pooling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EncoderConfig {
    #[serde(alias = "cell")]
    pub kind: NetworkKind,
    /// Width of the token embedding E, shared with the decoder; the width of a Transformer, D. That of a published decoder, if
    /// there is one.
    pub embedding: usize,
    /// Hidden units: of each direction (recurrent), of the inner layer of a block (Transformer), of each layer
    /// (feed-forward).
    pub hidden: usize,
    pub layers: usize,
    /// Recurrent networks only.
    pub bidirectional: bool,
    pub pool: Pool,
    /// Dropout on embeddings and between layers.
    pub dropout: f32,
    /// Attention heads (Transformer).
    pub heads: usize,
    /// Transformer only.
    pub positions: Positions,
    /// Non-linearity (Transformer and feed-forward).
    pub activation: ActivationKind,
    /// Tokens that a window network reads; the rest of a text is cut off.
    pub window: usize,
    /// Where the published encoder came from (pretrained, tuned).
    pub folder: String,
    /// Numbers in a vector (pretrained, tuned, vectors); set when the vectors are there.
    pub columns: usize,
    /// What is trained on (tuned), how many of the last blocks (tuning = "last"), the rank of adapters.
    pub tuning: Tuning,
    pub tuned_layers: usize,
    pub rank: usize,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        EncoderConfig {
            kind: NetworkKind::Lstm,
            embedding: 256,
            hidden: 256,
            layers: 1,
            bidirectional: true,
            pool: Pool::Last,
            dropout: 0.2,
            heads: 4,
            positions: Positions::Rotary,
            activation: ActivationKind::Gelu,
            window: 16,
            folder: String::new(),
            columns: 0,
            tuning: Tuning::All,
            tuned_layers: 2,
            rank: 8,
        }
    }
}

/// How the chance of scheduled sampling rises over the training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SamplingSchedule {
    /// By the share of the steps made.
    #[default]
    Linear,
    /// Inverse sigmoid decay of the text's own tokens, half-way in the middle of the training.
    Sigmoid,
}

impl SamplingSchedule {
    /// The share of the final chance at a share of the steps, both 0..1.
    pub fn at(self, share: f64) -> f64 {
        match self {
            SamplingSchedule::Linear => share,
            SamplingSchedule::Sigmoid => 1.0 / (1.0 + (-10.0 * (share - 0.5)).exp()),
        }
    }
}

/// What a bag decoder is trained to give back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BagOutput {
    /// A distribution over the vocabulary from which each token of the text is drawn.
    #[default]
    Multinomial,
    /// The counts' logarithms, by squared error.
    Mse,
}

/// The decoder: z in the initial state and at every step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecoderConfig {
    #[serde(alias = "cell")]
    pub kind: NetworkKind,
    /// Hidden units: of each layer (recurrent, feed-forward), of the inner layer of a block (Transformer, whose width
    /// is the embedding's).
    pub hidden: usize,
    pub layers: usize,
    /// Dropout on embeddings, between layers and before the output.
    pub dropout: f32,
    /// Chance that a token fed to the decoder is masked, so that it must read the latent.
    pub word_dropout: f32,
    /// Chance, at the end of the training, that a token fed to the decoder is one that it has drawn itself instead of the
    /// text's (scheduled sampling, Bengio et al. 2015); 0 is off. Recurrent and Transformer decoders.
    pub scheduled_sampling: f32,
    /// How that chance rises from 0.
    pub sampling_schedule: SamplingSchedule,
    /// Use the embedding table as output weights (through a projection to E).
    pub tied: bool,
    /// Attention heads (Transformer).
    pub heads: usize,
    /// Transformer only.
    pub positions: Positions,
    /// Non-linearity (Transformer and feed-forward).
    pub activation: ActivationKind,
    /// Tokens that a window network writes.
    pub window: usize,
    /// Bag networks only.
    pub output: BagOutput,
    /// Bag networks only: instead of hidden layers, `softmax(z)` gives a text's shares of topics, and each dimension of the
    /// latent is one topic with words of its own (Srivastava & Sutton 2017).
    pub topics: bool,
    /// Concentration of the Dirichlet distribution that these shares have before a text is read: below 1, few topics a
    /// text.
    pub concentration: f32,
    /// Bag networks only: in training, tokens more frequent than this share count as if only `sqrt(this / frequency)` of
    /// them were there (Mikolov et al. 2013), so that topics are not about function words; 1: all count.
    pub frequent: f32,
    /// Where the published decoder came from; its sizes are set when it is there (published).
    pub folder: String,
    /// Where the latent enters (published).
    pub injection: InjectionKind,
    /// What is trained on (published), how many of the last blocks (tuning = "last"), the rank of adapters.
    pub tuning: Tuning,
    pub tuned_layers: usize,
    pub rank: usize,
}

impl Default for DecoderConfig {
    fn default() -> Self {
        DecoderConfig {
            kind: NetworkKind::Lstm,
            hidden: 512,
            layers: 1,
            dropout: 0.2,
            word_dropout: 0.2,
            scheduled_sampling: 0.0,
            sampling_schedule: SamplingSchedule::Linear,
            tied: true,
            heads: 4,
            positions: Positions::Rotary,
            activation: ActivationKind::Gelu,
            window: 16,
            output: BagOutput::Multinomial,
            topics: false,
            concentration: 0.1,
            frequent: 1.0,
            folder: String::new(),
            injection: InjectionKind::Both,
            tuning: Tuning::All,
            tuned_layers: 2,
            rank: 8,
        }
    }
}
