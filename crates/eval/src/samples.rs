//! Generated sentences against a corpus: are they good, varied, new?
//!
//! [`Judge`] holds what the corpus gives (a language model of train, the n-grams of test, the passages of train) and
//! reads any number of sample sets. Every figure depends on the number of samples, so all sets are cut to the number
//! of test sentences, at most [`MAX_SAMPLES`]; put [`Judge::real_row`] and [`Judge::kn_row`] beside them.

use std::fmt;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use serde::Serialize;

use crate::beside::Beside;
use crate::bleu::{References, self_bleu};
use crate::diversity::{Diversity, distinct};
use crate::kneser_ney::KneserNey;
use crate::memorisation::Memorisation;
use crate::passages::Passages;
use crate::repetition::{Repetition, mean_rep};
use crate::units::{Interner, Unit};

/// Most samples that a report looks at.
pub const MAX_SAMPLES: usize = 10_000;

/// Number of samples that self-BLEU compares with each other: the first ones.
pub const SELF_BLEU_SAMPLES: usize = 500;

/// Why there is nothing to judge by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// No sentence to fit the language model on.
    #[error("the training text has no sentence, only empty lines; give the corpus that the model was trained on")]
    EmptyTrain,
    /// No sentence to compare with.
    #[error("the test text has no sentence, only empty lines; give held-out sentences of the same corpus")]
    EmptyTest,
}

/// What is measured of one set of samples. Lengths are in units (words or characters).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleReport {
    /// Name of the set.
    pub name: String,
    /// Number of samples judged: the first non-empty ones, as many as test has sentences, at most [`MAX_SAMPLES`].
    pub n: usize,
    /// Share of empty texts among all that were given, 0..1; every other figure leaves them out.
    pub empty: f64,
    /// Mean length.
    pub mean_len: f64,
    /// Perplexity per unit of the samples under the [`KneserNey`] model of train. Low: each sample reads well. NaN
    /// (null in JSON) without samples.
    pub forward_ppl: f64,
    /// Perplexity per unit of test under the model of the samples, over train's vocabulary. Low: together the samples
    /// cover the language.
    pub reverse_ppl: f64,
    /// Mean sentence BLEU-4 of all samples against all of test, 0..1, see [`References`].
    pub bleu4: f64,
    /// [`self_bleu`] of the first [`SELF_BLEU_SAMPLES`] samples, 0..1. High: they are alike.
    pub self_bleu4: f64,
    /// Distinct bigrams over all bigrams of all samples, 0..1 (Li et al. 2016).
    pub distinct2: f64,
    /// Distinct samples over all, 0..1.
    pub unique: f64,
    /// Share of samples that equal a training sentence, 0..1.
    pub copied: f64,
    /// Mean length of the longest passage of a sample found in a training sentence.
    pub longest_copy_mean: f64,
    /// The longest such passage of all samples.
    pub longest_copy_max: usize,
    /// Share of a sample's bigrams that occurred earlier in it, averaged over the samples of two units or more, 0..1
    /// (rep-2 of Welleck et al. 2020).
    pub repeated: f64,
}

/// Judges samples against a corpus.
#[derive(Debug, Clone)]
pub struct Judge {
    unit: Unit,
    interner: Interner,
    known_ids: usize,
    train: Passages,
    test: Vec<Vec<u32>>,
    references: References,
    forward: KneserNey,
}

impl Judge {
    /// Takes up a corpus, one sentence per text; empty texts are left out. The vocabulary is train's.
    ///
    /// # Errors
    /// When train or test has no sentence.
    pub fn new<A: AsRef<str>, B: AsRef<str>>(train: &[A], test: &[B], unit: Unit) -> Result<Self, EvalError> {
        let mut interner = Interner::new();
        let train = interner.encode_all(train, unit);
        let known_ids = interner.len();
        let test = interner.encode_all(test, unit);
        if train.is_empty() {
            return Err(EvalError::EmptyTrain);
        }
        if test.is_empty() {
            return Err(EvalError::EmptyTest);
        }
        let (forward, references) = rayon::join(|| KneserNey::fit(&train, known_ids), || References::new(&test));
        Ok(Self { unit, interner, known_ids, train: Passages::new(train), test, references, forward })
    }

    /// Reports on samples. Their order matters little but not nothing: the first ones are judged when there are more
    /// than [`Judge::wanted`], and self-BLEU always reads the first.
    pub fn report<S: AsRef<str>>(&self, name: &str, samples: &[S]) -> SampleReport {
        let mut interner = self.interner.clone();
        let encoded = samples.iter().map(|s| interner.encode(s.as_ref(), self.unit)).collect();
        self.row(name, encoded)
    }

