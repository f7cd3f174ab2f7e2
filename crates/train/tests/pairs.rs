//! Trainings on pairs: in one sitting and in many to the same bits, and a folder that reads and writes as it should.

mod common;

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use strait_model::{Recipe, config::RiskConfig, decoding::Options, folder};
use strait_train::{Budget, Event, Outcome, Request, Sources, resume, start};

/// Numbers as words, and as words of another script.
fn request(out: &Path, joint: bool) -> Request {
    let names = ["ba", "de", "gi", "ko", "lu", "ma", "ne", "pi"];
    let others = ["八", "的", "机", "口", "路", "马", "呢", "皮"];
    let (mut sources, mut targets) = (Vec::new(), Vec::new());
    for i in 0..320 {
        let digits = [i % 8, (i / 8) % 8, (i * 5 + i / 64) % 8];
        sources.push(digits.map(|d| names[d]).join(" "));
        targets.push(digits.map(|d| others[d]).concat());
    }
    let valid = sources.split_off(280);
    let valid_targets = targets.split_off(280);
    let mut recipe = Recipe::find("seq2seq-lstm").unwrap();
    recipe.tokenizer.joint = joint.then_some(true);
    recipe.training.batch_tokens = 128;
    (recipe.encoder.embedding, recipe.encoder.hidden, recipe.decoder.hidden) = (16, 16, 32);
    let sources = Some(Sources { train: sources, valid });
    Request { name: "numbers".into(), sources, ..common::request(out, recipe, (targets, valid_targets), 50) }
}

fn weights(out: &Path) -> Vec<u8> {
    fs::read(out.join("model.safetensors")).unwrap()
}

#[test]
fn stopped_and_resumed_many_times_gives_the_same_bits() {
    let root = tempfile::tempdir().unwrap();
    for joint in [false, true] {
        let (whole, parts) = (root.path().join(format!("whole-{joint}")), root.path().join(format!("parts-{joint}")));
        let never = AtomicBool::new(false);
        let mut looks = Vec::new();
        let mut hear = |event: &Event| {
            if let Event::Look { sources, reconstructions, samples, n, .. } = event {
                looks.push((sources.len(), reconstructions.len(), samples.len(), *n));
            }
        };
        assert_eq!(start(request(&whole, joint), &mut hear, &never).unwrap(), Outcome::Finished);
        assert!(!looks.is_empty() && looks.iter().all(|&l| l == (3, 3, 0, 40)), "{looks:?}");
        let stop = AtomicBool::new(false);
        let mut steps = 0;
        let mut hear = |event: &Event| {
            if matches!(event, Event::Look { .. }) {
                steps += 1;
                stop.store(steps % 2 == 1, Ordering::Relaxed);
            }
        };
        let mut outcome = start(request(&parts, joint), &mut hear, &stop).unwrap();
        let mut sittings = 1;
        while outcome == Outcome::Stopped {
            stop.store(false, Ordering::Relaxed);
            let mut count = 0;
            let mut hear = |event: &Event| {
                if matches!(event, Event::Look { .. }) {
                    count += 1;
                    stop.store(count == 1, Ordering::Relaxed);
                }
            };
            outcome = resume(&parts, &mut hear, &stop).unwrap();
            sittings += 1;
        }
        assert!(sittings > 2, "{sittings}");
        assert_eq!(weights(&whole), weights(&parts));
        let saved = folder::open(&whole).unwrap();
        assert_eq!(saved.source_tokenizer.is_some(), !joint);
        assert!(saved.config.training.figures.contains_key("valid_written_bleu4"));
        assert!(saved.config.decoding.beam > 1 && saved.usual.is_none());
        // No target was empty, so none is written.
        assert_eq!((saved.config.decoding.min_len, saved.config.sampling.min_len), (1, 1));
        let reader = saved.source_tokenizer.as_ref().unwrap_or(&saved.tokenizer);
        let ids = [reader.encode("ba de gi"), reader.encode("quite unknown")];
        let written = saved.model.generate_from(&ids, (&Options::default(), 1), saved.tokenizer.kind(), &[1, 2]);
        assert_eq!(written.len(), 2);
    }
}

#[test]
fn a_recipe_for_pairs_needs_pairs() {
    let root = tempfile::tempdir().unwrap();
    let never = AtomicBool::new(false);
    let alone = Request { sources: None, ..request(&root.path().join("alone"), false) };
    assert!(start(alone, &mut (), &never).unwrap_err().to_string().contains("give pairs"));
    let plain = Request { recipe: Recipe::default(), ..request(&root.path().join("plain"), false) };
    assert!(start(plain, &mut (), &never).unwrap_err().to_string().contains("--task seq2seq"));
}

#[test]
fn minimum_risk_goes_on_from_a_model_and_resumes_to_the_same_bits() {
    let root = tempfile::tempdir().unwrap();
    let base = root.path().join("base");
    let never = AtomicBool::new(false);
    start(request(&base, false), &mut (), &never).unwrap();
    let risky = |out: &Path| {
        let mut recipe = folder::read_config(&base).unwrap().recipe;
        recipe.objective.risk = Some(RiskConfig { samples: 3, ..RiskConfig::default() });
        let (from, budget) = (Some(base.clone()), Budget::Steps(12));
        Request { recipe, from, budget, ..request(out, false) }
    };
    let (whole, parts) = (root.path().join("whole"), root.path().join("parts"));
    let mut risks = Vec::new();
    let mut hear = |event: &Event| {
        if let Event::Step { figures, .. } = event {
            risks.push(figures["risk"]);
        }
    };
    start(risky(&whole), &mut hear, &never).unwrap();
    assert!(!risks.is_empty() && risks.iter().all(|r| (0.0..=1.0).contains(r)), "{risks:?}");
    // Stopped before the first step: the weights to start from are still those of the model.
    let stop = AtomicBool::new(true);
    assert_eq!(start(risky(&parts), &mut (), &stop).unwrap(), Outcome::Stopped);
    assert_eq!(resume(&parts, &mut (), &never).unwrap(), Outcome::Finished);
    assert_eq!(weights(&whole), weights(&parts));
    assert_ne!(weights(&whole), weights(&base));
    let other = {
        let mut request = risky(&root.path().join("other"));
        request.recipe.decoder.hidden = 64;
        start(request, &mut (), &never).unwrap_err().to_string()
    };
    assert!(other.contains("another network") && other.contains("model.safetensors"), "{other}");
}
