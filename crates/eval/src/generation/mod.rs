//! Metrics of text made from text: translation, simplification, description of data.
//!
//! Each metric turns a hypothesis and its references, all plain texts, into counts; the counts of a corpus are the sum
//! ([`Counts`](crate::Counts)), and so [`Bootstrap::corpus`](crate::Bootstrap::corpus) gives any of them its interval and
//! [`Bootstrap::compare_corpora`](crate::Bootstrap::compare_corpora) compares two systems. All scores are 0..100.
//! A [`TestSet`] does both for all metrics of a [`Task`].

mod applicable;
pub mod bleu;
pub mod chrf;
pub mod metric;
pub mod rouge;
pub mod sari;
mod signature;
pub mod slots;
pub mod ter;
pub mod test_set;
pub mod tokenisation;

pub use bleu::Bleu;
pub use chrf::{Chrf, ChrfCounts};
pub use metric::{Metric, MetricOptions, Task};
pub use rouge::{Rouge, RougeCounts, Shared};
pub use sari::{Sari, SariCounts};
pub use signature::SACREBLEU;
pub use slots::{Meaning, MeaningError, SlotCounts, Slots};
pub use ter::{Ter, TerCounts};
pub use test_set::{MetricReport, Part, TestSet, TestSetError};
pub use tokenisation::Tokenisation;
