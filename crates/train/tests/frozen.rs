//! Encoders from outside: vectors that are not trained here, of a published encoder and of anyone's, and a published encoder
//! that is trained on.

mod common;

use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use strait_model::{
    Autoencoder, Recipe,
    config::{NetworkKind, Tuning},
    encoder::PUBLISHED,
    folder,
    folder::Saved,
};
use strait_pretrained::SentenceEncoder;
use strait_train::{Event, GivenVectors, Outcome, Request, TrainError, resume, start};

use common::{fixture, trained};

const COLUMNS: usize = 24;

/// The texts of the corpus, the last ten to validate.
fn texts() -> Vec<String> {
    let (colours, things) = (["red", "blue", "green", "white"], ["kite", "boat", "house", "horse", "train"]);
    let all = colours.iter().flat_map(|a| things.iter().map(move |b| (a, b)));
    all.flat_map(|(a, b)| ["sees", "likes", "paints"].map(|v| format!("the {a} {b} {v} it"))).collect()
}

/// Made-up embeddings: a text's is the sum of its words' in their order.
fn embed(texts: &[String]) -> Vec<f32> {
    let mut words: HashMap<String, u64> = HashMap::new();
    let mut out = Vec::new();
    for text in texts {
        let mut row = [0.0f32; COLUMNS];
        for (place, word) in text.split(' ').enumerate() {
            let n = words.len() as u64;
            let seed = *words.entry(format!("{place} {word}")).or_insert(n + 1);
            for (i, x) in row.iter_mut().enumerate() {
                let mixed = (seed * 64 + i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let hash = (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                *x += (hash >> 40) as f32 / (1u64 << 24) as f32 - 0.5;
            }
        }
        out.extend(row.iter().map(|x| 0.01 * x));
    }
    out
}

fn given() -> GivenVectors {
    let texts = texts();
    let all = embed(&texts);
    let (train, valid) = all.split_at((texts.len() - 10) * COLUMNS);
    GivenVectors { columns: COLUMNS, train: train.to_vec(), valid: valid.to_vec() }
}

fn request(out: &Path, kind: NetworkKind, vectors: Option<GivenVectors>, steps: u64) -> Request {
    let mut train = texts();
    let valid = train.split_off(train.len() - 10);
    let mut recipe = Recipe::find("vec2text").unwrap();
    (recipe.training.batch_tokens, recipe.training.patience) = (128, 100);
    (recipe.encoder.kind, recipe.encoder.embedding, recipe.encoder.hidden) = (kind, 16, 32);
    (recipe.decoder.hidden, recipe.latent.size) = (32, 16);
    Request { vectors, ..common::request(out, recipe, (train, valid), steps) }
}

/// As [`common::refused`]; the folder that it would lie in is empty.
fn refused(request: Request) -> TrainError {
    let out = request.out.clone();
    let error = common::refused(request);
    assert_eq!(fs::read_dir(out.parent().unwrap()).unwrap().count(), 0);
    error
}

fn texts_of(saved: &Saved, model: &Autoencoder, vectors: &[f32]) -> Vec<String> {
    let latents = model.latents_of(vectors).unwrap();
    model.decode_greedy(&latents, &saved.tokenizer, 20)
}

#[test]
fn embeddings_become_texts_again() {
    let root = tempfile::tempdir().unwrap();
    let saved = trained(request(&root.path().join("m"), NetworkKind::Vectors, Some(given()), 600));
    let vectors = embed(&texts());
    let back = texts_of(&saved, &saved.model, &vectors);
    let right = back.iter().zip(&texts()).filter(|(a, b)| a == b).count();
    assert!(right >= 45, "{right} of 60 came back: {back:?}");
    // The scale of the embeddings does not matter.
    let scaled: Vec<f32> = vectors.iter().map(|v| 1000.0 * v).collect();
    assert_eq!(texts_of(&saved, &saved.model, &scaled), back);
    // Texts themselves have no latents.
    let ids = saved.tokenizer.encode_batch(&texts()[..2]);
    assert!(saved.model.encode(&ids).iter().all(|z| z.is_nan()));
    assert!(!root.path().join("m/encoder").exists() && saved.config.recipe.encoder.columns == COLUMNS);
}

#[test]
fn a_published_encoder_is_copied_into_the_model() {
    let root = tempfile::tempdir().unwrap();
    let encoder = fixture("bert", &root.path().join("published"));
    let mut asked = request(&root.path().join("m"), NetworkKind::Pretrained, None, 20);
    asked.recipe.encoder.folder = encoder.display().to_string();
    let mut heard = 0;
    start(asked, &mut |e: &Event| heard += usize::from(matches!(e, Event::Encoding { .. })), &AtomicBool::new(false))
        .unwrap();
    assert!(heard > 0);
    let wanted = SentenceEncoder::open(&encoder).unwrap().encode(&texts()[..3]);
    fs::remove_dir_all(&encoder).unwrap();
    let saved = folder::open(&root.path().join("m")).unwrap();
    assert!(saved.config.files.contains_key("encoder/model.safetensors"));
    let ids = saved.tokenizer.encode_batch(&texts()[..3]);
    assert_eq!(saved.model.encode(&ids), saved.model.latents_of(&wanted).unwrap());
    let weights = root.path().join("m/encoder/model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&weights, bytes).unwrap();
    let message = folder::open(&root.path().join("m")).err().unwrap().to_string();
    assert!(message.contains("encoder/model.safetensors") && message.contains("damaged"), "{message}");
}

#[test]
fn a_published_encoder_is_trained_on() {
    let root = tempfile::tempdir().unwrap();
    let encoder = fixture("bert", &root.path().join("published"));
    let ask = |name: &str, tuning: Tuning, steps: u64| {
        let mut asked = request(&root.path().join(name), NetworkKind::Tuned, None, steps);
        asked.recipe.encoder.folder = encoder.display().to_string();
        (asked.recipe.encoder.tuning, asked.recipe.encoder.tuned_layers) = (tuning, 1);
        (asked.recipe.encoder.rank, asked.recipe.training.encoder_rate) = (2, 0.5);
        asked
    };
    let before = SentenceEncoder::open(&encoder).unwrap();
    for tuning in [Tuning::All, Tuning::Last, Tuning::Adapters, Tuning::Frozen, Tuning::Fresh] {
        let name = format!("{tuning:?}");
        let saved = trained(ask(&name, tuning, 30));
        let changed = |part: &str| {
            let now =
                saved.model.params.iter().filter_map(|(_, p)| Some((p.name().strip_prefix(PUBLISHED)?, p.value())));
            let old = |name: &str| before.params().value(before.params().find(name).unwrap());
            now.filter(|(name, _)| name.contains(part)).any(|(name, value)| old(name) != value)
        };
        let (words, first, last) = (changed("word_embeddings"), changed("layer.0."), changed("layer.1."));
        let expected = match tuning {
            Tuning::All | Tuning::Fresh => (true, true, true),
            Tuning::Last => (false, false, true),
            Tuning::Adapters | Tuning::Frozen => (false, false, false),
        };
        assert_eq!((words, first, last), expected, "{name}");
        let adapters = saved.model.params.iter().filter(|(_, p)| p.name().starts_with("encoder.adapters.")).count();
        assert_eq!(adapters, if tuning == Tuning::Adapters { 8 } else { 0 });
        // Its weights are among the model's, so they are not in the folder twice; a copy reads texts as it does.
        assert!(!root.path().join(&name).join("encoder/model.safetensors").exists());
        let ids = saved.tokenizer.encode_batch(&texts()[..4]);
        let latents = saved.model.encode(&ids);
        assert!(latents.iter().all(|z| z.is_finite()));
        assert_eq!(saved.model.copy().encode(&ids), latents);
    }
    // It goes on from there, without the folder that it came from.
    let mut on = ask("on", Tuning::All, 5);
    on.from = Some(root.path().join("All"));
    on.recipe.encoder.folder = "/gone".into();
    trained(on);
}

#[test]
fn a_tuned_encoder_learns_what_texts_say() {
    let root = tempfile::tempdir().unwrap();
    let mut asked = request(&root.path().join("m"), NetworkKind::Tuned, None, 1200);
    asked.recipe.encoder.folder = fixture("bert", &root.path().join("published")).display().to_string();
    (asked.recipe.encoder.tuning, asked.recipe.training.encoder_rate) = (Tuning::Fresh, 1.0);
    (asked.recipe.training.rate, asked.recipe.training.max_epochs) = (5e-3, 1000.0);
    (asked.recipe.encoder.dropout, asked.recipe.latent.noise, asked.recipe.decoder.word_dropout) = (0.0, 0.0, 0.0);
    // Of words that the encoder's small vocabulary has.
    let words = [["the", "a", "two"], ["fox", "river", "word"], ["sat", "are", "by"], ["red", "fox", "river"]];
    let all = (0..81).map(|i| [27, 9, 3, 1].map(|place| i / place % 3));
    asked.train = all.map(|at| at.iter().zip(words).map(|(&i, of)| of[i]).collect::<Vec<_>>().join(" ")).collect();
    asked.valid = asked.train[..9].to_vec();
    let texts = asked.train.clone();
    let saved = trained(asked);
    let latents = saved.model.encode(&saved.tokenizer.encode_batch(&texts));
    let back = saved.model.decode_greedy(&latents, &saved.tokenizer, 20);
    let words = |text: &str| text.split(' ').map(str::to_string).collect::<Vec<_>>();
    let same = |(a, b): (&String, &String)| words(a).iter().zip(&words(b)).filter(|(a, b)| a == b).count();
    let right: usize = back.iter().zip(&texts).map(same).sum();
    assert!(right >= 220, "{right} of 324 words came back, a third by chance: {back:?}");
}

fn resumed_like_the_whole(kind: NetworkKind) {
    let root = tempfile::tempdir().unwrap();
    let encoder = fixture("bert", &root.path().join("published"));
    let ask = |name: &str| {
        let mut asked = request(&root.path().join(name), kind, None, 40);
        asked.recipe.encoder.folder = encoder.display().to_string();
        asked
    };
    trained(ask("whole"));
    let stop = AtomicBool::new(false);
    let mut steps = |e: &Event| {
        if matches!(e, Event::Planned { .. }) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    assert_eq!(start(ask("parts"), &mut steps, &stop).unwrap(), Outcome::Stopped);
    fs::remove_dir_all(&encoder).unwrap();
    let parts = root.path().join("parts");
    assert_eq!(resume(&parts, &mut (), &AtomicBool::new(false)).unwrap(), Outcome::Finished);
    let weights = |name: &str| fs::read(root.path().join(name).join("model.safetensors")).unwrap();
    assert!(weights("whole") == weights("parts"));
}

#[test]
fn stopped_and_resumed_gives_the_same_bits() {
    resumed_like_the_whole(NetworkKind::Pretrained);
    resumed_like_the_whole(NetworkKind::Tuned);
}

#[test]
fn what_cannot_be_trained_is_said() {
    let root = tempfile::tempdir().unwrap();
    let ask = |kind, vectors| request(&root.path().join("m"), kind, vectors, 5);
    assert!(matches!(refused(ask(NetworkKind::Vectors, None)), TrainError::NoVectors));
    assert!(matches!(refused(ask(NetworkKind::Pretrained, None)), TrainError::NoVectors));
    assert!(matches!(refused(ask(NetworkKind::Tuned, None)), TrainError::NoEncoder));
    let change = |f: fn(&mut GivenVectors)| {
        let mut given = given();
        f(&mut given);
        refused(ask(NetworkKind::Vectors, Some(given)))
    };
    assert!(matches!(change(|g| g.train[7] = f32::NAN), TrainError::BadVectors));
    assert!(matches!(change(|g| g.valid.truncate(COLUMNS)), TrainError::BadVectors));
    let mut absent = ask(NetworkKind::Pretrained, None);
    absent.recipe.encoder.folder = "/nowhere/at/all".into();
    assert!(matches!(refused(absent), TrainError::Pretrained(_)));
    let mut noisy = ask(NetworkKind::Vectors, Some(given()));
    noisy.recipe.objective.noise.drop = 0.1;
    assert!(refused(noisy).to_string().contains("objective.noise"));
    let elsewhere = tempfile::tempdir().unwrap();
    let mut wide = ask(NetworkKind::Pretrained, Some(given()));
    wide.recipe.encoder.folder = fixture("bert", &elsewhere.path().join("published")).display().to_string();
    assert!(matches!(refused(wide), TrainError::OtherVectors { found: COLUMNS, expected: 8 }));
}
