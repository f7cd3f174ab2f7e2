//! The readers and tokenizers on real corpora, where they are at hand: in the folder that
//! `STRAIT_DATA` names. Their text is not part of this project.

use std::path::PathBuf;
use strait_text::read::{Format, ReadOptions, read};
use strait_text::{Corpus, Tokenizer, TokenizerKind, split::split};

fn corpus(file: &str) -> Option<Corpus> {
    let path = std::env::var_os("STRAIT_DATA").map(|folder| PathBuf::from(folder).join(file));
    let Some(path) = path.filter(|p| p.exists()) else {
        println!("skipped: there is no {file} (set STRAIT_DATA to the folder of corpora)");
        return None;
    };
    let options = ReadOptions::default();
    Some(read(&path, &options).unwrap_or_else(|e| panic!("{e}")))
}

fn subwords(corpus: &Corpus) -> Tokenizer {
    let texts = corpus.records.iter().map(|r| r.text.as_str());
    Tokenizer::train(TokenizerKind::Subword, None, texts).unwrap()
}

/// Tokens a record, after checking that every record comes back exactly.
fn round_trip(corpus: &Corpus, tokenizer: &Tokenizer) -> f64 {
    let ids = tokenizer.encode_batch(&corpus.records);
    for (record, ids) in corpus.records.iter().zip(&ids) {
        assert_eq!(tokenizer.decode(ids), record.text);
    }
    ids.iter().map(Vec::len).sum::<usize>() as f64 / ids.len() as f64
}

#[test]
fn the_text_column_is_found() {
    for (file, column) in [
        ("yelp_short/train.tsv", "2 of 2"),
        ("rt_polarity/train.tsv", "2 of 2"),
        ("trec/train.tsv", "3 of 3"),
        ("zh_reviews/train.tsv", "3 of 3"),
        ("tatoeba_zh_en/test.tsv", ""),
        ("multi30k_en_de/valid.tsv", ""),
        ("stsb/zh.train.tsv", ""),
        ("snli_small/pairs.valid.tsv", "2 of 3"),
    ] {
        let Some(corpus) = corpus(file) else { continue };
        assert_eq!(corpus.report.format, Format::Tsv, "{file}");
        let found = corpus.report.column.unwrap();
        // Where two columns hold sentences, either will do, but not a label or an attribution.
        if column.is_empty() {
            assert!(["1 of 2", "2 of 2", "1 of 3", "2 of 3", "3 of 3"].contains(&found.as_str()), "{file}: {found}");
            assert!(!file.starts_with("tatoeba") || found != "3 of 3", "{file}: {found}");
        } else {
            assert_eq!(found, column, "{file}");
        }
        assert!(corpus.report.header.unwrap().contains("no header"), "{file}");
    }
}

#[test]
fn image_coco() {
    let Some(corpus) = corpus("image_coco/train.txt") else {
        return;
    };
    let t = subwords(&corpus);
    let per_record = round_trip(&corpus, &t);
    println!("{}: {} ids, {per_record:.2} tokens a record", corpus.report.name, t.vocab_size());
    assert!(per_record < 13.0 && t.vocab_size() < 4000);
    for word in ["a", "bicycle", "two", "people", "bathroom"] {
        assert_eq!(t.encode(word).len(), 1, "{word}");
    }
    let (train, valid) = split(&corpus.records, 0.05, 0);
    assert!(valid.len() > 400 && train.len() > 9000);
}

#[test]
fn yelp_short() {
    let Some(corpus) = corpus("yelp_short/train.tsv") else {
        return;
    };
    assert_eq!(corpus.records.len(), 163_460);
    let t = subwords(&corpus);
    let per_record = round_trip(&corpus, &t);
    println!("{}: {} ids, {per_record:.2} tokens a record", corpus.report.name, t.vocab_size());
    assert!(per_record < 10.5 && t.vocab_size() < 10_000);
}

#[test]
fn chinese() {
    for (file, per_character) in
        [("tatoeba_zh_en/train.zh.txt", 0.95), ("zh_common_voice/train.txt", 0.95), ("zh_reviews/train.tsv", 0.95)]
    {
        let Some(corpus) = corpus(file) else { continue };
        let t = subwords(&corpus);
        let chars: usize = corpus.records.iter().map(|r| r.text.chars().count()).sum();
        let per_record = round_trip(&corpus, &t);
        println!("{file}: {} ids, {per_record:.2} tokens a record", t.vocab_size());
        assert!(per_record * (corpus.records.len() as f64) < per_character * chars as f64, "{file}");
    }
}
