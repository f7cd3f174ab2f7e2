//! chrF: the F-score of character n-grams (Popović 2015), and chrF++, which adds those of words (Popović 2017).
//!
//! With `p_n` the share of the hypothesis' n-grams that the reference has and `r_n` the share of the reference's that the
//! hypothesis has, `P` and `R` their means over the orders of which both have n-grams, and `beta = 2`,
//!
//! ```text
//! chrF = (1 + beta^2) P R / (beta^2 P + R)
//! ```
//!
//! Characters are counted without blanks, up to 6 in a row; of several references that one counts with which the
//! sentence's score is highest. The counts are summed over a corpus, as in sacreBLEU.

use super::signature::sacrebleu_signature;
use crate::bootstrap::Counts;
use crate::ngrams::{Counted, char_counts, counts, shared, total};
use crate::units::Interner;

/// Longest character n-gram.
const CHARS: usize = 6;
/// Longest word n-gram of chrF++.
const WORDS: usize = 2;
/// How much more recall weighs than precision, squared.
const BETA_SQUARED: f64 = 4.0;

/// How chrF is computed. The default is sacreBLEU's chrF2.
///
/// ```
/// use strait_eval::generation::Chrf;
/// let (plain, with_words) = (Chrf::default(), Chrf { words: true, ..Chrf::default() });
/// assert_eq!(plain.score(&plain.counts("a kite", &["a kite"])), 100.0);
/// assert_eq!(plain.signature("1"), "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0");
/// assert_eq!((plain.name(), with_words.name()), ("chrF2", "chrF2++"));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Chrf {
    /// Words are counted as well, up to two in a row: chrF++.
    pub words: bool,
    /// Upper and lower case are one.
    pub lowercase: bool,
}

/// N-grams of the hypothesis, of the reference and of both, by order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChrfCounts([[u64; 3]; CHARS + WORDS]);

impl Counts for ChrfCounts {
    fn merge(&mut self, other: &Self) {
        self.0.iter_mut().flatten().zip(other.0.iter().flatten()).for_each(|(sum, x)| *sum += x);
    }
}

impl Chrf {
    /// What sacreBLEU calls it.
    pub fn name(&self) -> &'static str {
        if self.words { "chrF2++" } else { "chrF2" }
    }

    /// The counts of one hypothesis and that of its references with which its score is highest.
    pub fn counts<R: AsRef<str>>(&self, hypothesis: &str, references: &[R]) -> ChrfCounts {
        let mut interner = Interner::new();
        let hypothesis = self.grams(hypothesis, &mut interner);
        let mut best = (-1.0, ChrfCounts::default());
        for reference in references {
            let mut counts = ChrfCounts::default();
            for (n, reference) in self.grams(reference.as_ref(), &mut interner).iter().enumerate() {
                // An order that the reference is too short for says nothing of the hypothesis.
                let had = if reference.is_empty() { 0 } else { total(&hypothesis[n]) };
                counts.0[n] = [had, total(reference), shared(&hypothesis[n], reference)];
            }
            let score = self.score(&counts);
            if score > best.0 {
                best = (score, counts);
            }
        }
        best.1
    }

    /// chrF of counts, 0..100.
    pub fn score(&self, counts: &ChrfCounts) -> f64 {
        let orders: Vec<&[u64; 3]> = counts.0.iter().filter(|[had, wanted, _]| *had > 0 && *wanted > 0).collect();
        let mean = |side: usize| {
            orders.iter().map(|order| order[2] as f64 / order[side] as f64).sum::<f64>() / orders.len().max(1) as f64
        };
        let (precision, recall) = (mean(0), mean(1));
        if precision + recall == 0.0 {
            return 0.0;
        }
        100.0 * (1.0 + BETA_SQUARED) * precision * recall / (BETA_SQUARED * precision + recall)
    }

    /// chrF of one sentence, 0..100.
    pub fn sentence<R: AsRef<str>>(&self, hypothesis: &str, references: &[R]) -> f64 {
        self.score(&self.counts(hypothesis, references))
    }

    /// The signature, `references` being their number or `var`.
    pub fn signature(&self, references: &str) -> String {
        sacrebleu_signature(
            references,
            &[
                ("case", if self.lowercase { "lc" } else { "mixed" }),
                ("eff", "yes"),
                ("nc", &CHARS.to_string()),
                ("nw", if self.words { "2" } else { "0" }),
                ("space", "no"),
            ],
        )
    }

    /// The n-grams of a text, order by order.
    fn grams(&self, text: &str, interner: &mut Interner) -> Vec<Counted> {
        let lowered = if self.lowercase { text.to_lowercase() } else { text.to_owned() };
        let chars: Vec<char> = lowered.chars().filter(|c| !c.is_whitespace()).collect();
        let mut grams: Vec<Counted> = (1..=CHARS).map(|n| char_counts(&chars, n)).collect();
        if self.words {
            let words: Vec<u32> = words(&lowered).into_iter().map(|word| interner.intern(word)).collect();
            grams.extend((1..=WORDS).map(|n| counts(&words, n)));
        }
        grams
    }
}

/// Words, one mark of punctuation apart at the end of each, or else at its beginning.
fn words(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    for word in text.split_whitespace() {
        let is_mark = |c: &char| c.is_ascii_punctuation();
        let mut chars = word.chars();
        let (first, last) = (chars.next(), chars.next_back());
        if let Some(mark) = last.filter(is_mark) {
            let at = word.len() - mark.len_utf8();
            out.extend([&word[..at], &word[at..]]);
        } else if let (Some(mark), Some(_)) = (first.filter(is_mark), last) {
            out.extend([&word[..mark.len_utf8()], &word[mark.len_utf8()..]]);
        } else {
            out.push(word);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mark_is_set_apart_from_a_word() {
        assert_eq!(words("(hi) . ,x a-b \"no.\""), ["(hi", ")", ".", ",", "x", "a-b", "\"no.", "\""]);
    }

    #[test]
    fn a_pair_worked_by_hand() {
        // Of "abc" and "abd" two of three characters and one of two bigrams are shared, no trigram; longer ones are none.
        let chrf = Chrf::default();
        let mean = (2.0 / 3.0 + 1.0 / 2.0) / 3.0;
        assert!((chrf.sentence("abc", &["abd"]) - 100.0 * mean).abs() < 1e-9);
        // Recall weighs more: three of four characters, two of three bigrams, one of two trigrams; four only one side has.
        let recall = (3.0 / 4.0 + 2.0 / 3.0 + 1.0 / 2.0) / 3.0;
        assert!((chrf.sentence("a b c", &["abcd"]) - 100.0 * 5.0 * recall / (4.0 + recall)).abs() < 1e-9);
    }

    #[test]
    fn empty_texts_score_nothing() {
        let chrf = Chrf { words: true, lowercase: false };
        assert_eq!([chrf.sentence("", &["a"]), chrf.sentence("a", &[""]), chrf.sentence("", &[""])], [0.0; 3]);
    }
}
