//! The tokenizers of published folders, through the `tokenizers` crate: `tokenizer.json`; or `vocab.txt` (WordPiece, as
//! BERT has it); or `vocab.json` and `merges.txt` (byte-level BPE, as GPT-2 and RoBERTa have it).

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use tokenizers::{
    AddedToken, PostProcessor as _, Tokenizer, TruncationParams,
    decoders::wordpiece::WordPiece as WordPieceDecoder,
    models::{
        bpe::{BPE, Vocab},
        wordpiece::WordPiece,
    },
    normalizers::bert::BertNormalizer,
    pre_tokenizers::{bert::BertPreTokenizer, byte_level::ByteLevel},
    processors::{bert::BertProcessing, roberta::RobertaProcessing},
};

use crate::{
    Error,
    config::{Family, Keys},
    tensors::read,
};

/// A text that no vocabulary has as a whole: it shows whether unknown pieces have a token.
const PROBE: &str = "\u{1F9FF}\u{A66E} \u{2C3A}";

/// A tokenizer and how long its texts may be.
pub(crate) struct Tokens {
    inner: Tokenizer,
    /// What an empty text becomes: the special tokens around it.
    empty: Vec<u32>,
}

impl Tokens {
    /// Reads the tokenizer of `dir`; texts are cut to `longest` tokens, special ones included, all below `vocabulary`.
    pub(crate) fn open(dir: &Path, family: Family, longest: usize, vocabulary: usize) -> Result<Self, Error> {
        let (file, mut inner) = find(dir, family)?;
        let fault = |why: String| Error::Tokenizer { file: file.clone(), why };
        inner.with_padding(None);
        let around = inner.get_post_processor().map_or(0, |p| p.added_tokens(false));
        if longest <= around {
            return Err(fault(format!(
                "texts cannot be cut to {longest} tokens, as {around} special ones go around each"
            )));
        }
        let cut = TruncationParams { max_length: longest, ..TruncationParams::default() };
        inner.with_truncation(Some(cut)).map_err(|e| fault(e.to_string()))?;
        if let Some((token, id)) = inner.get_vocab(true).into_iter().filter(|t| t.1 as usize >= vocabulary).max() {
            let why = format!("token {token:?} has the id {id}, but `vocab_size` in config.json is {vocabulary}");
            return Err(fault(why));
        }
        let encode = |text: &str| match inner.encode_fast(text, true) {
            Ok(encoding) => Ok(encoding.get_ids().to_vec()),
            Err(e) => Err(fault(format!("it cannot encode every text: {e}"))),
        };
        let empty = encode("")?;
        encode(PROBE)?;
        Ok(Tokens { inner, empty })
    }

    /// The ids of each text, special tokens around it included.
    pub(crate) fn encode<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Vec<Vec<u32>> {
        let encode = |text: &S| match self.inner.encode_fast(text.as_ref(), true) {
            Ok(encoding) => encoding.get_ids().to_vec(),
            // Opening has checked what can go wrong: an unknown token, too little room.
            Err(_) => self.empty.clone(),
        };
        texts.par_iter().map(encode).collect()
    }

    /// The text of ids, without special tokens.
    pub(crate) fn decode(&self, ids: &[u32]) -> String {
        self.inner.decode(ids, true).unwrap_or_default()
    }

    /// What a byte-level BPE is made of, or what else it is.
    pub(crate) fn merges(&self) -> Result<Merges, String> {
        let json = self.inner.to_string(false).map_err(|e| e.to_string())?;
        let Stored { added_tokens, normalizer, pre_tokenizer, model } =
            serde_json::from_str(&json).map_err(|_| "it is no BPE with plain merges".to_string())?;
        let plain = pre_tokenizer["type"] == "ByteLevel" && pre_tokenizer["use_regex"] == true;
        if !plain || !normalizer.is_null() || pre_tokenizer["add_prefix_space"] == true {
            return Err("it changes texts, or cuts them in another way".into());
        }
        if let Some(token) = added_tokens.iter().find(|t| t["special"] != true) {
            return Err(format!("it has the added token {}", token["content"]));
        }
        let special = |id: u32| added_tokens.iter().any(|t| t["id"] == id);
        let mut tokens: Vec<(u32, String)> = model.vocab.into_iter().map(|(token, id)| (id, token)).collect();
        tokens.retain(|(id, _)| !special(*id));
        tokens.sort_unstable();
        Ok(Merges { tokens, merges: model.merges })
    }

    /// Whether texts have special tokens around them.
    pub(crate) fn closes(&self) -> bool {
        !self.empty.is_empty()
    }
}

/// What a byte-level BPE is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Merges {
    /// Id and name of each token but the special ones, by rising id; a name spells bytes in GPT-2's printable alphabet.
    pub tokens: Vec<(u32, String)>,
    /// Pairs of names that become one, the most urgent first.
    pub merges: Vec<(String, String)>,
}

/// The fields of a `tokenizer.json` of which [`Merges`] are taken.
#[derive(Deserialize)]
struct Stored {
    added_tokens: Vec<Value>,
    normalizer: Value,
    pre_tokenizer: Value,
    model: StoredModel,
}

#[derive(Deserialize)]
struct StoredModel {
    vocab: HashMap<String, u32>,
    merges: Vec<(String, String)>,
}

/// The names of the files that a tokenizer may consist of.
pub(crate) const FILES: [&str; 5] =
    ["tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt"];

