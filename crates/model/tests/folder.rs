//! The model folder: round trip, every damaged file named, nothing half-written.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use strait_model::{
    Autoencoder, Frontier, Recipe, Usual,
    decoding::{Options, Words},
    folder::{self, CARD, Config, Data, FORMAT, Saved, Training},
    frontier::{Point, PointFigures, Shape},
    prior::Prior,
};
use strait_text::{Tokenizer, TokenizerKind};

fn saved() -> Saved {
    let mut recipe = Recipe::default();
    (recipe.encoder.embedding, recipe.encoder.hidden, recipe.decoder.hidden, recipe.latent.size) = (8, 8, 8, 4);
    let texts = ["a red kite", "a blue kite", "the red boat", "the blue boat"];
    let tokenizer = Tokenizer::train(TokenizerKind::Subword, None, texts.into_iter()).unwrap();
    let model = Autoencoder::new(&recipe, tokenizer.vocab_size(), 3);
    let config = Config {
        strait_format: FORMAT,
        strait_version: "0.0.0".into(),
        recipe,
        vocabulary: tokenizer.vocab_size(),
        seed: 3,
        data: Data {
            name: "kites.txt".into(),
            hash: "00".into(),
            train: 4,
            valid: 0,
            mean_tokens: 3.0,
            longest_tokens: 5,
        },
        training: Training {
            steps: 0,
            best_step: 0,
            epochs: 0.0,
            ended: "test".into(),
            figures: BTreeMap::from([("x".into(), 0.1)]),
        },
        decoding: Options::default(),
        sampling: Options { temperature: 0.8, ..Options::default() },
        files: BTreeMap::new(),
        checksum: String::new(),
    };
    let usual = Some(Usual { nats_per_token: vec![0.5, 1.25], log_density: vec![-3.0, 0.1] });
    Saved {
        config,
        model,
        tokenizer,
        source_tokenizer: None,
        prior: Prior::standard_normal(4),
        usual,
        frontier: frontier(),
    }
}

fn frontier() -> Option<Frontier> {
    let figures = PointFigures { forward_perplexity: 41.5, self_bleu4: 0.3, distinct2: 0.4, repeated: 0.01 };
    Frontier::new(500, vec![Point { figures, controls: Shape::temperature(0.7) }])
}

fn message(dir: &Path) -> String {
    folder::open(dir).err().unwrap().to_string()
}

#[test]
fn another_frontier_leaves_all_else_alone() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("model");
    let extra = [("README.md", b"card".to_vec()), ("encoder/config.json", b"{}".to_vec())];
    folder::save(&dir, &Saved { frontier: None, ..saved() }, &extra, false).unwrap();
    assert!(!dir.join("frontier.json").exists() && folder::open(&dir).unwrap().frontier.is_none());
    let weights = fs::read(dir.join("model.safetensors")).unwrap();
    folder::set_frontier(&dir, &frontier().unwrap()).unwrap();
    let read = folder::open(&dir).unwrap();
    assert_eq!(read.frontier, frontier());
    assert_eq!(fs::read(dir.join("model.safetensors")).unwrap(), weights);
    assert_eq!(fs::read(dir.join("encoder/config.json")).unwrap(), b"{}");
    fs::write(dir.join("frontier.json"), b"{}").unwrap();
    assert!(message(&dir).contains("frontier.json: the file is damaged"), "{}", message(&dir));
}

#[test]
fn round_trip_keeps_every_bit() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("model");
    let original = saved();
    folder::save(&dir, &original, &[("README.md", b"card".to_vec())], false).unwrap();
    let read = folder::open(&dir).unwrap();
    for ((_, a), (_, b)) in original.model.params.iter().zip(read.model.params.iter()) {
        assert_eq!((a.name(), a.shape(), a.value()), (b.name(), b.shape(), b.value()));
    }
    assert_eq!(read.config.recipe, original.config.recipe);
    assert_eq!(read.tokenizer.encode("a red boat"), original.tokenizer.encode("a red boat"));
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "nothing temporary remains");
}

