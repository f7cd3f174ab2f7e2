//! How the objective is minimised.

use serde::{Deserialize, Serialize};
use strait_engine::{optim::Rule, schedule::Schedule};

/// The update rules by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimiserKind {
    /// Adam; with a weight decay above 0, AdamW.
    #[default]
    Adam,
    /// Gradient descent with momentum.
    Sgd,
}

/// The curves of the learning rate by name; each begins with a linear warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleKind {
    #[default]
    Cosine,
    Constant,
    InverseSquareRoot,
}

/// How it is minimised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingConfig {
    pub optimiser: OptimiserKind,
    /// Peak learning rate.
    pub rate: f32,
    /// A published encoder that is trained on learns at this share of the rate.
    pub encoder_rate: f32,
    /// The same of a published decoder.
    pub decoder_rate: f32,
    /// Adam's decay of the mean (SGD: the momentum) and of the square of the gradient.
    pub beta1: f32,
    pub beta2: f32,
    pub schedule: ScheduleKind,
    /// Share of the planned steps over which the rate rises.
    pub warmup: f32,
    /// The cosine ends at this share of the peak rate.
    pub floor: f32,
    pub weight_decay: f32,
    /// Largest global norm of the gradient.
    pub clip: f32,
    /// Tokens per batch.
    pub batch_tokens: usize,
    /// Most passes over the data, whatever the time allows.
    pub max_epochs: f64,
    /// Looks at the validation set without improvement before training stops.
    pub patience: u32,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        TrainingConfig {
            optimiser: OptimiserKind::Adam,
            rate: 2e-3,
            encoder_rate: 0.025,
            decoder_rate: 0.025,
            beta1: 0.9,
            beta2: 0.99,
            schedule: ScheduleKind::Cosine,
            warmup: 0.05,
            floor: 0.02,
            weight_decay: 0.01,
            clip: 5.0,
            batch_tokens: 1024,
            max_epochs: 24.0,
            patience: 6,
        }
    }
}

impl TrainingConfig {
    /// The rule of the autoencoder's own optimiser.
    pub fn rule(&self) -> Rule {
        match self.optimiser {
            OptimiserKind::Adam => {
                Rule::Adam { beta1: self.beta1, beta2: self.beta2, eps: 1e-8, decay: self.weight_decay }
            }
            OptimiserKind::Sgd => Rule::Sgd { momentum: self.beta1 },
        }
    }

    /// The learning rate at `step` (from 0) of `steps`.
    pub fn rate_at(&self, step: u64, steps: u64) -> f32 {
        let schedule = match self.schedule {
            ScheduleKind::Cosine => Schedule::Cosine { floor: self.floor },
            ScheduleKind::Constant => Schedule::Constant,
            ScheduleKind::InverseSquareRoot => Schedule::InverseSquareRoot,
        };
        self.rate * schedule.factor(step, (self.warmup as f64 * steps as f64).ceil() as u64, steps)
    }
}
