//! The ways a computation can fail.

/// Errors of the numeric core. Each says what happened and what to try.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A value or gradient became NaN or infinite.
    #[error(
        "{what} of `{op}` is not finite; try a lower learning rate (--lr), stronger gradient clipping, or look for \
         extreme values in the input"
    )]
    NotFinite { op: String, what: &'static str },
    /// A parameter read from a file does not fit the model.
    #[error("parameter `{name}` has shape {found:?}, the model expects {expected:?}")]
    Shape { name: String, found: Vec<usize>, expected: Vec<usize> },
    /// A parameter the model needs is absent.
    #[error("parameter `{name}` is missing")]
    Missing { name: String },
}
