//! Folders as publishers write them, with what `transformers` and `sentence-transformers` compute on them
//! (`fixtures/make.py`).

use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use strait_pretrained::{Family, LanguageModel, Pool, SentenceEncoder, family_of, files_of};

/// Largest difference that is allowed.
const TOLERANCE: f32 = 1e-4;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn texts() -> Vec<String> {
    serde_json::from_slice(&std::fs::read(folder("texts.json")).unwrap()).unwrap()
}

fn floats(file: &SafeTensors<'_>, name: &str) -> Vec<f32> {
    let bytes = file.tensor(name).unwrap().data();
    bytes.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
}

fn ids(file: &SafeTensors<'_>, i: usize) -> Option<Vec<u32>> {
    let tensor = file.tensor(&format!("ids.{i}")).ok()?;
    Some(tensor.data().as_chunks::<4>().0.iter().map(|&b| u32::from_le_bytes(b)).collect())
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Hidden states, then vectors, of one encoder.
fn check(name: &str, family: Family, pool: Pool) {
    let encoder = SentenceEncoder::open(&folder(name)).unwrap();
    assert_eq!((encoder.family(), encoder.width(), encoder.pooling().pool), (family, 8, pool));
    let bytes = std::fs::read(folder(name).join("expected.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let texts = texts();
    let all: Vec<Vec<u32>> = (0..texts.len()).map(|i| ids(&expected, i).unwrap()).collect();
    let short: Vec<usize> = (0..texts.len()).filter(|&i| all[i].len() < encoder.pooling().longest).collect();
    assert!(short.len() > 3);
    let own = encoder.ids(&texts);
    short.iter().for_each(|&i| assert_eq!(own[i], all[i], "{name}: {:?}", texts[i]));
    for (i, states) in encoder.hidden_states(&all).iter().enumerate() {
        let wanted = floats(&expected, &format!("states.{i}"));
        let off = largest_difference(states, &wanted);
        assert!(off < TOLERANCE, "{name}: states of text {i} are off by {off}");
    }
    let off = largest_difference(&encoder.encode(&texts), &floats(&expected, "vectors"));
    assert!(off < TOLERANCE, "{name}: vectors are off by {off}");
}

#[test]
fn bert_with_vocab_txt_first_token_and_unit_length() {
    check("bert", Family::Bert, Pool::First);
}

#[test]
fn roberta_in_shards_of_bf16_with_merges() {
    check("roberta", Family::Roberta, Pool::Mean);
    assert!(files_of(&folder("roberta")).unwrap().contains(&"model-00002-of-00002.safetensors".to_string()));
}

#[test]
fn distilbert_in_f16_with_maximum() {
    check("distilbert", Family::DistilBert, Pool::Max);
}

#[test]
fn gpt2_with_tokenizer_json() {
    let model = LanguageModel::open(&folder("gpt2")).unwrap();
    let bytes = std::fs::read(folder("gpt2").join("expected.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let texts = texts();
    let mut seen = 0;
    for (i, text) in texts.iter().enumerate() {
        let Some(ids) = ids(&expected, i) else { continue };
        assert_eq!(model.ids(&[text])[0], ids, "{text:?}");
        assert_eq!(&model.text(&ids), text);
        let off = largest_difference(&model.logits(&ids), &floats(&expected, &format!("logits.{i}")));
        assert!(off < TOLERANCE, "logits of text {i} are off by {off}");
        seen += 1;
    }
    assert_eq!((seen, family_of(&folder("gpt2")).unwrap()), (2, Family::Gpt2));
}

#[test]
fn one_token_at_a_time_is_as_all_at_once() {
    let model = LanguageModel::open(&folder("gpt2")).unwrap();
    let ids = &model.ids(&["the red fox by the river"])[0];
    let mut generator = model.generator(3);
    let mut logits = Vec::new();
    for (t, &id) in ids.iter().enumerate() {
        generator.step(&[id; 3], &mut logits);
        if t == 2 {
            generator.select(&[2, 0, 0]);
        }
    }
    let whole = model.logits(ids);
    let v = model.vocabulary();
    for row in logits.chunks_exact(v) {
        assert!(largest_difference(row, &whole[whole.len() - v..]) < TOLERANCE);
    }
}

/// Nats from whole texts, and from pieces where a text is longer than there are places (40).
#[test]
fn nats_by_the_plain_formula() {
    let model = LanguageModel::open(&folder("gpt2")).unwrap();
    let v = model.vocabulary();
    let text = "the river by the red fox ".repeat(20);
    let ids = &model.ids(&[&text])[0];
    assert!(ids.len() > 100);
    let nats = model.nats(ids);
    assert_eq!(nats.len(), ids.len());
    let fed: Vec<u32> = std::iter::once(model.end()).chain(ids.iter().copied()).collect();
    let plain = |start: usize, end: usize| {
        let logits = model.logits(&fed[start..end]);
        let row = &logits[logits.len() - v..];
        let sum: f64 = row.iter().map(|&x| f64::from(x).exp()).sum();
        sum.ln() - f64::from(row[ids[end - 1] as usize])
    };
    for i in [0, 7, 39, 40, 59, 60, ids.len() - 1] {
        // Pieces begin every 20 tokens and tell what is beyond those before.
        let start = if i < 40 { 0 } else { (i - 20) / 20 * 20 };
        let wanted = plain(start, i + 1);
        assert!((f64::from(nats[i]) - wanted).abs() < 1e-3, "token {i}: {} instead of {wanted}", nats[i]);
    }
    assert!(model.nats(&[]).is_empty());
}

/// A text's vector is the same alone and beside others, whatever the number of threads.
#[test]
fn vectors_do_not_depend_on_the_batch() {
    let encoder = SentenceEncoder::open(&folder("bert")).unwrap();
    let texts = texts();
    let together = encoder.encode(&texts);
    for (text, row) in texts.iter().zip(together.chunks_exact(encoder.width())) {
        assert_eq!(encoder.encode(&[text]), row);
    }
    assert!(encoder.encode::<&str>(&[]).is_empty());
}
