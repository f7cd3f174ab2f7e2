//! Tokenizers as a user meets them: round trips, files, determinism.

use proptest::prelude::*;
use std::sync::LazyLock;
use strait_text::tokenizer::{EOS, MASK, SPECIALS, UNK};
use strait_text::{Tokenizer, TokenizerError, TokenizerKind};

const KINDS: [TokenizerKind; 4] =
    [TokenizerKind::Subword, TokenizerKind::Word, TokenizerKind::Char, TokenizerKind::Byte];

/// A corpus made by rule: 6 x 6 x 6 sentences.
fn english() -> Vec<String> {
    let mut texts = Vec::new();
    for who in ["the dog", "a cat", "my sister", "the old man", "no one", "everybody"] {
        for does in ["sees", "likes", "paints", "doesn't mind", "forgets", "sells"] {
            for what in ["a bicycle.", "the river .", "green tea!", "us", "two clocks", "<unk> <s>"] {
                texts.push(format!("{who} {does} {what}"));
            }
        }
    }
    texts
}

fn chinese() -> Vec<String> {
    let mut texts = Vec::new();
    for who in ["我们", "他", "老师", "那个孩子"] {
        for does in ["喜欢", "不喜欢", "看见了", "忘记了"] {
            for what in ["足球。", "这个问题！", "一辆自行车", "图书馆。"] {
                texts.push(format!("{who}{does}{what}"));
            }
        }
    }
    texts
}

fn train(kind: TokenizerKind, texts: &[String]) -> Tokenizer {
    Tokenizer::train(kind, None, texts.iter().map(String::as_str)).unwrap()
}

static ENGLISH: LazyLock<Tokenizer> = LazyLock::new(|| train(TokenizerKind::Subword, &english()));
static CHINESE: LazyLock<Tokenizer> = LazyLock::new(|| train(TokenizerKind::Subword, &chinese()));
static BYTES: LazyLock<Tokenizer> = LazyLock::new(|| train(TokenizerKind::Byte, &english()));

const HARD: [&str; 16] = [
    "",
    " ",
    "  ",
    " leading",
    "trailing  ",
    "a  b   c",
    "\n\r\n\t\u{0}\u{7f}",
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "我们喜欢踢足球。",
    "<s></s> <unk> <mask> [begin of text] [masked token]",
    "[end of text]",
    "ＦＵＬＬ　ｗｉｄｔｈ",
    "e\u{301} \u{e9} \u{fffd} \u{10ffff} \u{feff}",
    "don't  WE'LL 123,456.78",
    "ĠĊ ▁",
    "مرحبا שלום ภาษาไทย",
];

proptest! {
    #[test]
    fn any_text_comes_back_exactly(text in any::<String>(), blanks in "[ \n\t\r]{0,4}") {
        let text = format!("{blanks}{text}{blanks}{text}");
        for t in [&*ENGLISH, &*CHINESE, &*BYTES] {
            let ids = t.encode(&text);
            prop_assert_eq!(&t.decode(&ids), &text);
            prop_assert!(ids.iter().all(|&id| id >= SPECIALS && (id as usize) < t.vocab_size()));
            let bytes: usize = ids.iter().map(|&id| t.token_bytes(id)).sum();
            prop_assert!(bytes >= text.len() && bytes <= text.len() + 1);
        }
    }

    #[test]
    fn decode_takes_any_ids(ids in proptest::collection::vec(any::<u32>(), 0..20), small in proptest::collection::vec(0u32..600, 0..40)) {
        for kind in KINDS {
            let t = train(kind, &chinese());
            t.decode(&ids);
            t.decode(&small);
            small.iter().for_each(|&id| { t.token_text(id); });
        }
    }

    #[test]
    fn loading_takes_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..20_000, at in 0usize..20_000, value: u8) {
        prop_assert!(Tokenizer::from_bytes(&bytes).is_err());
        for tokenizer in [&*BYTES, &*ENGLISH] {
        let good = tokenizer.to_bytes().unwrap();
        prop_assert!(Tokenizer::from_bytes(&good[..cut.min(good.len() - 1)]).is_err());
        let mut damaged = good.clone();
        damaged[at % good.len()] = value;
        if let Ok(t) = Tokenizer::from_bytes(&damaged) {
            t.decode(&t.encode("still does not panic 足球"));
        }
        }
    }
}

#[test]
fn hard_texts_come_back_exactly() {
    for t in [&*ENGLISH, &*CHINESE, &*BYTES] {
        for text in HARD {
            assert_eq!(t.decode(&t.encode(text)), text, "{:?}", t.kind());
        }
    }
}

#[test]
fn no_text_encodes_to_a_special_id() {
    for kind in KINDS {
        for texts in [english(), HARD.map(String::from).to_vec()] {
            let t = train(kind, &texts);
            for text in HARD {
                assert!(t.encode(text).iter().all(|&id| id >= SPECIALS), "{kind} {text:?}");
            }
        }
    }
}

#[test]
fn frequent_words_are_one_token_wherever_they_stand() {
    let t = &*ENGLISH;
    for word in ["the", "dog", "sister", "bicycle", "forgets", "green"] {
        assert_eq!(t.encode(word).len(), 1, "{word}");
        let inside = t.encode(&format!("the {word}"));
        assert_eq!(inside[1..], t.encode(word)[..], "{word}");
    }
    // Every character is three bytes: merges cross bytes and characters.
    assert!(CHINESE.encode("我们喜欢").len() < 4);
    assert!(CHINESE.encode("那个孩子忘记了图书馆。").len() <= 11);
}

