//! Published folders as models, and decoders trained for their vectors or for anyone's.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use super::{done, failed, fixture, folder, text, train_args};

fn published(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../pretrained/tests/fixtures").join(name)
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).unwrap().lines().count()
}

/// The fixture's corpus under the tiny BERT, as npy.
fn vectors() -> &'static Path {
    static VECTORS: OnceLock<PathBuf> = OnceLock::new();
    VECTORS.get_or_init(|| {
        let file = folder("published").join("vectors.npy");
        let bert = published("bert");
        done(&["encode", "-m", text(&bert), text(&fixture().corpus), "-o", text(&file)]);
        file
    })
}

#[test]
fn a_published_encoder_encodes_searches_and_groups() {
    let (bert, corpus) = (published("bert"), text(&fixture().corpus));
    let m = text(&bert);
    let row: serde_json::Value =
        serde_json::from_str(done(&["encode", "-m", m, corpus]).lines().next().unwrap()).unwrap();
    assert_eq!(row["latent"].as_array().unwrap().len(), 8);
    let index = folder("published").join("index");
    done(&["index", "-m", m, corpus, "-o", text(&index)]);
    assert_eq!(done(&["search", "-m", m, "--in", text(&index), "the red fox", "-k", "3"]).lines().count(), 3);
    done(&["dedup", "-m", m, corpus, "--threshold", "0.1"]);
    assert!(!done(&["cluster", "-m", m, corpus, "-k", "3"]).is_empty());
    let alike = done(&["similarity", "-m", m, "the red fox", "the red fox"]);
    assert!(alike.contains("cosine    1.0000") && !alike.contains("usual"), "{alike}");
    // What was encoded by another model is not mixed up with it.
    let other = published("distilbert");
    let said = failed(&["search", "-m", text(&other), "--in", text(&index), "fox"], 1);
    assert!(said.contains("another model"), "{said}");
}

#[test]
fn what_a_published_folder_cannot_do_is_said() {
    let (bert, gpt2, corpus) = (published("bert"), published("gpt2"), text(&fixture().corpus));
    for args in [
        vec!["sample", "-m", text(&bert)],
        vec!["reconstruct", "-m", text(&bert), corpus],
        vec!["vary", "-m", text(&bert), "the red fox"],
        vec!["info", "-m", text(&bert)],
    ] {
        let said = failed(&args, 2);
        assert!(said.contains("no decoder") && said.contains("--encoder"), "{args:?}: {said}");
    }
    let said = failed(&["encode", "-m", text(&gpt2), corpus], 2);
    assert!(said.contains("language model") && said.contains("sample"), "{said}");
    let neither = folder("neither");
    fs::write(neither.join("config.json"), "{}").unwrap();
    assert!(failed(&["encode", "-m", text(&neither), corpus], 1).contains("not a Strait model"));
    let broken = folder("broken");
    fs::write(broken.join("config.json"), fs::read(bert.join("config.json")).unwrap()).unwrap();
    fs::write(broken.join("pytorch_model.bin"), "").unwrap();
    assert!(failed(&["encode", "-m", text(&broken), corpus], 1).contains("pickle"));
}

#[test]
fn a_published_decoder_writes_and_scores() {
    let gpt2 = published("gpt2");
    let m = text(&gpt2);
    let args = ["sample", "-m", m, "-n", "3", "--prefix", "the red", "--max-len", "8", "--ban", "fox", "--json"];
    let written = done(&args);
    assert_eq!(written, done(&args));
    for line in written.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let written = line["text"].as_str().unwrap();
        assert!(written.starts_with("the red") && !written.contains("fox"), "{written}");
    }
    let greedy = ["sample", "-m", m, "-n", "2", "--temperature", "0", "--beam", "3", "--max-len", "6"];
    assert!(!done(&greedy).is_empty());
    let said = failed(&["sample", "-m", m, "--max-len", "40"], 1);
    assert!(said.contains("at most 39") && said.contains("--max-len"), "{said}");
    let scored = done(&["score", "-m", m, text(&fixture().corpus), "--json"]);
    assert_eq!(scored.lines().count(), lines(&fixture().corpus));
    let first: serde_json::Value = serde_json::from_str(scored.lines().next().unwrap()).unwrap();
    let (nats, tokens) = (first["nats"].as_f64().unwrap(), first["tokens"].as_array().unwrap());
    let sum: f64 = tokens.iter().map(|t| t[1].as_f64().unwrap()).sum::<f64>() + first["end"].as_f64().unwrap();
    assert!((nats - sum).abs() < 1e-3);
}

