//! How a text is cut into words before it is scored, as sacreBLEU cuts it.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::units::Unit;

/// The tokenisers of sacreBLEU that need no model, under its names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tokenisation {
    /// None: the text is cut at blanks.
    None,
    /// Punctuation and symbols apart, but for points and commas within numbers (mteval-v13a of NIST): the standard.
    #[default]
    #[serde(rename = "13a")]
    V13a,
    /// Every Chinese character apart, all else as [`Tokenisation::V13a`].
    Zh,
    /// Punctuation and symbols of all scripts apart (mteval-v14).
    Intl,
    /// Every character apart.
    Char,
}

impl Tokenisation {
    /// All of them.
    pub const ALL: [Tokenisation; 5] =
        [Tokenisation::None, Tokenisation::V13a, Tokenisation::Zh, Tokenisation::Intl, Tokenisation::Char];

    /// What sacreBLEU calls it.
    pub fn name(self) -> &'static str {
        match self {
            Tokenisation::None => "none",
            Tokenisation::V13a => "13a",
            Tokenisation::Zh => "zh",
            Tokenisation::Intl => "intl",
            Tokenisation::Char => "char",
        }
    }

    /// The usual one of texts: [`Tokenisation::Zh`] for scripts written without blanks, else
    /// [`Tokenisation::V13a`].
    pub fn guess<S: AsRef<str>>(texts: &[S]) -> Self {
        match Unit::guess(texts) {
            Unit::Chars => Tokenisation::Zh,
            Unit::Words => Tokenisation::V13a,
        }
    }

    /// Whether it cuts scripts that are written without blanks.
    pub fn cuts_unspaced(self) -> bool {
        matches!(self, Tokenisation::Zh | Tokenisation::Char)
    }

    /// The text with one blank between any two words.
    ///
    /// ```
    /// use strait_eval::generation::Tokenisation;
    /// assert_eq!(Tokenisation::V13a.apply("It cost 1,250.5, (they said)."), "It cost 1,250.5 , ( they said ) .");
    /// assert_eq!(Tokenisation::Zh.apply("我有3.5个iPad。"), "我 有 3.5 个 iPad 。");
    /// ```
    pub fn apply(self, text: &str) -> String {
        let text = text.trim_end();
        let cut = match self {
            Tokenisation::None => return words(text),
            Tokenisation::V13a => split_western(&format!(" {} ", unescape(&text.replace("<skipped>", "")))),
            Tokenisation::Zh => split_western(&apart(text.trim_start(), is_chinese)),
            Tokenisation::Intl => split_international(text),
            Tokenisation::Char => apart(text, |_| true),
        };
        words(&cut)
    }
}

/// One blank between any two words.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Blanks around every character of a kind.
pub(super) fn apart(text: &str, kind: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(2 * text.len());
    for c in text.chars() {
        match kind(c) {
            true => out.extend([' ', c, ' ']),
            false => out.push(c),
        }
    }
    out
}

/// Joins lines and reads the escapes of SGML.
fn unescape(text: &str) -> String {
    read_escapes(&text.replace("-\n", "").replace('\n', " "))
}

pub(super) fn read_escapes(text: &str) -> String {
    // In this order: "&amp;lt;" becomes "<".
    [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")]
        .iter()
        .fold(text.to_owned(), |text, (escape, c)| text.replace(escape, c))
}

/// The rules of mteval-v13a for languages with blanks.
fn split_western(text: &str) -> String {
    split_points(&split_symbols(text))
}

/// Blanks around ASCII symbols other than `'`, `,`, `-` and `.`.
pub(super) fn split_symbols(text: &str) -> String {
    apart(text, |c| c == ' ' || (c.is_ascii_punctuation() && !matches!(c, '\'' | ',' | '-' | '.')))
}

/// Points and commas apart unless they stand within a number, dashes apart after a digit.
pub(super) fn split_points(text: &str) -> String {
    static RULES: LazyLock<[(Regex, &str); 3]> = LazyLock::new(|| {
        [
            (rule("([^0-9])([.,])"), "$1 $2 "), //
            (rule("([.,])([^0-9])"), " $1 $2"),
            (rule("([0-9])(-)"), "$1 $2 "),
        ]
    });
    rewrite(text, &*RULES)
}

/// The rules of mteval-v14: \p{N} numbers, \p{P} punctuation, \p{S} symbols. A point at the end of a text stays with a
/// number before it; so it is in the original.
fn split_international(text: &str) -> String {
    static RULES: LazyLock<[(Regex, &str); 3]> = LazyLock::new(|| {
        [
            (rule(r"(\P{N})(\p{P})"), "$1 $2 "), //
            (rule(r"(\p{P})(\P{N})"), " $1 $2"),
            (rule(r"(\p{S})"), " $1 "),
        ]
    });
    rewrite(text, &*RULES)
}

fn rewrite(text: &str, rules: &[(Regex, &str)]) -> String {
    rules.iter().fold(text.to_owned(), |text, (rule, by)| rule.replace_all(&text, *by).into_owned())
}

/// A pattern of this crate's own; each is tried by a test.
pub(super) fn rule(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant")
}

/// What sacreBLEU's `zh` sets apart. Its table means to hold the blocks U+20000 and U+2F800, but ends up with most of
/// U+2001..U+2A6D, among which are quotation marks and dashes, and without the rarest characters: kept, so that figures
/// can be compared.
fn is_chinese(c: char) -> bool {
    matches!(u32::from(c),
        0x2001..=0x2A6D
        | 0x2E80..=0x2FDF
        | 0x2FF0..=0x303F
        | 0x3100..=0x312F
        | 0x31A0..=0x31BF
        | 0x31C0..=0x31EF
        | 0x3200..=0x4DB5
        | 0x4E00..=0x9FBB
        | 0xF900..=0xFA2D
        | 0xFA30..=0xFA6A
        | 0xFA70..=0xFAD9
        | 0xFE10..=0xFE1F
        | 0xFE30..=0xFE4F
        | 0xFF00..=0xFFEF
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tokenisation_of_one_text() {
        let text = " Well-known, isn't it?  100-200 km, 3.5% of “数据”。";
        let cut = |t: Tokenisation| t.apply(text);
        assert_eq!(cut(Tokenisation::None), "Well-known, isn't it? 100-200 km, 3.5% of “数据”。");
        assert_eq!(cut(Tokenisation::V13a), "Well-known , isn't it ? 100 - 200 km , 3.5 % of “数据”。");
        assert_eq!(cut(Tokenisation::Zh), "Well-known , isn't it ? 100 - 200 km , 3.5 % of “ 数 据 ” 。");
        assert_eq!(cut(Tokenisation::Intl), "Well - known , isn ' t it ? 100-200 km , 3.5 % of “ 数据 ” 。");
        assert_eq!(cut(Tokenisation::Char).split(' ').take(4).collect::<String>(), "Well");
    }

    #[test]
    fn a_text_of_blanks_has_no_word() {
        for tokenisation in Tokenisation::ALL {
            assert_eq!(tokenisation.apply(" \t "), "", "{tokenisation:?}");
        }
    }
}
