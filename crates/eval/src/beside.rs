//! A figure of samples beside the same figure of real text.

use serde::Serialize;

/// The same measurement of samples and of held-out real texts. Few figures of text mean much alone: real text repeats
/// itself and copies the training text too, and what counts is how far the samples lie from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Beside<T> {
    /// Of the samples.
    pub samples: T,
    /// Of held-out real texts: the base rate.
    pub real: T,
}
