//! Whatever a tokenizer learned from, subwords and bytes give every text back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strait_text::{Tokenizer, TokenizerKind};

fuzz_target!(|input: (bool, Vec<String>, String)| {
    let (bytes, corpus, text) = input;
    let kind = if bytes { TokenizerKind::Byte } else { TokenizerKind::Subword };
    let Ok(tokenizer) = Tokenizer::train(kind, None, corpus.iter().map(String::as_str)) else { return };
    assert_eq!(tokenizer.decode(&tokenizer.encode(&text)), text);
    for text in &corpus {
        assert_eq!(&tokenizer.decode(&tokenizer.encode(text)), text);
    }
});