#[test]
fn a_decoder_for_a_published_encoder() {
    let model = folder("for-encoder").join("model");
    let bert = published("bert");
    let corpus = text(&fixture().corpus);
    done(&[train_args(&fixture().corpus, &model), vec!["--encoder", text(&bert)]].concat());
    let m = text(&model);
    assert!(model.join("encoder/1_Pooling/config.json").is_file());
    let info = done(&["info", "-m", m]);
    assert!(info.contains("frozen") && info.contains("8 numbers"), "{info}");
    let back = done(&["reconstruct", "-m", m, corpus]);
    assert_eq!(back.lines().count(), lines(&fixture().corpus));
    // The encoder's vectors and the texts they are of decode to the same.
    assert_eq!(done(&["decode", "-m", m, text(vectors())]), back);
    assert_eq!(done(&["sample", "-m", m, "-n", "2"]).lines().count(), 2);
    assert_eq!(done(&["interpolate", "-m", m, "We like it.", "Tom visits a town.", "--steps", "3"]).lines().count(), 3);
    assert!(done(&["evaluate", "-m", m, corpus, "--quick"]).contains("BLEU"));
    // The copy is a published folder itself.
    let copy = model.join("encoder");
    assert_eq!(done(&["encode", "-m", text(&copy), corpus]), done(&["encode", "-m", text(&bert), corpus]));
}

#[test]
fn a_decoder_for_anyones_vectors() {
    let model = folder("for-vectors").join("model");
    let corpus = text(&fixture().corpus);
    let args = train_args(&fixture().corpus, &model);
    done(&[args.clone(), vec!["--vectors", text(vectors())]].concat());
    let m = text(&model);
    let written = done(&["decode", "-m", m, text(vectors())]);
    assert_eq!(written.lines().count(), lines(&fixture().corpus));
    assert_eq!(done(&["sample", "-m", m, "-n", "2"]).lines().count(), 2);
    assert_eq!(done(&["reconstruct", "-m", m, corpus, "--vectors", text(vectors())]), written);
    assert!(done(&["evaluate", "-m", m, corpus, "--vectors", text(vectors()), "--quick"]).contains("BLEU"));
    for args in [
        vec!["encode", "-m", m, corpus],
        vec!["reconstruct", "-m", m, corpus],
        vec!["vary", "-m", m, "We like it."],
        vec!["evaluate", "-m", m, corpus, "--quick"],
        vec!["score", "-m", m, corpus],
    ] {
        let said = failed(&args, 1);
        assert!(said.contains("trained on vectors") && said.contains("strait decode"), "{args:?}: {said}");
    }
    let plain = failed(&["reconstruct", "-m", text(&fixture().model), corpus, "--vectors", text(vectors())], 1);
    assert!(plain.contains("reads texts"), "{plain}");
    let few = folder("for-vectors").join("few.jsonl");
    fs::write(&few, "[1, 2, 3]\n[4, 5, 6]\n").unwrap();
    let said = failed(&[args.clone(), vec!["--force", "--vectors", text(&few)]].concat(), 1);
    assert!(said.contains("2 vectors") && said.contains("records"), "{said}");
    let said = failed(&[args, vec!["--force", "--recipe", "vec2text"]].concat(), 1);
    assert!(said.contains("--encoder") && said.contains("--vectors"), "{said}");
    assert!(failed(&["decode", "-m", m, text(&few)], 1).contains("dimensions"));
}
