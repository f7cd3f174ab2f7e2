//! Tokenizers: text to ids and back, stored as one `tokenizer.json` for every kind.
//!
//! Four kinds share one vocabulary layout: ids 0, 1, 2 are [`BOS`], [`EOS`], [`MASK`]; word and
//! character tokenizers add [`UNK`] as id 3; ordinary tokens follow. There is no padding id, as
//! batches are packed. The names of the special tokens contain spaces, which no ordinary token
//! can, so that no text whatsoever (`<s>`, `[MASK]`, even the names themselves) encodes to a
//! special id.
//!
//! | kind | unit | exact round trip |
//! |---|---|---|
//! | `Subword` | byte-level BPE inside words (default) | yes, any Unicode text |
//! | `Byte` | one UTF-8 byte | yes, any Unicode text |
//! | `Char` | one Unicode scalar value | unless a character was not seen in training |
//! | `Word` | blank-separated word; one character in Chinese and Japanese | no: blanks are folded, rare words become unknown |
//!
//! A subword tokenizer of a language with blanks prepends one blank to each non-empty text, so
//! that a word is the same token at the start of a line as inside; decoding takes it off again.

mod bpe;
mod error;
mod file;
mod hash;
mod merge;
mod pieces;
mod train;
mod word_counts;

use std::collections::HashMap;
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tokenizers::{Model as _, Tokenizer as Inner};

pub use error::TokenizerError;
pub use word_counts::WordCount;

/// Begin of a text.
pub const BOS: u32 = 0;
/// End of a text.
pub const EOS: u32 = 1;
/// A token hidden by noise.
pub const MASK: u32 = 2;
/// An unknown word or character (only in word and character tokenizers).
pub const UNK: u32 = 3;
/// Ids below this are special in every kind.
pub const SPECIALS: u32 = 3;

const SPECIAL_NAMES: [&str; 3] = ["[begin of text]", "[end of text]", "[masked token]"];
const UNK_NAME: &str = "[unknown token]";

/// What one token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenizerKind {
    /// Byte-level BPE: frequent words are one token, rare ones several; nothing is ever unknown.
    #[default]
    Subword,
    /// Blank-separated words (Chinese and Japanese: characters); rare words are unknown.
    Word,
    /// Unicode characters; unseen ones are unknown.
    Char,
    /// The 256 bytes of UTF-8.
    Byte,
}

impl std::fmt::Display for TokenizerKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Subword => "subword",
            Self::Word => "word",
            Self::Char => "char",
            Self::Byte => "byte",
        })
    }
}

/// What a token is in a word: a run of letters in a script that puts blanks between words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WordPart {
    /// Letters after a blank: begins a word.
    Start,
    /// Letters without a blank: goes on with a word, or begins one after a sign.
    Inner,
    /// Numbers, signs, blanks, bytes, scripts without blanks: no part of a word.
    #[default]
    Other,
}

/// A trained tokenizer.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: Inner,
    /// The fast way to encode subwords; absent for the other kinds.
    merger: Option<merge::Merger>,
    kind: TokenizerKind,
    /// Token text by id.
    names: Vec<String>,
    /// Id by character (char) or word (word); empty for the other kinds.
    ids: HashMap<String, u32>,
    reason: Option<String>,
}

