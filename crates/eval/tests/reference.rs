//! Against numbers computed elsewhere: an own Python Kneser-Ney and sacrebleu (`fixtures/make.py` wrote them), and on a
//! real corpus the project's stand-alone Python judge.

use std::path::Path;

use serde::Deserialize;
use strait_eval::units::EOS;
use strait_eval::{Interner, Judge, KneserNey, ReconstructionReport, References, Unit, corpus_bleu, self_bleus};

/// What `fixtures/make.py` writes.
#[derive(Deserialize)]
struct Reference {
    train: Vec<String>,
    test: Vec<String>,
    samples: Vec<String>,
    decoded: Vec<String>,
    forward_ppl: f64,
    test_ppl: f64,
    reverse_ppl: f64,
    /// Newest units of the history, the next unit, its probability.
    probabilities: Vec<(Vec<String>, String, f64)>,
    sentence_bleu: Vec<f64>,
    /// Samples whose length another sample shares.
    self_bleu_of: Vec<usize>,
    self_bleu: Vec<f64>,
    corpus_bleu: f64,
    corpus_bleu_beyond_5: f64,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("fixtures/reference.json")).expect("make.py writes what the struct says")
}

#[track_caller]
fn assert_close(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs(), "{ours} but the reference says {theirs}");
}

#[test]
fn kneser_ney_probabilities_at_every_place_of_test() {
    let reference = reference();
    let mut interner = Interner::new();
    let model = KneserNey::fit(&interner.encode_all(&reference.train, Unit::Words), interner.len());
    assert!(reference.probabilities.len() > 40);
    for (history, unit, p) in &reference.probabilities {
        let history: Vec<u32> = history.iter().map(|u| interner.intern(u)).collect();
        let unit = if unit == "</s>" { EOS } else { interner.intern(unit) };
        assert_close(model.probability(&history, unit), *p);
    }
}

#[test]
fn perplexities_in_both_directions() {
    let reference = reference();
    let judge = Judge::new(&reference.train, &reference.test, Unit::Words).expect("both have sentences");
    let report = judge.report("samples", &reference.samples);
    assert_eq!(report.n, reference.samples.len());
    assert_close(report.forward_ppl, reference.forward_ppl);
    assert_close(report.reverse_ppl, reference.reverse_ppl);
    let test: Vec<Vec<u32>> = reference.test.iter().map(|t| judge.encode(t)).collect();
    assert_close(judge.forward_model().ppl(&test), reference.test_ppl);
}

#[test]
fn sentence_bleu_against_all_references() {
    let reference = reference();
    let mut interner = Interner::new();
    let references = References::new(&interner.encode_all(&reference.test, Unit::Words));
    for (sample, &theirs) in reference.samples.iter().zip(&reference.sentence_bleu) {
        assert_close(references.sentence_bleu(&interner.encode(sample, Unit::Words)), theirs);
    }
    let mean = reference.sentence_bleu.iter().sum::<f64>() / reference.samples.len() as f64;
    assert_close(references.mean_bleu(&interner.encode_all(&reference.samples, Unit::Words)), mean);
}

#[test]
fn self_bleu_of_samples_that_share_their_length() {
    let reference = reference();
    let mut interner = Interner::new();
    let samples = interner.encode_all(&reference.samples, Unit::Words);
    assert!(reference.self_bleu_of.len() > 4);
    for (&i, &theirs) in reference.self_bleu_of.iter().zip(&reference.self_bleu) {
        assert_close(self_bleus(&samples)[i], theirs);
    }
}

#[test]
fn corpus_bleu_of_all_pairs_and_of_the_longer_ones() {
    let reference = reference();
    let pairs: Vec<(&String, &String)> = reference.decoded.iter().zip(&reference.test).collect();
    let report = ReconstructionReport::new(&pairs, Unit::Words);
    assert_close(report.bleu4, reference.corpus_bleu);
    let mut interner = Interner::new();
    let encoded: Vec<(Vec<u32>, Vec<u32>)> =
        pairs.iter().map(|(d, t)| (interner.encode(d, Unit::Words), interner.encode(t, Unit::Words))).collect();
    let longer = encoded.iter().filter(|(_, t)| t.len() > 5).map(|(d, t)| (&d[..], &t[..]));
    assert_close(corpus_bleu(longer), reference.corpus_bleu_beyond_5);
}

/// The Python judge's real row on Image COCO, to its printed digits. `STRAIT_DATA` names the folder of corpora.
#[test]
fn real_row_of_image_coco() {
    let Some(folder) = std::env::var_os("STRAIT_DATA") else {
        println!("skipped: STRAIT_DATA does not name a folder of corpora");
        return;
    };
    let read = |name: &str| -> Vec<String> {
        let path = Path::new(&folder).join("image_coco").join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.lines().map(str::to_owned).collect()
    };
    let judge = Judge::new(&read("train.txt"), &read("test.txt"), Unit::Words).expect("both have sentences");
    let row = judge.real_row();
    let printed = format!(
        "{} {:.2} {:.1} {:.1} {:.3} {:.3}",
        row.n, row.mean_len, row.forward_ppl, row.reverse_ppl, row.self_bleu4, row.distinct2
    );
    assert_eq!(printed, "8870 10.47 5.2 127.8 0.275 0.304");
    assert_eq!((row.unique, row.copied), (1.0, 1.0));
}
