//! Published decoders that are trained on: as language models, and behind an encoder of ours or a published one.

mod common;

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use strait_model::{
    Recipe,
    config::{InjectionKind, NetworkKind, Tuning},
    decoder::published::PUBLISHED,
    folder,
};
use strait_pretrained::LanguageModel;
use strait_train::{Event, Outcome, Request, resume, start};

use common::{fixture, refused, trained};

/// The texts of the corpus, the last ten to validate.
fn texts() -> Vec<String> {
    let (colours, things) = (["red", "blue", "two", "the"], ["fox", "river", "word", "foxes", "thing"]);
    let all = colours.iter().flat_map(|a| things.iter().map(move |b| (a, b)));
    all.flat_map(|(a, b)| ["sees", "by", "the river"].map(|v| format!("the {a} {b} {v} it"))).collect()
}

fn request(out: &Path, encoder: NetworkKind, steps: u64) -> Request {
    let mut train = texts();
    let valid = train.split_off(train.len() - 10);
    let language_model = encoder == NetworkKind::None;
    let mut recipe = Recipe::find(if language_model { "lm-tuned" } else { "joined" }).unwrap();
    (recipe.training.batch_tokens, recipe.training.patience) = (256, 100);
    (recipe.training.encoder_rate, recipe.training.decoder_rate) = (0.5, 0.5);
    (recipe.encoder.kind, recipe.encoder.hidden, recipe.encoder.rank) = (encoder, 16, 2);
    (recipe.decoder.rank, recipe.decoder.tuned_layers) = (2, 1);
    if !language_model {
        recipe.latent.size = 8;
    }
    common::request(out, recipe, (train, valid), steps)
}

#[test]
fn what_is_asked_for_learns_and_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let dir = fixture("gpt2", &root.path().join("published"));
    let before = LanguageModel::open(&dir).unwrap();
    let ask = |name: &str, tuning: Tuning, steps: u64| {
        let mut asked = request(&root.path().join(name), NetworkKind::Lstm, steps);
        (asked.recipe.decoder.folder, asked.recipe.decoder.tuning) = (dir.display().to_string(), tuning);
        asked
    };
    for tuning in [Tuning::All, Tuning::Last, Tuning::Adapters, Tuning::Frozen, Tuning::Fresh] {
        let name = format!("{tuning:?}");
        let saved = trained(ask(&name, tuning, 10));
        let params = &saved.model.params;
        let changed = |part: &str| {
            let now = params.iter().filter_map(|(_, p)| Some((p.name().strip_prefix(PUBLISHED)?, p.value())));
            let old = |name: &str| before.params().value(before.params().find(name).unwrap());
            now.filter(|(name, _)| name.contains(part)).any(|(name, value)| old(name) != value)
        };
        // The fixture's end is its first token, and the model's second.
        let words = params.value(params.find("embedding.weight").unwrap())[8..16]
            != before.params().value(before.network().words())[..8];
        let found = (words, changed("wpe"), changed("h.0."), changed("h.1."));
        let expected = match tuning {
            Tuning::All | Tuning::Fresh => (true, true, true, true),
            Tuning::Last => (false, false, false, true),
            Tuning::Adapters | Tuning::Frozen => (false, false, false, false),
        };
        assert_eq!(found, expected, "{name}");
        let adapters = params.iter().filter(|(_, p)| p.name().starts_with("decoder.adapters.")).count();
        assert_eq!(adapters, if tuning == Tuning::Adapters { 8 } else { 0 });
        let told = params.value(params.find("decoder.latent.memory.weight").unwrap());
        assert!(told.iter().any(|w| *w != 0.0));
        // Its weights are among the model's; a copy writes as it does, and cuts texts as the published one.
        assert!(!root.path().join(&name).join("decoder/model.safetensors").exists());
        assert_eq!(saved.config.vocabulary, before.vocabulary() + 2);
        let latents = saved.model.encode(&saved.tokenizer.encode_batch(&texts()[..4]));
        let written = saved.model.decode_greedy(&latents, &saved.tokenizer, 20);
        assert_eq!(saved.model.copy().decode_greedy(&latents, &saved.tokenizer, 20), written);
    }
    // It goes on from there, without the folder that it came from.
    let mut on = ask("on", Tuning::All, 3);
    on.from = Some(root.path().join("All"));
    on.recipe = folder::read_config(&root.path().join("All")).unwrap().recipe;
    on.recipe.decoder.folder = "/gone".into();
    trained(on);
}