impl Tokenizer {
    /// Learns a vocabulary from `texts`; the same texts give the same vocabulary, whatever their
    /// order. Without `vocab_size` the size follows from the corpus, see [`Self::vocab_reason`].
    /// A given `vocab_size` is an upper limit (a small corpus may not fill it).
    pub fn train<'a>(
        kind: TokenizerKind,
        vocab_size: Option<usize>,
        texts: impl Iterator<Item = &'a str>,
    ) -> Result<Self, TokenizerError> {
        train::train(kind, vocab_size, texts)
    }

    /// A byte-level BPE that somebody else has trained: `names` spell bytes in GPT-2's printable alphabet and get the ids from
    /// [`SPECIALS`] on, `merges` are pairs of them, the most urgent first. A text is encoded as it is, without a leading blank.
    ///
    /// # Errors
    /// If names are missing, alike, or spell no bytes, or a merge makes what is no token.
    pub fn from_merges(names: Vec<String>, merges: Vec<(String, String)>) -> Result<Self, TokenizerError> {
        let foreign = |why: String| TokenizerError::Foreign { why };
        let is_bytes = |name: &&String| !name.is_empty() && name.chars().all(|c| train::byte_of(c).is_some());
        if let Some(name) = names.iter().find(|name| !is_bytes(name)) {
            return Err(foreign(format!("its token {name:?} spells no bytes")));
        }
        let all = train::special_names().into_iter().chain(names).collect();
        let built = file::subword(train::vocabulary(all), merges, false).map_err(|e| foreign(e.to_string()))?;
        Self::from_built(built, TokenizerKind::Subword).map_err(foreign)
    }

    /// What one token stands for.
    pub fn kind(&self) -> TokenizerKind {
        self.kind
    }

    /// The number of ids, special ones included; every id is below it.
    pub fn vocab_size(&self) -> usize {
        self.names.len()
    }

    /// A sentence on how the vocabulary size came about; `None` after loading.
    pub fn vocab_reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The ids of `text`, without [`BOS`] and [`EOS`]. Never yields a special id except [`UNK`].
    pub fn encode(&self, text: &str) -> Vec<u32> {
        match self.kind {
            TokenizerKind::Byte => text.bytes().map(|b| self.ids[train::byte_name(b)]).collect(),
            TokenizerKind::Char => {
                let mut buffer = [0; 4];
                text.chars().map(|c| self.id_or_unk(c.encode_utf8(&mut buffer))).collect()
            }
            TokenizerKind::Word => train::words(text).map(|w| self.id_or_unk(w)).collect(),
            TokenizerKind::Subword => {
                let fast = self.merger.as_ref().and_then(|m| m.encode(text));
                fast.unwrap_or_else(|| self.encode_slowly(text))
            }
        }
    }

    /// The slow twin of [`merge::Merger::encode`], for any text.
    fn encode_slowly(&self, text: &str) -> Vec<u32> {
        match self.inner.encode_fast(text, false) {
            Ok(encoding) => encoding.get_ids().to_vec(),
            // The 256 bytes are all in the vocabulary (checked when loading), so BPE cannot fail;
            // bytes are a valid encoding should it ever.
            Err(_) => text.bytes().map(|b| self.ids[train::byte_name(b)]).collect(),
        }
    }

    /// [`Self::encode`] of each text, in parallel; the result does not depend on the threads.
    pub fn encode_batch<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Vec<Vec<u32>> {
        texts.par_iter().map(|t| self.encode(t.as_ref())).collect()
    }

    /// The text of `ids`. Special ids and ids outside the vocabulary are left out; unknown tokens
    /// show as `�`; bytes that are not UTF-8 (a model may write such) become `�` as well.
    pub fn decode(&self, ids: &[u32]) -> String {
        let first = match self.kind {
            TokenizerKind::Word | TokenizerKind::Char => UNK,
            _ => SPECIALS,
        };
        let tokens = ids
            .iter()
            .filter(|&&id| id >= first)
            .filter_map(|&id| self.names.get(id as usize).map(|t| (id, t.as_str())));
        match self.kind {
            TokenizerKind::Char => tokens.map(|(id, t)| if id == UNK { "\u{fffd}" } else { t }).collect(),
            TokenizerKind::Word => train::join_words(tokens.map(|(id, t)| if id == UNK { "\u{fffd}" } else { t })),
            TokenizerKind::Byte | TokenizerKind::Subword => {
                let bytes: Vec<u8> = tokens.flat_map(|(_, t)| t.chars().filter_map(train::byte_of)).collect();
                let mut text = String::from_utf8_lossy(&bytes).into_owned();
                if self.inner.get_normalizer().is_some() && text.starts_with(' ') {
                    text.remove(0);
                }
                text
            }
        }
    }

    /// How a token reads: its text for ordinary tokens (bytes that are no character by themselves
    /// as `<0xE4>`), its name for special ones; `None` outside the vocabulary.
    pub fn token_text(&self, id: u32) -> Option<String> {
        let name = self.names.get(id as usize)?;
        let bytes_kind = matches!(self.kind, TokenizerKind::Subword | TokenizerKind::Byte);
        if id < SPECIALS || !bytes_kind {
            return Some(name.clone());
        }
        let bytes: Vec<u8> = name.chars().filter_map(train::byte_of).collect();
        let mut text = String::new();
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            for b in chunk.invalid() {
                text.push_str(&format!("<0x{b:02X}>"));
            }
        }
        Some(text)
    }

    /// What each token is in a word, by id; in kinds without subwords none is part of one.
    pub fn word_parts(&self) -> Vec<WordPart> {
        let part = |id: u32| match self.token_text(id) {
            Some(text) if id >= SPECIALS && self.kind == TokenizerKind::Subword => word_part(&text),
            _ => WordPart::Other,
        };
        (0..self.vocab_size() as u32).map(part).collect()
    }

    /// What each token adds to the number of words of a text, by id; special ones nothing.
    pub fn word_counts(&self) -> Vec<WordCount> {
        let apart = self.kind == TokenizerKind::Word;
        let count = |id: u32| match self.token_text(id) {
            Some(text) if id >= SPECIALS => WordCount::of(&text, apart),
            _ => WordCount::default(),
        };
        (0..self.vocab_size() as u32).map(count).collect()
    }

    /// The number of bytes of text that each id stands for: what "bits per byte" divides by.
    /// Special ids count none.
    pub fn token_bytes(&self, id: u32) -> usize {
        match self.names.get(id as usize) {
            Some(name) if id >= SPECIALS => match self.kind {
                TokenizerKind::Subword | TokenizerKind::Byte => name.chars().count(),
                _ if id == UNK => 0,
                _ => name.len(),
            },
            _ => 0,
        }
    }

    /// The contents of a `tokenizer.json`.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TokenizerError> {
        self.inner.to_string(false).map(String::into_bytes).map_err(|e| TokenizerError::Internal(e.to_string()))
    }

    /// Reads the contents of a `tokenizer.json` that Strait has written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TokenizerError> {
        Self::from_named_bytes(bytes, "the tokenizer data")
    }

    /// Writes `tokenizer.json` to `path`.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), TokenizerError> {
        let path = path.as_ref();
        std::fs::write(path, self.to_bytes()?).map_err(|source| TokenizerError::Io {
            action: "write",
            path: path.to_owned(),
            source,
        })
    }

    /// Reads a `tokenizer.json` from `path`.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, TokenizerError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| TokenizerError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        })?;
        Self::from_named_bytes(&bytes, &path.display().to_string())
    }

    fn from_named_bytes(bytes: &[u8], name: &str) -> Result<Self, TokenizerError> {
        let corrupt = |why: String| TokenizerError::Corrupt { name: name.to_owned(), why };
        let (built, kind) = file::parse(bytes).map_err(corrupt)?;
        Self::from_built(built, kind).map_err(corrupt)
    }

    /// Checks the layout that encoding and decoding rely on.
    fn from_built(file::Built { inner, merger }: file::Built, kind: TokenizerKind) -> Result<Self, String> {
        let ids = inner.get_model().get_vocab();
        let mut names = vec![None; ids.len()];
        for (name, &id) in &ids {
            match names.get_mut(id as usize) {
                Some(slot @ None) => *slot = Some(name.clone()),
                _ => return Err(format!("token id {id} is out of range or used twice")),
            }
        }
        // As many distinct ids in range as slots: every slot is filled.
        let names: Vec<String> = names.into_iter().flatten().collect();
        for (i, special) in SPECIAL_NAMES.iter().enumerate() {
            if names.get(i).map(String::as_str) != Some(special) {
                return Err(format!("id {i} is not {special:?}, so Strait did not write it"));
            }
        }
        let unknown = matches!(kind, TokenizerKind::Word | TokenizerKind::Char);
        if unknown && names.get(UNK as usize).map(String::as_str) != Some(UNK_NAME) {
            return Err(format!("id {UNK} is not {UNK_NAME:?}"));
        }
        let byte_missing = |b: &u8| !unknown && !ids.contains_key(train::byte_name(*b));
        if let Some(b) = (0..=255u8).find(byte_missing) {
            return Err(format!("the byte {b:#04x} has no token"));
        }
        Ok(Self { inner, merger, kind, names, ids, reason: None })
    }

    fn id_or_unk(&self, token: &str) -> u32 {
        self.ids.get(token).copied().unwrap_or(UNK)
    }
}

