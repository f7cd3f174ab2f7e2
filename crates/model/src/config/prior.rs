//! The prior, fitted to the latents after training.

use serde::{Deserialize, Serialize};

/// By what fitted priors are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PriorChoice {
    /// The mean log density of held-out latents.
    #[default]
    Likelihood,
    /// How badly a classifier tells draws from held-out latents.
    Auc,
}

/// Which priors are tried, and how one is chosen. Those without a density, generators, meet the best of the others in a
/// two-sample test in any case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PriorConfig {
    pub choose: PriorChoice,
    /// Try a normalising flow: likelier for held-out latents than a mixture, but its draws are easier to tell from them
    /// (docs/log.md).
    pub flow: bool,
    /// Try a generative adversarial network (the generator of an `arae` objective is tried anyway).
    pub generator: bool,
}

impl Default for PriorConfig {
    fn default() -> Self {
        PriorConfig { choose: PriorChoice::Likelihood, flow: false, generator: false }
    }
}
