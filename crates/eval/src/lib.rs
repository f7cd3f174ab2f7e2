//! Evaluation: metrics over texts.
//!
//! Two questions, two reports. [`Judge`] asks whether a set of generated sentences resembles a corpus and answers
//! with a [`SampleReport`]; [`ReconstructionReport`] asks whether decoded texts equal the texts that were encoded.
//! Both see nothing but text, so any system's output can be judged beside this one's.
//!
//! Underneath, a [`Unit`] cuts a text into words or characters, an [`Interner`] turns those into `u32` ids, and every
//! metric runs over `&[u32]`: [`bleu`], [`KneserNey`] and [`Passages`]. No network is used here.
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

pub mod bleu;
pub mod kneser_ney;
mod ngrams;
pub mod passages;
pub mod reconstruction;
pub mod samples;
pub mod units;

pub use bleu::{BleuCounts, References, corpus_bleu, self_bleu, self_bleus};
pub use kneser_ney::{KneserNey, Sampler};
pub use passages::Passages;
pub use reconstruction::{LengthBucket, ReconstructionReport};
pub use samples::{EvalError, Judge, SampleReport};
pub use units::{Interner, Unit};