#[test]
fn a_latent_tells_it_what_to_write() {
    let root = tempfile::tempdir().unwrap();
    let dir = fixture("gpt2", &root.path().join("published"));
    let words = [["the", "a", "two"], [" fox", " river", " word"], [" sat", " by", " red"]];
    let all: Vec<String> =
        (0..27).map(|i| [9, 3, 1].iter().zip(words).map(|(place, of)| of[i / place % 3]).collect()).collect();
    for injection in [InjectionKind::Memory, InjectionKind::Embedding] {
        let mut asked = request(&root.path().join(format!("{injection:?}")), NetworkKind::Lstm, 500);
        (asked.train, asked.valid) = (all.clone(), all[..9].to_vec());
        let recipe = &mut asked.recipe;
        (recipe.decoder.folder, recipe.decoder.injection) = (dir.display().to_string(), injection);
        (recipe.decoder.dropout, recipe.decoder.word_dropout, recipe.latent.noise) = (0.0, 0.0, 0.0);
        (recipe.encoder.dropout, recipe.training.max_epochs) = (0.0, 1000.0);
        (recipe.training.rate, recipe.training.decoder_rate) = (1e-2, 1.0);
        let saved = trained(asked);
        let latents = saved.model.encode(&saved.tokenizer.encode_batch(&all));
        let back = saved.model.decode_greedy(&latents, &saved.tokenizer, 20);
        let right = back.iter().zip(&all).filter(|(a, b)| a == b).count();
        assert!(right >= 20, "{injection:?}: {right} of 27 texts came back, 1 by chance: {back:?}");
    }
}

fn resumed_like_the_whole(encoder: NetworkKind) {
    let root = tempfile::tempdir().unwrap();
    let published =
        [("gpt2", "decoder"), ("bert", "encoder")].map(|(family, to)| fixture(family, &root.path().join(to)));
    let ask = |name: &str| {
        let mut asked = request(&root.path().join(name), encoder, 20);
        [asked.recipe.decoder.folder, asked.recipe.encoder.folder] = [0, 1].map(|i| published[i].display().to_string());
        asked.recipe.decoder.tuning = Tuning::Adapters;
        asked
    };
    let whole = trained(ask("whole"));
    assert_eq!(whole.config.recipe.is_language_model(), encoder == NetworkKind::None);
    let stop = AtomicBool::new(false);
    let mut steps = |e: &Event| {
        if matches!(e, Event::Planned { .. }) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    assert_eq!(start(ask("parts"), &mut steps, &stop).unwrap(), Outcome::Stopped);
    published.iter().for_each(|dir| fs::remove_dir_all(dir).unwrap());
    // On another number of threads, too.
    let threads = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let parts = root.path().join("parts");
    let outcome = threads.install(|| resume(&parts, &mut (), &AtomicBool::new(false)));
    assert_eq!(outcome.unwrap(), Outcome::Finished);
    let weights = |name: &str| fs::read(root.path().join(name).join("model.safetensors")).unwrap();
    assert!(weights("whole") == weights("parts"));
    assert!(fs::read(parts.join("tokenizer.json")).unwrap() == whole.tokenizer.to_bytes().unwrap());
}

#[test]
fn stopped_and_resumed_gives_the_same_bits() {
    // A language model; behind an encoder that is trained on; behind a frozen one.
    [NetworkKind::None, NetworkKind::Tuned, NetworkKind::Pretrained].into_iter().for_each(resumed_like_the_whole);
}

#[test]
fn what_cannot_be_trained_is_said() {
    let root = tempfile::tempdir().unwrap();
    let ask = |folder: &str| {
        let mut asked = request(&root.path().join("m"), NetworkKind::None, 5);
        asked.recipe.decoder.folder = folder.into();
        asked
    };
    assert!(refused(ask("")).to_string().contains("--decoder DIR"));
    assert!(refused(ask("/nowhere/at/all")).to_string().contains("no such folder"));
    let bert = fixture("bert", &root.path().join("bert")).display().to_string();
    let message = refused(ask(&bert)).to_string();
    assert!(message.contains("bert") && message.contains("gpt2"), "{message}");
    let gpt2 = fixture("gpt2", &root.path().join("gpt2"));
    let name = gpt2.display().to_string();
    let mut own = ask(&name);
    own.recipe.tokenizer.vocabulary = Some(300);
    assert!(refused(own).to_string().contains("its own tokens"));
    let mut smooth = ask(&name);
    smooth.recipe.objective.label_smoothing = 0.1;
    assert!(refused(smooth).to_string().contains("objective.label_smoothing"));
    let mut idle = ask(&name);
    idle.recipe.decoder.tuning = Tuning::Frozen;
    assert!(refused(idle).to_string().contains("decoder.tuning"));
    // A tokenizer that cuts texts otherwise, or has more tokens than the network.
    let file = gpt2.join("tokenizer.json");
    let whole = fs::read_to_string(&file).unwrap();
    for (from, to, word) in [
        (r#""add_prefix_space": false"#, r#""add_prefix_space": true"#, "another way"),
        (r#""normalizer": null"#, r#""normalizer": {"type": "Lowercase"}"#, "another way"),
        (r#""<|endoftext|>": 0"#, r#""<|endoftext|>": 4000"#, "vocab_size"),
    ] {
        assert!(whole.contains(from), "{from}");
        fs::write(&file, whole.replacen(from, to, 1)).unwrap();
        let message = refused(ask(&name)).to_string();
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn a_damaged_folder_is_told() {
    let root = tempfile::tempdir().unwrap();
    let mut asked = request(&root.path().join("m"), NetworkKind::None, 3);
    asked.recipe.decoder.folder = fixture("gpt2", &root.path().join("published")).display().to_string();
    trained(asked);
    fs::remove_file(root.path().join("m/decoder/config.json")).unwrap();
    let message = folder::open(&root.path().join("m")).err().unwrap().to_string();
    assert!(message.contains("config.json") && message.contains("missing"), "{message}");
}
