//! Any bytes are a tokenizer that takes any text and any ids, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strait_text::Tokenizer;

fuzz_target!(|bytes: &[u8]| {
    let Ok(tokenizer) = Tokenizer::from_bytes(bytes) else { return };
    let ids = tokenizer.encode("Two cats, zwölf Öfen, 三只猫 🐈.");
    assert!(ids.iter().all(|&id| (id as usize) < tokenizer.vocab_size()));
    tokenizer.decode(&[0, 1, 2, 3, 999, u32::MAX]);
});
