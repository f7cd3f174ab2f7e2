//! What a training says of its latents, and which look it keeps.

mod common;

use std::sync::atomic::AtomicBool;

use strait_model::{
    Recipe,
    config::{KlConfig, LatentKind, Normalise, RegulariserConfig},
};
use strait_train::{Event, start};

fn events(kl: KlConfig, normalise: Normalise, steps: u64) -> Vec<Event> {
    let dir = tempfile::tempdir().unwrap();
    let mut recipe = Recipe::default();
    (recipe.training.batch_tokens, recipe.training.patience) = (128, 100);
    (recipe.encoder.embedding, recipe.encoder.hidden, recipe.decoder.hidden, recipe.latent.size) = (16, 16, 32, 8);
    (recipe.latent.kind, recipe.latent.normalise) = (LatentKind::Gaussian, normalise);
    recipe.objective.regulariser = RegulariserConfig::Kl(kl);
    let words = ["red", "blue", "green", "white", "small"];
    let text = |i: usize| format!("a {} {} and a {} one", words[i % 5], words[i / 5 % 5], words[i / 25 % 5]);
    let corpus = ((0..100).map(text).collect(), (100..125).map(text).collect());
    let request = common::request(&dir.path().join("m"), recipe, corpus, steps);
    let mut events = Vec::new();
    start(request, &mut |e: &Event| events.push(e.clone()), &AtomicBool::new(false)).unwrap();
    events
}

/// (step, figures, best) of each look.
fn looks(events: &[Event]) -> Vec<(u64, std::collections::BTreeMap<String, f64>, bool)> {
    let look = |e: &Event| match e {
        Event::Look { step, figures, best, .. } => Some((*step, figures.clone(), *best)),
        _ => None,
    };
    events.iter().filter_map(look).collect()
}

fn warnings(events: &[Event]) -> Vec<String> {
    let warning = |e: &Event| if let Event::Warning { message } = e { Some(message.clone()) } else { None };
    events.iter().filter_map(warning).collect()
}

#[test]
fn a_collapsed_latent_is_warned_of_once() {
    let events = events(KlConfig { weight: 20.0, warmup: 0.1, ..KlConfig::default() }, Normalise::None, 60);
    let warnings = warnings(&events);
    assert!(warnings.len() == 1 && warnings[0].contains("collapsed"), "{warnings:?}");
    let (_, figures, _) = looks(&events).pop().unwrap();
    assert!(figures["kl"] < 0.1, "{figures:?}");
    assert!((figures["mutual_information_cap"] - 125f64.ln()).abs() < 1e-9);
}

#[test]
fn a_latent_in_use_is_not_and_early_looks_do_not_win_by_another_rate() {
    let kl = KlConfig { target: Some(3.0), weight: 0.1, ..KlConfig::default() };
    // Batch-normalised means cannot collapse, once the running statistics have settled.
    let events = events(kl, Normalise::Batch, 400);
    assert!(warnings(&events).is_empty(), "{:?}", warnings(&events));
    let looks = looks(&events);
    assert!(looks.iter().all(|l| l.0 >= 80 || !l.2), "{looks:?}");
    assert!(looks.iter().any(|l| l.2));
    let (_, figures, _) = looks.last().unwrap();
    assert!(figures["mutual_information"] <= figures["mutual_information_cap"] && figures["active_units"] > 0.0);
}
