//! BLEU-4: of paired texts, and of samples against many references.
//!
//! With `m_n` the hypothesis n-grams also found in a reference (clipped to its count) of `t_n` in all, `h` the
//! hypothesis length and `r` the reference length,
//!
//! ```text
//! BLEU = min(1, exp(1 - r/h)) * (prod_{n=1..4} m_n / t_n)^(1/4)
//! ```
//!
//! Papineni et al. 2002. With several references the clip is the largest count in any one of them and `r` is the
//! reference length nearest to `h` (the shorter of two). [`corpus_bleu`] sums the counts over all pairs, 0..100,
//! without smoothing; [`BleuCounts::smoothed`] has the smoothings of sacreBLEU. [`References`] scores one sentence
//! against a whole corpus of references at once, 0..1, where a zero `m_n` counts as 0.1.
//! The text is taken as already tokenised; [`Bleu`](crate::generation::Bleu) cuts and scores plain text as sacreBLEU does.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::bootstrap::Counts;
use crate::ngrams::{counts, most, shared, total};

/// Longest n-gram that BLEU counts.
const ORDER: usize = 4;

/// What a matchless order counts as in a sentence's BLEU.
const SMOOTHING: f64 = 0.1;

/// What stands for the precision of an order without a match (Chen and Cherry 2014), as sacreBLEU has it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Smoothing {
    /// Nothing: the score is 0.
    None,
    /// `1 / (2^k t_n)` at the k-th order without a match (method 3, the standard of NIST and sacreBLEU).
    #[default]
    Exp,
    /// So many matches, above 0 (method 1; sacreBLEU takes 0.1).
    Floor(f64),
    /// So many more matches and n-grams, at every order from 2 on (method 2, Lin and Och 2004; sacreBLEU takes 1).
    AddK(f64),
}

/// The summed counts of hypotheses and their references: add sentences, then ask for the score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BleuCounts {
    matches: [u64; ORDER],
    totals: [u64; ORDER],
    hypothesis_len: u64,
    reference_len: u64,
}

impl BleuCounts {
    /// Adds one pair of sentences.
    pub fn add(&mut self, hypothesis: &[u32], reference: &[u32]) {
        self.merge(&Self::against(hypothesis, &[reference]));
    }

    /// The counts of one pair.
    pub fn of(hypothesis: &[u32], reference: &[u32]) -> Self {
        Self::against(hypothesis, &[reference])
    }

    /// The counts of a hypothesis against all its references.
    pub fn against<R: AsRef<[u32]>>(hypothesis: &[u32], references: &[R]) -> Self {
        let mut counted = Self { hypothesis_len: hypothesis.len() as u64, ..Self::default() };
        counted.reference_len = nearest(hypothesis.len(), references.iter().map(|r| r.as_ref().len())) as u64;
        for n in 1..=ORDER {
            let had = counts(hypothesis, n);
            counted.totals[n - 1] = total(&had);
            counted.matches[n - 1] = shared(&had, &most(references.iter().map(|r| counts(r.as_ref(), n))));
        }
        counted
    }

    /// Corpus BLEU-4, 0..100; 0 when some order has no match at all.
    pub fn score(&self) -> f64 {
        self.smoothed(Smoothing::None, false)
    }