#[test]
fn a_model_read_again_writes_only_words_that_it_knows() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("model");
    let mut original = saved();
    let texts = ["zeal, the kestrel", "a red kite"].map(|text| original.tokenizer.encode(text));
    original.model.words = Some(Arc::new(Words::of(original.tokenizer.word_parts(), &texts)));
    folder::save(&dir, &original, &[], false).unwrap();
    let read = folder::open(&dir).unwrap();
    assert_eq!(read.model.words, original.model.words);
    let unknown = |known_words| {
        let options = Options { temperature: 1.0, known_words, max_len: 60, ..Options::default() };
        let outputs = read.model.decode(&[0.0; 40], &options, TokenizerKind::Subword, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        let mut written = outputs.iter().flat_map(|output| {
            let text = read.tokenizer.decode(&output.tokens);
            let words = text.split(|c: char| !c.is_ascii_alphabetic()).map(str::to_owned).collect::<Vec<_>>();
            // The last may be cut.
            let whole = words.len() - usize::from(!output.finished);
            words.into_iter().take(whole).collect::<Vec<_>>()
        });
        written.find(|word| !["", "zeal", "the", "kestrel", "a", "red", "kite"].contains(&word.as_str()))
    };
    assert_eq!(unknown(true), None);
    assert!(unknown(false).is_some());
}

#[test]
fn an_existing_model_is_replaced_only_when_asked() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("model");
    folder::save(&dir, &saved(), &[], false).unwrap();
    let refused = folder::save(&dir, &saved(), &[], false).unwrap_err().to_string();
    assert!(refused.contains("--force"), "{refused}");
    folder::save(&dir, &saved(), &[], true).unwrap();
    assert!(folder::open(&dir).is_ok());
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    fs::write(dir.join(CARD), "my own words").unwrap();
    assert!(folder::open(&dir).is_ok(), "the card is the user's");

    let papers = root.path().join("papers");
    fs::create_dir(&papers).unwrap();
    fs::write(papers.join("thesis.txt"), "years of work").unwrap();
    assert!(
        folder::save(&papers, &saved(), &[], true).unwrap_err().to_string().contains("not replaced even with --force")
    );
    assert!(papers.join("thesis.txt").exists());
}

#[test]
fn each_damaged_or_missing_file_is_named() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("model");
    folder::save(&dir, &saved(), &[("README.md", b"card".to_vec())], false).unwrap();
    let names: Vec<String> =
        fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.len(), 7, "{names:?}");
    for name in names.into_iter().filter(|n| n != CARD) {
        let file = dir.join(&name);
        let whole = fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        for bytes in [&whole[..whole.len() / 2], &flipped[..], b""] {
            fs::write(&file, bytes).unwrap();
            assert!(message(&dir).contains(&name), "{name}: {}", message(&dir));
        }
        fs::remove_file(&file).unwrap();
        let gone = message(&dir);
        assert!(gone.contains(&name) || gone.contains("config.json"), "{name}: {gone}");
        fs::write(&file, whole).unwrap();
        assert!(folder::open(&dir).is_ok());
    }
}

#[test]
fn a_model_of_a_program_with_fewer_fields_is_read() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("model");
    folder::save(&dir, &saved(), &[], false).unwrap();
    let file = dir.join("config.json");
    // As it would have been written before `latent.dropout` was thought of.
    let whole = fs::read_to_string(&file).unwrap();
    let (before, after) = whole.split_once("      \"dropout\": 0.0,\n").expect("a field to leave out");
    let checksum = |text: &str| {
        let own = text.split("\"checksum\": \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        (folder::sha256(text.replacen(&own, "", 1).as_bytes()), own)
    };
    let fewer = [before, after].concat();
    let (new, old) = checksum(&fewer);
    fs::write(&file, fewer.replacen(&old, &new, 1)).unwrap();
    assert_eq!(folder::open(&dir).map(|read| read.config.recipe).ok(), Some(saved().config.recipe));
}

#[test]
fn what_is_not_a_model_is_said() {
    let root = tempfile::tempdir().unwrap();
    assert!(message(&root.path().join("nowhere")).contains("strait train"));
    assert!(message(root.path()).contains("not a Strait model"));
    fs::create_dir(root.path().join("m.training")).unwrap();
    assert!(message(&root.path().join("m")).contains("strait resume"));
    let newer = root.path().join("newer");
    fs::create_dir(&newer).unwrap();
    fs::write(newer.join("config.json"), br#"{"strait_format": 99}"#).unwrap();
    assert!(message(&newer).contains("newer strait"));
}
