//! Stopped anywhere, a training goes on to the same bits.

mod common;

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use strait_model::{
    Recipe,
    config::{AdversarialConfig, AraeConfig, KlConfig, LatentKind, Normalise, RegulariserConfig},
    folder, is_of_latent,
};
use strait_train::{Budget, Event, Outcome, Request, resume, start};

fn request(out: &Path) -> Request {
    let colours = ["red", "blue", "green", "white"];
    let things = ["kite", "boat", "house", "horse", "train"];
    let verbs = ["sees", "likes", "paints"];
    let mut all = Vec::new();
    for a in colours {
        for b in things {
            for v in verbs {
                all.push(format!("the {a} {b} {v} a {} {}", colours[b.len() % 4], things[v.len() % 5]));
            }
        }
    }
    let valid = all.split_off(50);
    let mut recipe = Recipe::default();
    recipe.training.batch_tokens = 128;
    recipe.training.patience = 100;
    (recipe.encoder.embedding, recipe.encoder.hidden, recipe.decoder.hidden, recipe.latent.size) = (16, 16, 32, 8);
    common::request(out, recipe, (all, valid), 60)
}

fn weights(out: &Path) -> Vec<u8> {
    fs::read(out.join("model.safetensors")).unwrap()
}

#[test]
fn stopped_and_resumed_many_times_gives_the_same_bits() {
    same_bits(|_| {});
}

#[test]
fn so_does_a_target_rate_after_pretraining() {
    same_bits(|r| {
        r.latent.kind = LatentKind::Gaussian;
        r.latent.normalise = Normalise::None;
        r.objective.pretrain = 0.3;
        r.objective.regulariser = RegulariserConfig::Kl(KlConfig { target: Some(4.0), ..KlConfig::default() });
    });
}

#[test]
fn so_does_a_codebook() {
    same_bits(|r| {
        r.latent.kind = LatentKind::Quantised;
        (r.latent.slots, r.latent.quantiser.codes) = (2, 16);
    });
}

#[test]
fn so_does_a_discriminator() {
    same_bits(|r| {
        (r.latent.normalise, r.latent.noise) = (Normalise::None, 0.0);
        r.objective.regulariser =
            RegulariserConfig::Adversarial(AdversarialConfig { hidden: vec![16], ..AdversarialConfig::default() });
    });
}

#[test]
fn so_do_a_generator_and_its_critic() {
    same_bits(|r| {
        r.latent.normalise = Normalise::Layer;
        let small = AraeConfig { noise: 4, generator: vec![16], critic: vec![16], ..AraeConfig::default() };
        r.objective.regulariser = RegulariserConfig::Arae(small);
    });
}

#[test]
fn so_does_a_discriminator_of_texts() {
    so_does_an_adversary_of_texts("seqgan");
}

#[test]
fn so_does_a_manager_of_goals() {
    so_does_an_adversary_of_texts("leakgan");
}

#[test]
fn so_do_relaxed_tokens() {
    so_does_an_adversary_of_texts("textgan");
}

fn so_does_an_adversary_of_texts(recipe: &str) {
    same_bits(|r| {
        let out = std::mem::replace(r, Recipe::find(recipe).unwrap());
        (r.training, r.decoder.hidden, r.encoder.embedding) = (out.training, 16, 16);
        let gan = r.objective.text_gan.as_mut().unwrap();
        (gan.pretrain, gan.samples, gan.embedding, gan.hidden, gan.filters) = (0.5, 6, 8, 8, 4);
    });
}

/// Trains in one sitting and in many, with the recipe as `change` makes it.
fn same_bits(change: impl Fn(&mut Recipe)) {
    let request = |out: &Path| {
        let mut request = request(out);
        change(&mut request.recipe);
        request
    };
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("whole");
    assert_eq!(start(request(&whole), &mut (), &AtomicBool::new(false)).unwrap(), Outcome::Finished);

    let parts = root.path().join("parts");
    let stop = AtomicBool::new(true);
    assert_eq!(start(request(&parts), &mut (), &stop).unwrap(), Outcome::Stopped);
    let mut sittings = 0;
    loop {
        sittings += 1;
        stop.store(false, Ordering::Relaxed);
        let mut looks = 0;
        let mut listener = |e: &Event| {
            if matches!(e, Event::Look { .. }) {
                looks += 1;
                stop.store(looks == 1, Ordering::Relaxed);
            }
        };
        if resume(&parts, &mut listener, &stop).unwrap() == Outcome::Finished {
            break;
        }
    }
    assert!(sittings > 3, "{sittings}");
    assert!(weights(&whole) == weights(&parts));
    for file in ["tokenizer.json", "prior.safetensors"] {
        // A language model has no prior, in one sitting or in many.
        assert!(fs::read(whole.join(file)).ok() == fs::read(parts.join(file)).ok(), "{file}");
    }
    // Each look is in the log once.
    let looks = |out: &Path| fs::read_to_string(out.join("metrics.jsonl")).unwrap().matches("\"look\"").count();
    assert_eq!(looks(&whole), looks(&parts));
    assert!(!root.path().join("parts.training").exists());
}