    /// What of train all given samples and the test sentences give back; see [`Memorisation::new`].
    pub fn memorisation<S: AsRef<str>>(&self, samples: &[S], threshold: f64) -> Memorisation {
        let mut interner = self.interner.clone();
        let samples = interner.encode_all(samples, self.unit);
        Memorisation::new(&self.train, &samples, &self.test, threshold, &interner, self.unit)
    }

    /// How much all given samples and the test sentences repeat themselves.
    pub fn repetition<S: AsRef<str>>(&self, samples: &[S]) -> Beside<Repetition> {
        let samples = self.interner.clone().encode_all(samples, self.unit);
        Beside { samples: Repetition::new(&samples), real: Repetition::new(&self.test) }
    }

    /// How varied the first samples and the first test sentences are, as many of both as there are of either, at most
    /// [`MAX_SAMPLES`].
    pub fn diversity<S: AsRef<str>>(&self, samples: &[S]) -> Beside<Diversity> {
        let samples = self.interner.clone().encode_all(samples, self.unit);
        let n = samples.len().min(self.wanted());
        Beside { samples: Diversity::new(&samples[..n]), real: Diversity::new(&self.test[..n]) }
    }

    /// The row of real text: train's own sentences as samples. It is the ceiling for all but `copied` and the forward
    /// perplexity, which here reads what the model was fitted on; report held-out sentences for the latter.
    pub fn real_row(&self) -> SampleReport {
        self.row("real", self.train.sentences().iter().take(self.wanted()).cloned().collect())
    }

    /// The row of the Kneser-Ney model's own samples, the baseline that a neural model should beat.
    pub fn kn_row(&self, seed: u64) -> SampleReport {
        let (sampler, mut rng) = (self.forward.sampler(), ChaCha8Rng::seed_from_u64(seed));
        self.row("kn5", (0..self.wanted()).map(|_| sampler.sentence(&mut rng)).collect())
    }

    /// Number of samples to give: as many as test has sentences, at most [`MAX_SAMPLES`].
    pub fn wanted(&self) -> usize {
        self.test.len().min(MAX_SAMPLES)
    }

    /// The language model of train; it scores sentences encoded by [`Judge::encode`].
    pub fn forward_model(&self) -> &KneserNey {
        &self.forward
    }

    /// The ids of a text, where units found neither in train nor in test read as `<unk>`.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.unit.split(text).into_iter().map(|u| self.interner.id(u)).collect()
    }

    fn row(&self, name: &str, mut samples: Vec<Vec<u32>>) -> SampleReport {
        let given = samples.len();
        samples.retain(|s| !s.is_empty());
        let empty = share(given - samples.len(), given);
        samples.truncate(self.wanted());
        let n = samples.len();
        let (forward_ppl, reverse_ppl) =
            rayon::join(|| self.forward.ppl(&samples), || KneserNey::fit(&samples, self.known_ids).ppl(&self.test));
        let copies: Vec<usize> = samples.par_iter().map(|s| self.train.longest(s)).collect();
        SampleReport {
            name: name.to_owned(),
            n,
            empty,
            mean_len: share(samples.iter().map(Vec::len).sum(), n),
            forward_ppl,
            reverse_ppl,
            bleu4: self.references.mean_bleu(&samples),
            self_bleu4: self_bleu(&samples[..n.min(SELF_BLEU_SAMPLES)]),
            distinct2: distinct(&samples, 2),
            unique: share(samples.iter().collect::<FxHashSet<_>>().len(), n),
            copied: share(samples.iter().filter(|s| self.train.contains(s)).count(), n),
            longest_copy_mean: share(copies.iter().sum(), n),
            longest_copy_max: copies.iter().copied().max().unwrap_or(0),
            repeated: mean_rep(&samples, 2),
        }
    }
}

/// A ratio; 0 for nothing of nothing.
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

impl SampleReport {
    /// The heading over rows written by `Display`.
    pub fn header() -> String {
        format!(
            "{:<24} {:>6} {:>6} {:>6} {:>8} {:>8} {:>6} {:>9} {:>9} {:>6} {:>6} {:>9} {:>8} {:>6}",
            "samples",
            "n",
            "empty",
            "len",
            "fwd ppl",
            "rev ppl",
            "BLEU-4",
            "self-BLEU",
            "distinct2",
            "unique",
            "copied",
            "copy mean",
            "copy max",
            "rep-2"
        )
    }
}

