//! About so many words.

use std::sync::Arc;

use strait_text::tokenizer::WordCount;

use super::super::WordCounts;
use super::*;

/// Tokens 2 and 3 are words, 4 is a full stop.
fn counts() -> Option<Arc<WordCounts>> {
    let texts = ["", "", " a", " b", "."];
    Some(Arc::new(WordCounts::new(texts.map(|text| WordCount::of(text, false)).to_vec())))
}

/// Goes on with words at 0.6, a full stop at 0.4, after which it ends.
const SENTENCES: [&[f32]; 5] = [
    &[0.0, 0.0, 0.5, 0.5, 0.0],
    &[0.2; 5],
    &[0.0, 0.0, 0.2, 0.4, 0.4],
    &[0.0, 0.0, 0.4, 0.2, 0.4],
    &[0.0, 0.9, 0.05, 0.05, 0.0],
];

#[test]
fn lengths_gather_at_the_number() {
    for wanted in [1, 3, 6, 10] {
        let options = Options { about_words: wanted, counts: counts(), max_len: 40, ..drawing() };
        let outputs = decode(&mut Table::of(&SENTENCES, 400), &options, SPECIAL, &(0..400).collect::<Vec<_>>());
        let lengths: Vec<usize> =
            outputs.iter().map(|output| output.tokens.iter().filter(|t| **t < 4).count()).collect();
        let off: f64 = lengths.iter().map(|&n| n.abs_diff(wanted) as f64).sum::<f64>() / 400.0;
        assert!(off < 1.2, "{off} words off {wanted}");
        assert!(outputs.iter().all(|output| output.finished && output.tokens.last() == Some(&4)), "a proper end");
        let single = outputs.iter().filter(|output| output.tokens.iter().filter(|t| **t == 4).count() == 1).count();
        assert!(single >= 340, "{single} of 400 are one sentence; of the model's own 360 are");
    }
}

#[test]
fn nats_are_the_models_own() {
    let model = Table::of(&SENTENCES, 1);
    let options = Options { about_words: 2, counts: counts(), ..drawing() };
    for seed in 0..20 {
        let output = decode(&mut model.clone(), &options, SPECIAL, &[seed]).remove(0);
        assert!((output.nats - model.nats(&output, SPECIAL)).abs() < 1e-5);
    }
}

#[test]
fn without_counts_nothing_changes() {
    let options = Options { about_words: 9, ..drawing() };
    let draw =
        |options: &Options| decode(&mut Table::of(&SENTENCES, 9), options, SPECIAL, &[0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(draw(&options), draw(&drawing()));
}
