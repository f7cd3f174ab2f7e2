//! Broken and foreign folders: each is refused with a message that names the file and what is wrong in it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use strait_pretrained::{LanguageModel, SentenceEncoder};

/// A copy of the tiny BERT (or another folder), to be broken.
struct Broken(tempfile::TempDir);

impl Broken {
    fn copy_of(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name), dir.path());
        Broken(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn remove(self, name: &str) -> Self {
        fs::remove_file(self.path(name)).unwrap();
        self
    }

    fn write(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        fs::write(self.path(name), bytes).unwrap();
        self
    }

    /// Sets a key of a JSON file.
    fn set(self, name: &str, key: &str, value: Value) -> Self {
        let mut json: Value = serde_json::from_slice(&fs::read(self.path(name)).unwrap()).unwrap();
        json[key] = value;
        self.write(name, json.to_string())
    }

    /// Changes the bytes of a file.
    fn edit(self, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut bytes = fs::read(self.path(name)).unwrap();
        change(&mut bytes);
        self.write(name, bytes)
    }

    /// Replaces a text of equal length in the header of the weights.
    fn rename(self, from: &str, to: &str) -> Self {
        assert_eq!(from.len(), to.len());
        self.edit("model.safetensors", |bytes| {
            let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        })
    }

    fn refused(&self, words: &[&str]) {
        let message = SentenceEncoder::open(self.0.path()).err().expect("it is broken").to_string();
        for word in words {
            assert!(message.contains(word), "{word:?} is not in: {message}");
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

fn bert() -> Broken {
    Broken::copy_of("bert")
}

#[test]
fn folders() {
    let absent = Path::new("/nowhere/at/all");
    assert!(SentenceEncoder::open(absent).err().unwrap().to_string().contains("no such folder"));
    bert().remove("config.json").refused(&["not a published model"]);
    bert().remove("model.safetensors").refused(&["model.safetensors", "missing"]);
    bert().remove("vocab.txt").refused(&["tokenizer.json", "missing"]);
    Broken::copy_of("roberta").remove("merges.txt").refused(&["merges.txt", "missing"]);
    Broken::copy_of("roberta").remove("model-00002-of-00002.safetensors").refused(&["model-00002-of-00002", "missing"]);
    bert().remove("1_Pooling/config.json").refused(&["1_Pooling/config.json", "missing"]);
}

/// The pickle here would write a file if it were opened.
#[test]
fn pickles_are_not_opened() {
    let trace = tempfile::tempdir().unwrap();
    let trace = trace.path().join("ran");
    let program = format!("cos\nsystem\n(S'touch {}'\ntR.", trace.display());
    let folder = bert().remove("model.safetensors").write("pytorch_model.bin", program);
    folder.refused(&["pickle", "never", "safe_serialization"]);
    assert!(!trace.exists());
}

#[test]
fn configs() {
    let set = |key: &str, value: Value| bert().set("config.json", key, value);
    bert().write("config.json", "{\"model_type\":").refused(&["config.json", "EOF"]);
    bert().write("config.json", "[]").refused(&["config.json", "map"]);
    set("model_type", json!("llama")).refused(&["model_type", "llama", "bert"]);
    set("model_type", json!("gpt2")).set("config.json", "n_embd", json!(8)).refused(&["n_layer", "missing"]);
    set("model_type", json!(7)).refused(&["model_type", "7"]);
    set("hidden_size", Value::Null).refused(&["hidden_size", "missing"]);
    set("hidden_size", json!("8")).refused(&["hidden_size", "\"8\""]);
    set("hidden_size", json!(-8)).refused(&["hidden_size", "-8"]);
    set("vocab_size", json!(1u64 << 60)).refused(&["vocab_size"]);
    set("num_hidden_layers", json!(0)).refused(&["num_hidden_layers"]);
    set("num_attention_heads", json!(3)).refused(&["num_attention_heads", "3", "8"]);
    set("hidden_act", json!("mish")).refused(&["hidden_act", "mish", "gelu"]);
    set("layer_norm_eps", json!(-1)).refused(&["layer_norm_eps"]);
    set("position_embedding_type", json!("relative_key")).refused(&["position_embedding_type", "relative_key"]);
    let roberta = |n: u32| Broken::copy_of("roberta").set("config.json", "max_position_embeddings", json!(n));
    roberta(2).refused(&["max_position_embeddings"]);
}

#[test]
fn tensors() {
    let set = |key: &str, value: Value| bert().set("config.json", key, value);
    set("intermediate_size", json!(13)).refused(&["encoder.layer.0.intermediate.dense.weight", "[12, 8]", "[13, 8]"]);
    set("num_hidden_layers", json!(3)).refused(&["encoder.layer.2.attention.self.query.weight", "no tensor"]);
    set("num_hidden_layers", json!(1 << 24)).refused(&["encoder.layer.2"]);
    bert().rename("layer.1.output.dense.bias", "layer.1.output.dense.bios").refused(&["layer.1.output.dense.bias"]);
    bert().rename("\"F32\"", "\"I32\"").refused(&["I32", "BF16"]);
    bert()
        .edit("model.safetensors", |b| {
            let end = b.len();
            b[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        })
        .refused(&["not finite"]);
}

#[test]
fn weight_files() {
    let edit = |change: fn(&mut Vec<u8>)| bert().edit("model.safetensors", change);
    let words = ["model.safetensors", "whole safetensors file"];
    edit(Vec::clear).refused(&words);
    edit(|b| b.truncate(5)).refused(&words);
    edit(|b| b.truncate(b.len() - 1)).refused(&words);
    edit(|b| b.push(0)).refused(&words);
    // A header longer than the file, than memory, than numbers go.
    edit(|b| b[..8].copy_from_slice(&9_999u64.to_le_bytes())).refused(&words);
    edit(|b| b[..8].copy_from_slice(&(1u64 << 40).to_le_bytes())).refused(&words);
    edit(|b| b[..8].copy_from_slice(&u64::MAX.to_le_bytes())).refused(&words);
    edit(|b| b[8] = b'[').refused(&words);
    let index = |value: Value| Broken::copy_of("roberta").set("model.safetensors.index.json", "weight_map", value);
    index(json!({})).refused(&["weight_map", "empty"]);
    index(json!({"a": "../../etc/passwd"})).refused(&["weight_map", "plain name"]);
    index(json!({"a": "/etc/passwd"})).refused(&["weight_map", "plain name"]);
    index(json!([1])).refused(&["model.safetensors.index.json"]);
}

#[test]
fn pooling() {
    let set = |key: &str, value: Value| bert().set("1_Pooling/config.json", key, value);
    set("pooling_mode_cls_token", json!(false)).refused(&["pooling_mode"]);
    set("pooling_mode_mean_tokens", json!(true)).refused(&["pooling_mode_mean_tokens", "another"]);
    set("pooling_mode_cls_token", json!("yes")).refused(&["pooling_mode_cls_token"]);
    set("word_embedding_dimension", json!(9)).refused(&["word_embedding_dimension", "9", "8"]);
    set("pooling_mode", json!("attention")).refused(&["attention"]);
    let module =
        |path: &str, kind: &str| bert().write("modules.json", json!([{"path": path, "type": kind}]).to_string());
    module("2_Dense", "sentence_transformers.models.Dense").refused(&["modules.json", "Dense"]);
    module("../elsewhere", "sentence_transformers.models.Pooling").refused(&["plain name"]);
    bert().write("modules.json", "{}").refused(&["modules.json"]);
    bert().set("sentence_bert_config.json", "max_seq_length", json!(1)).refused(&["vocab.txt", "1 tokens"]);
}

#[test]
fn tokenizers() {
    bert().write("vocab.txt", "a\nb\n").refused(&["vocab.txt", "[CLS]"]);
    bert().write("vocab.txt", [0xff, 0xfe]).refused(&["vocab.txt", "UTF-8"]);
    let many: String = (0..30).map(|i| format!("w{i}\n")).collect();
    bert().edit("vocab.txt", |b| b.extend(many.bytes())).refused(&["vocab.txt", "vocab_size", "25"]);
    bert().write("tokenizer.json", "{}").refused(&["tokenizer.json"]);
    bert().write("tokenizer.json", "").refused(&["tokenizer.json"]);
    Broken::copy_of("roberta").write("merges.txt", "#version: 0.2\nab\n").refused(&["merges.txt", "line 2"]);
    Broken::copy_of("roberta").write("merges.txt", "q zz\n").refused(&["merges.txt"]);
    Broken::copy_of("roberta").write("vocab.json", "[]").refused(&["vocab.json"]);
}

#[test]
fn each_opener_takes_its_own_kind() {
    let gpt2 = Broken::copy_of("gpt2");
    gpt2.refused(&["gpt2", "bert"]);
    let message = LanguageModel::open(bert().0.path()).err().unwrap().to_string();
    assert!(message.contains("bert") && message.contains("gpt2"), "{message}");
    let refused = |key: &str, value: Value| {
        let folder = Broken::copy_of("gpt2").set("config.json", key, value);
        let message = LanguageModel::open(folder.0.path()).err().expect("it is broken").to_string();
        assert!(message.contains(key), "{message}");
    };
    refused("scale_attn_by_inverse_layer_idx", json!(true));
    refused("tie_word_embeddings", json!(false));
    refused("n_head", json!(3));
    let folder = Broken::copy_of("gpt2").set("config.json", "eos_token_id", json!(5000));
    let folder = folder.set("config.json", "bos_token_id", Value::Null);
    assert!(LanguageModel::open(folder.0.path()).err().unwrap().to_string().contains("eos_token_id"));
}
