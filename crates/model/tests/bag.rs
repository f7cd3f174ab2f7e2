//! Bag networks: order does not matter, neighbours do not, what is decoded is what was in the text, and topics are found.

mod common;

use std::collections::BTreeSet;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strait_model::{
    Autoencoder, Recipe,
    config::{ActivationKind, BagOutput, KlConfig, LatentKind, NetworkKind, RegulariserConfig, ScheduleKind},
    decoding::Options,
};
use strait_text::{TokenizerKind, tokenizer::SPECIALS};

use common::texts;

/// A small bag network on both sides.
fn recipe() -> Recipe {
    let mut r = Recipe::default();
    (r.encoder.kind, r.decoder.kind) = (NetworkKind::Bag, NetworkKind::Bag);
    (r.encoder.embedding, r.encoder.hidden, r.decoder.hidden, r.latent.size) = (16, 32, 32, 16);
    (r.training.rate, r.training.schedule, r.training.weight_decay) = (1e-2, ScheduleKind::Constant, 0.0);
    (r.encoder.dropout, r.decoder.dropout, r.latent.noise) = (0.0, 0.0, 0.0);
    r
}

/// A model of texts, in batches of `rows` drawn at random if there are more.
fn trained(recipe: &Recipe, vocabulary: usize, texts: &[Vec<u32>], (steps, rows): (usize, usize)) -> Autoencoder {
    common::trained_on(recipe, vocabulary, steps, |rng| match rows < texts.len() {
        true => (0..rows).map(|_| &texts[rng.random_range(0..texts.len() as u64) as usize][..]).collect(),
        false => texts.iter().map(Vec::as_slice).collect(),
    })
}

fn decoded(model: &Autoencoder, texts: &[Vec<u32>], options: &Options) -> Vec<Vec<u32>> {
    let seeds: Vec<u64> = (0..texts.len() as u64).collect();
    let outputs = model.decode(&model.encode(texts), options, TokenizerKind::Subword, &seeds);
    outputs.into_iter().map(|o| o.tokens).collect()
}

/// Share of texts whose tokens, as a set, came back, none of them twice.
fn sets(model: &Autoencoder) -> f64 {
    let texts = texts();
    let back = decoded(model, &texts, &Options { max_len: 8, ..Options::default() });
    let set = |t: &[u32]| t.iter().copied().collect::<BTreeSet<u32>>();
    let right = back.iter().zip(&texts).filter(|(b, t)| set(b) == set(t) && set(b).len() == b.len());
    right.count() as f64 / texts.len() as f64
}

#[test]
fn every_output_and_activation_gives_back_what_a_text_holds() {
    let mut variants = Vec::new();
    for (output, tied) in [(BagOutput::Multinomial, true), (BagOutput::Multinomial, false), (BagOutput::Mse, false)] {
        let mut r = recipe();
        (r.decoder.output, r.decoder.tied) = (output, tied);
        variants.push(r);
    }
    for activation in [ActivationKind::Relu, ActivationKind::LeakyRelu, ActivationKind::Tanh] {
        let mut r = recipe();
        (r.encoder.activation, r.decoder.activation) = (activation, activation);
        variants.push(r);
    }
    for activation in [ActivationKind::Sigmoid, ActivationKind::Silu] {
        let mut r = recipe();
        (r.encoder.activation, r.decoder.activation) = (activation, activation);
        (r.encoder.layers, r.decoder.layers) = (3, 3);
        variants.push(r);
    }
    for r in variants {
        let before = sets(&Autoencoder::new(&r, 12, 5));
        let after = sets(&trained(&r, 12, &texts(), (250, 85)));
        assert!(before < 0.3 && after > 0.9, "{before} {after}: {r:?}");
    }
}

