//! ROUGE: how much of a reference a hypothesis says again (Lin 2004).
//!
//! ROUGE-N counts shared n-grams, ROUGE-L the longest common subsequence of words. With `p` the share of the hypothesis
//! that is shared and `r` that of the reference, the score is `F = 2 p r / (p + r)`. Of several references the one with
//! the highest score counts; a corpus' score is the mean over its records, 0..100. Words are runs of the letters a-z and
//! of digits, in lower case and without stemming, as in Google's rouge-score.

use rapidfuzz::distance::lcs_seq;

use super::signature::signature;
use super::tokenisation::Tokenisation;
use crate::bootstrap::Counts;
use crate::ngrams::{counts, shared};
use crate::units::{Interner, Unit};

/// What two texts share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// N-grams of so many words, 1 to 5.
    Grams(usize),
    /// The longest common subsequence.
    Subsequence,
}

/// How ROUGE is computed.
///
/// ```
/// use strait_eval::generation::{Rouge, Shared};
/// let rouge = Rouge { shared: Shared::Subsequence, chinese: false };
/// // "the boat sails" in both: 3 of 4 words and 3 of 5.
/// let score = rouge.sentence("The boat sails home", &["the old boat sails today"]);
/// assert!((score - 100.0 * 2.0 * 3.0 / (4.0 + 5.0)).abs() < 1e-9);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rouge {
    /// What counts.
    pub shared: Shared,
    /// Words are those of [`Tokenisation::Zh`] in lower case: the usual rule sees no word in Chinese.
    pub chinese: bool,
}

/// The sum of scores and their number.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RougeCounts {
    sum: f64,
    n: u64,
}

impl Counts for RougeCounts {
    fn merge(&mut self, other: &Self) {
        self.sum += other.sum;
        self.n += other.n;
    }
}

impl Rouge {
    /// `ROUGE-1`, `ROUGE-L`.
    pub fn name(&self) -> String {
        match self.shared {
            Shared::Grams(n) => format!("ROUGE-{n}"),
            Shared::Subsequence => "ROUGE-L".into(),
        }
    }

    /// One hypothesis and its references, counted as one record.
    pub fn counts<R: AsRef<str>>(&self, hypothesis: &str, references: &[R]) -> RougeCounts {
        RougeCounts { sum: self.sentence(hypothesis, references), n: 1 }
    }

    /// The mean, 0..100; NaN of no record.
    pub fn score(&self, counts: &RougeCounts) -> f64 {
        counts.sum / counts.n as f64
    }

    /// ROUGE of one sentence, 0..100.
    pub fn sentence<R: AsRef<str>>(&self, hypothesis: &str, references: &[R]) -> f64 {
        let mut interner = Interner::new();
        let mut ids = |text: &str| interner.encode(&self.words(text), Unit::Words);
        let hypothesis = ids(hypothesis);
        references.iter().map(|r| self.f_score(&hypothesis, &ids(r.as_ref()))).fold(0.0, f64::max)
    }

    /// What must be equal for figures to be comparable, in the manner of sacreBLEU; `references` is their number or `var`.
    pub fn signature(&self, references: &str) -> String {
        let words = if self.chinese { Tokenisation::Zh.name() } else { "a-z0-9" };
        signature(references, &[("case", "lc"), ("tok", words), ("stem", "no"), ("multi", "best")])
    }

    fn f_score(&self, hypothesis: &[u32], reference: &[u32]) -> f64 {
        let (common, had, wanted) = match self.shared {
            Shared::Grams(n) => (
                shared(&counts(hypothesis, n), &counts(reference, n)),
                (hypothesis.len() + 1).saturating_sub(n),
                (reference.len() + 1).saturating_sub(n),
            ),
            Shared::Subsequence => (
                lcs_seq::similarity(hypothesis.iter().copied(), reference.iter().copied()) as u64,
                hypothesis.len(),
                reference.len(),
            ),
        };
        // 2 p r / (p + r) with p = common / had and r = common / wanted.
        100.0 * 2.0 * common as f64 / (had + wanted).max(1) as f64
    }

    fn words(&self, text: &str) -> String {
        let text = text.to_lowercase();
        match self.chinese {
            true => Tokenisation::Zh.apply(&text),
            false => text.chars().map(|c| if matches!(c, 'a'..='z' | '0'..='9') { c } else { ' ' }).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_reference_counts() {
        let rouge = Rouge { shared: Shared::Grams(2), chinese: false };
        // Bigrams: two of two and two of four.
        let score = rouge.sentence("a red kite", &["nothing here", "a red kite flies high"]);
        assert!((score - 100.0 * 2.0 * 2.0 / (2.0 + 4.0)).abs() < 1e-9);
    }

    #[test]
    fn chinese_needs_words_of_its_own() {
        let rouge = |chinese| Rouge { shared: Shared::Subsequence, chinese };
        assert_eq!(rouge(false).sentence("我有书。", &["我有书。"]), 0.0);
        assert_eq!(rouge(true).sentence("我有书。", &["我有书。"]), 100.0);
    }

    #[test]
    fn a_word_against_nothing() {
        for shared in [Shared::Grams(1), Shared::Grams(2), Shared::Subsequence] {
            let rouge = Rouge { shared, chinese: false };
            assert_eq!([rouge.sentence("a", &[""]), rouge.sentence("", &["a"]), rouge.sentence("", &[""])], [0.0; 3]);
        }
    }
}
