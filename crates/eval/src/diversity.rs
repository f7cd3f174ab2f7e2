//! How varied a set of texts is.
//!
//! Every figure but the mean length changes with the number and the length of the texts: compare sets of one size, and
//! look at their lengths.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use crate::bleu::self_bleu;
use crate::ngrams::pack;
use crate::samples::SELF_BLEU_SAMPLES;

/// Longest n-gram that is counted.
pub const ORDERS: usize = 3;

/// Variety of a set of texts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Diversity {
    /// Number of texts, empty ones left out.
    pub n: usize,
    /// Mean length in units.
    pub mean_len: f64,
    /// Distinct texts over all, 0..1.
    pub unique: f64,
    /// Distinct n-grams over all n-grams of all texts for n = 1, 2, 3, 0..1 (Li et al. 2016).
    pub distinct: [f64; ORDERS],
    /// Entropy in bits of the n-grams of all texts for n = 1, 2, 3 (Zhang et al. 2018).
    pub entropy: [f64; ORDERS],
    /// [`self_bleu`] of the first [`SELF_BLEU_SAMPLES`] texts, 0..1. High: they are alike.
    pub self_bleu4: f64,
    /// Number of other texts that self-BLEU compares each text with.
    pub self_bleu_references: usize,
}

impl Diversity {
    /// Measures texts; empty ones are left out.
    ///
    /// ```
    /// let report = strait_eval::Diversity::new(&[vec![3, 4], vec![3, 5]]);
    /// assert_eq!(report.distinct[0], 0.75);
    /// assert_eq!(report.entropy[0], 1.5); // one half, one quarter, one quarter
    /// ```
    pub fn new(texts: &[Vec<u32>]) -> Self {
        let texts: Vec<Vec<u32>> = texts.iter().filter(|t| !t.is_empty()).cloned().collect();
        let n = texts.len();
        let grams: Vec<Grams> = (1..=ORDERS).into_par_iter().map(|n| Grams::new(&texts, n)).collect();
        let compared = n.min(SELF_BLEU_SAMPLES);
        Self {
            n,
            mean_len: texts.iter().map(Vec::len).sum::<usize>() as f64 / n.max(1) as f64,
            unique: texts.iter().collect::<FxHashSet<_>>().len() as f64 / n.max(1) as f64,
            distinct: std::array::from_fn(|i| grams[i].distinct()),
            entropy: std::array::from_fn(|i| grams[i].entropy()),
            self_bleu4: self_bleu(&texts[..compared]),
            self_bleu_references: compared.saturating_sub(1),
        }
    }
}

/// How often each n-gram of one order occurs, in falling order.
struct Grams {
    counts: Vec<u64>,
    total: u64,
}

impl Grams {
    /// Counts the n-grams of at most five units.
    fn new(texts: &[Vec<u32>], n: usize) -> Self {
        let mut counts = FxHashMap::<u128, u64>::default();
        texts.iter().flat_map(|t| t.windows(n)).for_each(|gram| *counts.entry(pack(gram)).or_insert(0) += 1);
        let mut counts: Vec<u64> = counts.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a)); // an order of its own, for sums of the same bits
        Self { total: counts.iter().sum(), counts }
    }

    /// Distinct n-grams over all; 0 without any.
    fn distinct(&self) -> f64 {
        self.counts.len() as f64 / self.total.max(1) as f64
    }

    /// `-sum p log2 p`; 0 without any.
    fn entropy(&self) -> f64 {
        let total = self.total as f64;
        self.counts.iter().map(|&c| c as f64 / total).map(|p| -p * p.log2()).sum::<f64>().max(0.0)
    }
}

/// Distinct n-grams over all n-grams of all texts, 0..1, of at most five units.
pub(crate) fn distinct(texts: &[Vec<u32>], n: usize) -> f64 {
    Grams::new(texts, n).distinct()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_worked_by_hand() {
        // Four sentences: bigrams "a b" twice, "b c" twice, "x y", "y z"; trigrams "a b c" twice, "x y z".
        let texts = [vec![3, 4, 5], vec![3, 4, 5], vec![], vec![6, 7, 8], vec![9]];
        let report = Diversity::new(&texts);
        assert_eq!((report.n, report.mean_len, report.unique), (4, 2.5, 0.75));
        assert_eq!(report.distinct, [7.0 / 10.0, 4.0 / 6.0, 2.0 / 3.0]);
        let third = |count: f64, p: f64| -count * p * p.log2();
        assert!((report.entropy[1] - third(2.0, 1.0 / 3.0) - third(2.0, 1.0 / 6.0)).abs() < 1e-12);
        assert!((report.entropy[2] - third(1.0, 2.0 / 3.0) - third(1.0, 1.0 / 3.0)).abs() < 1e-12);
        assert_eq!(report.self_bleu_references, 3);
    }

    #[test]
    fn equal_texts_have_no_variety() {
        let report = Diversity::new(&vec![vec![3, 3, 3, 3, 3]; 10]);
        assert_eq!((report.unique, report.entropy), (0.1, [0.0; ORDERS]));
        assert!((report.self_bleu4 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn no_texts_are_no_error() {
        let report = Diversity::new(&[]);
        assert_eq!((report.n, report.distinct, report.self_bleu_references), (0, [0.0; ORDERS], 0));
    }
}
