//! Decoders for vectors that are not trained here: of a published encoder, and of anyone's.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use strait_model::{Autoencoder, Recipe, config::NetworkKind, folder, folder::Saved};
use strait_train::{Budget, Event, GivenVectors, Outcome, Request, Size, TrainError, resume, start};

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
    Request {
        out: out.into(),
        name: "toy".into(),
        hash: "0".into(),
        train,
        valid,
        recipe,
        vectors,
        size: Some(Size::Base),
        budget: Budget::Steps(steps),
        seed: 4,
        replace: false,
        started: Instant::now(),
    }
}

fn trained(request: Request) -> Saved {
    let out = request.out.clone();
    assert_eq!(start(request, &mut (), &AtomicBool::new(false)).unwrap(), Outcome::Finished);
    folder::open(&out).unwrap()
}

fn refused(request: Request) -> TrainError {
    let out = request.out.clone();
    let error = start(request, &mut (), &AtomicBool::new(false)).expect_err("it cannot be trained");
    assert!(!folder::training_dir(&out).exists() && fs::read_dir(out.parent().unwrap()).unwrap().count() == 0);
    error
}

fn fixture(to: &Path) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pretrained/tests/fixtures/bert");
    for name in strait_pretrained::files_of(&from).unwrap() {
        let to = to.join(&name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from.join(&name), to).unwrap();
    }
    to.into()
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
    let encoder = fixture(&root.path().join("published"));
    let mut asked = request(&root.path().join("m"), NetworkKind::Pretrained, None, 20);
    asked.recipe.encoder.folder = encoder.display().to_string();
    let mut heard = 0;
    start(asked, &mut |e: &Event| heard += usize::from(matches!(e, Event::Encoding { .. })), &AtomicBool::new(false))
        .unwrap();
    assert!(heard > 0);
    let wanted = strait_pretrained::SentenceEncoder::open(&encoder).unwrap().encode(&texts()[..3]);
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
fn stopped_and_resumed_gives_the_same_bits() {
    let root = tempfile::tempdir().unwrap();
    let encoder = fixture(&root.path().join("published"));
    let ask = |name: &str| {
        let mut asked = request(&root.path().join(name), NetworkKind::Pretrained, None, 40);
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
fn what_cannot_be_trained_is_said() {
    let root = tempfile::tempdir().unwrap();
    let ask = |kind, vectors| request(&root.path().join("m"), kind, vectors, 5);
    assert!(matches!(refused(ask(NetworkKind::Vectors, None)), TrainError::NoVectors));
    assert!(matches!(refused(ask(NetworkKind::Pretrained, None)), TrainError::NoVectors));
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
    wide.recipe.encoder.folder = fixture(&elsewhere.path().join("published")).display().to_string();
    assert!(matches!(refused(wide), TrainError::OtherVectors { found: COLUMNS, expected: 8 }));
}