#[test]
fn training_is_deterministic_and_does_not_depend_on_order() {
    for kind in KINDS {
        for texts in [english(), chinese()] {
            let first = train(kind, &texts).to_bytes().unwrap();
            let mut reversed = texts.clone();
            reversed.reverse();
            for _ in 0..3 {
                assert!(first == train(kind, &texts).to_bytes().unwrap(), "{kind}");
                assert!(first == train(kind, &reversed).to_bytes().unwrap(), "{kind}");
            }
        }
    }
}

#[test]
fn save_and_load_keep_everything() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokenizer.json");
    for kind in KINDS {
        for texts in [english(), chinese()] {
            let t = train(kind, &texts);
            t.save(&path).unwrap();
            let back = Tokenizer::load(&path).unwrap();
            assert_eq!((back.kind(), back.vocab_size()), (kind, t.vocab_size()));
            for text in texts.iter().map(String::as_str).chain(HARD) {
                assert_eq!(back.encode(text), t.encode(text));
                assert_eq!(back.decode(&t.encode(text)), t.decode(&t.encode(text)));
            }
        }
    }
}

/// Our fast paths agree with what the `tokenizers` crate makes of the saved file.
#[test]
fn the_file_means_the_same_to_the_tokenizers_crate() {
    for kind in KINDS {
        for texts in [english(), chinese()] {
            let t = train(kind, &texts);
            let theirs = tokenizers::Tokenizer::from_bytes(t.to_bytes().unwrap()).unwrap();
            for text in texts.iter().map(String::as_str).chain(HARD) {
                let ids = t.encode(text);
                assert_eq!(theirs.encode(text, false).unwrap().get_ids(), ids, "{kind} {text:?}");
                if kind != TokenizerKind::Word && !ids.contains(&UNK) {
                    assert_eq!(theirs.decode(&ids, false).unwrap(), t.decode(&ids), "{kind} {text:?}");
                }
            }
        }
    }
}

#[test]
fn words_and_characters() {
    let t = train(TokenizerKind::Word, &english());
    assert_eq!(t.decode(&t.encode("the dog  sees a cat")), "the dog sees a cat");
    assert_eq!(t.encode("zebra"), [UNK]);
    assert_eq!(t.decode(&[UNK, MASK, EOS]), "\u{fffd}");
    let t = train(TokenizerKind::Word, &chinese());
    assert_eq!(t.encode("我们喜欢").len(), 4);
    assert_eq!(t.decode(&t.encode("我们喜欢足球。")), "我们喜欢足球。");
    let t = train(TokenizerKind::Char, &english());
    assert_eq!(t.decode(&t.encode("two  cats")), "two  cats");
    assert_eq!(t.encode("猫"), [UNK]);
}

#[test]
fn vocabulary_size_is_a_limit_and_explained() {
    let texts = english();
    for kind in KINDS {
        let t = Tokenizer::train(kind, Some(280), texts.iter().map(String::as_str)).unwrap();
        assert!(t.vocab_size() <= 280, "{kind}");
        assert!(t.vocab_reason().unwrap().contains(&t.vocab_size().to_string()));
    }
    let error = Tokenizer::train(TokenizerKind::Subword, Some(100), ["a"].into_iter()).unwrap_err();
    assert!(error.to_string().contains("at least 259"), "{error}");
    let error = Tokenizer::train(TokenizerKind::Subword, None, ["", ""].into_iter()).unwrap_err();
    assert!(matches!(error, TokenizerError::NoText));
}

#[test]
fn batch_equals_one_by_one() {
    let texts = english();
    let together = ENGLISH.encode_batch(&texts);
    for (text, ids) in texts.iter().zip(together) {
        assert_eq!(ENGLISH.encode(text), ids);
    }
}

#[test]
fn damaged_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokenizer.json");
    let good = String::from_utf8(ENGLISH.to_bytes().unwrap()).unwrap();
    let cases = [
        ("empty", String::new()),
        ("truncated", good[..good.len() / 2].to_owned()),
        ("no json", "hello".to_owned()),
        ("other special names", good.replace("[end of text]", "</s>")),
        ("a special id moved", good.replace("\"[masked token]\":2", "\"[masked token]\":999999")),
        ("other model", good.replace("\"BPE\"", "\"Unigram\"")),
    ];
    for (case, text) in cases {
        std::fs::write(&path, text).unwrap();
        let error = Tokenizer::load(&path).unwrap_err().to_string();
        assert!(error.contains("tokenizer.json"), "{case}: {error}");
    }
    let error = Tokenizer::load(dir.path().join("none.json")).unwrap_err().to_string();
    assert!(error.contains("cannot read") && error.contains("none.json"), "{error}");
}

#[test]
fn token_text_reads_well() {
    let dog = ENGLISH.encode("dog")[0];
    assert_eq!(ENGLISH.token_text(dog).unwrap(), " dog");
    assert_eq!(ENGLISH.token_text(EOS).unwrap(), "[end of text]");
    assert_eq!(BYTES.token_text(SPECIALS + 0xE4).unwrap(), "<0xE4>");
    assert_eq!(ENGLISH.token_text(1 << 20), None);
}