fn word_part(text: &str) -> WordPart {
    let letters = text.strip_prefix(' ').unwrap_or(text);
    // Thai to Khmer are written without blanks, as Chinese and Japanese are.
    let spaced = |c: char| {
        c.is_alphabetic() && !train::is_cjk(c) && !matches!(c, '\u{E00}'..='\u{109F}' | '\u{1780}'..='\u{17FF}')
    };
    match !letters.is_empty() && letters.chars().all(spaced) {
        true if letters.len() < text.len() => WordPart::Start,
        true => WordPart::Inner,
        false => WordPart::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{SPECIALS, Tokenizer, WordPart::*, train, word_part};

    #[test]
    fn merges_that_somebody_else_has_learned() {
        let bytes = || (0..=255u8).map(|b| train::byte_name(b).to_owned());
        let names = |more: &[&str]| bytes().chain(more.iter().map(|m| m.to_string())).collect::<Vec<_>>();
        let merges = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
        let known = [("t", "h"), ("th", "e"), ("Ġ", "the")];
        let tokenizer = Tokenizer::from_merges(names(&["th", "the", "Ġthe"]), merges(&known)).unwrap();
        let first = SPECIALS + 256;
        assert_eq!(tokenizer.encode("the the"), [first + 1, first + 2]);
        for text in ["the", " the", "", "  Thé\n", "🦊"] {
            assert_eq!(tokenizer.decode(&tokenizer.encode(text)), text);
        }
        let again = Tokenizer::from_bytes(&tokenizer.to_bytes().unwrap()).unwrap();
        assert_eq!(again.encode("the other"), tokenizer.encode("the other"));
        for (names, pairs) in [
            (names(&["a b"]), &[][..]),
            (names(&["th", "th"]), &[]),
            (names(&[]), &[("t", "h")]),
            (bytes().skip(1).collect(), &[]),
        ] {
            assert!(Tokenizer::from_merges(names, merges(pairs)).is_err(), "{pairs:?}");
        }
    }

    #[test]
    fn parts_of_words() {
        for (text, part) in [
            (" the", Start),
            ("ness", Inner),
            ("é", Inner),
            (" 서울", Start),
            ("'s", Other),
            (" 12", Other),
            ("。", Other),
            ("中文", Other),
            ("ไทย", Other),
            ("<0xE4>", Other),
            (" ", Other),
            ("", Other),
        ] {
            assert_eq!(word_part(text), part, "{text:?}");
        }
    }
}