    /// BLEU-4 with smoothing, 0..100; 0 without any match. With `effective_order` the mean is over those orders only of
    /// which the hypothesis has an n-gram: advised for single sentences, which may have fewer than four words.
    ///
    /// ```
    /// use strait_eval::bleu::{BleuCounts, Smoothing};
    /// let short = BleuCounts::of(&[3, 4], &[3, 4]);
    /// assert_eq!(short.smoothed(Smoothing::Exp, false), 0.0);
    /// assert_eq!(short.smoothed(Smoothing::Exp, true), 100.0);
    /// ```
    pub fn smoothed(&self, smoothing: Smoothing, effective_order: bool) -> f64 {
        if self.matches == [0; ORDER] {
            return 0.0;
        }
        let (mut sum, mut orders, mut missed) = (0.0, 0, 0);
        for n in 0..ORDER {
            let (matches, total) = match smoothing {
                Smoothing::AddK(k) if n > 0 => (self.matches[n] as f64 + k, self.totals[n] as f64 + k),
                _ => (self.matches[n] as f64, self.totals[n] as f64),
            };
            if total == 0.0 {
                break;
            }
            let matches = match smoothing {
                _ if matches > 0.0 => matches,
                Smoothing::Exp => {
                    missed += 1;
                    0.5f64.powi(missed)
                }
                Smoothing::Floor(matches) => matches,
                Smoothing::None | Smoothing::AddK(_) => return 0.0,
            };
            sum += (matches / total).ln();
            orders += 1;
        }
        if orders < ORDER && !effective_order {
            return 0.0;
        }
        100.0 * (log_brevity(self.hypothesis_len as usize, self.reference_len as usize) + sum / orders as f64).exp()
    }
}

impl BleuCounts {
    /// What a score is multiplied by because the hypotheses are short, 0..1.
    pub fn brevity_penalty(&self) -> f64 {
        match self.hypothesis_len {
            h if h >= self.reference_len => 1.0,
            0 => 0.0,
            h => log_brevity(h as usize, self.reference_len as usize).exp(),
        }
    }

    /// Length of the hypotheses over that of the references; NaN where those are empty.
    pub fn length_ratio(&self) -> f64 {
        self.hypothesis_len as f64 / self.reference_len as f64
    }
}

impl Counts for BleuCounts {
    fn merge(&mut self, other: &BleuCounts) {
        for n in 0..ORDER {
            self.matches[n] += other.matches[n];
            self.totals[n] += other.totals[n];
        }
        self.hypothesis_len += other.hypothesis_len;
        self.reference_len += other.reference_len;
    }
}

/// Corpus BLEU-4, 0..100, of pairs (hypothesis, reference), one reference each.
///
/// ```
/// use strait_eval::corpus_bleu;
/// assert_eq!(corpus_bleu([(&[3, 4, 5, 6][..], &[3, 4, 5, 6][..])]), 100.0);
/// ```
pub fn corpus_bleu<'a>(pairs: impl IntoIterator<Item = (&'a [u32], &'a [u32])>) -> f64 {
    let mut counts = BleuCounts::default();
    pairs.into_iter().for_each(|(hypothesis, reference)| counts.add(hypothesis, reference));
    counts.score()
}

/// The largest count of an n-gram in one reference, which reference has it, and the largest count in the others.
#[derive(Debug, Clone, Copy)]
struct Clip {
    most: u32,
    owner: usize,
    runner_up: u32,
}

/// Many references, ready to score sentences against all of them.
#[derive(Debug, Clone)]
pub struct References {
    clips: Vec<FxHashMap<u128, Clip>>,
    lengths: Vec<usize>,
}

impl References {
    /// Takes up the n-grams of every reference.
    pub fn new(references: &[Vec<u32>]) -> Self {
        let clips = (1..=ORDER).into_par_iter().map(|n| clips(references, n)).collect();
        let mut lengths: Vec<usize> = references.iter().map(Vec::len).collect();
        lengths.sort_unstable();
        lengths.dedup();
        Self { clips, lengths }
    }

    /// BLEU-4 of one sentence against all references, 0..1, with the smoothing the module page states.
    pub fn sentence_bleu(&self, hypothesis: &[u32]) -> f64 {
        self.score(hypothesis, None)
    }

    /// Mean of [`References::sentence_bleu`] over sentences, 0..1; 0 for none.
    pub fn mean_bleu(&self, hypotheses: &[Vec<u32>]) -> f64 {
        let scores: Vec<f64> = hypotheses.par_iter().map(|h| self.score(h, None)).collect();
        mean(&scores)
    }

