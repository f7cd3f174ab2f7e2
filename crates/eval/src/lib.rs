//! Evaluation: metrics over texts.
//!
//! Every figure is computed from nothing but text, so any system's output can be judged beside this one's:
//!
//! | question | answer |
//! |---|---|
//! | do samples resemble a corpus? | [`Judge`], [`SampleReport`] |
//! | how varied are they, do they repeat themselves? | [`Diversity`], [`Repetition`] |
//! | do they copy the training text? | [`Memorisation`] |
//! | do decoded texts equal those that were encoded? | [`ReconstructionReport`] |
//! | do near latents belong to near texts? | [`NeighbourReport`] |
//! | do the words of topics belong together? | [`npmi`], [`topic_diversity`] |
//! | is text made from text near its references? | [`generation`]: BLEU, chrF, TER, ROUGE, SARI, slot error |
//! | is a difference more than chance? | [`Bootstrap`] over records, [`Spread`] over seeds |
//!
//! Underneath, a [`Unit`] cuts a text into words or characters, an [`Interner`] turns those into `u32` ids, and every
//! metric runs over `&[u32]`: [`bleu`], [`KneserNey`], [`Passages`], [`EditDistance`], [`TfIdf`]. No network is used
//! here.
//!
//! ```
//! use strait_eval::{Judge, Unit};
//! let train = ["a dog runs .", "a cat runs .", "the cat sleeps ."];
//! let test = ["the dog sleeps .", "a cat sleeps ."];
//! let judge = Judge::new(&train, &test, Unit::Words)?;
//! let report = judge.report("mine", &["a dog runs .", "the dog runs ."]);
//! assert_eq!(report.copied, 0.5); // the first sample stands in train
//! assert_eq!(report.longest_copy_max, 4);
//! # Ok::<(), strait_eval::EvalError>(())
//! ```

pub mod beside;
pub mod bleu;
pub mod bootstrap;
pub mod coherence;
pub mod diversity;
pub mod edit_distance;
pub mod generation;
pub mod kneser_ney;
pub mod memorisation;
pub mod near_copies;
pub mod neighbours;
mod ngrams;
pub mod passages;
pub mod reconstruction;
pub mod repetition;
pub mod samples;
pub mod spread;
pub mod tfidf;
pub mod units;

pub use beside::Beside;
pub use bleu::{BleuCounts, References, Smoothing, corpus_bleu, self_bleu, self_bleus};
pub use bootstrap::{Bootstrap, Comparison, Counts, Interval};
pub use coherence::{npmi, topic_diversity};
pub use diversity::Diversity;
pub use edit_distance::EditDistance;
pub use kneser_ney::{KneserNey, Sampler};
pub use memorisation::{CopiedSample, Copying, Memorisation, NEAR_COPY};
pub use near_copies::NearCopy;
pub use neighbours::{NeighbourRecall, NeighbourReport};
pub use passages::Passages;
pub use reconstruction::{LengthBucket, ReconstructionReport};
pub use repetition::Repetition;
pub use samples::{EvalError, Judge, SampleReport};
pub use spread::Spread;
pub use tfidf::TfIdf;
pub use units::{Interner, Unit};
