//! What a document network looks like and how it is trained.

use serde::{Deserialize, Serialize};

/// What reads the latents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkKind {
    #[default]
    Lstm,
    Transformer,
}

/// The settings, all with defaults for corpora of some thousand sentences.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DocumentConfig {
    pub kind: NetworkKind,
    /// Hidden units of the LSTM or width of the Transformer, H.
    pub hidden: usize,
    /// Blocks of the Transformer, and heads of each.
    pub layers: usize,
    pub heads: usize,
    /// Gaussians in the mixture over the next latent, K.
    pub components: usize,
    /// Dimensions of the plan latent, P; 0: none.
    pub plan: usize,
    /// Other documents are given beside each one and attended to; wants a Transformer.
    pub given: bool,
    /// Probability with which a number of the input and of the state is zeroed in training.
    pub dropout: f32,
    /// Most sentences of a document that are learned from at once.
    pub window: usize,
    /// Windows in a batch.
    pub batch: usize,
    /// Updates.
    pub steps: u64,
    /// Peak learning rate of Adam.
    pub rate: f32,
}

impl Default for DocumentConfig {
    fn default() -> Self {
        DocumentConfig {
            kind: NetworkKind::Lstm,
            hidden: 256,
            layers: 2,
            heads: 4,
            components: 4,
            plan: 16,
            given: false,
            dropout: 0.3,
            window: 32,
            batch: 16,
            steps: 600,
            rate: 1e-3,
        }
    }
}

/// A setting that makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{field} is {found}; it must be {must}")]
pub struct ConfigError {
    field: &'static str,
    found: String,
    must: &'static str,
}

impl DocumentConfig {
    /// Whether the settings make sense.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(&self) -> Result<(), ConfigError> {
        let sizes = [
            ("hidden", self.hidden),
            ("layers", self.layers),
            ("heads", self.heads),
            ("components", self.components),
            ("window", self.window),
            ("batch", self.batch),
            ("steps", self.steps as usize),
        ];
        if let Some(&(field, _)) = sizes.iter().find(|(_, n)| *n == 0) {
            return Err(ConfigError { field, found: "0".into(), must: "at least 1" });
        }
        // Rotary positions turn pairs of a head's columns.
        if self.kind == NetworkKind::Transformer && !self.hidden.is_multiple_of(2 * self.heads) {
            return Err(ConfigError {
                field: "hidden",
                found: self.hidden.to_string(),
                must: "a multiple of twice the heads in a Transformer",
            });
        }
        if self.given && self.kind != NetworkKind::Transformer {
            let must = "false unless kind is transformer, which attends to what is given";
            return Err(ConfigError { field: "given", found: "true".into(), must });
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(ConfigError {
                field: "dropout",
                found: self.dropout.to_string(),
                must: "from 0 up to, but not, 1",
            });
        }
        if !(self.rate > 0.0 && self.rate.is_finite()) {
            return Err(ConfigError { field: "rate", found: self.rate.to_string(), must: "above 0" });
        }
        Ok(())
    }
}
