//! SARI: whether a rewriting adds, keeps and deletes what its references do (Xu et al. 2016).
//!
//! With `I`, `O`, `R` the counts of an n-gram in the source, the output and, on average, in a reference, for n = 1..4
//!
//! ```text
//! keep:    had min(I, O)       wanted min(I, R)       right min(I, O, R)
//! delete:  had max(I - O, 0)   wanted max(I - R, 0)   right the lesser of the two
//! add:     had [O > 0 = I]     wanted [R > 0 = I]     right both
//! ```
//!
//! are summed over n-grams and records; precision is right over had and recall right over wanted, both averaged over n,
//! `F = 2 P R / (P + R)`, and SARI is the mean of the three, 0..100. Such sums over the corpus, and recall for deletions
//! too, are what EASSE computes (Alva-Manchego et al. 2019) and what most papers since then report; the paper itself
//! averages over sentences and takes the precision of deletions alone. Copying the source earns what it keeps.

use super::signature::signature;
use super::tokenisation::Tokenisation;
use crate::bootstrap::Counts;
use crate::ngrams::{Counted, counts, sum};
use crate::units::{Interner, Unit};

/// Longest n-gram.
const ORDER: usize = 4;

/// How SARI is computed. The default is that of EASSE.
///
/// ```
/// use strait_eval::generation::Sari;
/// let sari = Sari::default();
/// let score = |output: &str| sari.score(&sari.counts("he was very glad .", output, &["he was glad ."]));
/// assert!(score("he was glad .") > score("he was very glad ."));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sari {
    /// How texts are cut into words.
    pub tokenisation: Tokenisation,
    /// Upper and lower case are one.
    pub lowercase: bool,
}

impl Default for Sari {
    fn default() -> Self {
        Self { tokenisation: Tokenisation::V13a, lowercase: true }
    }
}

/// What one operation did.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Operation {
    right: [f64; ORDER],
    had: [f64; ORDER],
    wanted: [f64; ORDER],
}

/// What was added, kept and deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SariCounts {
    add: Operation,
    keep: Operation,
    delete: Operation,
}

impl Counts for SariCounts {
    fn merge(&mut self, other: &Self) {
        self.add.merge(&other.add);
        self.keep.merge(&other.keep);
        self.delete.merge(&other.delete);
    }
}

impl Operation {
    fn merge(&mut self, other: &Self) {
        for n in 0..ORDER {
            self.right[n] += other.right[n];
            self.had[n] += other.had[n];
            self.wanted[n] += other.wanted[n];
        }
    }

    fn f_score(&self) -> f64 {
        let share = |of: &[f64; ORDER]| {
            let shares = self.right.iter().zip(of).map(|(&right, &of)| if of > 0.0 { right / of } else { 0.0 });
            shares.sum::<f64>() / ORDER as f64
        };
        let (precision, recall) = (share(&self.had), share(&self.wanted));
        if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
    }
}

impl Sari {
    /// The counts of one output, the source that it rewrites and the references.
    pub fn counts<R: AsRef<str>>(&self, source: &str, output: &str, references: &[R]) -> SariCounts {
        let mut interner = Interner::new();
        let mut ids = |text: &str| interner.encode(&self.words(text), Unit::Words);
        let (source, output) = (ids(source), ids(output));
        let references: Vec<Vec<u32>> = references.iter().map(|r| ids(r.as_ref())).collect();
        let mut counted = SariCounts::default();
        for n in 1..=ORDER {
            let all = sum(references.iter().map(|r| counts(r, n)));
            let grams = [counts(&source, n), counts(&output, n), all];
            counted.count(n - 1, &grams, references.len().max(1) as f64);
        }
        counted
    }

    /// SARI of counts, 0..100.
    pub fn score(&self, counts: &SariCounts) -> f64 {
        self.parts(counts).iter().sum::<f64>() / 3.0
    }

    /// The scores of what was added, kept and deleted, each 0..100, whose mean is SARI.
    pub fn parts(&self, counts: &SariCounts) -> [f64; 3] {
        [&counts.add, &counts.keep, &counts.delete].map(|operation| 100.0 * operation.f_score())
    }

    /// What must be equal for figures to be comparable, in the manner of sacreBLEU; `references` is their number or `var`.
    pub fn signature(&self, references: &str) -> String {
        let case = if self.lowercase { "lc" } else { "mixed" };
        signature(references, &[("case", case), ("tok", self.tokenisation.name()), ("level", "corpus"), ("del", "f1")])
    }

    fn words(&self, text: &str) -> String {
        match self.lowercase {
            true => self.tokenisation.apply(&text.to_lowercase()),
            false => self.tokenisation.apply(text),
        }
    }
}

impl SariCounts {
    /// Counts the n-grams of an order: of source, output, and all `n` references.
    fn count(&mut self, order: usize, [source, output, references]: &[Counted; 3], n: f64) {
        let of = |counted: &Counted, gram| counted.binary_search_by_key(&gram, |c| c.0).map_or(0, |at| counted[at].1);
        for &(gram, i) in source {
            let (i, o, r) = (f64::from(i), f64::from(of(output, gram)), f64::from(of(references, gram)) / n);
            self.keep.add(order, i.min(o), i.min(r));
            self.delete.add(order, (i - o).max(0.0), (i - r).max(0.0));
        }
        let new = |counted: &Counted| -> Vec<u128> {
            counted.iter().map(|c| c.0).filter(|&gram| of(source, gram) == 0).collect()
        };
        let (had, wanted) = (new(output), new(references));
        self.add.right[order] += had.iter().filter(|gram| wanted.binary_search(gram).is_ok()).count() as f64;
        self.add.had[order] += had.len() as f64;
        self.add.wanted[order] += wanted.len() as f64;
    }
}

impl Operation {
    fn add(&mut self, order: usize, had: f64, wanted: f64) {
        self.right[order] += had.min(wanted);
        self.had[order] += had;
        self.wanted[order] += wanted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_worked_by_hand() {
        let sari = Sari::default();
        let counts = sari.counts("a b c", "a d", &["a d", "a c d"]);
        let first = |operation: &Operation| [operation.right[0], operation.had[0], operation.wanted[0]];
        // d was to be added and was. a and half of c were to be kept, a was. b and half of c were to go, b and c did.
        assert_eq!(first(&counts.add), [1.0, 1.0, 1.0]);
        assert_eq!(first(&counts.keep), [1.0, 1.0, 1.5]);
        assert_eq!(first(&counts.delete), [1.5, 2.0, 1.5]);
    }

    #[test]
    fn the_only_reference_is_as_good_as_can_be() {
        let sari = Sari::default();
        let (source, reference) = ("we saw the old dog run home very fast", "we saw the old dog hurry home");
        // Every order has n-grams to add, to keep and to delete.
        assert!((sari.score(&sari.counts(source, reference, &[reference])) - 100.0).abs() < 1e-9);
        assert_eq!(sari.parts(&sari.counts(source, source, &[reference]))[0], 0.0);
    }

    #[test]
    fn empty_texts_score_nothing() {
        let sari = Sari::default();
        assert_eq!(sari.score(&sari.counts("", "", &[""])), 0.0);
    }
}
