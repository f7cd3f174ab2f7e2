//! Metrics of text made from text: translation, simplification, description of data.
//!
//! Each metric turns a hypothesis and its references, all plain texts, into counts; the counts of a corpus are the sum
//! ([`Counts`](crate::Counts)), and so [`Bootstrap::corpus`](crate::Bootstrap::corpus) gives any of them its interval and
//! [`Bootstrap::compare_corpora`](crate::Bootstrap::compare_corpora) compares two systems. All scores are 0..100.

pub mod bleu;
pub mod chrf;
pub mod rouge;
pub mod sari;
mod signature;
pub mod ter;
pub mod tokenisation;

pub use bleu::Bleu;
pub use chrf::{Chrf, ChrfCounts};
pub use rouge::{Rouge, RougeCounts, Shared};
pub use sari::{Sari, SariCounts};
pub use signature::SACREBLEU;
pub use ter::{Ter, TerCounts};
pub use tokenisation::Tokenisation;
