//! What is counted: words or characters, and their ids.
//!
//! Every metric of this crate runs over sentences of `u32` ids. [`Unit`] says how a text is cut, [`Interner`] gives
//! each distinct unit its id. The first ids are reserved: [`BOS`] pads the start of a sentence, [`EOS`] ends it,
//! [`UNK`] stands for every unit outside a language model's vocabulary.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::ngrams::MAX_ID;

/// Id of the padding before a sentence; never the id of a unit of a text, even of one spelled `<s>`.
pub const BOS: u32 = 0;
/// Id of the end of a sentence; never the id of a unit of a text, even of one spelled `</s>`.
pub const EOS: u32 = 1;
/// Id of a unit outside the vocabulary; a unit spelled `<unk>` in a text has this id too, as corpora use it so.
pub const UNK: u32 = 2;

/// Number of texts that [`Unit::guess`] looks at.
const GUESS_TEXTS: usize = 1000;

/// How a text is cut into units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Maximal runs of non-blank characters: languages written with blanks, or tokenised text.
    Words,
    /// Every non-blank character: Chinese, Japanese and the like.
    Chars,
}

impl Unit {
    /// Guesses the unit from the first texts: characters when most letters belong to a script written without blanks
    /// (Han, Kana, Thai, Lao, Myanmar, Khmer) and blanks between two such letters are fewer than one in five of them.
    /// Segmented Chinese, which has a blank between words, therefore reads as words.
    pub fn guess<S: AsRef<str>>(texts: &[S]) -> Unit {
        let (mut letters, mut unspaced, mut blanks) = (0usize, 0usize, 0usize);
        for text in texts.iter().take(GUESS_TEXTS) {
            let chars: Vec<char> = text.as_ref().chars().collect();
            letters += chars.iter().filter(|c| c.is_alphabetic()).count();
            unspaced += chars.iter().filter(|&&c| is_unspaced(c)).count();
            blanks +=
                chars.windows(3).filter(|w| is_unspaced(w[0]) && w[1].is_whitespace() && is_unspaced(w[2])).count();
        }
        if 2 * unspaced > letters && 5 * blanks < unspaced { Unit::Chars } else { Unit::Words }
    }

    /// The units of `text`, in order.
    ///
    /// ```
    /// use strait_eval::Unit;
    /// assert_eq!(Unit::Words.split(" a  cat. "), ["a", "cat."]);
    /// assert_eq!(Unit::Chars.split("一只 猫"), ["一", "只", "猫"]);
    /// ```
    pub fn split(self, text: &str) -> Vec<&str> {
        match self {
            Unit::Words => text.split_whitespace().collect(),
            Unit::Chars => text
                .char_indices()
                .filter(|(_, c)| !c.is_whitespace())
                .map(|(at, c)| &text[at..at + c.len_utf8()])
                .collect(),
        }
    }

    /// What stands between two units when they are written as a text again: a blank, or nothing.
    pub fn separator(self) -> &'static str {
        match self {
            Unit::Words => " ",
            Unit::Chars => "",
        }
    }
}

/// Whether `c` belongs to a script whose words are not set apart by blanks.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF      // Thai, Lao
        | 0x1000..=0x109F    // Myanmar
        | 0x1780..=0x17FF    // Khmer
        | 0x3005..=0x3007    // iteration mark, zero
        | 0x3040..=0x30FF    // Hiragana, Katakana
        | 0x31F0..=0x31FF    // Katakana extensions
        | 0x3400..=0x4DBF    // Han, extension A
        | 0x4E00..=0x9FFF    // Han
        | 0xF900..=0xFAFF    // Han, compatibility
        | 0x20000..=0x3FFFF  // Han, further extensions
    )
}

/// Gives each distinct unit an id, in order of first sight.
///
/// A language model's vocabulary is a bound on ids: intern the training text first and every id below
/// [`Interner::len`] of that moment is known, every later one is not.
#[derive(Debug, Clone)]
pub struct Interner {
    ids: FxHashMap<Arc<str>, u32>,
    names: Vec<Arc<str>>,
}

impl Default for Interner {
    fn default() -> Self {
        let names: Vec<Arc<str>> = ["<s>", "</s>", "<unk>"].map(Arc::from).to_vec();
        let ids = FxHashMap::from_iter([(names[UNK as usize].clone(), UNK)]);
        Self { ids, names }
    }
}

impl Interner {
    /// An interner that holds only the reserved ids.
    pub fn new() -> Self {
        Self::default()
    }

    /// The id of `unit`, a new one at first sight. After 2^25 distinct units, the most that an n-gram key can hold,
    /// every further one reads as [`UNK`].
    pub fn intern(&mut self, unit: &str) -> u32 {
        if let Some(&id) = self.ids.get(unit) {
            return id;
        }
        if self.names.len() > MAX_ID as usize {
            return UNK;
        }
        let (id, name) = (self.names.len() as u32, Arc::<str>::from(unit));
        self.names.push(name.clone());
        self.ids.insert(name, id);
        id
    }

    /// The id of `unit`, or [`UNK`] when it has none.
    pub fn id(&self, unit: &str) -> u32 {
        self.ids.get(unit).copied().unwrap_or(UNK)
    }

    /// The ids of the units of `text`.
    pub fn encode(&mut self, text: &str, unit: Unit) -> Vec<u32> {
        unit.split(text).into_iter().map(|u| self.intern(u)).collect()
    }

    /// The ids of every text that has at least one unit; empty texts are left out.
    pub fn encode_all<S: AsRef<str>>(&mut self, texts: &[S], unit: Unit) -> Vec<Vec<u32>> {
        texts.iter().map(|t| self.encode(t.as_ref(), unit)).filter(|ids| !ids.is_empty()).collect()
    }

    /// The text of `ids`; ids that were never given read as `<unk>`.
    pub fn decode(&self, ids: &[u32], unit: Unit) -> String {
        let names: Vec<&str> = ids.iter().map(|&id| self.names.get(id as usize).map_or("<unk>", |n| n)).collect();
        names.join(unit.separator())
    }

    /// Number of ids given, the reserved ones included.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether no unit has been interned yet.
    pub fn is_empty(&self) -> bool {
        self.names.len() == 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_the_unit_by_script_and_blanks() {
        assert_eq!(Unit::guess(&["a red kite", "two boats"]), Unit::Words);
        assert_eq!(Unit::guess(&["今天下雨了。", "我有 3 个 iPad。"]), Unit::Chars);
        assert_eq!(Unit::guess(&["ねこがいます", "テレビ"]), Unit::Chars);
        assert_eq!(Unit::guess(&["今天 下雨 了", "我 有 书"]), Unit::Words);
        assert_eq!(Unit::guess(&["오늘은 비가 온다"]), Unit::Words);
        assert_eq!(Unit::guess::<&str>(&[]), Unit::Words);
    }

    #[test]
    fn ids_are_given_in_order_and_read_back() {
        let mut interner = Interner::new();
        assert!(interner.is_empty());
        assert_eq!(interner.encode("b a b", Unit::Words), [3, 4, 3]);
        assert_eq!(interner.len(), 5);
        assert_eq!(interner.decode(&[4, 3, 99], Unit::Words), "a b <unk>");
        assert_eq!(interner.encode_all(&["  ", "a", ""], Unit::Words), [[4]]);
    }

    #[test]
    fn only_unk_of_the_reserved_spellings_is_shared_with_texts() {
        let mut interner = Interner::new();
        let ids = interner.encode("<unk> <s> </s>", Unit::Words);
        assert_eq!(ids, [UNK, 3, 4]);
    }
}