    /// The BLEU of a hypothesis; `own` is the reference that is left out of the counts.
    fn score(&self, hypothesis: &[u32], own: Option<usize>) -> f64 {
        let log_precision: f64 = (1..=ORDER).map(|n| self.log_precision(hypothesis, n, own)).sum::<f64>();
        let nearest = nearest(hypothesis.len(), self.lengths.iter().copied());
        (log_brevity(hypothesis.len(), nearest) + log_precision / ORDER as f64).exp()
    }

    /// Logarithm of the smoothed precision of order `n`.
    fn log_precision(&self, hypothesis: &[u32], n: usize, own: Option<usize>) -> f64 {
        let (mut matches, mut total) = (0u64, 0u64);
        for (gram, count) in counts(hypothesis, n) {
            total += u64::from(count);
            if let Some(clip) = self.clips[n - 1].get(&gram) {
                let most = if own == Some(clip.owner) { clip.runner_up } else { clip.most };
                matches += u64::from(count.min(most));
            }
        }
        let matches = if matches == 0 { SMOOTHING } else { matches as f64 };
        (matches / total.max(1) as f64).ln()
    }
}

/// Self-BLEU-4, 0..1: the mean of [`self_bleus`] (Zhu et al. 2018); 1 means that all sentences are alike. It grows with
/// the number of sentences, so say how many.
pub fn self_bleu(sentences: &[Vec<u32>]) -> f64 {
    mean(&self_bleus(sentences))
}

/// BLEU-4 of each sentence against all the others, 0..1. The own sentence is left out of the n-gram counts only; its
/// length still counts as a reference length, so that there is no brevity penalty.
pub fn self_bleus(sentences: &[Vec<u32>]) -> Vec<f64> {
    let references = References::new(sentences);
    sentences.par_iter().enumerate().map(|(own, s)| references.score(s, Some(own))).collect()
}

/// The clips of order `n` over all references.
fn clips(references: &[Vec<u32>], n: usize) -> FxHashMap<u128, Clip> {
    let mut clips = FxHashMap::<u128, Clip>::default();
    for (owner, reference) in references.iter().enumerate() {
        for (gram, count) in counts(reference, n) {
            let clip = clips.entry(gram).or_insert(Clip { most: 0, owner, runner_up: 0 });
            if count > clip.most {
                *clip = Clip { most: count, owner, runner_up: clip.most };
            } else {
                clip.runner_up = clip.runner_up.max(count);
            }
        }
    }
    clips
}

/// The length nearest to that of a hypothesis, the shorter of two; 0 of none.
fn nearest(hypothesis: usize, lengths: impl Iterator<Item = usize>) -> usize {
    lengths.min_by_key(|&l| (l.abs_diff(hypothesis), l)).unwrap_or(0)
}

/// Logarithm of the brevity penalty.
fn log_brevity(hypothesis: usize, reference: usize) -> f64 {
    if hypothesis > reference { 0.0 } else { 1.0 - reference as f64 / hypothesis.max(1) as f64 }
}

