//! TER: the share of words that must be edited to turn a hypothesis into its reference (Snover et al. 2006).
//!
//! An edit inserts, deletes or replaces a word, or shifts a run of words elsewhere. The fewest edits over the
//! references, over the mean length of the references; both are summed over a corpus. Finding the fewest is hard, so
//! shifts are chosen greedily, by the rules of Tercom in sacreBLEU's form. Lower is better; it may exceed 100.

mod alignment;
mod shifts;

use shifts::edits;

use super::signature::sacrebleu_signature;
use super::tokenisation::{apart, read_escapes, split_points, split_symbols};
use crate::bootstrap::Counts;
use crate::units::{Interner, Unit};

/// How TER is computed. The default is sacreBLEU's: words as they stand between blanks, in lower case.
///
/// ```
/// use strait_eval::generation::Ter;
/// let ter = Ter::default();
/// // One shift turns it into the reference of five words.
/// assert_eq!(ter.score(&ter.counts("today the old boat sails", &["the old boat sails today"])), 20.0);
/// assert_eq!(ter.signature("1"), "nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:2.6.0");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ter {
    /// Punctuation becomes words of its own.
    pub normalised: bool,
    /// Punctuation is left out.
    pub no_punctuation: bool,
    /// With `normalised`, every Chinese character becomes a word; with `no_punctuation`, Chinese marks are left out.
    pub asian: bool,
    /// Upper and lower case differ.
    pub case_sensitive: bool,
}

/// Edits, and the length of the references.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TerCounts {
    edits: u64,
    reference_len: f64,
}

impl Counts for TerCounts {
    fn merge(&mut self, other: &Self) {
        self.edits += other.edits;
        self.reference_len += other.reference_len;
    }
}

impl Ter {
    /// What languages written without blanks need: marks and characters are words.
    pub fn of_characters() -> Self {
        Ter { normalised: true, asian: true, ..Ter::default() }
    }

    /// The edits of one hypothesis to the nearest of its references.
    pub fn counts<R: AsRef<str>>(&self, hypothesis: &str, references: &[R]) -> TerCounts {
        let mut interner = Interner::new();
        let mut ids = |text: &str| interner.encode(&self.words(text), Unit::Words);
        let hypothesis = ids(hypothesis);
        let references: Vec<Vec<u32>> = references.iter().map(|r| ids(r.as_ref())).collect();
        let length: usize = references.iter().map(Vec::len).sum();
        TerCounts {
            edits: references.iter().map(|r| edits(&hypothesis, r)).min().unwrap_or(0) as u64,
            reference_len: length as f64 / references.len().max(1) as f64,
        }
    }

    /// TER of counts, from 0 up; 100 where texts stand against nothing.
    pub fn score(&self, counts: &TerCounts) -> f64 {
        match counts.reference_len > 0.0 {
            true => 100.0 * counts.edits as f64 / counts.reference_len,
            false => 100.0 * f64::from(u8::from(counts.edits > 0)),
        }
    }

    /// The signature, `references` being their number or `var`.
    pub fn signature(&self, references: &str) -> String {
        let yes = |is: bool| if is { "yes" } else { "no" };
        sacrebleu_signature(
            references,
            &[
                ("case", if self.case_sensitive { "mixed" } else { "lc" }),
                ("tok", "tercom"),
                ("norm", yes(self.normalised)),
                ("punct", yes(!self.no_punctuation)),
                ("asian", yes(self.asian)),
            ],
        )
    }

    /// The text with blanks between its words.
    fn words(&self, text: &str) -> String {
        let text = text.trim_end();
        let mut text = if self.case_sensitive { text.to_owned() } else { text.to_lowercase() };
        if self.normalised {
            text = read_escapes(&text.replace("\n-", "").replace('\n', " "));
            text = split_symbols(&format!(" {text} ")).replace("'s ", " 's ");
            text = split_points(&text);
            if self.asian {
                text = apart(&text, |c| is_asian(c) || is_asian_mark(c));
            }
        }
        if self.no_punctuation {
            let left_out = |c: char| {
                matches!(c, '.' | ',' | '?' | ':' | ';' | '!' | '"' | '(' | ')') || self.asian && is_asian_mark(c)
            };
            text.retain(|c| !left_out(c));
        }
        text
    }
}

/// Han characters and what else Tercom makes words of.
fn is_asian(c: char) -> bool {
    matches!(u32::from(c),
        0x2E80..=0x2EFF | 0x31C0..=0x31EF | 0x3200..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0xFE30..=0xFE4F)
}

/// Marks of Chinese and Japanese, and full-width ones.
fn is_asian_mark(c: char) -> bool {
    matches!(u32::from(c),
        0x3001 | 0x3002 | 0x3008..=0x3011 | 0x3014..=0x301F | 0xFF61..=0xFF65 | 0x30FB
        | 0xFF0E | 0xFF0C | 0xFF1F | 0xFF1A | 0xFF1B | 0xFF01 | 0xFF02 | 0xFF08 | 0xFF09)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_reference_counts_over_the_mean_length() {
        let ter = Ter::default();
        let counts = ter.counts("a b c", &["a b d e", "x y"]);
        assert_eq!(counts, TerCounts { edits: 2, reference_len: 3.0 });
    }

    #[test]
    fn nothing_against_something() {
        let ter = Ter::default();
        let score = |h: &str, r: &str| ter.score(&ter.counts(h, &[r]));
        assert_eq!([score("", ""), score("a", ""), score("", "a b")], [0.0, 100.0, 100.0]);
    }

    #[test]
    fn chinese_is_edited_by_characters() {
        let ter = Ter::of_characters();
        assert_eq!(ter.counts("我有3.5个书。", &["我有3.5本书。"]), TerCounts { edits: 1, reference_len: 6.0 });
    }
}
