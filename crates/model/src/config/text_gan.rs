//! Adversarial training of language models.

use serde::{Deserialize, Serialize};

/// How what the discriminator thinks becomes the reward of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextGanMethod {
    /// The chance that the text is real, averaged over Monte Carlo completions (Yu et al. 2017).
    #[default]
    Seqgan,
    /// The odds that the text is real, relative to those of the other samples (Che et al. 2017).
    Maligan,
    /// How the text ranks among real ones by its likeness to references, averaged over completions (Lin et al. 2017).
    Rankgan,
    /// What a discriminator that reads from left to right says at each token, discounted (de Masson d'Autume et al. 2019).
    Scratchgan,
    /// A manager reads the discriminator's features of the text so far and sets goals, a worker writes by them and is rewarded
    /// for reaching them, too (Guo et al. 2018).
    Leakgan,
    /// The discriminator's gradient through a relaxation of the tokens drawn (Kusner & Hernandez-Lobato 2016).
    Gumbel,
    /// The same, so that the discriminator's features of samples are spread as those of texts (Zhang et al. 2017).
    Textgan,
}

impl TextGanMethod {
    /// Whether its discriminator says after each token what it thinks of the text so far.
    pub fn judges_prefixes(self) -> bool {
        matches!(self, TextGanMethod::Scratchgan | TextGanMethod::Leakgan)
    }

    /// Whether the features of its discriminator lead the generator.
    pub fn leaks(self) -> bool {
        self == TextGanMethod::Leakgan
    }

    /// Whether samples are completed from each of their tokens, by a generator that may lag.
    pub fn completes(self) -> bool {
        matches!(self, TextGanMethod::Seqgan | TextGanMethod::Rankgan)
    }

    /// Whether gradients go through relaxed tokens, instead of rewards.
    pub fn relaxes(self) -> bool {
        matches!(self, TextGanMethod::Gumbel | TextGanMethod::Textgan)
    }
}

/// The discriminator's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiscriminatorKind {
    /// An LSTM that reads in both directions (ScratchGAN, LeakGAN: forward).
    #[default]
    Recurrent,
    /// Convolutions of several widths over time, the largest of each filter, and a highway layer (Yu et al. 2017).
    Conv,
    /// A Transformer in which every token sees every other (ScratchGAN: those before it).
    Transformer,
}

/// Adversarial training of a language model: a discriminator learns to tell its samples from the texts, and the model
/// learns by policy gradient to write what passes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextGanConfig {
    pub method: TextGanMethod,
    /// Share of the steps trained for the likelihood at first, with the learning rate of `training`.
    pub pretrain: f32,
    /// Share of the steps, the last of the pretraining, in which the discriminator learns, too.
    pub warmup: f32,
    /// Share of the cross-entropy of the texts in the loss of the adversarial steps.
    pub likelihood: f32,
    /// Every so many steps after the pretraining, counted from the last back, one is of likelihood instead; 0: none.
    pub interleave: u64,
    /// Texts drawn in each step.
    pub samples: usize,
    /// SeqGAN, RankGAN and LeakGAN: completions of each prefix of a sample; LeakGAN, 0: ScratchGAN's values instead.
    pub rollouts: usize,
    /// SeqGAN and RankGAN: decay of the moving average of the generator's weights by which samples are completed; 0: the
    /// generator as it is.
    pub lag: f32,
    /// ScratchGAN's values: factor of a reward for each token that it lies ahead.
    pub discount: f32,
    /// RankGAN: texts that a text is compared with, and as many references.
    pub references: usize,
    /// Gumbel and TextGAN: temperature of the relaxation.
    pub temperature: f32,
    /// RankGAN: factor of the cosines; LeakGAN: of the ranks of values.
    pub sharpness: f32,
    /// LeakGAN: tokens for which a goal is in force, columns of the embedding of goals, and weight of the reward for reaching them
    /// beside the discriminator's.
    pub horizon: usize,
    pub goal: usize,
    pub intrinsic: f32,
    /// Learning rate of the generator in the adversarial steps.
    pub generator_rate: f32,
    /// ScratchGAN's must read from left to right, as convolutions do not; LeakGAN's is recurrent.
    pub discriminator: DiscriminatorKind,
    /// Convolutional: the widths of the filters in tokens, and how many of each width.
    pub widths: Vec<usize>,
    pub filters: usize,
    /// Transformer: attention heads, and blocks.
    pub heads: usize,
    pub layers: usize,
    /// The discriminator's embedding (a Transformer's width), hidden units of each direction (of the inner layer of a block), dropout, learning rate, and updates a step. Sizes do
    /// not follow `--size`.
    pub embedding: usize,
    pub hidden: usize,
    pub dropout: f32,
    pub rate: f32,
    pub discriminator_steps: u32,
}

impl Default for TextGanConfig {
    fn default() -> Self {
        TextGanConfig {
            method: TextGanMethod::Seqgan,
            pretrain: 0.75,
            warmup: 0.1,
            likelihood: 0.0,
            interleave: 0,
            samples: 64,
            rollouts: 1,
            lag: 0.0,
            discount: 0.9,
            references: 16,
            temperature: 1.0,
            sharpness: 10.0,
            horizon: 4,
            goal: 16,
            intrinsic: 0.5,
            generator_rate: 1e-4,
            discriminator: DiscriminatorKind::Recurrent,
            widths: vec![1, 2, 3, 4, 5],
            filters: 64,
            heads: 4,
            layers: 2,
            embedding: 64,
            hidden: 64,
            dropout: 0.25,
            rate: 1e-3,
            discriminator_steps: 1,
        }
    }
}
