//! Text: corpus readers, splits, tokenizers, batches, noise. Knows nothing of networks.
//!
//! The way of a text: [`read`](fn@read::read) turns a file into records, [`split`](fn@split::split) puts
//! records aside for validation, [`Tokenizer`] turns a text into ids and back, [`Batches`] groups
//! sequences of similar length, [`Noise`] corrupts them for denoising. Without a file,
//! [`Grammar`](grammar::Grammar) makes a labelled sample corpus by itself.

pub mod batch;
pub mod grammar;
pub mod noise;
pub mod read;
pub mod sentences;
pub mod split;
pub mod tokenizer;

pub use batch::Batches;
pub use noise::Noise;
pub use read::{Corpus, Pairs, ReadError, ReadOptions, Record};
pub use tokenizer::{Tokenizer, TokenizerError, TokenizerKind};
