//! What each token adds to the number of words of a text, as people count them.
//!
//! A word is a run of letters, digits and apostrophes; in scripts without blanks every character is one.

use super::train::is_cjk;

/// What a token adds to a count of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WordCount {
    /// Words that it holds or begins.
    pub words: u8,
    /// Whether its first character goes on with a word that the text before ends in: then that word is counted already.
    pub goes_on: bool,
    /// Whether it ends inside of a word.
    pub ends_inside: bool,
    /// Whether it is a sign that closes a sentence.
    pub closes: bool,
}

impl WordCount {
    /// Of a token that reads `text`; one that is set off by blanks of its own where `apart`.
    ///
    /// ```
    /// use strait_text::tokenizer::WordCount;
    /// let count = |text| WordCount::of(text, false);
    /// assert_eq!((count(" the").words, count(" the").goes_on), (1, false));
    /// assert_eq!((count("ness").words, count("ness").goes_on), (1, true)); // unless it begins a text
    /// assert_eq!((count("两碗").words, count("两碗").goes_on), (2, false));
    /// assert!(count(" .").closes && count("。").closes && !count(",").closes);
    /// ```
    pub fn of(text: &str, apart: bool) -> Self {
        let inside = |c: char| (c.is_alphanumeric() || matches!(c, '\'' | '’')) && !is_unspaced(c);
        let (mut words, mut before) = (0_u8, false);
        for c in text.chars() {
            words = words.saturating_add(u8::from(is_unspaced(c) || inside(c) && !before));
            before = inside(c);
        }
        if text.starts_with("<0x") || !text.chars().any(char::is_alphanumeric) {
            (words, before) = (0, false);
        }
        let closes = matches!(text.trim(), "." | "!" | "?" | "…" | "..." | "。" | "！" | "？");
        let goes_on = !apart && words > 0 && text.chars().next().is_some_and(inside);
        WordCount { words, goes_on, ends_inside: before && !apart, closes }
    }
}

/// Letters of scripts whose words are not set apart by blanks.
fn is_unspaced(c: char) -> bool {
    c.is_alphabetic() && (is_cjk(c) || matches!(c, '\u{E00}'..='\u{109F}' | '\u{1780}'..='\u{17FF}'))
}
