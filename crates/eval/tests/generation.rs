//! Metrics of text made from text, against numbers that sacreBLEU, rouge-score and an own Python SARI computed
//! (`fixtures/generation.py` wrote them).

use std::collections::BTreeMap;

use serde::Deserialize;
use strait_eval::generation::{Bleu, Chrf, Rouge, Sari, Shared, Ter, Tokenisation};
use strait_eval::{Counts, Smoothing};

/// What `fixtures/generation.py` writes.
#[derive(Deserialize)]
struct Fixture {
    lines: Vec<String>,
    tokenised: BTreeMap<String, Vec<String>>,
    corpora: Vec<Corpus>,
}

#[derive(Deserialize)]
struct Corpus {
    sources: Vec<String>,
    hypotheses: Vec<String>,
    references: Vec<Vec<String>>,
    chinese: bool,
    bleu: Vec<BleuCase>,
    chrf: Vec<ChrfCase>,
    ter: Vec<TerCase>,
    rouge: BTreeMap<String, Vec<f64>>,
    sari: f64,
}

#[derive(Deserialize)]
struct BleuCase {
    tokenisation: Tokenisation,
    smooth: String,
    value: Option<f64>,
    lowercase: bool,
    effective: bool,
    #[serde(flatten)]
    expected: Expected,
}

#[derive(Deserialize)]
struct ChrfCase {
    words: bool,
    lowercase: bool,
    #[serde(flatten)]
    expected: Expected,
}

#[derive(Deserialize)]
struct TerCase {
    normalised: bool,
    no_punctuation: bool,
    asian: bool,
    case_sensitive: bool,
    #[serde(flatten)]
    expected: Expected,
}

#[derive(Deserialize)]
struct Expected {
    score: f64,
    sentences: Vec<f64>,
    signature: String,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("fixtures/generation.json")).expect("generation.py writes what the struct says")
}

impl Corpus {
    /// Each hypothesis with its references.
    fn records(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        let references = |i: usize| self.references.iter().map(|file| file[i].as_str()).collect();
        self.hypotheses.iter().enumerate().map(move |(i, h)| (h.as_str(), references(i)))
    }
}

#[track_caller]
fn assert_close(ours: f64, theirs: f64, of: &str) {
    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0), "{ours} but the reference says {theirs}: {of}");
}

/// Holds the counts of every record, and their sum, against what was expected.
#[track_caller]
fn assert_all<C: Counts>(
    corpus: &Corpus,
    expected: &Expected,
    of: impl Fn(&str, &[&str]) -> C,
    score: impl Fn(&C) -> f64,
) {
    let mut sum = C::default();
    for ((hypothesis, references), &theirs) in corpus.records().zip(&expected.sentences) {
        let counts = of(hypothesis, &references);
        assert_close(score(&counts), theirs, &format!("{} of {hypothesis:?}", expected.signature));
        sum.merge(&counts);
    }
    assert_close(score(&sum), expected.score, &expected.signature);
}

#[test]
fn tokenisation_line_by_line() {
    let fixture = fixture();
    for tokenisation in Tokenisation::ALL {
        for (line, theirs) in fixture.lines.iter().zip(&fixture.tokenised[tokenisation.name()]) {
            assert_eq!(&tokenisation.apply(line), theirs, "{tokenisation:?} of {line:?}");
        }
    }
}

#[test]
fn bleu_of_corpora_and_sentences() {
    for corpus in &fixture().corpora {
        for case in &corpus.bleu {
            let smoothing = match (case.smooth.as_str(), case.value) {
                ("exp", None) => Smoothing::Exp,
                ("none", None) => Smoothing::None,
                ("floor", Some(matches)) => Smoothing::Floor(matches),
                ("add-k", Some(k)) => Smoothing::AddK(k),
                other => panic!("no smoothing is {other:?}"),
            };
            let (lowercase, effective_order) = (case.lowercase, case.effective);
            let bleu = Bleu { tokenisation: case.tokenisation, lowercase, smoothing, effective_order };
            assert_eq!(bleu.signature("2"), case.expected.signature);
            assert_all(corpus, &case.expected, |h, r| bleu.counts(h, r), |counts| bleu.score(counts));
        }
    }
}

#[test]
fn chrf_of_corpora_and_sentences() {
    for corpus in &fixture().corpora {
        for case in &corpus.chrf {
            let chrf = Chrf { words: case.words, lowercase: case.lowercase };
            assert_eq!(chrf.signature("2"), case.expected.signature);
            assert_all(corpus, &case.expected, |h, r| chrf.counts(h, r), |counts| chrf.score(counts));
        }
    }
}

#[test]
fn ter_of_corpora_and_sentences() {
    for corpus in &fixture().corpora {
        for case in &corpus.ter {
            let &TerCase { normalised, no_punctuation, asian, case_sensitive, .. } = case;
            let ter = Ter { normalised, no_punctuation, asian, case_sensitive };
            assert_eq!(ter.signature("2"), case.expected.signature);
            assert_all(corpus, &case.expected, |h, r| ter.counts(h, r), |counts| ter.score(counts));
        }
    }
}

#[test]
fn rouge_of_sentences() {
    for corpus in &fixture().corpora {
        for (name, shared) in
            [("rouge1", Shared::Grams(1)), ("rouge2", Shared::Grams(2)), ("rougeL", Shared::Subsequence)]
        {
            let rouge = Rouge { shared, chinese: corpus.chinese };
            for ((hypothesis, references), &theirs) in corpus.records().zip(&corpus.rouge[name]) {
                assert_close(rouge.sentence(hypothesis, &references), theirs, &format!("{name} of {hypothesis:?}"));
            }
        }
    }
}

#[test]
fn sari_of_corpora() {
    for corpus in &fixture().corpora {
        let sari = match corpus.chinese {
            true => Sari { tokenisation: Tokenisation::Zh, ..Sari::default() },
            false => Sari::default(),
        };
        let mut sum = Default::default();
        for (source, (hypothesis, references)) in corpus.sources.iter().zip(corpus.records()) {
            Counts::merge(&mut sum, &sari.counts(source, hypothesis, &references));
        }
        assert_close(sari.score(&sum), corpus.sari, "SARI");
    }
}
