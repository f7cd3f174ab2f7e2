//! Byte-pair encoding of one piece after another: what `tokenizers` does, several times as fast.
//!
//! A piece that is one token is looked up whole; any other is merged, the earliest learned pair
//! first, of equal pairs the leftmost. The `tokenizers` crate is the slow twin, and takes over where
//! [`pieces`] does not know a script and for very long pieces.

use std::collections::HashMap;

use super::hash::QuickMap;
use super::{SPECIALS, pieces, train};

/// Pieces of more bytes are left to the slow twin, whose time does not grow with their square.
const LONGEST: usize = 400;

#[derive(Debug, Clone)]
pub(super) struct Merger {
    /// The id of each byte.
    bytes: Vec<u32>,
    /// The rank and the id that a pair of ids merges to.
    merges: QuickMap<(u32, u32), (u32, u32)>,
    /// Pieces that are one token.
    whole: QuickMap<Box<str>, u32>,
    /// Every text gets a leading blank.
    prefix: bool,
}

impl Merger {
    /// `None` when the tables are not those of a byte-level vocabulary.
    pub fn new(ids: &HashMap<String, u32>, merges: &[(String, String)], prefix: bool) -> Option<Self> {
        let bytes: Option<Vec<u32>> = (0..=255u8).map(|b| ids.get(train::byte_name(b)).copied()).collect();
        let mut merger = Self { bytes: bytes?, merges: QuickMap::default(), whole: QuickMap::default(), prefix };
        for (rank, (a, b)) in merges.iter().enumerate() {
            let merged = (rank as u32, *ids.get(&format!("{a}{b}"))?);
            // Of a pair that is listed twice, the tokenizers crate keeps the later.
            merger.merges.insert((*ids.get(a)?, *ids.get(b)?), merged);
        }
        let mut out = Vec::new();
        for (name, &id) in ids.iter().filter(|(_, id)| **id >= SPECIALS) {
            let bytes: Option<Vec<u8>> = name.chars().map(train::byte_of).collect();
            if let Some(text) = bytes.filter(|b| b.len() <= LONGEST).and_then(|b| String::from_utf8(b).ok()) {
                out.clear();
                merger.merge(text.as_bytes(), &mut Vec::new(), &mut out);
                if out == [id] {
                    merger.whole.insert(text.into(), id);
                }
            }
        }
        Some(merger)
    }

    /// The ids of `text`; `None` where it is the slow twin's turn.
    pub fn encode(&self, text: &str) -> Option<Vec<u32>> {
        let prefixed;
        let text = if self.prefix && !text.is_empty() {
            prefixed = format!(" {text}");
            &prefixed
        } else {
            text
        };
        let mut ids = Vec::with_capacity(text.len() / 4 + 1);
        let mut work = Vec::new();
        for piece in pieces::pieces(text)? {
            match self.whole.get(piece) {
                Some(&id) => ids.push(id),
                None if piece.len() > LONGEST => return None,
                None => self.merge(piece.as_bytes(), &mut work, &mut ids),
            }
        }
        Some(ids)
    }

    /// Appends the ids of one piece to `out`. `work` holds each part's id and the rank and id of its
    /// merge with the next.
    fn merge(&self, piece: &[u8], work: &mut Vec<(u32, Option<(u32, u32)>)>, out: &mut Vec<u32>) {
        let pair = |a: u32, b: u32| self.merges.get(&(a, b)).copied();
        work.clear();
        work.extend(piece.iter().map(|&b| (self.bytes[b as usize], None)));
        for i in 1..work.len() {
            work[i - 1].1 = pair(work[i - 1].0, work[i].0);
        }
        // Each pair has its own rank, so that the least rank at the least place is the leftmost pair.
        let first = |work: &[(u32, Option<(u32, u32)>)]| {
            work.iter().enumerate().filter_map(|(i, w)| w.1.map(|(rank, merged)| (rank, i, merged))).min()
        };
        while let Some((_, i, merged)) = first(work) {
            work.remove(i + 1);
            let next = work.get(i + 1).and_then(|w| pair(merged, w.0));
            work[i] = (merged, next);
            if i > 0 {
                work[i - 1].1 = pair(work[i - 1].0, merged);
            }
        }
        out.extend(work.iter().map(|w| w.0));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::super::{Tokenizer, TokenizerKind};

    /// Tokenizers with many merges, with a leading blank and without.
    static BOTH: LazyLock<[Tokenizer; 2]> = LazyLock::new(|| {
        let grammar = crate::grammar::Grammar::default();
        [crate::grammar::Language::English, crate::grammar::Language::Chinese].map(|language| {
            let corpus = grammar.corpus(3000, Some(language), 1);
            Tokenizer::train(TokenizerKind::Subword, None, corpus.iter().map(|s| s.text.as_str())).unwrap()
        })
    });

    proptest! {
        #[test]
        fn equals_the_slow_twin(
            any: String, near in "[a-eA sthe'n.,\n]{0,60}", chinese in "[我的们上下小在会了那一，。 a]{0,60}",
        ) {
            for t in &*BOTH {
                for text in [&any, &near, &chinese] {
                    prop_assert_eq!(t.encode(text), t.encode_slowly(text));
                }
            }
        }

        #[test]
        fn equals_the_slow_twin_on_letters_in_any_order(letters in "[abc]{1,20}", corpus in proptest::collection::vec("[abc]{1,9}", 1..20)) {
            let t = Tokenizer::train(TokenizerKind::Subword, Some(300), corpus.iter().map(String::as_str)).unwrap();
            prop_assert!(t.merger.is_some());
            prop_assert_eq!(t.encode(&letters), t.encode_slowly(&letters));
        }
    }

    #[test]
    fn equals_the_slow_twin_on_sentences_and_long_words() {
        for sentence in crate::grammar::Grammar::default().corpus(500, None, 2) {
            for t in &*BOTH {
                assert_eq!(t.encode(&sentence.text), t.encode_slowly(&sentence.text), "{}", sentence.text);
            }
        }
        for t in &*BOTH {
            let long = "kitchen".repeat(super::LONGEST);
            assert_eq!(t.encode(&long), t.encode_slowly(&long));
            assert_eq!(t.decode(&t.encode(&long)), long);
        }
    }
}
