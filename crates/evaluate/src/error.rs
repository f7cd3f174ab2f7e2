//! Why a model cannot be evaluated as asked.

use strait_eval::EvalError;
use strait_model::{decoding::OptionsError, prior::PriorError};

/// Errors of an evaluation.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// Too few pairs.
    #[error("{found} pairs are too few to measure anything on; give {least} at least")]
    TooFewPairs {
        /// Pairs given.
        found: usize,
        /// Pairs needed.
        least: usize,
    },
    /// Nothing to measure on.
    #[error("{name}: only {found} texts; at least {least} are needed, better a thousand held-out texts")]
    TooFewTexts {
        /// Name of the data.
        name: String,
        /// What was found.
        found: usize,
        /// What is needed.
        least: usize,
    },
    /// A setting out of range; `name` is the field's.
    #[error("`{name}` = {value}, but must be {expected}")]
    Setting {
        /// Which.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it must be.
        expected: &'static str,
    },
    /// The model's own numbers.
    #[error(
        "the model gives a probability that is no number, for text {text}: its weights are damaged or diverged; train it again"
    )]
    NotFinite {
        /// Which text, from 1.
        text: usize,
    },
    /// The corpora to judge by.
    #[error(transparent)]
    Judge(#[from] EvalError),
    /// References or sources that cannot be measured on.
    #[error(transparent)]
    TestSet(#[from] strait_eval::generation::TestSetError),
    /// Latents that are no numbers, or too few.
    #[error(transparent)]
    Prior(#[from] PriorError),
    /// Temperatures and other controls.
    #[error(transparent)]
    Decoding(#[from] OptionsError),
    /// The language model that judges could not be trained.
    #[error("the LSTM judge cannot be trained, at step {step}: {source}")]
    Training {
        /// At which step.
        step: u64,
        /// What went wrong.
        source: strait_engine::Error,
    },
}
