//! Texts that repeat themselves.
//!
//! rep-n of a text with `t` n-grams, `u` of them distinct, is `1 - u / t` (Welleck et al. 2020). A span is any run of
//! units; it is repeated when it stands in the text again without overlapping itself, and immediately repeated when
//! the second begins where the first ends, as in "very very" or "it is it is". Real text does both now and then, and
//! long texts do it more, so compare with real text of like length.

use rayon::prelude::*;
use serde::Serialize;

use crate::ngrams::counts;

/// Longest n-gram of rep-n.
pub const ORDERS: usize = 4;

/// How much a set of texts repeats itself. Lengths are in units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Repetition {
    /// Number of texts, empty ones left out.
    pub n: usize,
    /// Mean length of a text.
    pub mean_len: f64,
    /// rep-n for n = 1, 2, 3, 4, 0..1: each the mean over the texts that have an n-gram.
    pub rep: [f64; ORDERS],
    /// Share of texts with an immediately repeated span, 0..1.
    pub immediate: f64,
    /// Mean length of the longest repeated span of a text, 0 where none is.
    pub longest_mean: f64,
    /// The longest repeated span of all texts; it grows with their number.
    pub longest_max: usize,
}

impl Repetition {
    /// Measures texts; empty ones are left out.
    ///
    /// ```
    /// let report = strait_eval::Repetition::new(&[vec![3, 4, 3, 4], vec![5, 6]]);
    /// assert_eq!(report.rep[0], 0.25); // half of one text, nothing of the other
    /// assert_eq!((report.immediate, report.longest_max), (0.5, 2));
    /// ```
    pub fn new(texts: &[Vec<u32>]) -> Self {
        let texts: Vec<&Vec<u32>> = texts.iter().filter(|t| !t.is_empty()).collect();
        let repeats: Vec<Repeats> = texts.par_iter().map(|t| Repeats::of(t)).collect();
        let mean = |sum: usize| sum as f64 / texts.len().max(1) as f64;
        Self {
            n: texts.len(),
            mean_len: mean(texts.iter().map(|t| t.len()).sum()),
            rep: std::array::from_fn(|n| mean_rep(&texts, n + 1)),
            immediate: mean(repeats.iter().filter(|r| r.immediate > 0).count()),
            longest_mean: mean(repeats.iter().map(|r| r.longest).sum()),
            longest_max: repeats.iter().map(|r| r.longest).max().unwrap_or(0),
        }
    }
}

/// Mean of rep-n, 0..1, over the texts that have an n-gram; 0 when none has. `n` is at most five.
pub(crate) fn mean_rep<T: AsRef<[u32]>>(texts: &[T], n: usize) -> f64 {
    let shares: Vec<f64> = texts
        .iter()
        .map(|t| t.as_ref())
        .filter(|t| t.len() >= n)
        .map(|t| 1.0 - counts(t, n).len() as f64 / (t.len() + 1 - n) as f64)
        .collect();
    shares.iter().sum::<f64>() / shares.len().max(1) as f64
}

/// Lengths of the longest spans that a text repeats, 0 for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Repeats {
    longest: usize,
    immediate: usize,
}

impl Repeats {
    /// Lays the text over itself at every shift. A run of `r` equal units at a shift of `d` is a span of `min(r, d)`
    /// units repeated without overlap; with `r >= d` the second follows immediately.
    fn of(text: &[u32]) -> Self {
        let mut repeats = Self { longest: 0, immediate: 0 };
        for shift in 1..text.len() {
            let mut run = 0;
            for (a, b) in text.iter().zip(&text[shift..]) {
                run = if a == b { run + 1 } else { 0 };
                repeats.longest = repeats.longest.max(run.min(shift));
                if run >= shift {
                    repeats.immediate = shift;
                }
            }
        }
        repeats
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    /// The same by trying every pair of spans.
    fn slowly(text: &[u32]) -> Repeats {
        let mut repeats = Repeats { longest: 0, immediate: 0 };
        for len in 1..=text.len() / 2 {
            for first in 0..=text.len() - 2 * len {
                for second in first + len..=text.len() - len {
                    if text[first..first + len] == text[second..second + len] {
                        repeats.longest = len;
                        repeats.immediate = if second == first + len { len } else { repeats.immediate };
                    }
                }
            }
        }
        repeats
    }

    #[test]
    fn spans_equal_the_slow_search_on_random_texts() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..500 {
            let text: Vec<u32> = (0..rng.random_range(1..20)).map(|_| rng.random_range(3..6)).collect();
            assert_eq!(Repeats::of(&text), slowly(&text), "{text:?}");
        }
    }

    #[test]
    fn figures_worked_by_hand() {
        // "a b a b c" has 3 of 5 distinct units, 3 of 4 bigrams, 3 of 3 trigrams.
        let report = Repetition::new(&[vec![3, 4, 3, 4, 5], vec![6], vec![], vec![7, 8, 9, 7, 8]]);
        assert_eq!((report.n, report.mean_len), (3, 11.0 / 3.0));
        assert!((report.rep[0] - (0.4 + 0.0 + 0.4) / 3.0).abs() < 1e-12);
        assert_eq!(report.rep[1..], [0.25, 0.0, 0.0]); // both texts with a bigram repeat one of four
        assert_eq!((report.immediate, report.longest_mean, report.longest_max), (1.0 / 3.0, 4.0 / 3.0, 2));
    }

    #[test]
    fn a_span_does_not_overlap_itself() {
        assert_eq!(Repeats::of(&[3, 3, 3]), Repeats { longest: 1, immediate: 1 });
        assert_eq!(Repeats::of(&[3, 3, 3, 3]), Repeats { longest: 2, immediate: 2 });
        assert_eq!(Repetition::new(&[]).rep, [0.0; ORDERS]);
    }
}
