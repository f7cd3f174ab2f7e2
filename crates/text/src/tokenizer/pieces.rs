//! The pieces that byte-pair merges stay inside of: words with their leading blank, numbers, signs.
//!
//! The same as the pattern of GPT-2, which `tokenizer.json` prescribes,
//!
//! ```text
//! 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//! ```
//!
//! without a regular expression. The standard library does not tell letters (`\p{L}`) from
//! alphabetic marks, so that texts in scripts not listed in [`class`] are left to the slow twin, the
//! `tokenizers` crate.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Blank,
    Letter,
    Number,
    Sign,
}

/// `None` for what might be a letter or not.
fn class(c: char) -> Option<Class> {
    if c.is_ascii() {
        return Some(match c {
            'a'..='z' | 'A'..='Z' => Class::Letter,
            '0'..='9' => Class::Number,
            _ if c.is_whitespace() => Class::Blank,
            _ => Class::Sign,
        });
    }
    // Beyond the basic plane emoji and Han are listed: newer Unicode versions add scripts there.
    if c > '\u{FFFF}' && !matches!(c, '\u{1F000}'..='\u{1FAFF}' | '\u{20000}'..='\u{2A6DF}' | '\u{E0020}'..='\u{E007F}')
    {
        return None;
    }
    if c.is_numeric() {
        return Some(Class::Number);
    }
    if !c.is_alphabetic() {
        return Some(if c.is_whitespace() { Class::Blank } else { Class::Sign });
    }
    // Latin, Greek, Cyrillic, Hebrew, Arabic; kana, Han, Hangul, full width.
    let letter = matches!(c,
        '\u{AA}'..='\u{2AF}' | '\u{370}'..='\u{481}' | '\u{48A}'..='\u{52F}' | '\u{5D0}'..='\u{5EA}'
        | '\u{620}'..='\u{64A}' | '\u{1E00}'..='\u{1FFF}' | '\u{3041}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' | '\u{FF21}'..='\u{FF5A}' | '\u{20000}'..='\u{2A6DF}');
    letter.then_some(Class::Letter)
}

/// The pieces of `text`, which together are the text; `None` when it holds a character of unknown
/// class.
pub(super) fn pieces(text: &str) -> Option<Vec<&str>> {
    let mut pieces = Vec::with_capacity(text.len() / 4 + 1);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (piece, behind) = rest.split_at(piece_end(rest, first)?);
        pieces.push(piece);
        rest = behind;
    }
    Some(pieces)
}

/// Where the piece at the beginning of `rest` ends.
fn piece_end(rest: &str, first: char) -> Option<usize> {
    if first == '\'' {
        let contraction = ["s", "t", "re", "ve", "m", "ll", "d"].iter().find(|c| rest[1..].starts_with(**c));
        if let Some(letters) = contraction {
            return Some(1 + letters.len());
        }
    }
    let kind = class(first)?;
    if kind != Class::Blank {
        return run(rest, 0, kind);
    }
    let after = first.len_utf8();
    if first == ' '
        && let Some(next) = rest[after..].chars().next()
    {
        let kind = class(next)?;
        if kind != Class::Blank {
            return run(rest, after, kind);
        }
    }
    let end = run(rest, 0, Class::Blank)?;
    // The last blank before a word goes with the word, or stands alone.
    let last = rest[..end].chars().next_back().map_or(0, char::len_utf8);
    Some(if end == rest.len() || end == last { end } else { end - last })
}

/// The end of the characters of class `kind` from byte `start` on.
fn run(text: &str, start: usize, kind: Class) -> Option<usize> {
    for (i, c) in text[start..].char_indices() {
        if class(c)? != kind {
            return Some(start + i);
        }
    }
    Some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokenizers::pre_tokenizers::byte_level::ByteLevel;
    use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer as _};

    /// The slow twin; `None` where the fast one hands over to it.
    fn both(text: &str) -> Option<(Vec<String>, Vec<String>)> {
        let fast = pieces(text)?.into_iter().map(str::to_owned).collect();
        let mut pieces = PreTokenizedString::from(text);
        ByteLevel::new(false, false, true).pre_tokenize(&mut pieces).unwrap();
        let splits = pieces.get_splits(OffsetReferential::Original, OffsetType::Byte);
        Some((fast, splits.into_iter().map(|(_, (a, b), _)| text[a..b].to_owned()).collect()))
    }

    proptest! {
        #[test]
        fn equals_the_slow_twin(text in "[a-zA-Z0-9 \n\t'.!é我。１\u{a0}\u{3000}🏳️‍]{0,40}", any: String) {
            for text in [text, any] {
                if let Some((fast, slow)) = both(&text) {
                    prop_assert_eq!(fast, slow);
                }
            }
        }

        #[test]
        fn contractions(text in "('(s|t|re|ve|m|ll|d|S|r|v|l)|[a-c '!]){0,12}") {
            let (fast, slow) = both(&text).unwrap();
            prop_assert_eq!(fast, slow);
        }
    }

    #[test]
    fn every_character_has_the_class_of_the_slow_twin() {
        // Many to a text, as each alone is slow: a letter, a number and a sign show its class.
        let all: Vec<char> = (0..=0x10ffff).filter_map(char::from_u32).filter(|&c| class(c).is_some()).collect();
        for few in all.chunks(1000) {
            let text: String = few.iter().map(|c| format!("a{c}1{c}.")).collect();
            let (fast, slow) = both(&text).unwrap();
            assert!(fast == slow, "between {:x} and {:x}", few[0] as u32, few[few.len() - 1] as u32);
        }
    }

    #[test]
    fn scripts_that_are_not_listed_are_handed_over() {
        assert!(both("ภาษาไทย").is_none());
        assert!(both("plain, 我们 и é").is_some());
    }
}