fn find(dir: &Path, family: Family) -> Result<(PathBuf, Tokenizer), Error> {
    let [whole, settings, words, vocab, merges] = FILES.map(|name| dir.join(name));
    if whole.is_file() {
        let bytes = read(&whole)?;
        // The crate's reader trusts some fields and panics where a stranger's file breaks that trust.
        return match catch_unwind(AssertUnwindSafe(|| Tokenizer::from_bytes(&bytes))) {
            Ok(Ok(tokenizer)) => Ok((whole, tokenizer)),
            Ok(Err(e)) => Err(Error::Tokenizer { file: whole, why: e.to_string() }),
            Err(_) => Err(Error::Tokenizer { file: whole, why: "its parts do not go together".into() }),
        };
    }
    if words.is_file() {
        let tokenizer = wordpiece(&words, &settings)?;
        return Ok((words, tokenizer));
    }
    if vocab.is_file() {
        let tokenizer = byte_level(&vocab, &merges, family)?;
        return Ok((vocab, tokenizer));
    }
    Err(Error::Missing(whole))
}

/// `vocab.txt`: a token a line, its id the line's number from 0.
fn wordpiece(file: &Path, settings: &Path) -> Result<Tokenizer, Error> {
    let fault = |why: String| Error::Tokenizer { file: file.into(), why };
    let text = String::from_utf8(read(file)?).map_err(|e| fault(format!("it is not UTF-8: {e}")))?;
    let ids: HashMap<String, u32> = text.lines().enumerate().map(|(i, t)| (t.trim_end().into(), i as u32)).collect();
    let special = |name: &str| match ids.get(name) {
        Some(&id) => Ok((name.to_string(), id)),
        None => Err(fault(format!("it has no token {name}"))),
    };
    let (cls, sep, _) = (special("[CLS]")?, special("[SEP]")?, special("[UNK]")?);
    let settings = settings.is_file().then(|| Keys::open(settings.into())).transpose()?;
    let flag = |key: &str| settings.as_ref().map_or(Ok(true), |keys| keys.flag(key, true));
    let (lowercase, apart) = (flag("do_lower_case")?, flag("tokenize_chinese_chars")?);
    let added = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].into_iter().filter(|t| ids.contains_key(*t));
    let added: Vec<AddedToken> = added.map(|t| AddedToken::from(t, true)).collect();
    let model = WordPiece::builder().vocab(ids.clone().into_iter().collect::<Vocab>()).build();
    let build = || -> tokenizers::Result<Tokenizer> {
        let mut tokenizer = Tokenizer::new(model?);
        tokenizer.with_normalizer(Some(BertNormalizer::new(true, apart, None, lowercase)))?;
        tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
        tokenizer.with_post_processor(Some(BertProcessing::new(sep, cls)));
        tokenizer.with_decoder(Some(WordPieceDecoder::new("##".into(), true)));
        tokenizer.add_special_tokens(added)?;
        Ok(tokenizer)
    };
    build().map_err(|e| fault(e.to_string()))
}

/// `vocab.json` (ids by token) and `merges.txt` (two tokens a line, the most urgent first).
fn byte_level(vocab: &Path, merges: &Path, family: Family) -> Result<Tokenizer, Error> {
    let fault = |why: String| Error::Tokenizer { file: vocab.into(), why };
    let ids: HashMap<String, u32> = serde_json::from_slice(&read(vocab)?).map_err(|e| fault(e.to_string()))?;
    let wrong = |why: String| Error::Tokenizer { file: merges.into(), why };
    let text = String::from_utf8(read(merges)?).map_err(|e| wrong(format!("it is not UTF-8: {e}")))?;
    let lines =
        text.lines().enumerate().filter(|(i, line)| !(line.is_empty() || *i == 0 && line.starts_with("#version")));
    let pairs = lines.map(|(i, line)| match line.trim_end().split_once(' ') {
        Some((a, b)) => Ok((a.to_string(), b.to_string())),
        None => Err(wrong(format!("line {}: two tokens are expected, not {line:?}", i + 1))),
    });
    let pairs = pairs.collect::<Result<Vec<_>, _>>()?;
    let special = |name: &str| match ids.get(name) {
        Some(&id) => Ok((name.to_string(), id)),
        None => Err(fault(format!("it has no token {name}"))),
    };
    let around = match family {
        Family::Gpt2 => None,
        _ => Some(RobertaProcessing::new(special("</s>")?, special("<s>")?).add_prefix_space(false)),
    };
    let added =
        ["<|endoftext|>", "<s>", "<pad>", "</s>", "<unk>", "<mask>"].into_iter().filter(|t| ids.contains_key(*t));
    // As published: a mask takes the blank before it.
    let added: Vec<AddedToken> = added.map(|t| AddedToken::from(t, true).lstrip(t == "<mask>")).collect();
    let build = || -> tokenizers::Result<Tokenizer> {
        let model = BPE::builder().vocab_and_merges(ids.clone().into_iter().collect::<Vocab>(), pairs).build()?;
        let mut tokenizer = Tokenizer::new(model);
        tokenizer.with_pre_tokenizer(Some(ByteLevel::new(false, true, true)));
        tokenizer.with_decoder(Some(ByteLevel::default()));
        if let Some(around) = around {
            tokenizer.with_post_processor(Some(around));
        }
        tokenizer.add_special_tokens(added)?;
        Ok(tokenizer)
    };
    build().map_err(|e| wrong(e.to_string()))
}
