//! The whole network: it learns to copy, texts do not influence each other, folders keep everything.

mod common;

use strait_model::{
    Autoencoder, Recipe,
    config::{NetworkKind, Normalise, Pool, ScheduleKind},
    decoding::Options,
};
use strait_text::TokenizerKind;

use common::{VOCABULARY, exact, greedy, texts, trained};

fn recipe() -> Recipe {
    let mut r = Recipe::default();
    (r.encoder.embedding, r.encoder.hidden, r.decoder.hidden, r.latent.size) = (16, 24, 40, 16);
    (r.training.rate, r.training.schedule, r.training.weight_decay) = (5e-3, ScheduleKind::Constant, 0.0);
    (r.encoder.dropout, r.decoder.dropout, r.decoder.word_dropout, r.latent.noise) = (0.0, 0.0, 0.0, 0.0);
    r
}

#[test]
fn every_cell_pool_and_normalisation_learns_to_copy() {
    let mut variants = vec![recipe()];
    for cell in [NetworkKind::Gru, NetworkKind::Rnn] {
        let mut r = recipe();
        (r.encoder.kind, r.decoder.kind) = (cell, cell);
        variants.push(r);
    }
    for (pool, normalise) in [(Pool::Mean, Normalise::Layer), (Pool::Max, Normalise::None)] {
        let mut r = recipe();
        (r.encoder.pool, r.latent.normalise) = (pool, normalise);
        (r.encoder.layers, r.decoder.layers, r.decoder.tied) = (2, 2, false);
        variants.push(r);
    }
    for r in variants {
        let before = exact(&Autoencoder::new(&r, VOCABULARY, 5), &greedy());
        let after = exact(&trained(&r, 330), &greedy());
        assert!(before < 0.1 && after > 0.9, "{before} {after}: {r:?}");
    }
}

#[test]
fn a_latent_and_a_text_do_not_depend_on_their_neighbours() {
    let model = trained(&recipe(), 20);
    let texts = texts();
    let z = model.latent_size();
    let all = model.encode(&texts);
    let options = Options { temperature: 1.0, max_len: 8, ..Options::default() };
    let seeds: Vec<u64> = (0..texts.len() as u64).collect();
    let decoded = model.decode(&all, &options, TokenizerKind::Subword, &seeds);
    for i in [0, 7, 31, 84] {
        let alone = model.encode(&texts[i..=i]);
        assert_eq!(alone, all[i * z..(i + 1) * z]);
        assert_eq!(model.decode(&alone, &options, TokenizerKind::Subword, &seeds[i..=i])[0], decoded[i]);
    }
}

#[test]
fn scores_are_those_of_each_text_in_order() {
    let mut model = trained(&recipe(), 20);
    let texts = texts();
    let mut each = Vec::new();
    let total = model.score(&texts, &mut each);
    assert!((each.iter().sum::<f64>() - total.nats).abs() < 1e-3);
    assert_eq!(total.tokens, texts.iter().map(|t| t.len() + 1).sum::<usize>());
    for i in [3, 50] {
        let mut alone = Vec::new();
        model.score(&texts[i..=i], &mut alone);
        assert!((alone[0] - each[i]).abs() < 1e-6);
    }
    // Against the decoder run step by step: the nats of the greedy text are those of scoring it.
    let latents = model.encode(&texts[9..10]);
    let options = Options { prefix: strait_model::decoding::Prefix::All(texts[9].clone()), ..Options::default() };
    let forced = Options { max_len: texts[9].len(), ..options };
    let decoded = &model.decode(&latents, &forced, TokenizerKind::Subword, &[0])[0];
    assert_eq!(decoded.tokens, texts[9]);
    assert!(decoded.nats <= each[9] + 1e-4, "without the end it cannot cost more");
}