#[test]
fn order_and_neighbours_do_not_matter() {
    let model = trained(&recipe(), 12, &texts(), (20, 85));
    let mut model = model;
    let (a, b) = (vec![vec![3, 5, 5, 6, 4]], vec![vec![5, 4, 6, 3, 5]]);
    assert_eq!(model.encode(&a), model.encode(&b));
    let (mut nats_a, mut nats_b) = (Vec::new(), Vec::new());
    model.score(&a, &mut nats_a);
    model.score(&b, &mut nats_b);
    assert_eq!(nats_a, nats_b);
    let (texts, z) = (texts(), model.latent_size());
    let all = model.encode(&texts);
    let mut each = Vec::new();
    let total = model.score(&texts, &mut each);
    assert!((each.iter().sum::<f64>() - total.nats).abs() < 1e-3);
    assert!(model.token_nats_from(&texts, &all).is_none(), "a bag has no order");
    let options = Options { temperature: 1.0, max_len: 8, ..Options::default() };
    let drawn = decoded(&model, &texts, &options);
    for i in [0, 7, 31, 84] {
        let alone = model.encode(&texts[i..=i]);
        assert_eq!(alone, all[i * z..(i + 1) * z]);
        assert_eq!(model.decode(&alone, &options, TokenizerKind::Subword, &[i as u64])[0].tokens, drawn[i]);
        let mut own = Vec::new();
        model.score(&texts[i..=i], &mut own);
        assert!((own[0] - each[i]).abs() < 1e-6);
    }
}

#[test]
fn lengths_can_be_asked_for_and_beams_work() {
    let model = trained(&recipe(), 12, &texts(), (150, 85));
    let texts = texts();
    let longer = decoded(&model, &texts, &Options { min_len: 4, max_len: 5, ..Options::default() });
    assert!(longer.iter().all(|t| t.len() >= 4 && t.iter().collect::<BTreeSet<_>>().len() == t.len()));
    let greedy = decoded(&model, &texts, &Options { max_len: 8, ..Options::default() });
    let beams = decoded(&model, &texts, &Options { beam: 3, max_len: 8, ..Options::default() });
    let set = |t: &[u32]| t.iter().copied().collect::<BTreeSet<u32>>();
    let alike = greedy.iter().zip(&beams).filter(|(g, b)| set(g) == set(b)).count();
    assert!(alike as f64 > 0.9 * texts.len() as f64, "{alike}");
}

const TOPICS: usize = 6;
const WORDS: usize = 10;
const COMMON: usize = 20;

/// Texts of 8 to 24 tokens: half of them common words, half words of one or two topics, rarer ones included.
fn corpus(n: usize) -> Vec<Vec<u32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut below = |n: usize| rng.random_range(0..n as u64) as usize;
    (0..n)
        .map(|_| {
            let (first, second) = (below(TOPICS), below(TOPICS));
            (0..8 + below(17))
                .map(|_| {
                    // The smaller of two draws: low ids are more frequent.
                    let place = |n: usize, below: &mut dyn FnMut(usize) -> usize| below(n).min(below(n));
                    let id = match below(4) {
                        0 | 1 => place(COMMON, &mut below),
                        2 => COMMON + first * WORDS + place(WORDS, &mut below),
                        _ => COMMON + second * WORDS + place(WORDS, &mut below),
                    };
                    SPECIALS + id as u32
                })
                .collect()
        })
        .collect()
}

#[test]
fn known_topics_are_found() {
    let mut r = recipe();
    (r.decoder.topics, r.decoder.tied, r.latent.size, r.latent.kind) = (true, false, TOPICS + 4, LatentKind::Gaussian);
    r.objective.regulariser = RegulariserConfig::Kl(KlConfig::default());
    r.training.rate = 2e-2;
    r.check().unwrap();
    let texts = corpus(2000);
    let vocabulary = SPECIALS as usize + COMMON + TOPICS * WORDS;
    let model = trained(&r, vocabulary, &texts, (500, 64));
    let bag = model.decoder().bag().unwrap();
    let topics = bag.topics(&model.params);
    assert_eq!(topics.len(), TOPICS + 4);
    let mut taken = BTreeSet::new();
    for truth in 0..TOPICS {
        let words: BTreeSet<u32> =
            (0..WORDS).map(|w| (SPECIALS as usize + COMMON + truth * WORDS + w) as u32).collect();
        let shared = |t: usize| topics[t].ranked(0.3).iter().take(WORDS).filter(|id| words.contains(id)).count();
        let best = (0..topics.len()).max_by_key(|&t| shared(t)).unwrap();
        assert!(shared(best) >= 9, "topic {truth}: only {} of {WORDS} words", shared(best));
        taken.insert(best);
    }
    assert_eq!(taken.len(), TOPICS, "each topic once");
    // The shares of a text lie on its topics.
    let one: Vec<u32> = (0..12).map(|w| (SPECIALS as usize + COMMON + 2 * WORDS + w % WORDS) as u32).collect();
    let shares = bag.shares(&model.encode(&[one]));
    assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-5 && shares.iter().any(|&s| s > 0.6), "{shares:?}");
}
