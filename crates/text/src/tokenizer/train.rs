//! How each kind of tokenizer learns its vocabulary, and how large it is.
//!
//! Subwords: merges go on while a pair occurs often enough, so that every word that occurs that
//! often is one token; what occurs less is spelled from parts. That, not a fixed size, sets the
//! vocabulary, up to a ceiling.

use std::collections::HashMap;
use std::sync::LazyLock;

use rayon::prelude::*;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer as _};

use super::file::Built;
use super::pieces::pieces;
use super::{SPECIAL_NAMES, SPECIALS, Tokenizer, TokenizerError, TokenizerKind, UNK_NAME, bpe, file};

/// The largest vocabulary chosen without being asked.
const CEILING: usize = 16_384;
/// The largest word list chosen without being asked.
const WORD_CEILING: usize = 20_000;
/// A share of blanks above this means that blanks separate words.
const BLANK_SHARE: f64 = 0.05;
pub(super) fn train<'a>(
    kind: TokenizerKind,
    vocab_size: Option<usize>,
    texts: impl Iterator<Item = &'a str>,
) -> Result<Tokenizer, TokenizerError> {
    let texts: Vec<&str> = texts.filter(|t| !t.is_empty()).collect();
    if texts.is_empty() {
        return Err(TokenizerError::NoText);
    }
    let least = match kind {
        TokenizerKind::Subword | TokenizerKind::Byte => SPECIALS as usize + 256,
        TokenizerKind::Word | TokenizerKind::Char => SPECIALS as usize + 2,
    };
    if let Some(wanted) = vocab_size.filter(|&w| w < least) {
        return Err(TokenizerError::VocabularyTooSmall { kind, wanted, least });
    }
    let (built, reason) = match kind {
        TokenizerKind::Subword => subword(&texts, vocab_size)?,
        TokenizerKind::Byte => byte()?,
        TokenizerKind::Word => word(&texts, vocab_size)?,
        TokenizerKind::Char => character(&texts, vocab_size)?,
    };
    let mut tokenizer = Tokenizer::from_built(built, kind).map_err(TokenizerError::Internal)?;
    tokenizer.reason = Some(reason);
    Ok(tokenizer)
}

fn internal(e: impl std::fmt::Display) -> TokenizerError {
    TokenizerError::Internal(e.to_string())
}

fn subword(texts: &[&str], wanted: Option<usize>) -> Result<(Built, String), TokenizerError> {
    let chars: usize = texts.par_iter().map(|t| t.chars().count()).sum();
    let blanks: usize = texts.par_iter().map(|t| t.matches(' ').count()).sum();
    let prefix = blanks as f64 > BLANK_SHARE * chars as f64;
    let counts = count_pieces(texts, prefix)?;

    let min_count = match wanted {
        Some(_) => 2,
        None => least_count(chars),
    };
    let ceiling = wanted.unwrap_or(CEILING);
    let words = counts.iter().map(|(piece, &n)| (piece.iter().map(|&b| u32::from(b)).collect(), n)).collect();
    let mut expansions: Vec<Vec<u8>> = (0..=255u8).map(|b| vec![b]).collect();
    let phrase = if wanted.is_some() { min_count } else { min_count * PHRASE_FACTOR };
    let least = bpe::Least { count: min_count, phrase, character: 1 };
    let merges = bpe::learn(words, &mut expansions, ceiling - SPECIALS as usize, least);

    let spelled: Vec<String> = expansions.iter().map(|bytes| bytes.iter().map(|&b| byte_name(b)).collect()).collect();
    let merges = merges.iter().map(|&(a, b)| (spelled[a as usize].clone(), spelled[b as usize].clone())).collect();
    let mut names = special_names();
    names.extend(spelled);
    let size = names.len();
    let reason = match wanted {
        Some(w) if size < w => {
            format!("{size} subwords: {w} were asked for, but no pair of parts occurs twice any more")
        }
        Some(w) => format!("{w} subwords, as asked for"),
        None if size == CEILING => {
            format!("{size} subwords: the ceiling for a corpus of {chars} characters")
        }
        None => format!(
            "{size} subwords: in a corpus of {chars} characters every word or part that occurs {min_count} times or more became one token"
        ),
    };
    Ok((file::subword(vocabulary(names), merges, prefix).map_err(internal)?, reason))
}

/// So many times more often a phrase of a script without blanks must occur than a word.
const PHRASE_FACTOR: u64 = 10;

/// How often a part must occur to become a token. A word that is one token is never misspelled by a decoder, so the
/// bar is low (docs/log.md has the comparison); a larger corpus can afford a higher one.
fn least_count(chars: usize) -> u64 {
    match chars {
        0..1_500_000 => 3,
        1_500_000..6_000_000 => 5,
        _ => 8,
    }
}

fn byte() -> Result<(Built, String), TokenizerError> {
    let mut names = special_names();
    names.extend((0..=255u8).map(|b| byte_name(b).to_owned()));
    let reason = format!("{} ids: the 256 bytes and the special ones", names.len());
    Ok((file::byte(vocabulary(names)).map_err(internal)?, reason))
}

fn word(texts: &[&str], wanted: Option<usize>) -> Result<(Built, String), TokenizerError> {
    let counts = count_all(texts, |t, add| words(t).for_each(add));
    let least = if wanted.is_some() { 1 } else { 3 };
    let (names, reason) = word_list(counts, least, wanted, WORD_CEILING, "words");
    Ok((file::word(vocabulary(names)).map_err(internal)?, reason))
}

fn character(texts: &[&str], wanted: Option<usize>) -> Result<(Built, String), TokenizerError> {
    let counts = count_all(texts, |t, add| {
        t.char_indices().for_each(|(i, c)| add(&t[i..i + c.len_utf8()]));
    });
    let (names, reason) = word_list(counts, 1, wanted, CEILING, "characters");
    Ok((file::character(vocabulary(names)).map_err(internal)?, reason))
}

