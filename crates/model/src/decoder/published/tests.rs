//! Against the published network; training against decoding step by step; gradients.

use std::path::Path;

use strait_engine::ops::losses::Weighting;

use super::*;
use crate::{
    batch::{Batch, Corruption},
    config::Tuning,
    objective::testing::{check_gradients, numbers, rng},
};

const SIZE: usize = 3;
const TEXTS: [&str; 3] = ["the red fox by the river", "a fox", ""];

fn published() -> Arc<PublishedDecoder> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pretrained/tests/fixtures/gpt2");
    Arc::new(PublishedDecoder::open(&folder).unwrap())
}

/// A decoder with latents of so many dimensions; `told` draws the maps and what adapters add, which are 0 at first.
fn decoder(published: &Arc<PublishedDecoder>, tuning: Tuning, size: usize, told: bool) -> (Params, Decoder) {
    let (mut params, d) = (Params::new(), published.language_model().network().width());
    let v = published.tokenizer().vocab_size();
    let table = params.add("embedding.weight", (v, d), vec![0.0; v * d]);
    let config =
        DecoderConfig { layers: 2, dropout: 0.0, tuning, tuned_layers: 1, rank: 2, ..DecoderConfig::default() };
    let mut decoder = Decoder::new(&mut params, &config, table, size, &mut rng(1));
    decoder.set(&mut params, published.clone(), 2);
    let zero = |name: &str| name.starts_with("decoder.latent.") || name.ends_with(".up");
    let ids: Vec<ParamId> = params.iter().filter(|(_, p)| told && zero(p.name())).map(|(id, _)| id).collect();
    for (seed, id) in ids.into_iter().enumerate() {
        let n = params.value(id).len();
        params.assign(id, &numbers(n, 7 + seed as u64));
    }
    (params, decoder)
}

fn task<'a>(batch: &'a Batch, z: Option<Var>) -> Task<'a> {
    let (features, states, row_weights) = Default::default();
    Task { z, features, states, batch, label_smoothing: 0.0, unlikelihood: 0.0, row_weights, scale: 1.0 }
}

/// The scores at each position of a text, (n + 1, V), one step after the other.
fn steps(params: &Params, decoder: &Decoder, text: &[u32], z: &[f32]) -> Vec<Vec<f32>> {
    let mut generator = decoder.generator(params, (z, 1));
    let fed = std::iter::once(BOS).chain(text.iter().copied());
    fed.map(|token| {
        let mut logits = Vec::new();
        generator.step(&[token], &mut logits);
        logits
    })
    .collect()
}

fn near(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4)
}

#[test]
fn before_training_it_is_the_published_network_whatever_the_latent() {
    let published = published();
    let model = published.language_model();
    let (text, z) = (published.tokenizer().encode(TEXTS[0]), numbers(SIZE, 3));
    let ids: Vec<u32> = std::iter::once(model.end()).chain(model.ids(&[TEXTS[0]]).concat()).collect();
    let wanted = model.logits(&ids);
    // The model's ids beyond the special ones are those of the tokens but the end, which is the fixture's first and stands for
    // itself.
    let wanted: Vec<&[f32]> = wanted.chunks_exact(model.vocabulary()).collect();
    let same = |found: &[f32], wanted: &[f32]| {
        let never = [BOS, MASK].iter().all(|&token| found[token as usize] < NEVER / 2.0);
        never && near(&[&found[1..2], &found[3..]].concat(), wanted)
    };
    for tuning in [Tuning::All, Tuning::Last, Tuning::Adapters, Tuning::Frozen] {
        let (params, decoder) = decoder(&published, tuning, SIZE, false);
        let found = steps(&params, &decoder, &text, &z);
        assert!(found.len() == wanted.len() && found.iter().zip(&wanted).all(|(a, b)| same(a, b)), "{tuning:?}");
    }
    let (params, fresh) = decoder(&published, Tuning::Fresh, SIZE, false);
    assert!(!same(&steps(&params, &fresh, &text, &z)[1], wanted[1]));
}