#[test]
fn a_model_goes_on_with_the_objective_of_another_recipe() {
    let root = tempfile::tempdir().unwrap();
    let train = |name: &str, recipe: Recipe, from: Option<&str>| {
        let out = root.path().join(name);
        let from = from.map(|name| root.path().join(name));
        let request = Request { recipe, from, budget: Budget::Steps(6), ..request(&out) };
        start(request, &mut (), &AtomicBool::new(false)).map(|_| folder::open(&out).unwrap())
    };
    let small = |name: &str| {
        let mut recipe = Recipe::find(name).unwrap();
        let own = request(root.path()).recipe;
        (recipe.encoder.embedding, recipe.encoder.hidden) = (own.encoder.embedding, own.encoder.hidden);
        (recipe.decoder.hidden, recipe.training.batch_tokens) = (own.decoder.hidden, own.training.batch_tokens);
        recipe.latent.size = recipe.latent.size.min(own.latent.size);
        recipe
    };
    let aims = |of: &str, networks: &Recipe| {
        let mut recipe = networks.clone().with_aims_of(small(of));
        if let Some(gan) = &mut recipe.objective.text_gan {
            (gan.pretrain, gan.warmup, gan.samples) = (0.0, 0.0, 4);
        }
        recipe
    };
    for (first, then) in [("lm-lstm", "maligan"), ("ae", "aae"), ("ae", "seqgan")] {
        let begun = folder::open(&root.path().join(first));
        let old = begun.unwrap_or_else(|_| train(first, small(first), None).unwrap());
        let recipe = aims(then, &old.config.recipe);
        assert_eq!((&recipe.name[..], &recipe.decoder), (then, &old.config.recipe.decoder));
        let new = train(then, recipe, Some(first)).unwrap();
        assert!(new.model.params.iter().any(|(_, p)| p.name().starts_with("adversary.")));
        // Six steps at these rates: the weights that both have are near each other, and not the same.
        let language_model = new.model.recipe().is_language_model();
        let kept = old.model.params.iter().filter(|(_, p)| !(language_model && is_of_latent(p.name())));
        let pairs = kept.map(|(_, p)| {
            let id = new.model.params.find(p.name()).unwrap();
            (p.value(), new.model.params.value(id))
        });
        let (mut off, mut size) = (0.0f64, 0.0f64);
        for (a, b) in pairs.flat_map(|(a, b)| a.iter().zip(b)) {
            (off, size) = (off + f64::from(a - b).powi(2), size + f64::from(*a).powi(2));
        }
        let off = (off / size).sqrt();
        assert!(off > 1e-6 && off < 0.2, "{then}: {off}");
    }
    // A language model has no latent to shape.
    let networks = folder::open(&root.path().join("ae")).unwrap().config.recipe;
    let error = train("no", networks.with_aims_of(small("aae")), Some("lm-lstm")).err().unwrap().to_string();
    assert!(error.contains("another network"), "{error}");
}

#[test]
fn what_is_in_the_way_is_said() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("m");
    let stop = AtomicBool::new(true);
    start(request(&out), &mut (), &stop).unwrap();
    let again = start(request(&out), &mut (), &stop).unwrap_err().to_string();
    assert!(again.contains("strait resume"), "{again}");
    let absent = resume(&root.path().join("x"), &mut (), &stop).unwrap_err().to_string();
    assert!(absent.contains("no unfinished training"), "{absent}");
    let few = Request { train: vec!["one".into(); 9], ..request(&root.path().join("few")) };
    assert!(start(few, &mut (), &stop).unwrap_err().to_string().contains("only 1 distinct"));
    fs::write(root.path().join("m.training/checkpoint.safetensors"), b"garbage").unwrap();
    assert!(resume(&out, &mut (), &stop).unwrap_err().to_string().contains("checkpoint.safetensors"));
}
