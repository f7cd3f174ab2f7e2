//! Any bytes, under any name, are a corpus or an error that names the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strait_text::read::{LongRecords, ReadOptions, read_from};

const NAMES: [&str; 6] = ["a.txt", "a.csv", "a.tsv", "a.jsonl", "a.gz", "a"];

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (name, options, bytes) = input;
    let name = NAMES[usize::from(name) % NAMES.len()];
    let options = ReadOptions {
        lossy: options & 1 != 0,
        drop_duplicates: options & 2 != 0,
        keep_empty: options & 4 != 0,
        long: if options & 8 != 0 { LongRecords::Split } else { LongRecords::Truncate },
        max_chars: 40,
        ..ReadOptions::default()
    };
    match read_from(bytes, name, &options) {
        Ok(corpus) if options.long == LongRecords::Truncate => {
            assert!(corpus.records.iter().all(|r| r.text.chars().count() <= 40));
        }
        Ok(_) => {}
        Err(e) => assert!(e.to_string().contains(name), "{e}"),
    }
});