#[test]
fn trained_as_it_decodes() {
    let published = published();
    // The last is longer than the fixture has places.
    let long = "the river ".repeat(60);
    let texts = published.tokenizer().encode_batch(&[TEXTS[0], TEXTS[1], TEXTS[2], &long]);
    assert!(texts[3].len() > published.language_model().network().places() && published.too_long(&texts) == 1);
    let batch = Batch::new(&texts, Corruption::default(), &mut rng(1));
    for (tuning, size) in [(Tuning::Adapters, SIZE), (Tuning::All, SIZE), (Tuning::All, 0)] {
        let (params, decoder) = decoder(&published, tuning, size, true);
        let z = numbers(texts.len() * size, 3);
        let mut tape = Tape::inference();
        let of = |b: &u32| &z[*b as usize * size..][..size];
        let rows: Vec<f32> = Batch::order(&texts).iter().flat_map(of).copied().collect();
        let latents = (size > 0).then(|| tape.input(&rows, (texts.len(), size)));
        let y = decoder.read(&mut tape, &params, &task(&batch, latents), &mut rng(1));
        let scores = tape.linear(&params, y, decoder.output.weight, Some(decoder.output.bias));
        let v = decoder.output.vocabulary(&params);
        for (b, &i) in Batch::order(&texts).iter().enumerate() {
            let apart = steps(&params, &decoder, &texts[i as usize], of(&i));
            assert_eq!(apart.len(), texts[i as usize].len() + 1);
            for (t, apart) in apart.iter().enumerate() {
                let together = &tape.value(scores)[batch.packing.row(b, t) * v..][..v];
                assert!(near(together, apart), "{tuning:?}: text {i}, position {t}");
            }
        }
        // Rows that are copied go on alike; those that are told something else do not.
        let mut generator = decoder.generator(&params, (&z[..2 * size], 2));
        let mut logits = Vec::new();
        generator.step(&[BOS; 2], &mut logits);
        assert_eq!(logits[..v] == logits[v..], size == 0);
        generator.select(&[1, 1, 0]);
        generator.step(&[5; 3], &mut logits);
        assert!(logits[..v] == logits[v..2 * v] && (logits[..v] == logits[2 * v..]) == (size == 0));
        assert_eq!((generator.rows(), generator.states().len()), (3, 3 * 8));
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let published = published();
    let texts = published.tokenizer().encode_batch(&TEXTS[..2]);
    let batch = Batch::new(&texts, Corruption::default(), &mut rng(1));
    // Tensors of the published network, or of its adapters, besides the two maps.
    for (tuning, weights) in
        [(Tuning::Frozen, 0), (Tuning::Adapters, 8), (Tuning::Last, 12), (Tuning::All, 1 + 1 + 2 * 12 + 2)]
    {
        let (mut params, decoder) = decoder(&published, tuning, SIZE, true);
        assert_eq!(params.iter().filter(|(_, p)| p.trainable()).count(), 2 + weights, "{tuning:?}");
        let z = numbers(2 * SIZE, 3);
        let mut loss = |tape: &mut Tape, params: &Params, inputs: &[Var]| {
            let y = decoder.read(tape, params, &task(&batch, Some(inputs[0])), &mut rng(1));
            let n = tape.value(y).len();
            tape.squared_error(y, &numbers(n, 5), Weighting { row_weights: None, scale: 0.1 });
        };
        check_gradients(&mut params, &[(&z, (2, SIZE))], &mut loss);
    }
}

#[test]
fn each_way_in_is_there_if_asked_for() {
    let published = published();
    for (injection, names) in [
        (InjectionKind::Memory, &["memory.weight"][..]),
        (InjectionKind::Embedding, &["embedding.weight"]),
        (InjectionKind::Both, &["embedding.weight", "memory.weight"]),
    ] {
        let mut params = Params::new();
        let v = published.tokenizer().vocab_size();
        let table = params.add("embedding.weight", (v, 8), vec![0.0; v * 8]);
        let config = DecoderConfig { layers: 2, injection, ..DecoderConfig::default() };
        Decoder::new(&mut params, &config, table, SIZE, &mut rng(1));
        let found: Vec<&str> = params.iter().filter_map(|(_, p)| p.name().strip_prefix("decoder.latent.")).collect();
        assert_eq!(found, names);
    }
}

#[test]
fn its_tokens_are_the_models() {
    let published = published();
    let (tokenizer, model) = (published.tokenizer(), published.language_model());
    // One is begin, end and no ordinary token: three of ours.
    assert_eq!(tokenizer.vocab_size(), model.vocabulary() + 2);
    for text in ["the red fox sat by the river", "Two  rivers, don't! 河 🦊\n", "<|endoftext|>"] {
        let ids = tokenizer.encode(text);
        assert_eq!(tokenizer.decode(&ids), text);
        assert!(ids.iter().all(|&id| id > MASK));
        // The fixture's end is its first token.
        let its: Vec<u32> = ids.iter().map(|&id| id - MASK).collect();
        assert_eq!(its == model.ids(&[text]).concat(), text != "<|endoftext|>", "{text:?}");
    }
}
