//! What is written after the beginnings of documents, beside what stands there: whether it goes with what it follows,
//! and whether it goes in circles.

use serde::Serialize;
use strait_eval::{Interner, Repetition, TfIdf, Unit};

/// Figures of sentences that follow passages. None of them asks a model that was trained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DocumentWriting {
    pub method: &'static str,
    /// Sentences of a text, and words of a sentence, in the mean.
    pub sentences: f64,
    pub words: f64,
    /// How often a text is nearer, by TF-IDF of its words, to the passage that it follows than to any of some of other documents; and the standard error.
    pub own: f64,
    pub own_error: f64,
    /// Cosine of a sentence and the one before it, by TF-IDF, in the mean.
    pub neighbours: f64,
    /// Share of a text's runs of four words that it had before (rep-4), in the mean.
    pub repeated: f64,
    /// Share of the sentences that the same text had before.
    pub twice: f64,
}

/// Passages and what a method writes after each.
pub(super) struct Texts<'a> {
    pub(super) passages: &'a [Vec<String>],
    /// The document of each passage.
    pub(super) of: &'a [usize],
    pub(super) written: &'a [Vec<String>],
    pub(super) unit: Unit,
    /// Passages to choose from.
    pub(super) choices: usize,
}

pub(super) fn measure(method: &'static str, texts: &Texts<'_>) -> DocumentWriting {
    let Texts { passages, of, written, unit, choices } = *texts;
    let mut words = Interner::new();
    let whole = |words: &mut Interner, texts: &[Vec<String>]| -> Vec<Vec<u32>> {
        texts.iter().map(|text| text.iter().flat_map(|s| words.encode(s, unit)).collect()).collect()
    };
    let (before, after) = (whole(&mut words, passages), whole(&mut words, written));
    let n = passages.len();
    let sentences: usize = written.iter().map(Vec::len).sum();
    let own = TfIdf::new(&[&before[..], &after[..]].concat());
    let right = |i: usize| {
        let mut others = (1..n).map(|k| (i + k) % n).filter(|&other| of[other] != of[i]).take(choices - 1);
        others.all(|other| own.cosine(other, n + i) < own.cosine(i, n + i))
    };
    let accuracy = (0..n).filter(|&i| right(i)).count() as f64 / n.max(1) as f64;
    let twice: usize =
        written.iter().map(|text| (0..text.len()).filter(|&i| text[..i].contains(&text[i])).count()).sum();
    let of_sentences = |count: usize| count as f64 / sentences.max(1) as f64;
    DocumentWriting {
        method,
        sentences: sentences as f64 / n.max(1) as f64,
        words: of_sentences(after.iter().map(Vec::len).sum()),
        own: accuracy,
        own_error: (accuracy * (1.0 - accuracy) / n.max(1) as f64).sqrt(),
        neighbours: neighbours(texts, &mut words),
        repeated: Repetition::new(&after).rep[3],
        twice: of_sentences(twice),
    }
}

/// Mean cosine of each written sentence and the one before it.
fn neighbours(texts: &Texts<'_>, words: &mut Interner) -> f64 {
    let runs: Vec<Vec<&String>> = (texts.passages.iter().zip(texts.written))
        .map(|(passage, text)| passage.iter().skip(passage.len().saturating_sub(1)).chain(text).collect())
        .collect();
    let all: Vec<Vec<u32>> = runs.iter().flatten().map(|s| words.encode(s, texts.unit)).collect();
    let (tfidf, mut at, mut sum, mut count) = (TfIdf::new(&all), 0, 0.0, 0usize);
    for run in &runs {
        (at + 1..at + run.len()).for_each(|i| sum += tfidf.cosine(i - 1, i));
        count += run.len().saturating_sub(1);
        at += run.len();
    }
    sum / count.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[&[&str]]) -> Vec<Vec<String>> {
        lines.iter().map(|text| text.iter().map(|s| (*s).to_owned()).collect()).collect()
    }

    #[test]
    fn figures_by_hand() {
        let passages = texts(&[&["a king sat"], &["two boats sailed"]]);
        let kept = texts(&[&["the king sat", "the king sat"], &["boats sailed by", "then it rained"]]);
        let measure = |written: &[Vec<String>]| {
            measure("x", &Texts { passages: &passages, of: &[0, 1], written, unit: Unit::Words, choices: 2 })
        };
        let found = measure(&kept);
        assert_eq!((found.sentences, found.words, found.own, found.twice), (2.0, 3.0, 1.0, 0.25));
        // "the king sat the king sat" has three runs of four, all different.
        assert_eq!(found.repeated, 0.0);
        let swapped: Vec<Vec<String>> = kept.into_iter().rev().collect();
        assert_eq!(measure(&swapped).own, 0.0);
        assert!(measure(&swapped).neighbours < found.neighbours);
        let circle = texts(&[&["a b c d a b c d"], &["x"]]);
        assert!((measure(&circle).repeated - 0.2).abs() < 1e-12);
    }
}