/// The names of a list of tokens: the most frequent first, equals in the order of their bytes.
fn word_list(
    counts: HashMap<&str, u64>,
    least: u64,
    wanted: Option<usize>,
    ceiling: usize,
    unit: &str,
) -> (Vec<String>, String) {
    let distinct = counts.len();
    let mut list: Vec<(&str, u64)> = counts.into_iter().collect();
    list.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let room = wanted.unwrap_or(ceiling) - SPECIALS as usize - 1;
    let often = list.iter().take_while(|(_, n)| *n >= least).count();
    // A tiny corpus where nothing repeats keeps everything: better than a vocabulary of nothing.
    let keep = if often == 0 { distinct } else { often }.min(room);
    let mut names = special_names();
    names.push(UNK_NAME.to_owned());
    names.extend(list[..keep].iter().map(|(t, _)| (*t).to_owned()));
    let reason = format!(
        "{} ids: {keep} of {distinct} distinct {unit} ({}); the rest are unknown",
        names.len(),
        match (wanted, keep == room) {
            (Some(_), true) => "as many as asked for".to_owned(),
            (None, true) => "the ceiling".to_owned(),
            _ => format!("those that occur {least} times or more"),
        }
    );
    (names, reason)
}

pub(super) fn special_names() -> Vec<String> {
    SPECIAL_NAMES.iter().map(|s| (*s).to_owned()).collect()
}

/// Ids in the order of the names.
pub(super) fn vocabulary(names: Vec<String>) -> HashMap<String, u32> {
    names.into_iter().zip(0..).collect()
}

/// Counts the pieces (words with their leading blank, as bytes) that BPE merges inside of.
fn count_pieces(texts: &[&str], prefix: bool) -> Result<HashMap<Vec<u8>, u64>, TokenizerError> {
    texts
        .par_chunks(4096)
        .map(|chunk| {
            let mut counts: HashMap<Vec<u8>, u64> = HashMap::new();
            let mut add = |piece: &[u8]| match counts.get_mut(piece) {
                Some(n) => *n += 1,
                None => {
                    counts.insert(piece.to_owned(), 1);
                }
            };
            let mut text = String::new();
            for t in chunk {
                text.clear();
                text.extend([if prefix { " " } else { "" }, t]);
                match pieces(&text) {
                    Some(pieces) => pieces.iter().for_each(|p| add(p.as_bytes())),
                    None => pieces_slowly(&text)?.iter().for_each(|p| add(p)),
                }
            }
            Ok(counts)
        })
        .try_reduce(HashMap::new, |a, b| Ok(add_counts(a, b)))
}

/// The slow twin of [`pieces`], for any text.
fn pieces_slowly(text: &str) -> Result<Vec<Vec<u8>>, TokenizerError> {
    let mut pieces = PreTokenizedString::from(text);
    ByteLevel::new(false, false, true).pre_tokenize(&mut pieces).map_err(internal)?;
    let splits = pieces.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
    Ok(splits.into_iter().map(|(piece, _, _)| piece.chars().filter_map(byte_of).collect()).collect())
}

fn count_all<'a>(texts: &[&'a str], each: impl Fn(&'a str, &mut dyn FnMut(&'a str)) + Sync) -> HashMap<&'a str, u64> {
    texts
        .par_chunks(4096)
        .map(|chunk| {
            let mut counts = HashMap::new();
            for text in chunk {
                each(text, &mut |token| *counts.entry(token).or_default() += 1);
            }
            counts
        })
        .reduce(HashMap::new, add_counts)
}

fn add_counts<K: std::hash::Hash + Eq>(mut a: HashMap<K, u64>, b: HashMap<K, u64>) -> HashMap<K, u64> {
    if a.is_empty() {
        return b;
    }
    for (k, n) in b {
        *a.entry(k).or_default() += n;
    }
    a
}

/// The words of a text: blank-separated, Chinese and Japanese characters one by one.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().flat_map(|word| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let first = rest.chars().next()?;
            let end = if is_cjk(first) { first.len_utf8() } else { rest.find(is_cjk).unwrap_or(rest.len()) };
            let (head, tail) = rest.split_at(end);
            rest = tail;
            Some(head)
        })
    })
}

/// Joins words with blanks, except next to a Chinese or Japanese character.
pub(super) fn join_words<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for word in words {
        let glued = text.is_empty() || text.ends_with(is_cjk) && word.starts_with(is_cjk);
        if !glued {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// Han, kana, and the punctuation that goes with them; the same set as in the saved file's pattern.
pub(super) fn is_cjk(c: char) -> bool {
    matches!(c,
        '\u{2E80}'..='\u{2FDF}' | '\u{3000}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{3FFFD}')
}

/// The printable character that stands for each byte (the byte alphabet of GPT-2, which
/// `tokenizer.json` prescribes): printable bytes are themselves, the others follow from U+0100.
static BYTE_NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut next = 256;
    (0..=255u8)
        .map(|b| {
            let code = if matches!(b, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF) {
                u32::from(b)
            } else {
                next += 1;
                next - 1
            };
            char::from_u32(code).map(String::from).unwrap_or_default()
        })
        .collect()
});

static BYTES: LazyLock<HashMap<char, u8>> =
    LazyLock::new(|| (0..=255u8).filter_map(|b| BYTE_NAMES[b as usize].chars().next().map(|c| (c, b))).collect());

pub(super) fn byte_name(byte: u8) -> &'static str {
    &BYTE_NAMES[byte as usize]
}

pub(super) fn byte_of(symbol: char) -> Option<u8> {
    BYTES.get(&symbol).copied()
}
