//! What can go wrong with a tokenizer.

use std::path::PathBuf;

/// A tokenizer could not be trained, saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// No text reached the trainer.
    #[error("cannot train a tokenizer: there is no text in the corpus; give at least one non-empty record")]
    NoText,
    /// The wanted vocabulary cannot even hold the alphabet.
    #[error(
        "cannot train a {kind} tokenizer with a vocabulary of {wanted}: it needs at least {least}; raise the vocabulary size or leave it out to have it chosen from the corpus"
    )]
    VocabularyTooSmall {
        /// The kind of tokenizer.
        kind: super::TokenizerKind,
        /// The size asked for.
        wanted: usize,
        /// The smallest size possible.
        least: usize,
    },
    /// The file could not be read or written.
    #[error("cannot {action} the tokenizer file {}: {source}", path.display())]
    Io {
        /// "read" or "write".
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The bytes are not a tokenizer of Strait.
    #[error(
        "{name} is not a usable tokenizer: {why}; it may be truncated or damaged, copy the model folder again or train again"
    )]
    Corrupt {
        /// The file, or "the tokenizer data".
        name: String,
        /// What was found.
        why: String,
    },
    /// A published tokenizer that is none of ours.
    #[error("the published tokenizer cannot be used here: {why}; a byte-level BPE as GPT-2 has it can")]
    Foreign {
        /// What was found.
        why: String,
    },
    /// The `tokenizers` crate refused a configuration; a defect of Strait, not of the input.
    #[error("internal: the tokenizers crate reports: {0}")]
    Internal(String),
}
