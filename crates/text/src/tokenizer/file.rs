//! `tokenizer.json`: how each kind is laid out in the open format of the `tokenizers` crate.
//!
//! Reading does not hand the file to that crate, whose reader panics on some damaged files: the
//! few fields that vary (vocabulary, merges, leading blank) are taken out and checked, and the
//! tokenizer is put together anew. What a file forbids: added tokens, other models.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;
use tokenizers::decoders::fuse::Fuse;
use tokenizers::decoders::sequence::Sequence;
use tokenizers::decoders::strip::Strip;
use tokenizers::models::bpe::BPE;
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::normalizers::prepend::Prepend;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence as PreSequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
use tokenizers::{DecoderWrapper, NormalizerWrapper, Result, SplitDelimiterBehavior, Tokenizer as Inner};

use super::merge::Merger;
use super::{TokenizerKind, UNK_NAME};

/// Characters of Chinese and Japanese, and their punctuation, each a word of its own.
const CJK: &str = concat!(
    r"[\x{2E80}-\x{2FDF}\x{3000}-\x{30FF}\x{31F0}-\x{31FF}\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}",
    r"\x{F900}-\x{FAFF}\x{FF00}-\x{FFEF}\x{20000}-\x{3FFFD}]",
);

type Ids = HashMap<String, u32>;
type Merges = Vec<(String, String)>;

/// A tokenizer of the `tokenizers` crate, with our fast way to do the same where there is one.
pub(super) struct Built {
    pub inner: Inner,
    pub merger: Option<Merger>,
}

impl From<Inner> for Built {
    fn from(inner: Inner) -> Self {
        Self { inner, merger: None }
    }
}

/// Byte-level BPE inside words; with `prefix`, every text gets a leading blank.
pub(super) fn subword(ids: Ids, merges: Merges, prefix: bool) -> Result<Built> {
    let merger = Merger::new(&ids, &merges, prefix);
    let mut inner = byte_level(ids, merges, true)?;
    if prefix {
        inner.with_normalizer(Some(NormalizerWrapper::Prepend(Prepend::new(" ".into()))))?;
        inner.with_decoder(Some(Sequence::new(vec![
            DecoderWrapper::ByteLevel(ByteLevel::default()),
            DecoderWrapper::Strip(Strip::new(' ', 1, 0)),
        ])));
    }
    Ok(Built { inner, merger })
}

/// Bytes without merges.
pub(super) fn byte(ids: Ids) -> Result<Built> {
    byte_level(ids, Vec::new(), false).map(Built::from)
}

fn byte_level(ids: Ids, merges: Merges, use_regex: bool) -> Result<Inner> {
    let model =
        BPE::builder().vocab_and_merges(ids.into_iter().collect::<tokenizers::models::bpe::Vocab>(), merges).build()?;
    let mut inner = Inner::new(model);
    inner.with_pre_tokenizer(Some(ByteLevel::new(false, false, use_regex)));
    inner.with_decoder(Some(ByteLevel::default()));
    Ok(inner)
}

/// Blank-separated words, Chinese and Japanese characters one by one.
pub(super) fn word(ids: Ids) -> Result<Built> {
    let mut inner = listed(ids)?;
    inner.with_pre_tokenizer(Some(PreSequence::new(vec![WhitespaceSplit.into(), isolated(CJK)?.into()])));
    Ok(inner.into())
}

/// Characters.
pub(super) fn character(ids: Ids) -> Result<Built> {
    let mut inner = listed(ids)?;
    inner.with_pre_tokenizer(Some(isolated(r"[\s\S]")?));
    inner.with_decoder(Some(Fuse::new()));
    Ok(inner.into())
}

fn listed(ids: Ids) -> Result<Inner> {
    let model = WordLevel::builder().vocab(ids.into_iter().collect()).unk_token(UNK_NAME.to_owned()).build()?;
    Ok(Inner::new(model))
}

fn isolated(pattern: &str) -> Result<Split> {
    Split::new(SplitPattern::Regex(pattern.to_owned()), SplitDelimiterBehavior::Isolated, false)
}

/// The fields of the file that matter here.
#[derive(Deserialize)]
struct Stored {
    #[serde(default)]
    added_tokens: Vec<Value>,
    normalizer: Option<Value>,
    pre_tokenizer: Value,
    decoder: Option<Value>,
    model: StoredModel,
}

#[derive(Deserialize)]
struct StoredModel {
    r#type: String,
    vocab: Ids,
    #[serde(default)]
    merges: Merges,
}

/// Reads a file's contents, or says why not.
pub(super) fn parse(bytes: &[u8]) -> std::result::Result<(Built, TokenizerKind), String> {
    if bytes.is_empty() {
        return Err("it is empty".to_owned());
    }
    let stored: Stored = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    if !stored.added_tokens.is_empty() {
        return Err("it has added tokens, which Strait never writes".to_owned());
    }
    let kind = stored.kind()?;
    let StoredModel { vocab, merges, .. } = stored.model;
    let built = match kind {
        TokenizerKind::Subword => subword(vocab, merges, stored.normalizer.is_some()),
        TokenizerKind::Byte => byte(vocab),
        TokenizerKind::Word => word(vocab),
        TokenizerKind::Char => character(vocab),
    };
    built.map(|b| (b, kind)).map_err(|e| e.to_string())
}

impl Stored {
    /// The kind follows from the structure of the file.
    fn kind(&self) -> std::result::Result<TokenizerKind, String> {
        let model = self.model.r#type.as_str();
        let before = self.pre_tokenizer["type"].as_str().unwrap_or_default();
        let words = self.pre_tokenizer["use_regex"].as_bool();
        let fuse = self.decoder.as_ref().is_some_and(|d| d["type"] == "Fuse");
        match (model, before, words) {
            ("BPE", "ByteLevel", Some(true)) => Ok(TokenizerKind::Subword),
            ("BPE", "ByteLevel", Some(false)) => Ok(TokenizerKind::Byte),
            ("WordLevel", "Sequence", _) => Ok(TokenizerKind::Word),
            ("WordLevel", "Split", _) if fuse => Ok(TokenizerKind::Char),
            _ => Err(format!("a {model:?} model after a {before:?} step is nothing that Strait writes")),
        }
    }
}