/// One row of a table, aligned with [`SampleReport::header`].
impl fmt::Display for SampleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<24} {:>6} {:>6.3} {:>6.2}", self.name, self.n, self.empty, self.mean_len)?;
        write!(f, " {:>8.1} {:>8.1}", self.forward_ppl, self.reverse_ppl)?;
        write!(f, " {:>6.3} {:>9.3} {:>9.3}", self.bleu4, self.self_bleu4, self.distinct2)?;
        write!(f, " {:>6.3} {:>6.3}", self.unique, self.copied)?;
        write!(f, " {:>9.2} {:>8} {:>6.3}", self.longest_copy_mean, self.longest_copy_max, self.repeated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAIN: [&str; 3] = ["a dog runs .", "a cat runs .", "the cat sleeps ."];
    const TEST: [&str; 4] = ["the dog sleeps .", "a cat sleeps .", "the cat runs .", "a dog sleeps ."];

    fn judge() -> Judge {
        Judge::new(&TRAIN, &TEST, Unit::Words).expect("both have sentences")
    }

    #[test]
    fn shares_and_lengths_worked_by_hand() {
        let report = judge().report("toy", &["a dog runs .", "", "a dog runs .", "dog dog dog new", "the"]);
        assert_eq!((report.n, report.empty), (4, 0.2));
        assert_eq!(report.mean_len, 13.0 / 4.0);
        assert_eq!(report.distinct2, 5.0 / 9.0); // three, and "dog dog", "dog new"
        assert_eq!(report.unique, 3.0 / 4.0);
        assert_eq!(report.copied, 2.0 / 4.0);
        assert_eq!((report.longest_copy_mean, report.longest_copy_max), (10.0 / 4.0, 4));
        assert!((report.repeated - 1.0 / 9.0).abs() < 1e-12); // one of the three bigrams of one of three samples
    }

    #[test]
    fn more_samples_than_test_sentences_are_cut() {
        let report = judge().report("many", &["a dog runs .", "the", "the", "the", "a cat", "a cat"]);
        assert_eq!(report.n, 4);
        assert_eq!(report.unique, 0.5);
    }

    #[test]
    fn units_outside_the_vocabulary_differ_for_all_but_the_language_models() {
        let judge = judge();
        let report = judge.report("unknown", &["zig zag", "zag zig"]);
        assert_eq!((report.unique, report.distinct2), (1.0, 1.0));
        assert_eq!(report.forward_ppl, judge.report("unknown", &["foo bar", "bar baz"]).forward_ppl);
    }

    #[test]
    fn no_samples_are_no_error() {
        let report = judge().report("none", &["", " "]);
        assert_eq!((report.n, report.empty, report.copied), (0, 1.0, 0.0));
        assert!(report.forward_ppl.is_nan());
        assert_eq!(report.reverse_ppl.round(), 9.0); // uniform over seven words, <unk> and </s>
    }

    #[test]
    fn figures_stand_beside_those_of_test() {
        let samples = ["a dog runs runs .", "", "a zig .", "a dog runs ."];
        let memorisation = judge().memorisation(&samples, 0.2);
        assert_eq!((memorisation.train, memorisation.copying.samples.n, memorisation.copying.real.n), (3, 3, 4));
        assert_eq!(memorisation.copying.samples.near_copied, 2.0 / 3.0); // one edit in five
        assert_eq!(memorisation.worst[1].text, "a dog runs runs .");
        let repetition = judge().repetition(&samples);
        assert_eq!((repetition.samples.immediate, repetition.real.immediate), (1.0 / 3.0, 0.0));
        let diversity = judge().diversity(&samples);
        assert_eq!((diversity.samples.n, diversity.real.n, diversity.real.unique), (3, 3, 1.0));
        assert_eq!(diversity.samples.distinct[1], judge().report("same", &samples).distinct2);
    }

    #[test]
    fn an_empty_corpus_is_named() {
        assert_eq!(Judge::new(&[" "], &TEST, Unit::Words).err(), Some(EvalError::EmptyTrain));
        assert_eq!(Judge::new(&TRAIN, &[""], Unit::Words).err(), Some(EvalError::EmptyTest));
    }

    #[test]
    fn the_kneser_ney_row_follows_its_seed() {
        let judge = judge();
        assert_eq!(judge.kn_row(1), judge.kn_row(1));
        assert_eq!(judge.real_row().copied, 1.0);
    }

    #[test]
    fn rows_align_with_the_header() {
        let row = judge().real_row().to_string();
        assert_eq!(row.len(), SampleReport::header().len());
        assert!(row.starts_with("real"));
    }
}