/// The mean, summed in order so that it does not depend on the threads; 0 for none.
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corpus_bleu_of_a_pair_worked_by_hand() {
        // Precisions 5/6, 3/5, 2/4, 1/3; lengths 6 and 6, so no penalty.
        let (hypothesis, reference) = ([3, 4, 5, 6, 7, 9], [3, 4, 5, 6, 8, 7]);
        let expected = 100.0 * (5.0 / 6.0 * 3.0 / 5.0 * 2.0 / 4.0 * 1.0 / 3.0f64).powf(0.25);
        assert!((corpus_bleu([(&hypothesis[..], &reference[..])]) - expected).abs() < 1e-9);
    }

    #[test]
    fn a_short_hypothesis_pays_for_it() {
        let score = corpus_bleu([(&[3, 4, 5, 6][..], &[3, 4, 5, 6, 7][..])]);
        assert!((score - 100.0 * (-0.25f64).exp()).abs() < 1e-9);
        let counts = BleuCounts::of(&[3, 4, 5, 6], &[3, 4, 5, 6, 7]);
        assert_eq!((counts.brevity_penalty(), counts.length_ratio()), ((-0.25f64).exp(), 0.8));
        let empty = [BleuCounts::of(&[], &[3]), BleuCounts::of(&[], &[]), BleuCounts::of(&[3, 4], &[3])];
        assert_eq!(empty.map(|counts| counts.brevity_penalty()), [0.0, 1.0, 1.0]);
    }

    #[test]
    fn merged_counts_equal_added_pairs() {
        let pairs = [([3, 4, 5, 6, 7], [3, 4, 5, 6, 8]), ([9, 4, 5, 6, 7], [9, 4, 5, 6, 7])];
        let (mut added, mut merged) = (BleuCounts::default(), BleuCounts::default());
        for (hypothesis, reference) in &pairs {
            added.add(hypothesis, reference);
            merged.merge(&BleuCounts::of(hypothesis, reference));
        }
        assert_eq!(merged, added);
    }

    #[test]
    fn smoothings_worked_by_hand() {
        // Matches 2, 1, 0, 0 of 4, 3, 2, 1; equal lengths.
        let counts = BleuCounts::of(&[3, 4, 5, 6], &[3, 4, 7, 8]);
        let expect = |smoothing, product: f64| {
            let score = counts.smoothed(smoothing, false);
            assert!((score - 100.0 * product.powf(0.25)).abs() < 1e-9, "{smoothing:?}: {score}");
        };
        expect(Smoothing::None, 0.0);
        expect(Smoothing::Exp, 2.0 / 4.0 * 1.0 / 3.0 * 0.5 / 2.0 * 0.25 / 1.0);
        expect(Smoothing::Floor(0.1), 2.0 / 4.0 * 1.0 / 3.0 * 0.1 / 2.0 * 0.1 / 1.0);
        expect(Smoothing::AddK(1.0), 2.0 / 4.0 * 2.0 / 4.0 * 1.0 / 3.0 * 1.0 / 2.0);
    }

    #[test]
    fn without_pairs_or_matches_the_score_is_zero() {
        assert_eq!(corpus_bleu([]), 0.0);
        assert_eq!(corpus_bleu([(&[][..], &[3, 4, 5, 6][..])]), 0.0);
        assert_eq!(References::new(&[]).mean_bleu(&[]), 0.0);
    }

    #[test]
    fn counts_are_clipped_by_the_largest_single_reference() {
        let references = References::new(&[vec![3, 3, 4, 5], vec![3, 6, 7, 8]]);
        // Of three 3s two are found: 2/4 unigrams; one of three bigrams; smoothed beyond.
        let expected = (2.0 / 4.0 * 1.0 / 3.0 * 0.1 / 2.0 * 0.1 / 1.0f64).powf(0.25);
        assert!((references.sentence_bleu(&[3, 3, 3, 9]) - expected).abs() < 1e-12);
    }

    #[test]
    fn of_two_equally_near_reference_lengths_the_shorter_counts() {
        let references = References::new(&[vec![3, 4, 5, 6], vec![3, 4, 5, 6, 7, 8]]);
        assert!((references.sentence_bleu(&[3, 4, 5, 6, 7]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn self_bleu_leaves_the_own_sentence_out() {
        let twins = [vec![3, 4, 5, 6], vec![3, 4, 5, 6]];
        assert!((self_bleu(&twins) - 1.0).abs() < 1e-12);
        let strangers = [vec![3, 4, 5, 6], vec![7, 8, 9, 10]];
        let floor = (0.1f64.powi(4) / 24.0).powf(0.25);
        assert!((self_bleu(&strangers) - floor).abs() < 1e-12);
    }
}
