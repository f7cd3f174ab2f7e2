//! The edit distance of Levenshtein 1966 over units: the fewest insertions, deletions and substitutions of one unit
//! that turn one text into another.
//!
//! Divided by the number of units of the longer text it lies in 0..1, and 1 means that nothing corresponds.

use rapidfuzz::distance::levenshtein::{Args, BatchComparator};

/// One text, prepared to be compared with many.
///
/// ```
/// let text = strait_eval::EditDistance::new(&[3, 4, 5]);
/// assert_eq!(text.to(&[4, 5, 6]), 2);
/// assert_eq!(text.normalised(&[4, 5, 6]), 2.0 / 3.0);
/// assert_eq!(text.within(&[4, 5, 6], 1), None);
/// ```
pub struct EditDistance {
    len: usize,
    comparator: BatchComparator<u32>,
}

impl EditDistance {
    /// Takes up a text.
    pub fn new(text: &[u32]) -> Self {
        Self { len: text.len(), comparator: BatchComparator::new(text.iter().copied()) }
    }

    /// Number of edits between the text and `other`.
    pub fn to(&self, other: &[u32]) -> usize {
        self.comparator.distance(other.iter().copied())
    }

    /// Number of edits between the text and `other`, or none when they are more than `most`; faster for a small `most`.
    pub fn within(&self, other: &[u32], most: usize) -> Option<usize> {
        self.comparator.distance_with_args(other.iter().copied(), &Args::default().score_cutoff(most))
    }

    /// Edits over the units of the longer text, 0..1; 0 for two empty texts.
    pub fn normalised(&self, other: &[u32]) -> f64 {
        self.to(other) as f64 / self.len.max(other.len()).max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    /// The same by the recurrence over all prefixes.
    fn slowly(a: &[u32], b: &[u32]) -> usize {
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.iter().enumerate() {
            let mut diagonal = std::mem::replace(&mut row[0], i + 1);
            for (j, y) in b.iter().enumerate() {
                let edits = (diagonal + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
                diagonal = std::mem::replace(&mut row[j + 1], edits);
            }
        }
        row[b.len()]
    }

    #[test]
    fn equals_the_recurrence_on_random_texts() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut draw = |most: usize| -> Vec<u32> {
            (0..rng.random_range(0..=most)).map(|_| 1000 * rng.random_range(0..4)).collect()
        };
        for round in 0..2000 {
            let most = if round % 50 == 0 { 150 } else { 12 }; // beyond 64 units another algorithm takes over
            let (a, b) = (draw(most), draw(most));
            let (edits, text) = (slowly(&a, &b), EditDistance::new(&a));
            assert_eq!(text.to(&b), edits, "{a:?} {b:?}");
            for bound in [edits.saturating_sub(1), edits, edits + 2] {
                assert_eq!(text.within(&b, bound), (edits <= bound).then_some(edits), "{a:?} {b:?} {bound}");
            }
        }
    }

    #[test]
    fn empty_texts() {
        assert_eq!(EditDistance::new(&[]).normalised(&[]), 0.0);
        assert_eq!(EditDistance::new(&[3]).normalised(&[]), 1.0);
    }
}
