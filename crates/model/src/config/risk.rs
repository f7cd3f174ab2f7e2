//! Minimum risk training.

use serde::{Deserialize, Serialize};

/// How bad a text is for a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RiskMetric {
    /// 1 - sentence BLEU-4, matchless orders counting 0.1.
    #[default]
    Bleu,
    /// 1 - sentence chrF2.
    Chrf,
    /// 1 - ROUGE-L.
    #[serde(rename = "rouge-l")]
    RougeL,
    /// Slots that are missing, wrong or too many among those of the source, 1 at most; for sources that list slots.
    Slots,
}

/// The expected risk of what the model would write, mixed with the cross-entropy (Shen et al. 2016): seq2seq only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RiskConfig {
    pub metric: RiskMetric,
    /// Texts drawn for each source.
    pub samples: usize,
    /// alpha: 0 weighs all candidates alike, 1 as the model does.
    pub sharpness: f32,
    /// Share of the cross-entropy in the loss.
    pub cross_entropy: f32,
}

impl Default for RiskConfig {
    fn default() -> Self {
        RiskConfig { metric: RiskMetric::Bleu, samples: 8, sharpness: 0.2, cross_entropy: 0.2 }
    }
}
