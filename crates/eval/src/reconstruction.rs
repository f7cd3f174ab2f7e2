//! How well texts come back: decoded texts against the texts that were encoded, pair by pair.

use serde::Serialize;

use crate::bleu::BleuCounts;
use crate::units::{Interner, Unit};

/// Longest reference of each length bucket but the last, in units.
const BUCKETS: [usize; 6] = [5, 10, 15, 20, 30, 50];

/// Reconstruction over all pairs and by length.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReconstructionReport {
    /// Number of pairs.
    pub n: usize,
    /// Corpus BLEU-4, 0..100, see [`crate::bleu`].
    pub bleu4: f64,
    /// Share of pairs whose units are all equal, 0..1.
    pub exact: f64,
    /// Equal units at equal positions, over the longer of the two lengths, both summed over pairs; 0..1. A missing or
    /// surplus unit counts as wrong, and so does everything behind a shift.
    pub token_accuracy: f64,
    /// The same by length of the reference, shortest first; buckets without a pair are left out.
    pub by_length: Vec<LengthBucket>,
}

/// Reconstruction of the pairs whose reference has a length within bounds. The figures are those of
/// [`ReconstructionReport`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LengthBucket {
    /// Shortest reference in units.
    pub from: usize,
    /// Longest reference in units; none for the last bucket.
    pub to: Option<usize>,
    /// Number of pairs.
    pub n: usize,
    /// Corpus BLEU-4, 0..100.
    pub bleu4: f64,
    /// Share of equal pairs, 0..1.
    pub exact: f64,
    /// Share of equal units at equal positions, 0..1.
    pub token_accuracy: f64,
}

impl ReconstructionReport {
    /// Compares pairs (decoded text, text that was encoded). Empty texts are kept: an empty decoding is a wrong one.
    ///
    /// ```
    /// use strait_eval::{ReconstructionReport, Unit};
    /// let pairs = [("a red kite flies", "a red kite flies"), ("a boat", "two boats")];
    /// let report = ReconstructionReport::new(&pairs, Unit::Words);
    /// assert_eq!((report.n, report.exact), (2, 0.5));
    /// assert_eq!(report.token_accuracy, 4.0 / 6.0);
    /// ```
    pub fn new<H: AsRef<str>, R: AsRef<str>>(pairs: &[(H, R)], unit: Unit) -> Self {
        let mut interner = Interner::new();
        let mut buckets = vec![Tally::default(); BUCKETS.len() + 1];
        let mut all = Tally::default();
        for (hypothesis, reference) in pairs {
            let hypothesis = interner.encode(hypothesis.as_ref(), unit);
            let reference = interner.encode(reference.as_ref(), unit);
            all.add(&hypothesis, &reference);
            buckets[BUCKETS.partition_point(|&to| to < reference.len())].add(&hypothesis, &reference);
        }
        Self {
            n: all.n,
            bleu4: all.bleu.score(),
            exact: all.share(all.exact, all.n),
            token_accuracy: all.share(all.equal_units, all.units),
            by_length: buckets.iter().enumerate().filter(|(_, t)| t.n > 0).map(|(at, t)| t.bucket(at)).collect(),
        }
    }
}

/// Running sums over pairs.
#[derive(Debug, Clone, Default)]
struct Tally {
    n: usize,
    exact: usize,
    equal_units: usize,
    units: usize,
    bleu: BleuCounts,
}

impl Tally {
    fn add(&mut self, hypothesis: &[u32], reference: &[u32]) {
        self.n += 1;
        self.exact += usize::from(hypothesis == reference);
        self.equal_units += hypothesis.iter().zip(reference).filter(|(h, r)| h == r).count();
        self.units += hypothesis.len().max(reference.len());
        self.bleu.add(hypothesis, reference);
    }

    fn share(&self, part: usize, whole: usize) -> f64 {
        part as f64 / whole.max(1) as f64
    }

    /// The bucket at `at` of the list, with these sums.
    fn bucket(&self, at: usize) -> LengthBucket {
        LengthBucket {
            from: if at == 0 { 0 } else { BUCKETS[at - 1] + 1 },
            to: BUCKETS.get(at).copied(),
            n: self.n,
            bleu4: self.bleu.score(),
            exact: self.share(self.exact, self.n),
            token_accuracy: self.share(self.equal_units, self.units),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_fall_into_buckets_by_reference_length() {
        let long = vec!["w"; 51].join(" ");
        let pairs = [("a b c d e", "a b c d e"), ("a b c d e f", "a b c d e g"), (&long, &long), ("", "a")];
        let report = ReconstructionReport::new(&pairs, Unit::Words);
        let bounds: Vec<_> = report.by_length.iter().map(|b| (b.from, b.to, b.n)).collect();
        assert_eq!(bounds, [(0, Some(5), 2), (6, Some(10), 1), (51, None, 1)]);
        assert_eq!(report.by_length[0].exact, 0.5);
        assert_eq!(report.by_length[0].token_accuracy, 5.0 / 6.0);
        assert_eq!(report.by_length[1].token_accuracy, 5.0 / 6.0);
        assert_eq!(report.by_length[2].bleu4, 100.0);
        assert_eq!(report.n, 4);
    }

    #[test]
    fn a_surplus_unit_counts_as_wrong() {
        let report = ReconstructionReport::new(&[("今天下雨了", "今天下雨")], Unit::Chars);
        assert_eq!(report.token_accuracy, 0.8);
        assert_eq!(report.exact, 0.0);
    }

    #[test]
    fn without_pairs_all_is_zero() {
        let report = ReconstructionReport::new::<&str, &str>(&[], Unit::Words);
        assert_eq!((report.n, report.bleu4, report.exact, report.token_accuracy), (0, 0.0, 0.0, 0.0));
        assert!(report.by_length.is_empty());
    }
}
